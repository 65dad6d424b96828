"""Answers that read teams and their channels: lists, settings, members, and where their files are.

https://learn.microsoft.com/graph/api/resources/teams-api-overview
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_json import DriveView, item_json
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import (
    READ_CHANNEL_FILES,
    READ_CHANNEL_MEMBERS,
    READ_CHANNELS,
    READ_TEAM_MEMBERS,
    READ_TEAMS,
)
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.team_members import member_json, member_of, present_members
from tuiback.simtenant.api.user_lookup import account_of
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.drive import ROOT_NODE
from tuiback.simtenant.state.teams import Channel, Team

_MOST = 999
# How a team is set up as long as nobody has said otherwise.
USUAL_SETTINGS: dict[str, dict[str, Any]] = {
    "memberSettings": {
        "allowCreateUpdateChannels": True, "allowCreatePrivateChannels": True, "allowDeleteChannels": True,
        "allowAddRemoveApps": True, "allowCreateUpdateRemoveTabs": True, "allowCreateUpdateRemoveConnectors": True,
    },
    "guestSettings": {"allowCreateUpdateChannels": False, "allowDeleteChannels": False},
    "messagingSettings": {
        "allowUserEditMessages": True, "allowUserDeleteMessages": True, "allowOwnerDeleteMessages": True,
        "allowTeamMentions": True, "allowChannelMentions": True,
    },
    "funSettings": {
        "allowGiphy": True, "giphyContentRating": "moderate", "allowStickersAndMemes": True, "allowCustomMemes": True,
    },
}  # fmt: skip


def team_of(cloud: Cloud, call: Call) -> Team:
    """The team that the URL names; a new one is not known for a while. Raises Fault 404."""
    team = cloud.tenant.teams.find(call.where["team"])
    if team is None or not team.group.has_team or team.visible > cloud.clock.seconds():
        raise Fault(404, "NotFound", f"No team found with Group Id {call.where['team']}")
    return team


def channel_of(cloud: Cloud, call: Call) -> Channel:
    """The channel that the URL names. Raises Fault 404."""
    team = team_of(cloud, call)
    channel = team.find(call.where["channel"])
    if channel is None:
        raise Fault(404, "NotFound", "The channel was not found.")
    return cloud.tenant.teams.open(team, channel)


def team_json(cloud: Cloud, team: Team, names: frozenset[str] | None) -> dict[str, Any]:
    """A team with its settings; who is counted in it only for who selects the summary."""
    group = team.group
    document: dict[str, Any] = {
        "id": group.object_id,
        "createdDateTime": stamp(group.created),
        "displayName": group.name,
        "description": team.settings.get("description", group.name),
        "internalId": team.channels[0].thread_id,
        "classification": None,
        "specialization": "none",
        "visibility": team.settings.get("visibility", "private"),
        "webUrl": f"https://teams.microsoft.com/l/team/{team.channels[0].thread_id}/conversations",
        "isArchived": team.is_archived,
        "tenantId": cloud.plan.tenant_id,
    }
    document |= {name: usual | team.settings.get(name, {}) for name, usual in USUAL_SETTINGS.items()}
    if names is not None and "summary" in names:
        document["summary"] = _summary(present_members(cloud, team))
    return document


def _summary(members: Sequence[Account]) -> dict[str, int]:
    guests = sum(each.is_guest for each in members)
    owners = min(len(members), 1)
    return {"ownersCount": owners, "membersCount": len(members) - guests - owners, "guestsCount": guests}


def channel_json(cloud: Cloud, team: Team, channel: Channel, call: Call) -> dict[str, Any]:
    """Who does not say to know them all sees a shared channel as one of a kind to come."""
    knows_all = "include-unknown-enum-members" in call.preferences
    document: dict[str, Any] = {
        "id": channel.thread_id,
        "createdDateTime": stamp(channel.created),
        "displayName": channel.name,
        "description": channel.description,
        "isFavoriteByDefault": None,
        "email": "",
        "tenantId": cloud.plan.tenant_id,
        "webUrl": f"https://teams.microsoft.com/l/channel/{channel.thread_id}/{channel.name}",
        "membershipType": channel.kind if channel.kind != "shared" or knows_all else "unknownFutureValue",
        "isArchived": channel.is_archived,
        "layoutType": "post",
    }
    if channel.migrating_app or channel.was_migrated:
        document["migrationMode"] = "inProgress" if channel.migrating_app else "completed"
        document["originalCreatedDateTime"] = stamp(channel.born)
    if "summary" in (selected(call) or ()):
        counted = _summary(present_members(cloud, team, channel))
        document["summary"] = counted | {"hasMembersFromOtherTenants": False}
    return document


def _list_teams(cloud: Cloud, call: Call) -> Reply:
    test = filter_of(call, "BadRequest")
    names = selected(call)
    teams = (team_json(cloud, each, names) for each in _visible(cloud))
    return _listed(call, "teams", [each for each in teams if test(each)])


def _visible(cloud: Cloud) -> Iterator[Team]:
    now = cloud.clock.seconds()
    return (each for each in cloud.tenant.teams.all() if each.group.has_team and each.visible <= now)


def _list_associated(cloud: Cloud, call: Call) -> Reply:
    """The teams that a person is in, and those of whose shared channels one is.

    https://learn.microsoft.com/graph/api/associatedteaminfo-list
    """
    mine, teams = account_of(cloud, call).index, cloud.tenant.teams
    rows = [
        {"id": each.group.object_id, "displayName": each.group.name, "tenantId": cloud.plan.tenant_id}
        for each in _visible(cloud)
        if mine in teams.members(each) or any(mine in channel.members for channel in each.channels)
    ]
    return _listed(call, "Collection(associatedTeamInfo)", rows)


def _list_joined(cloud: Cloud, call: Call) -> Reply:
    """The teams that a person is in, with little of each."""
    mine = account_of(cloud, call)
    names = ("id", "displayName", "description", "isArchived", "tenantId", "visibility")
    rows = []
    for team in _visible(cloud):
        if mine.index in cloud.tenant.teams.members(team):
            whole = team_json(cloud, team, None)
            rows.append({name: whole[name] for name in names})
    return _listed(call, "teams", rows)


def _get_team(cloud: Cloud, call: Call) -> Reply:
    context, names = {"@odata.context": context_url(call, "teams/$entity")}, selected(call)
    return json_reply(context | narrowed(team_json(cloud, team_of(cloud, call), names), names))


def _list_channels(cloud: Cloud, call: Call) -> Reply:
    return _channels(call, _own_channels(cloud, call))


def _list_all_channels(cloud: Cloud, call: Call) -> Reply:
    return _channels(call, _own_channels(cloud, call) + _incoming_channels(cloud, call))


def _list_incoming(cloud: Cloud, call: Call) -> Reply:
    return _channels(call, _incoming_channels(cloud, call))


def _own_channels(cloud: Cloud, call: Call) -> list[dict[str, Any]]:
    team = team_of(cloud, call)
    return [channel_json(cloud, team, each, call) for each in team.channels]


def _incoming_channels(cloud: Cloud, call: Call) -> list[dict[str, Any]]:
    """Those of other teams, each with the address where it is at home."""
    found = []
    for host, channel in cloud.tenant.teams.incoming(team_of(cloud, call)):
        tenant = f"{call.root}{call.version}/tenants/{cloud.plan.tenant_id}"
        home = f"{tenant}/teams/{host.group.object_id}/channels/{channel.thread_id}"
        found.append({"@odata.id": home} | channel_json(cloud, host, channel, call))
    return found


def _channels(call: Call, rows: list[dict[str, Any]]) -> Reply:
    test = filter_of(call, "BadRequest")
    return _listed(call, f"teams('{call.where['team']}')/channels", [each for each in rows if test(each)])


def _get_channel(cloud: Cloud, call: Call) -> Reply:
    channel = channel_of(cloud, call) if "channel" in call.where else team_of(cloud, call).channels[0]
    return shown_channel(cloud, channel, call)


def shown_channel(cloud: Cloud, channel: Channel, call: Call, status: int = 200) -> Reply:
    """One channel as the answer."""
    context = {"@odata.context": context_url(call, f"teams('{call.where['team']}')/channels/$entity")}
    document = channel_json(cloud, team_of(cloud, call), channel, call)
    return json_reply(context | narrowed(document, selected(call)), status)


def _list_members(cloud: Cloud, call: Call) -> Reply:
    """The first member owns the team."""
    team = team_of(cloud, call)
    rows = [
        member_json(cloud, team.group.object_id, each, is_owner=place == 0)
        for place, each in enumerate(present_members(cloud, team))
    ]
    return _listed(call, f"teams('{call.where['team']}')/members", rows)


def _list_channel_members(cloud: Cloud, call: Call) -> Reply:
    """Of a standard channel everybody in the team; those of the team that shares it are among all of a shared one."""
    team, channel = team_of(cloud, call), channel_of(cloud, call)
    found = present_members(cloud, team, channel)
    guests = cloud.tenant.teams.guest_team(team)
    if call.path.lower().endswith("/allmembers") and channel.kind == "shared" and guests is not None:
        found += [each for each in present_members(cloud, guests) if each not in found]
    rows = [
        member_json(cloud, channel.thread_id, each, is_owner=place == 0) for place, each in enumerate(found)
    ]
    return _listed(call, f"teams('{call.where['team']}')/channels/members", rows)


def _get_member(cloud: Cloud, call: Call) -> Reply:
    team = team_of(cloud, call)
    channel = channel_of(cloud, call) if "channel" in call.where else None
    mark = channel.thread_id if channel is not None else team.group.object_id
    found = present_members(cloud, team, channel)
    account = member_of(call, mark, found)
    context = {"@odata.context": context_url(call, "members/$entity")}
    return json_reply(context | member_json(cloud, mark, account, is_owner=account is found[0]))


def _list_shared_with(cloud: Cloud, call: Call) -> Reply:
    """The team whose channel it is, and the one that takes part."""
    team, channel = team_of(cloud, call), channel_of(cloud, call)
    if channel.kind != "shared":
        raise Fault(400, "BadRequest", "The channel is not shared.")
    sharing = [team, cloud.tenant.teams.guest_team(team)]
    rows = [
        {
            "id": each.group.object_id,
            "displayName": each.group.name,
            "tenantId": cloud.plan.tenant_id,
            "isHostTeam": each is team,
        }
        for each in sharing
        if each is not None
    ]
    return _listed(call, "teams/channels/sharedWithTeams", rows)


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


_TEAM = "/teams/{team}"
_CHANNEL = _TEAM + "/channels/{channel}"
ROUTES = (
    Route("GET", "/teams", _list_teams, READ_TEAMS, filtered=True),
    Route("GET", "/users/{user}/joinedTeams", _list_joined, READ_TEAMS),
    Route("GET", "/users/{user}/teamwork/associatedTeams", _list_associated, READ_TEAMS),
    Route("GET", _TEAM, _get_team, READ_TEAMS),
    Route("GET", _TEAM + "/members", _list_members, READ_TEAM_MEMBERS),
    Route("GET", _TEAM + "/members/{member}", _get_member, READ_TEAM_MEMBERS),
    Route("GET", _TEAM + "/channels", _list_channels, READ_CHANNELS, filtered=True),
    Route("GET", _TEAM + "/allChannels", _list_all_channels, READ_CHANNELS, filtered=True),
    Route("GET", _TEAM + "/incomingChannels", _list_incoming, READ_CHANNELS, filtered=True),
    Route("GET", _TEAM + "/primaryChannel", _get_channel, READ_CHANNELS),
    Route("GET", _CHANNEL, _get_channel, READ_CHANNELS),
    Route("GET", _CHANNEL + "/members", _list_channel_members, READ_CHANNEL_MEMBERS),
    Route("GET", _CHANNEL + "/members/{member}", _get_member, READ_CHANNEL_MEMBERS),
    Route("GET", _CHANNEL + "/allMembers", _list_channel_members, READ_CHANNEL_MEMBERS),
    Route("GET", _CHANNEL + "/sharedWithTeams", _list_shared_with, READ_CHANNELS),
    Route("GET", _CHANNEL + "/filesFolder", _files_folder, READ_CHANNEL_FILES),
)
