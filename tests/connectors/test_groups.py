"""Members of groups, read from the simulated tenant through the real client and from scripted answers."""

import pytest

from tests.connectors.scripted import ScriptedLane, client_of
from tests.connectors.tenant import Tenant
from tuiback.connectors.groups import members_of
from tuiback.errors import AccessDenied, Ambiguous, NoSuchThing
from tuiback.graph import GraphClient, Page

ABSENT = "00000000-0000-4000-8000-000000000000"
PATH = f"/groups/{ABSENT}/transitiveMembers/microsoft.graph.user"


def everybody(tenant: Tenant) -> set[str]:
    """The ids of all users."""
    return {str(user["id"]) for user in tenant.listed("/users?$select=id")}


def group_id(tenant: Tenant, name: str) -> str:
    """The id of the group of that name."""
    return next(str(group["id"]) for group in tenant.listed("/groups") if group["displayName"] == name)


async def test_members_of_nested_groups_belong_to_it(graph: GraphClient, tenant: Tenant) -> None:
    """A group that holds only groups has everybody in these, each once; its name and its id mean the same."""
    by_name = await members_of(graph, "All staff")
    assert by_name == everybody(tenant)
    assert await members_of(graph, group_id(tenant, "All staff")) == by_name


async def test_members_come_over_several_pages() -> None:
    """Every page counts, and somebody told twice is one."""
    first = Page([{"id": "u1"}, {"id": "u2"}], "https://graph.example/next", None)
    lane = ScriptedLane({PATH: [first], "https://graph.example/next": [Page([{"id": "u2"}, {"id": "u3"}], None, None)]})
    assert await members_of(client_of(lane), ABSENT) == {"u1", "u2", "u3"}


@pytest.mark.parametrize("group", [ABSENT, "Nobody's group"])
async def test_a_group_that_is_not_there(graph: GraphClient, group: str) -> None:
    """It is an error that names the group, never an empty scope."""
    with pytest.raises(NoSuchThing, match="no such group") as caught:
        await members_of(graph, group)
    assert caught.value.subject == group


async def test_an_ambiguous_name() -> None:
    """Two groups of one name: both ids are told, and nobody is in the scope."""
    lane = ScriptedLane({"/groups": [Page([{"id": "g-1"}, {"id": "g-2"}], None, None)]})
    with pytest.raises(Ambiguous, match="g-1, g-2"):
        await members_of(client_of(lane), "O'Neill's")
    _, params, _ = lane.asked[0]
    assert params is not None
    assert params["$filter"] == "displayName eq 'O''Neill''s' or mail eq 'O''Neill''s'"


async def test_an_app_that_may_not_look() -> None:
    """The error names the permission that is missing."""
    lane = ScriptedLane({PATH: [AccessDenied("Insufficient privileges", PATH, status=403)]})
    with pytest.raises(AccessDenied, match=r"GroupMember\.Read\.All"):
        await members_of(client_of(lane), ABSENT)
