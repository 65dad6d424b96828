"""Answers for who is in groups and who owns them, as lists and as references that come and go.

https://learn.microsoft.com/graph/api/group-list-members, .../group-list-owners, .../group-post-members
"""

from collections.abc import Callable
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import listed
from tuiback.simtenant.api.groups import group_json, group_of
from tuiback.simtenant.api.permissions import READ_GROUPS, WRITE_GROUP_MEMBERS
from tuiback.simtenant.api.router import Handler, Route
from tuiback.simtenant.api.user_json import user_json
from tuiback.simtenant.api.user_lookup import resource_not_found
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.directory_log import Member
from tuiback.simtenant.state.groups import Group, Groups

Find = Callable[[Groups, Group], list[Member]]


def member_json(cloud: Cloud, member: Member, names: frozenset[str] | None) -> dict[str, Any]:
    """A user or a group that is in a group."""
    kind, serial = member
    if kind == "group":
        return group_json(cloud.tenant.groups.groups[serial], names)
    return user_json(cloud.tenant.directory.accounts[serial], names)


def _owners(groups: Groups, group: Group) -> list[Member]:
    return [("user", index) for index in groups.owners(group)]


def _listing(find: Find, cast: str) -> Handler:
    """Answers one of the lists; `cast` leaves only users or groups."""

    def answer(cloud: Cloud, call: Call) -> Reply:
        found = find(cloud.tenant.groups, group_of(cloud, call))
        chosen = [member for member in found if cast in ("", member[0])]
        context = f"{cast}s" if cast else "directoryObjects"

        def show(member: Member, names: frozenset[str] | None) -> dict[str, Any]:
            kind = {} if cast else {"@odata.type": f"#microsoft.graph.{member[0]}"}
            return kind | member_json(cloud, member, names)

        return listed(cloud, call, context, chosen, show, is_cast=bool(cast))

    return answer


def _referenced(cloud: Cloud, call: Call) -> Account:
    """The account that an @odata.id names. Raises Fault 400 and 404."""
    reference = call.json().get("@odata.id")
    if not isinstance(reference, str) or "/" not in reference:
        raise Fault(400, "Request_BadRequest", "Invalid value specified for property '@odata.id' of resource.")
    name = reference.rpartition("/")[2].removesuffix(")").rpartition("(")[2].strip("'")
    account = cloud.tenant.directory.find(name)
    if account is None:
        raise resource_not_found(name)
    return account


def _add_member(cloud: Cloud, call: Call) -> Reply:
    group, account = group_of(cloud, call), _referenced(cloud, call)
    if ("user", account.index) in cloud.tenant.groups.members(group):
        raise _there_already("members")
    cloud.tenant.groups.join(group, account)
    return no_content()


def _remove_member(cloud: Cloud, call: Call) -> Reply:
    group, account = group_of(cloud, call), cloud.tenant.directory.find(call.where["object"])
    if account is None or ("user", account.index) not in cloud.tenant.groups.members(group):
        raise resource_not_found(call.where["object"])
    cloud.tenant.groups.part(group, account)
    return no_content()


def _add_owner(cloud: Cloud, call: Call) -> Reply:
    group, account = group_of(cloud, call), _referenced(cloud, call)
    owners = cloud.tenant.groups.owners(group)
    if account.index in owners:
        raise _there_already("owners")
    cloud.tenant.groups.appoint(group, [*owners, account.index])
    return no_content()


def _remove_owner(cloud: Cloud, call: Call) -> Reply:
    """The last one stays: https://learn.microsoft.com/graph/api/group-delete-owners."""
    group, account = group_of(cloud, call), cloud.tenant.directory.find(call.where["object"])
    owners = cloud.tenant.groups.owners(group)
    if account is None or account.index not in owners:
        raise resource_not_found(call.where["object"])
    if len(owners) == 1:
        text = "The group must have at least one owner, hence this owner cannot be removed."
        raise Fault(400, "Request_BadRequest", text)
    cloud.tenant.groups.appoint(group, [each for each in owners if each != account.index])
    return no_content()


def _there_already(name: str) -> Fault:
    text = f"One or more added object references already exist for the following modified properties: '{name}'."
    return Fault(400, "Request_BadRequest", text)


_ONE = "/groups/{group}"
_LISTINGS: dict[str, Find] = {
    "members": Groups.members, "transitiveMembers": Groups.transitive_members, "owners": _owners,
}  # fmt: skip
ROUTES = (
    *(
        Route("GET", f"{_ONE}/{name}{f'/{cast}' if cast else ''}", _listing(find, cast), READ_GROUPS, filtered=True)
        for name, find in _LISTINGS.items()
        for cast in ("", "user", "group")
    ),
    Route("POST", _ONE + "/members/$ref", _add_member, WRITE_GROUP_MEMBERS),
    Route("DELETE", _ONE + "/members/{object}/$ref", _remove_member, WRITE_GROUP_MEMBERS),
    Route("POST", _ONE + "/owners/$ref", _add_owner, WRITE_GROUP_MEMBERS),
    Route("DELETE", _ONE + "/owners/{object}/$ref", _remove_owner, WRITE_GROUP_MEMBERS),
)
