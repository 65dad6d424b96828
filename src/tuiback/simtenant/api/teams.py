"""Answers for teams and their channels: lists, members, where their files are, and new ones.

https://learn.microsoft.com/graph/api/resources/teams-api-overview
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_json import DriveView, item_json
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import (
    CREATE_CHANNELS,
    CREATE_TEAMS,
    MIGRATE_POSTS,
    READ_CHANNEL_FILES,
    READ_CHANNEL_MEMBERS,
    READ_CHANNELS,
    READ_TEAM_MEMBERS,
    READ_TEAMS,
)
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.drive import ROOT_NODE
from tuiback.simtenant.state.teams import Channel, Team

_MOST = 999
_KINDS = ("standard", "private", "shared")
_MODE = "@microsoft.graph.channelCreationMode"


def team_of(cloud: Cloud, call: Call) -> Team:
    """The team that the URL names; a new one is not known for a while. Raises Fault 404."""
    team = cloud.tenant.teams.find(call.where["team"])
    if team is None or team.visible > cloud.clock.seconds():
        raise Fault(404, "NotFound", f"No team found with Group Id {call.where['team']}")
    return team


def channel_of(cloud: Cloud, call: Call) -> Channel:
    """The channel that the URL names. Raises Fault 404."""
    team = team_of(cloud, call)
    channel = team.find(call.where["channel"])
    if channel is None:
        raise Fault(404, "NotFound", "The channel was not found.")
    return cloud.tenant.teams.open(team, channel)


def _team_json(cloud: Cloud, team: Team) -> dict[str, Any]:
    group = team.group
    return {
        "id": group.object_id,
        "createdDateTime": stamp(group.created),
        "displayName": group.name,
        "description": group.name,
        "internalId": team.channels[0].thread_id,
        "classification": None,
        "specialization": "none",
        "visibility": "private",
        "webUrl": f"https://teams.microsoft.com/l/team/{team.channels[0].thread_id}/conversations",
        "isArchived": False,
        "tenantId": cloud.plan.tenant_id,
    }


def _channel_json(cloud: Cloud, channel: Channel, call: Call) -> dict[str, Any]:
    """Who does not say to know them all sees a shared channel as one of a kind to come."""
    knows_all = "include-unknown-enum-members" in call.preferences
    document: dict[str, Any] = {
        "id": channel.thread_id,
        "createdDateTime": stamp(channel.created),
        "displayName": channel.name,
        "description": None,
        "isFavoriteByDefault": None,
        "email": "",
        "tenantId": cloud.plan.tenant_id,
        "webUrl": f"https://teams.microsoft.com/l/channel/{channel.thread_id}/{channel.name}",
        "membershipType": channel.kind if channel.kind != "shared" or knows_all else "unknownFutureValue",
        "isArchived": False,
    }
    if channel.migrating_app or channel.was_migrated:
        document["migrationMode"] = "inProgress" if channel.migrating_app else "completed"
    return document


def _list_teams(cloud: Cloud, call: Call) -> Reply:
    test = filter_of(call, "BadRequest")
    teams = (_team_json(cloud, each) for each in cloud.tenant.teams.all() if each.visible <= cloud.clock.seconds())
    return _listed(call, "teams", [each for each in teams if test(each)])


def _get_team(cloud: Cloud, call: Call) -> Reply:
    context = {"@odata.context": context_url(call, "teams/$entity")}
    return json_reply(context | narrowed(_team_json(cloud, team_of(cloud, call)), selected(call)))


def _list_channels(cloud: Cloud, call: Call) -> Reply:
    test = filter_of(call, "BadRequest")
    channels = [_channel_json(cloud, each, call) for each in team_of(cloud, call).channels]
    return _listed(call, f"teams('{call.where['team']}')/channels", [each for each in channels if test(each)])


def _get_channel(cloud: Cloud, call: Call) -> Reply:
    channel = channel_of(cloud, call) if "channel" in call.where else team_of(cloud, call).channels[0]
    return _shown(cloud, channel, call)


def _shown(cloud: Cloud, channel: Channel, call: Call, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, f"teams('{call.where['team']}')/channels/$entity")}
    return json_reply(context | narrowed(_channel_json(cloud, channel, call), selected(call)), status)


def _list_members(cloud: Cloud, call: Call) -> Reply:
    """The first member of the group owns the team."""
    team = team_of(cloud, call)
    if "channel" in call.where:
        channel_of(cloud, call)
    accounts = cloud.tenant.directory.accounts
    found = [accounts[serial] for kind, serial in cloud.tenant.groups.members(team.group) if kind == "user"]
    rows = [_member_json(cloud, team, each, is_owner=place == 0) for place, each in enumerate(found)]
    return _listed(call, f"teams('{call.where['team']}')/members", rows)


def _member_json(cloud: Cloud, team: Team, account: Account, *, is_owner: bool) -> dict[str, Any]:
    person = account.person
    mark = f"{team.group.object_id}##{person.object_id}"
    return {
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": b64encode(mark.encode()).decode(),
        "roles": ["owner"] if is_owner else [],
        "displayName": person.name,
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
        "userId": person.object_id,
        "email": person.address,
        "tenantId": cloud.plan.tenant_id,
    }


def _listed(call: Call, context: str, rows: Sequence[dict[str, Any]]) -> Reply:
    shown, next_link = page(rows, call, page_size(call, _MOST, _MOST))
    names = selected(call)
    document = collection(context, [narrowed(each, names) for each in shown], next_link, call)
    return json_reply(document)


def _files_folder(cloud: Cloud, call: Call) -> Reply:
    """The folder in the team's library, or in that of the channel's own site where it is private or shared."""
    channel = channel_of(cloud, call)
    site = cloud.tenant.sites.of_channel(team_of(cloud, call), channel)
    view = DriveView(cloud, site, cloud.tenant.drive(site), call.root)
    root = view.drive.nodes[ROOT_NODE]
    node = view.drive.find_child(ROOT_NODE, channel.name) if channel.kind == "standard" else root
    if node is None:
        raise Fault(404, "NotFound", "Folder location for this channel is not ready yet, please try again later.")
    shown = item_json(view, node, frozenset({"name", "size", "webUrl", "folder", "fileSystemInfo"}))
    return json_reply(
        {"@odata.context": context_url(call, f"teams('{call.where['team']}')/channels/filesFolder/$entity")} | shown | {
            "createdDateTime": "0001-01-01T00:00:00Z",
            "lastModifiedDateTime": stamp(node.modified),
            "parentReference": {"driveId": site.drive_id, "driveType": site.drive_type},
        }
    )


def _create_team(cloud: Cloud, call: Call) -> Reply:
    """202; the team is 404 until its operation has succeeded."""
    given = call.json()
    members = given.get("members") or [{}]
    owner = cloud.tenant.directory.find(str(members[0].get("user@odata.bind", "")).rpartition("users(")[2].strip("')"))
    if "template@odata.bind" not in given or not given.get("displayName") or len(members) != 1 or owner is None:
        raise Fault(400, "BadRequest", "A template, a displayName and exactly one owner are required.")
    now = cloud.clock.now().replace(microsecond=0)
    visible = cloud.clock.seconds() + cloud.plan.replication_seconds
    team = cloud.tenant.teams.create(str(given["displayName"]), owner.index, now, visible)
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
    in_migration = given.get(_MODE) == "migration"
    created = _moment(given.get("createdDateTime"), now) if in_migration else now
    channel = cloud.tenant.teams.add_channel(team, name, kind, created)
    channel.migrating_app = call.app_id if in_migration else ""
    return _shown(cloud, channel, call, 201)


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
    Route("GET", "/teams", _list_teams, READ_TEAMS, filtered=True),
    Route("POST", "/teams", _create_team, CREATE_TEAMS),
    Route("GET", _TEAM, _get_team, READ_TEAMS),
    Route("GET", _TEAM + "/operations/{operation}", _get_operation, READ_TEAMS),
    Route("GET", _TEAM + "/members", _list_members, READ_TEAM_MEMBERS),
    Route("GET", _TEAM + "/channels", _list_channels, READ_CHANNELS, filtered=True),
    Route("GET", _TEAM + "/allChannels", _list_channels, READ_CHANNELS, filtered=True),
    Route("POST", _TEAM + "/channels", _create_channel, CREATE_CHANNELS),
    Route("GET", _TEAM + "/primaryChannel", _get_channel, READ_CHANNELS),
    Route("GET", _CHANNEL, _get_channel, READ_CHANNELS),
    Route("GET", _CHANNEL + "/members", _list_members, READ_CHANNEL_MEMBERS),
    Route("GET", _CHANNEL + "/filesFolder", _files_folder, READ_CHANNEL_FILES),
    Route("POST", _CHANNEL + "/startMigration", _start_migration, MIGRATE_POSTS),
    Route("POST", _CHANNEL + "/completeMigration", _complete_migration, MIGRATE_POSTS),
)
