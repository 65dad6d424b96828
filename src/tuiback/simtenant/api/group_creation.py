"""Answers that make groups, and teams of groups.

https://learn.microsoft.com/graph/api/group-post-groups, .../team-put-teams
"""

import re
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.groups import group_json, group_of
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import CREATE_GROUPS, CREATE_TEAMS, READ_TEAMS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.teams import USUAL_SETTINGS, team_json
from tuiback.simtenant.api.user_lookup import resource_not_found
from tuiback.simtenant.state.directory_log import Member
from tuiback.simtenant.state.teams import Team

_NEEDED: dict[str, type] = {"displayName": str, "mailEnabled": bool, "mailNickname": str, "securityEnabled": bool}
_MOST_NAME_CHARACTERS, _MOST_BOUND = 256, 20
_NOT_IN_NICKNAMES = re.compile(r"[@()\\\[\]\";:<>, ]|[^\x20-\x7e]")


def _create_group(cloud: Cloud, call: Call) -> Reply:
    """A Microsoft 365 group or a security group, with up to 20 owners and members at once."""
    given = call.json()
    is_unified = _checked_kind(cloud, given)
    owners, members = (_bound(cloud, given, f"{name}@odata.bind") for name in ("owners", "members"))
    now, name = cloud.clock.now().replace(microsecond=0), str(given["displayName"])
    if is_unified:
        group = cloud.tenant.teams.create(name, None, now, 0).group
        group.has_team = False
    else:
        group = cloud.tenant.groups.create(name, [], now, is_unified=False)
    group.members = dict.fromkeys(members)
    group.nickname, group.owners = str(given["mailNickname"]), [index for _, index in owners]
    group.description, group.visibility = given.get("description"), given.get("visibility") or ""
    return json_reply({"@odata.context": context_url(call, "groups/$entity")} | group_json(group, None), 201)


def _checked_kind(cloud: Cloud, given: dict[str, Any]) -> bool:
    """Whether a Microsoft 365 group is wanted. Raises Fault 400."""
    for name, kind in _NEEDED.items():
        if name not in given or given[name] == "":
            raise _wrong(f"A value is required for property '{name}' of resource 'Group'.")
        if not isinstance(given[name], kind):
            raise _wrong(f"Invalid value specified for property '{name}' of resource 'Group'.")
    nickname = given["mailNickname"]
    if len(given["displayName"]) > _MOST_NAME_CHARACTERS or len(nickname) > 64 or _NOT_IN_NICKNAMES.search(nickname):
        raise _wrong("Invalid value specified for property 'mailNickname' of resource 'Group'.")
    is_unified = "Unified" in (given.get("groupTypes") or ())
    if given["mailEnabled"] and not is_unified:
        raise _wrong("The service does not currently support writes of mail-enabled groups. Please ensure that the "
                     "mail-enablement property is unset and the security-enablement property is set.")  # fmt: skip
    if not given["mailEnabled"] and (is_unified or not given["securityEnabled"]):
        raise _wrong("Group must be a mail-enabled Unified group or a security group.")
    if is_unified and nickname.lower() in {each.nickname.lower() for each in cloud.tenant.groups.present()}:
        raise _wrong("Another object with the same value for property mailNickname already exists.")
    return is_unified


def _bound(cloud: Cloud, given: dict[str, Any], name: str) -> list[Member]:
    """The users and groups that a list of references names. Raises Fault 400 and 404."""
    references = given.get(name) or []
    if not isinstance(references, list) or len(references) > _MOST_BOUND:
        raise _wrong(f"Invalid value specified for property '{name}' of resource 'Group'.")
    found: list[Member] = []
    for each in references:
        mark = re.split(r"[/(]", str(each).rstrip(")"))[-1].strip("'")
        account, group = cloud.tenant.directory.find(mark), cloud.tenant.groups.find(mark)
        if account is not None:
            found.append(("user", account.index))
        elif group is not None:
            found.append(("group", group.serial))
        else:
            raise resource_not_found(mark)
    return found


def _wrong(text: str) -> Fault:
    return Fault(400, "Request_BadRequest", text)


def _put_team(cloud: Cloud, call: Call) -> Reply:
    """The group gets a team; it needs an owner."""
    group = group_of(cloud, call)
    team = cloud.tenant.teams.find(group.object_id)
    if team is None or not cloud.tenant.groups.owners(group):
        raise Fault(400, "BadRequest", "Only a Microsoft 365 group with at least one owner can become a team.")
    if group.has_team:
        raise Fault(409, "Conflict", "The group is already provisioned as a team.")
    settings = {name: call.json()[name] for name in USUAL_SETTINGS if isinstance(call.json().get(name), dict)}
    group.has_team = True
    team.settings |= settings
    cloud.tenant.groups.changes.add(group.serial)
    return _shown(cloud, call, team, 201)


def _get_team(cloud: Cloud, call: Call) -> Reply:
    team = cloud.tenant.teams.find(group_of(cloud, call).object_id)
    if team is None or not team.group.has_team or team.visible > cloud.clock.seconds():
        raise Fault(404, "NotFound", f"No team found with Group Id {call.where['group']}")
    return _shown(cloud, call, team, 200)


def _shown(cloud: Cloud, call: Call, team: Team, status: int) -> Reply:
    context = context_url(call, f"groups('{team.group.object_id}')/team/$entity")
    return json_reply({"@odata.context": context} | team_json(cloud, team, None), status)


ROUTES = (
    Route("POST", "/groups", _create_group, CREATE_GROUPS),
    Route("PUT", "/groups/{group}/team", _put_team, CREATE_TEAMS),
    Route("GET", "/groups/{group}/team", _get_team, READ_TEAMS),
)
