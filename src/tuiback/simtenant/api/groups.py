"""Answers for groups: lists, one, what changed, other names for one, and those that were deleted.

https://learn.microsoft.com/graph/api/group-list, .../group-delta, .../group-update, .../directory-deleteditems-restore
"""

from collections.abc import Iterator
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_delta import DirectoryState, Followed, delta_page
from tuiback.simtenant.api.directory_lists import counted, listed, narrowed
from tuiback.simtenant.api.odata import collection, context_url, selected
from tuiback.simtenant.api.permissions import READ_GROUPS, WRITE_GROUPS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_lookup import resource_not_found
from tuiback.simtenant.content.company import DOMAIN
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.directory_log import EVERYTHING, DirectoryChange, Member
from tuiback.simtenant.state.groups import Group

# A large group comes in several entries of so many members.
_MEMBERS_IN_ENTRY = 200


def group_json(group: Group, _names: frozenset[str] | None) -> dict[str, Any]:
    """A group with all its properties, for the caller to narrow."""
    mail = f"{group.nickname}@{DOMAIN}" if group.is_unified else None
    return {
        "id": group.object_id,
        "deletedDateTime": stamp(group.deleted) if group.deleted is not None else None,
        "classification": None,
        "createdDateTime": stamp(group.created),
        "description": group.description if group.description is not None else group.name,
        "displayName": group.name,
        "groupTypes": ["Unified"] if group.is_unified else [],
        "mail": mail,
        "mailEnabled": group.is_unified,
        "mailNickname": group.nickname,
        "membershipRule": None,
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [f"SMTP:{mail}"] if mail else [],
        "renewedDateTime": stamp(group.created),
        "resourceProvisioningOptions": ["Team"] if group.is_unified and group.has_team else [],
        "securityEnabled": not group.is_unified,
        "visibility": group.visibility or ("Private" if group.is_unified else None),
    }


def _list_groups(cloud: Cloud, call: Call) -> Reply:
    return listed(cloud, call, "groups", cloud.tenant.groups.present(), group_json)


def _count_groups(cloud: Cloud, call: Call) -> Reply:
    return counted(call, cloud.tenant.groups.present(), group_json)


def _get_group(cloud: Cloud, call: Call) -> Reply:
    names = selected(call)
    document = {"@odata.context": context_url(call, "groups/$entity")}
    return json_reply(document | narrowed(group_json(group_of(cloud, call), names), names))


def _delete_group(cloud: Cloud, call: Call) -> Reply:
    """The group, its team and its site are gone; it stays among the deleted."""
    cloud.tenant.groups.delete(group_of(cloud, call), cloud.clock.now().replace(microsecond=0))
    return no_content()


def _change_group(cloud: Cloud, call: Call) -> Reply:
    group, given = group_of(cloud, call), call.json()
    texts = {name: given[name] for name in ("displayName", "description", "visibility") if name in given}
    if not all(isinstance(each, str) for each in texts.values()) or texts.get("displayName") == "":
        raise Fault(400, "Request_BadRequest", "Invalid value specified for property of resource 'Group'.")
    group.name = texts.get("displayName", group.name)
    group.description = texts.get("description", group.description)
    group.visibility = texts.get("visibility", group.visibility)
    cloud.tenant.groups.changes.add(group.serial, frozenset(texts))
    return no_content()


def _list_deleted(cloud: Cloud, call: Call) -> Reply:
    """Only Microsoft 365 groups can be restored, so only they are here."""
    found = [each for each in cloud.tenant.groups.groups if each.deleted is not None and each.is_unified]
    return listed(cloud, call, "groups", found, group_json)


def deleted_group(cloud: Cloud, call: Call) -> Reply:
    """One of those. Raises Fault 404."""
    return _object(call, _deleted_of(cloud, call))


def _restore(cloud: Cloud, call: Call) -> Reply:
    group = _deleted_of(cloud, call)
    cloud.tenant.groups.restore(group)
    return _object(call, group)


def _deleted_of(cloud: Cloud, call: Call) -> Group:
    wanted = call.where["deleted"].lower()
    group = next((each for each in cloud.tenant.groups.groups if each.object_id == wanted and each.deleted), None)
    if group is None or not group.is_unified:
        raise resource_not_found(call.where["deleted"])
    return group


def _object(call: Call, group: Group) -> Reply:
    kind = {"@odata.context": context_url(call, "directoryObjects/$entity"), "@odata.type": "#microsoft.graph.group"}
    return json_reply(kind | group_json(group, None))


def _list_settings(_cloud: Cloud, call: Call) -> Reply:
    """The company has left all settings of groups as they are."""
    return json_reply(collection("groupSettings", [], None, call))


def _delta(cloud: Cloud, call: Call) -> Reply:
    """All groups, then those that changed; members@delta holds all members first, then those that came or went."""
    groups = cloud.tenant.groups

    def show(serial: int, state: DirectoryState, changes: list[DirectoryChange]) -> Iterator[dict[str, Any]]:
        group = groups.groups[serial]
        if group.deleted is not None:
            yield {"id": group.object_id, "@removed": {"reason": "changed"}}
            return
        document = narrowed(group_json(group, state.names), state.names)
        if state.names is not None and "members" not in state.names:
            yield document
            return
        here = dict.fromkeys(groups.members(group))
        is_whole = not changes or any(change.names == EVERYTHING for change in changes)
        told = list(here) if is_whole else list(dict.fromkeys(each for change in changes for each in change.members))
        entries = [_member_change(cloud, member, here=member in here) for member in told]
        for start in range(0, max(len(entries), 1), _MEMBERS_IN_ENTRY):
            part = entries[start : start + _MEMBERS_IN_ENTRY]
            yield document | ({"members@delta": part} if part else {})

    def everything() -> list[int]:
        return [group.serial for group in groups.present()]

    return delta_page(cloud, call, Followed("groups", "groups", groups.changes, everything, show))


def _member_change(cloud: Cloud, member: Member, *, here: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"@odata.type": f"#microsoft.graph.{member[0]}", "id": _member_id(cloud, member)}
    return entry if here else entry | {"@removed": {"reason": "deleted"}}


def _member_id(cloud: Cloud, member: Member) -> str:
    kind, serial = member
    if kind == "group":
        return cloud.tenant.groups.groups[serial].object_id
    return cloud.tenant.directory.accounts[serial].person.object_id


def group_of(cloud: Cloud, call: Call) -> Group:
    """The group that the URL names. Raises Fault 404."""
    group = cloud.tenant.groups.find(call.where["group"])
    if group is None:
        raise resource_not_found(call.where["group"])
    return group


_ONE = "/groups/{group}"
_DELETED = "/directory/deletedItems"
ROUTES = (
    Route("GET", "/groups", _list_groups, READ_GROUPS, filtered=True),
    Route("GET", "/groups/$count", _count_groups, READ_GROUPS, filtered=True),
    Route("GET", "/groups/delta", _delta, READ_GROUPS, filtered=True),
    Route("GET", _ONE, _get_group, READ_GROUPS),
    Route("PATCH", _ONE, _change_group, WRITE_GROUPS),
    Route("DELETE", _ONE, _delete_group, WRITE_GROUPS),
    Route("GET", _DELETED + "/group", _list_deleted, READ_GROUPS, filtered=True),
    Route("POST", _DELETED + "/{deleted}/restore", _restore, WRITE_GROUPS),
    Route("GET", "/groupSettings", _list_settings, READ_GROUPS),
)
