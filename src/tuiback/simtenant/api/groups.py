"""Answers for groups: lists, one, members with and without those of nested groups, and what changed.

https://learn.microsoft.com/graph/api/group-list-members, .../group-delta
"""

from collections.abc import Iterator
from typing import Any

from tuiback.simtenant.api.call import Call, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_delta import DirectoryState, Followed, delta_page
from tuiback.simtenant.api.directory_lists import counted, listed, narrowed
from tuiback.simtenant.api.odata import context_url, selected
from tuiback.simtenant.api.permissions import READ_GROUPS, WRITE_GROUPS
from tuiback.simtenant.api.router import Handler, Route
from tuiback.simtenant.api.user_json import user_json
from tuiback.simtenant.api.user_lookup import account_of, resource_not_found
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
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": stamp(group.created),
        "description": group.name,
        "displayName": group.name,
        "groupTypes": ["Unified"] if group.is_unified else [],
        "mail": mail,
        "mailEnabled": group.is_unified,
        "mailNickname": group.nickname,
        "membershipRule": None,
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [f"SMTP:{mail}"] if mail else [],
        "renewedDateTime": stamp(group.created),
        "resourceProvisioningOptions": ["Team"] if group.is_unified else [],
        "securityEnabled": not group.is_unified,
        "visibility": "Private" if group.is_unified else None,
    }


def _list_groups(cloud: Cloud, call: Call) -> Reply:
    return listed(cloud, call, "groups", cloud.tenant.groups.present(), group_json)


def _count_groups(cloud: Cloud, call: Call) -> Reply:
    return counted(call, cloud.tenant.groups.present(), group_json)


def _get_group(cloud: Cloud, call: Call) -> Reply:
    names = selected(call)
    document = {"@odata.context": context_url(call, "groups/$entity")}
    return json_reply(document | narrowed(group_json(_group_of(cloud, call), names), names))


def _delete_group(cloud: Cloud, call: Call) -> Reply:
    """The group, its team and its site are gone; it stays among the deleted."""
    cloud.tenant.groups.delete(_group_of(cloud, call), cloud.clock.now().replace(microsecond=0))
    return no_content()


def _members(*, transitive: bool, cast: str = "") -> Handler:
    """Answers one of the member lists; `cast` leaves only users or groups."""

    def answer(cloud: Cloud, call: Call) -> Reply:
        groups = cloud.tenant.groups
        group = _group_of(cloud, call)
        found = groups.transitive_members(group) if transitive else groups.members(group)
        chosen = [member for member in found if cast in ("", member[0])]
        context = f"{cast}s" if cast else "directoryObjects"

        def show(member: Member, names: frozenset[str] | None) -> dict[str, Any]:
            kind = {} if cast else {"@odata.type": f"#microsoft.graph.{member[0]}"}
            return kind | _member_json(cloud, member, names)

        return listed(cloud, call, context, chosen, show, is_cast=bool(cast))

    return answer


def _member_of(cloud: Cloud, call: Call) -> Reply:
    member = ("user", account_of(cloud, call).index)
    found = [group for group in cloud.tenant.groups.present() if member in group.members]

    def show(group: Group, names: frozenset[str] | None) -> dict[str, Any]:
        return {"@odata.type": "#microsoft.graph.group"} | group_json(group, names)

    return listed(cloud, call, "directoryObjects", found, show)


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


def _member_json(cloud: Cloud, member: Member, names: frozenset[str] | None) -> dict[str, Any]:
    kind, serial = member
    if kind == "group":
        return group_json(cloud.tenant.groups.groups[serial], names)
    return user_json(cloud.tenant.directory.accounts[serial], names)


def _group_of(cloud: Cloud, call: Call) -> Group:
    group = cloud.tenant.groups.find(call.where["group"])
    if group is None:
        raise resource_not_found(call.where["group"])
    return group


_ONE = "/groups/{group}"
ROUTES = (
    Route("GET", "/groups", _list_groups, READ_GROUPS, filtered=True),
    Route("GET", "/groups/$count", _count_groups, READ_GROUPS, filtered=True),
    Route("GET", "/groups/delta", _delta, READ_GROUPS, filtered=True),
    Route("GET", _ONE, _get_group, READ_GROUPS),
    Route("DELETE", _ONE, _delete_group, WRITE_GROUPS),
    Route("GET", "/users/{user}/memberOf", _member_of, READ_GROUPS, filtered=True),
    *(
        Route(
            "GET", f"{_ONE}/{name}{f'/{cast}' if cast else ''}",
            _members(transitive=name == "transitiveMembers", cast=cast), READ_GROUPS, filtered=True,
        )
        for name in ("members", "transitiveMembers")
        for cast in ("", "user", "group")
    ),
)  # fmt: skip
