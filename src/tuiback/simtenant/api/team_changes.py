"""Answers that make and change teams and channels: new ones, settings, members, archives, and migrations.

https://learn.microsoft.com/graph/api/team-post, .../channel-startmigration
"""

from collections.abc import Callable
from datetime import UTC, datetime

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import (
    CREATE_CHANNELS,
    CREATE_TEAMS,
    DELETE_CHANNELS,
    MIGRATE_POSTS,
    READ_TEAMS,
    WRITE_CHANNEL_MEMBERS,
    WRITE_CHANNELS,
    WRITE_TEAM_MEMBERS,
    WRITE_TEAMS,
)
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.team_members import bound_account, member_json, member_of, present_members
from tuiback.simtenant.api.teams import USUAL_SETTINGS, channel_of, shown_channel, team_of
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.teams import Team

_KINDS = ("standard", "private", "shared")
_MODE = "@microsoft.graph.channelCreationMode"
_TEAM_MODE = "@microsoft.graph.teamCreationMode"


def _create_team(cloud: Cloud, call: Call) -> Reply:
    """202; the team is 404 until its operation has succeeded."""
    given = call.json()
    if given.get(_TEAM_MODE) == "migration":
        return _create_to_migrate(cloud, call)
    members = given.get("members") or [{}]
    owner = cloud.tenant.directory.find(str(members[0].get("user@odata.bind", "")).rpartition("users(")[2].strip("')"))
    if "template@odata.bind" not in given or not given.get("displayName") or len(members) != 1 or owner is None:
        raise Fault(400, "BadRequest", "A template, a displayName and exactly one owner are required.")
    now = cloud.clock.now().replace(microsecond=0)
    visible = cloud.clock.seconds() + cloud.plan.replication_seconds
    return _being_made(cloud.tenant.teams.create(str(given["displayName"]), owner.index, now, visible))


def _create_to_migrate(cloud: Cloud, call: Call) -> Reply:
    """A team as old as it says, in which nobody is until what it holds has been put in.

    https://learn.microsoft.com/microsoftteams/platform/graph-api/import-messages/import-external-messages-to-teams
    """
    given, now = call.json(), cloud.clock.now()
    created = _moment(given.get("createdDateTime"), now)
    if "template@odata.bind" not in given or not given.get("displayName") or given.get("members"):
        raise Fault(400, "BadRequest", "A template and a displayName are required, and no members in migration mode.")
    if created > now:
        raise Fault(400, "BadRequest", "createdDateTime must not be in the future.")
    visible = cloud.clock.seconds() + cloud.plan.replication_seconds
    team = cloud.tenant.teams.create(str(given["displayName"]), None, created.replace(microsecond=0), visible)
    team.migrating_app = team.channels[0].migrating_app = call.app_id
    return _being_made(team)


def _being_made(team: Team) -> Reply:
    mark = team.group.object_id
    headers = {"Location": f"/teams('{mark}')/operations('{mark}')", "Content-Location": f"/teams('{mark}')"}
    return Reply(202, headers=headers)


def _get_operation(cloud: Cloud, call: Call) -> Reply:
    team = cloud.tenant.teams.find(call.where["team"])
    if team is None or call.where["operation"] != team.group.object_id:
        raise Fault(404, "NotFound", "The operation was not found.")
    is_done = team.visible <= cloud.clock.seconds()
    return json_reply(
        {
            "@odata.context": context_url(call, f"teams('{call.where['team']}')/operations/$entity"),
            "id": call.where["operation"],
            "operationType": "createTeam",
            "createdDateTime": stamp(team.group.created),
            "status": "succeeded" if is_done else "inProgress",
            "lastActionDateTime": stamp(cloud.clock.now()),
            "attemptsCount": 1,
            "targetResourceId": team.group.object_id,
            "targetResourceLocation": f"/teams('{team.group.object_id}')",
            "error": None,
        }
    )


def _create_channel(cloud: Cloud, call: Call) -> Reply:
    team, given = team_of(cloud, call), call.json()
    name, kind = given.get("displayName"), str(given.get("membershipType") or "standard")
    if not isinstance(name, str) or not name or kind not in _KINDS:
        raise Fault(400, "BadRequest", "A displayName and a known membershipType are required.")
    if any(each.name.casefold() == name.casefold() for each in team.channels):
        raise Fault(400, "BadRequest", "Channel name already existed, please use other name")
    now = cloud.clock.now().replace(microsecond=0)
    owners = [bound_account(cloud, each) for each in given.get("members") or ()]
    in_migration = given.get(_MODE) == "migration"
    created = _moment(given.get("createdDateTime"), now) if in_migration else now
    channel = cloud.tenant.teams.add_channel(team, name, kind, created)
    channel.migrating_app = call.app_id if in_migration else ""
    channel.description = given.get("description")
    if owners and kind != "standard":
        channel.members = [each.index for each in owners]
    return shown_channel(cloud, channel, call, 201)


def _start_migration(cloud: Cloud, call: Call) -> Reply:
    """From now on posts may be put in as if they were old; nobody else can post until it is completed."""
    channel = channel_of(cloud, call)
    if channel.migrating_app:
        raise Fault(400, "BadRequest", "The channel is already in migration mode.")
    channel.created = _moment(call.json().get("conversationCreationDateTime"), channel.created)
    channel.migrating_app = call.app_id
    return no_content()


def _complete_migration(cloud: Cloud, call: Call) -> Reply:
    """Only who has begun may end it."""
    channel = channel_of(cloud, call)
    if channel.migrating_app != call.app_id:
        raise Fault(400, "BadRequest", "The channel is not in migration mode of this application.")
    channel.migrating_app, channel.was_migrated = "", True
    return no_content()


def _complete_team(cloud: Cloud, call: Call) -> Reply:
    """Once that of each of its channels is completed."""
    team = team_of(cloud, call)
    if team.migrating_app != call.app_id:
        raise Fault(400, "BadRequest", "The team is not in migration mode of this application.")
    if any(each.migrating_app for each in team.channels):
        raise Fault(400, "BadRequest", "A channel of the team is still in migration mode.")
    team.migrating_app = ""
    return no_content()


def _change_team(cloud: Cloud, call: Call) -> Reply:
    team, given = team_of(cloud, call), call.json()
    for name, value in given.items():
        if name in USUAL_SETTINGS and isinstance(value, dict):
            team.settings[name] = team.settings.get(name, {}) | value
        elif name in ("description", "visibility"):
            team.settings[name] = value
        elif name == "displayName":
            team.group.name = str(value)
        elif not name.startswith("@"):
            raise Fault(400, "BadRequest", f"The property '{name}' can't be changed.")
    return no_content()


def _archive(*, is_archived: bool) -> Callable[[Cloud, Call], Reply]:
    """Answers that close a team or a channel of it, or open it again; others do so some time later."""

    def answer(cloud: Cloud, call: Call) -> Reply:
        team = team_of(cloud, call)
        if "channel" in call.where:
            channel_of(cloud, call).is_archived = is_archived
        else:
            team.is_archived = is_archived
        mark = team.group.object_id
        return Reply(202, headers={"Location": f"/teams('{mark}')/operations('{mark}')"})

    return answer


def _change_channel(cloud: Cloud, call: Call) -> Reply:
    channel, given = channel_of(cloud, call), call.json()
    if channel.number == 0 and "displayName" in given:
        raise Fault(400, "BadRequest", "The General channel can't be renamed.")
    channel.name = str(given.get("displayName") or channel.name)
    channel.description = given.get("description", channel.description)
    return no_content()


def _delete_channel(cloud: Cloud, call: Call) -> Reply:
    channel = channel_of(cloud, call)
    if channel.number == 0:
        raise Fault(400, "BadRequest", "The General channel can't be deleted.")
    team_of(cloud, call).channels.remove(channel)
    return no_content()


def _add_member(cloud: Cloud, call: Call) -> Reply:
    """Somebody comes into the team, or into a private or shared channel of it."""
    team, account = team_of(cloud, call), bound_account(cloud, call.json())
    context = {"@odata.context": context_url(call, "members/$entity")}
    if "channel" not in call.where:
        cloud.tenant.groups.join(team.group, account)
        return json_reply(context | member_json(cloud, team.group.object_id, account, is_owner=False), 201)
    channel = channel_of(cloud, call)
    if channel.kind == "standard":
        raise Fault(400, "BadRequest", "Members of standard channels are those of the team.")
    if account.index not in channel.members:
        channel.members.append(account.index)
    return json_reply(context | member_json(cloud, channel.thread_id, account, is_owner=False), 201)


def _remove_member(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    if "channel" not in call.where:
        account = member_of(call, team.group.object_id, present_members(cloud, team))
        cloud.tenant.groups.part(team.group, account)
        return no_content()
    channel = channel_of(cloud, call)
    account = member_of(call, channel.thread_id, present_members(cloud, team, channel))
    if channel.kind == "standard":
        raise Fault(400, "BadRequest", "Members of standard channels are those of the team.")
    channel.members.remove(account.index)
    return no_content()


def _moment(text: object, default: datetime) -> datetime:
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Fault(400, "BadRequest", f"'{text}' is not a time.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_TEAM = "/teams/{team}"
_CHANNEL = _TEAM + "/channels/{channel}"
ROUTES = (
    Route("POST", "/teams", _create_team, CREATE_TEAMS),
    Route("GET", _TEAM + "/operations/{operation}", _get_operation, READ_TEAMS),
    Route("PATCH", _TEAM, _change_team, WRITE_TEAMS),
    Route("POST", _TEAM + "/archive", _archive(is_archived=True), WRITE_TEAMS),
    Route("POST", _TEAM + "/unarchive", _archive(is_archived=False), WRITE_TEAMS),
    Route("POST", _TEAM + "/members", _add_member, WRITE_TEAM_MEMBERS),
    Route("DELETE", _TEAM + "/members/{member}", _remove_member, WRITE_TEAM_MEMBERS),
    Route("POST", _TEAM + "/channels", _create_channel, CREATE_CHANNELS),
    Route("PATCH", _CHANNEL, _change_channel, WRITE_CHANNELS),
    Route("DELETE", _CHANNEL, _delete_channel, DELETE_CHANNELS),
    Route("POST", _CHANNEL + "/archive", _archive(is_archived=True), WRITE_CHANNELS),
    Route("POST", _CHANNEL + "/unarchive", _archive(is_archived=False), WRITE_CHANNELS),
    Route("POST", _CHANNEL + "/members", _add_member, WRITE_CHANNEL_MEMBERS),
    Route("DELETE", _CHANNEL + "/members/{member}", _remove_member, WRITE_CHANNEL_MEMBERS),
    Route("POST", _TEAM + "/completeMigration", _complete_team, MIGRATE_POSTS),
    Route("POST", _CHANNEL + "/startMigration", _start_migration, MIGRATE_POSTS),
    Route("POST", _CHANNEL + "/completeMigration", _complete_migration, MIGRATE_POSTS),
)
