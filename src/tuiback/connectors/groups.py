"""Finds groups by id or name, and everybody who belongs to one, be it through groups inside it."""

import re
from urllib.parse import quote

from tuiback.errors import AccessDenied, Ambiguous, ItemGone, NoSuchThing
from tuiback.graph import GraphClient

_OBJECT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MEMBERS_QUERY = {"$select": "id", "$top": "999", "$count": "true"}
# Narrowing a list to one type is an advanced query: https://learn.microsoft.com/graph/aad-advanced-queries
_ADVANCED = {"ConsistencyLevel": "eventual"}


async def members_of(graph: GraphClient, group: str) -> frozenset[str]:
    """The object ids of all users in the group that `group` names by id, name or address.

    Members of groups inside it count: https://learn.microsoft.com/graph/api/group-list-transitivemembers.
    Raises NoSuchThing and Ambiguous for the group, AccessDenied without GroupMember.Read.All.
    """
    try:
        group_id = group if _OBJECT_ID.fullmatch(group) else await _find(graph, group)
        path = f"/groups/{quote(group_id)}/transitiveMembers/microsoft.graph.user"
        found: set[str] = set()
        async for page in graph.lane("directory").pages(path, params=_MEMBERS_QUERY, headers=_ADVANCED):
            found.update(str(user["id"]) for user in page.items)
    except ItemGone:
        raise _no_such(group) from None
    except AccessDenied as error:
        raise AccessDenied(
            "the app may not read the members of groups", group, "grant it GroupMember.Read.All",
            status=error.status, graph_code=error.graph_code, request_id=error.request_id,
        ) from error  # fmt: skip
    return frozenset(found)


async def _find(graph: GraphClient, name: str) -> str:
    text = name.replace("'", "''")
    params = {"$filter": f"displayName eq '{text}' or mail eq '{text}'", "$select": "id,displayName", "$top": "999"}
    found: list[str] = []
    async for page in graph.lane("directory").pages("/groups", params=params):
        found += [str(group["id"]) for group in page.items]
    if not found:
        raise _no_such(name)
    if len(found) > 1:
        raise Ambiguous(f"this names several groups: {', '.join(sorted(found))}", name, "write the id of one")
    return found[0]


def _no_such(group: str) -> NoSuchThing:
    return NoSuchThing("there is no such group in the tenant", group, "see its name in Entra, or write its object id")
