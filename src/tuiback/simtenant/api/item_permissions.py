"""Answers for who may see a file or folder: the list, invitations, links, changes and removals.

https://learn.microsoft.com/graph/api/driveitem-list-permissions, .../driveitem-invite, .../driveitem-createlink
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView, identity
from tuiback.simtenant.api.drive_lookup import DRIVES, drive_of, node_of, not_found
from tuiback.simtenant.api.odata import collection, context_url
from tuiback.simtenant.api.permissions import READ_FILES, WRITE_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.company import Site
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.drive import Node, sharing_above
from tuiback.simtenant.state.grants import Grant

_LINK_ROLES = {"view": "read", "edit": "write"}
_SCOPES = ("anonymous", "organization", "users")
_OWNER_MARK = "owner"
# What every site has for those who may see it; nobody of them can be invited by name.
_SITE_GROUPS = ((3, "Owners", "owner"), (4, "Visitors", "read"), (5, "Members", "write"))


def _list(cloud: Cloud, call: Call) -> Reply:
    """The owner, what was granted on the item itself, and what it inherits, without a mark of which is which."""
    view = drive_of(cloud, call)
    node = node_of(view, call)
    chain = (node, *sharing_above(view.drive, node))
    grants = {each.grant_id: each for above in chain for each in above.grants}
    is_inherited = chain[-1].parent is None
    value = [*_owners(view, is_inherited=is_inherited), *(_permission_json(view, each) for each in grants.values())]
    return json_reply(collection("Collection(permission)", value, None, call))


def _owners(view: DriveView, *, is_inherited: bool) -> list[dict[str, Any]]:
    """Whose drive it is; of a site's library the groups of the site, of which only the owners can't be cut off."""
    if not isinstance(view.person, Site):
        return [{"id": _grant_id(view, _OWNER_MARK), "roles": ["owner"], "grantedToV2": identity(view.person)}]
    return [
        {
            "id": _grant_id(view, name),
            "roles": [role],
            "grantedToV2": {"siteGroup": {"id": str(number), "displayName": f"{view.person.name} {name}"}},
        }
        for number, name, role in _SITE_GROUPS[: None if is_inherited else 1]
    ]


def _invite(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    node, given = node_of(view, call), call.json()
    people = _recipients(cloud, given.get("recipients"))
    role = next(iter(given.get("roles") or ()), "")
    if role not in ("read", "write") or not people:
        raise Fault(400, "invalidRequest", "Roles and recipients are required.")
    _cut_inheritance(view, node, given)
    made = [_add(view, node, Grant("", role, cloud.clock.now(), person=account.index)) for account in people]
    return json_reply(collection("Collection(permission)", [_permission_json(view, each) for each in made], None, call))


def _create_link(cloud: Cloud, call: Call) -> Reply:
    """201 for a new link, 200 for one that is there already."""
    view = drive_of(cloud, call)
    node, given = node_of(view, call), call.json()
    role, scope = _LINK_ROLES.get(str(given.get("type"))), str(given.get("scope", "anonymous"))
    if role is None or scope not in _SCOPES:
        raise Fault(400, "invalidRequest", "The type or scope of the link is not supported.")
    people = tuple(account.index for account in _recipients(cloud, given.get("recipients")))
    _cut_inheritance(view, node, given)
    found = next((e for e in node.grants if (e.role, e.scope, e.people) == (role, scope, people)), None)
    grant = found or _add(view, node, Grant("", role, cloud.clock.now(), scope=scope, people=people))
    context = {"@odata.context": context_url(call, "permission")}
    return json_reply(context | _permission_json(view, grant), 200 if found else 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    node, grant = _granted(view, call)
    role = next(iter(call.json().get("roles") or ()), "")
    if role not in ("read", "write"):
        raise Fault(400, "invalidRequest", "The role is not supported.")
    changed = replace(grant, role=role)
    node.grants[node.grants.index(grant)] = changed
    view.drive.share(node)
    return json_reply({"@odata.context": context_url(call, "permission")} | _permission_json(view, changed))


def _remove(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    node, grant = _granted(view, call)
    node.grants.remove(grant)
    view.drive.share(node)
    return no_content()


def _add(view: DriveView, node: Node, grant: Grant) -> Grant:
    named = replace(grant, grant_id=_grant_id(view, f"{node.serial} {view.drive.changes.latest} {len(node.grants)}"))
    node.grants.append(named)
    view.drive.share(node)
    return named


def _cut_inheritance(view: DriveView, node: Node, given: dict[str, Any]) -> None:
    """Let what is shared for the first time keep nothing of who could see it before, where that is asked for.

    https://learn.microsoft.com/graph/api/driveitem-invite (retainInheritedPermissions)
    """
    if given.get("retainInheritedPermissions") is False and not node.grants and node.parent is not None:
        node.stands_alone = True
        view.drive.share(node)


def _recipients(cloud: Cloud, given: object) -> Sequence[Account]:
    found = []
    for each in given if isinstance(given, list) else []:
        account = cloud.tenant.directory.find(str(each.get("objectId") or each.get("email") or ""))
        if account is None:
            raise Fault(400, "noResolvedUsers", "One or more users could not be resolved.")
        found.append(account)
    return found


def _granted(view: DriveView, call: Call) -> tuple[Node, Grant]:
    """A permission of the item itself; inherited ones can't be changed here. Raises Fault 404."""
    node = node_of(view, call)
    for grant in node.grants:
        if grant.grant_id == call.where["permission"]:
            return node, grant
    raise not_found()


def _grant_id(view: DriveView, mark: str) -> str:
    return view.cloud.tenant.chance.digest(24, "grant", view.drive.owner, mark).hex()


def _permission_json(view: DriveView, grant: Grant) -> dict[str, Any]:
    accounts = view.cloud.tenant.directory.accounts
    document: dict[str, Any] = {"id": grant.grant_id, "roles": [grant.role]}
    if grant.person is not None:
        return document | {"grantedToV2": identity(accounts[grant.person].person)}
    share = view.cloud.tenant.chance.digest(20, "share", grant.grant_id).hex()
    return document | {
        "hasPassword": False,
        "grantedToIdentitiesV2": [identity(accounts[each].person) for each in grant.people],
        "link": {
            "scope": grant.scope,
            "type": "view" if grant.role == "read" else "edit",
            "webUrl": f"{view.person.host}/:b:/g{view.person.site_path}/{share}",
            "preventsDownload": False,
        },
    }


def _routes(drive: str) -> Iterable[Route]:
    for item in (drive + "/root", drive + "/items/{item}"):
        for node in (item, item + "/:/{path}"):
            yield Route("GET", node + "/permissions", _list, READ_FILES)
            yield Route("PATCH", node + "/permissions/{permission}", _change, WRITE_FILES)
            yield Route("DELETE", node + "/permissions/{permission}", _remove, WRITE_FILES)
            yield Route("POST", node + "/invite", _invite, WRITE_FILES)
            yield Route("POST", node + "/createLink", _create_link, WRITE_FILES)


ROUTES = tuple(route for drive in DRIVES for route in _routes(drive))
