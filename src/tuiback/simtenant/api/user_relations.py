"""Answers for what a user stands in: groups, nested ones too, who leads whom, and licences.

https://learn.microsoft.com/graph/api/directoryobject-getmembergroups, .../user-list-manager,
.../user-list-licensedetails
"""

from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import listed, narrowed
from tuiback.simtenant.api.groups import group_json
from tuiback.simtenant.api.odata import collection, context_url, selected
from tuiback.simtenant.api.permissions import READ_GROUPS, READ_USERS
from tuiback.simtenant.api.router import Handler, Route
from tuiback.simtenant.api.user_json import E3_SKU_ID, SERVICE_PLANS, user_json
from tuiback.simtenant.api.user_lookup import account_of, resource_not_found
from tuiback.simtenant.content.words import DEPARTMENTS
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.groups import Group


def _groups_of(cloud: Cloud, account: Account, *, transitive: bool) -> list[Group]:
    member, groups = ("user", account.index), cloud.tenant.groups
    members = groups.transitive_members if transitive else groups.members
    return [group for group in groups.present() if member in members(group)]


def _member_of(*, transitive: bool, cast: bool) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        found = _groups_of(cloud, account_of(cloud, call), transitive=transitive)

        def show(group: Group, names: frozenset[str] | None) -> dict[str, Any]:
            kind = {} if cast else {"@odata.type": "#microsoft.graph.group"}
            return kind | group_json(group, names)

        return listed(cloud, call, "groups" if cast else "directoryObjects", found, show, is_cast=cast)

    return answer


def _get_member_groups(cloud: Cloud, call: Call) -> Reply:
    """The ids of all groups, of groups of groups too; if wanted only of those that give rights."""
    only_security = call.arguments().get("securityEnabledOnly") is True
    found = _groups_of(cloud, account_of(cloud, call), transitive=True)
    return _ids(call, [each.object_id for each in found if not (only_security and each.is_unified)])


def _check_member_groups(cloud: Cloud, call: Call) -> Reply:
    """Which of the given groups somebody is in; no more than 20 can be asked for."""
    wanted = call.arguments().get("groupIds")
    if not isinstance(wanted, list) or len(wanted) > 20:
        raise Fault(400, "Request_BadRequest", "Too many or no group ids: up to 20 can be checked at once.")
    found = {each.object_id for each in _groups_of(cloud, account_of(cloud, call), transitive=True)}
    return _ids(call, [str(each) for each in wanted if str(each).lower() in found])


def _ids(call: Call, found: list[str]) -> Reply:
    return json_reply(collection("Collection(Edm.String)", found, None, call))


def _leader(cloud: Cloud, account: Account) -> Account | None:
    """Who leads somebody: the first of the department, and the very first leads these."""
    if account.index == 0 or account.index >= cloud.plan.users:
        return None
    first = account.index % len(DEPARTMENTS)
    return cloud.tenant.directory.accounts[0 if first == account.index else first]


def _get_manager(cloud: Cloud, call: Call) -> Reply:
    leader = _leader(cloud, account_of(cloud, call))
    if leader is None or not leader.is_active:
        raise resource_not_found("manager")
    document = {"@odata.context": context_url(call, "directoryObjects/$entity")}
    names = selected(call)
    kind = {"@odata.type": "#microsoft.graph.user"}
    return json_reply(document | kind | narrowed(user_json(leader, names), names))


def _list_reports(cloud: Cloud, call: Call) -> Reply:
    account = account_of(cloud, call)
    found = [each for each in cloud.tenant.directory.users() if _leader(cloud, each) is account]

    def show(each: Account, names: frozenset[str] | None) -> dict[str, Any]:
        return {"@odata.type": "#microsoft.graph.user"} | user_json(each, names)

    return listed(cloud, call, "directoryObjects", found, show)


def _list_licences(cloud: Cloud, call: Call) -> Reply:
    account = account_of(cloud, call)
    licence = {
        "id": str(cloud.tenant.chance.guid("licence", account.index)),
        "skuId": E3_SKU_ID,
        "skuPartNumber": "ENTERPRISEPACK",
        "servicePlans": [
            {"servicePlanId": plan_id, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"}
            for name, plan_id in SERVICE_PLANS.items()
        ],
    }
    rows = [licence] if account.is_licensed else []
    return json_reply(collection(f"users('{call.where['user']}')/licenseDetails", rows, None, call))


_ONE = "/users/{user}"
ROUTES = (
    *(
        Route(
            "GET", f"{_ONE}/{name}{'/group' if cast else ''}",
            _member_of(transitive=name == "transitiveMemberOf", cast=cast), READ_GROUPS, filtered=True,
        )
        for name in ("memberOf", "transitiveMemberOf")
        for cast in (False, True)
    ),
    Route("POST", _ONE + "/getMemberGroups", _get_member_groups, READ_GROUPS),
    Route("POST", _ONE + "/checkMemberGroups", _check_member_groups, READ_GROUPS),
    Route("GET", _ONE + "/manager", _get_manager, READ_USERS),
    Route("GET", _ONE + "/directReports", _list_reports, READ_USERS, filtered=True),
    Route("GET", _ONE + "/licenseDetails", _list_licences, READ_USERS),
)  # fmt: skip
