"""Answers for teams that were deleted: which there are, their channels, and what was written in them.

https://learn.microsoft.com/graph/api/teamwork-list-deletedteams, .../deletedteam-getallmessages
"""

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import collection
from tuiback.simtenant.api.permissions import READ_CHANNELS, READ_POSTS, READ_TEAMS
from tuiback.simtenant.api.post_json import Place
from tuiback.simtenant.api.post_lists import exported
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.teams import channel_json
from tuiback.simtenant.state.teams import Team


def _list(cloud: Cloud, call: Call) -> Reply:
    rows = [{"id": each.group.object_id} for each in cloud.tenant.teams.deleted()]
    return json_reply(collection("teamwork/deletedTeams", rows, None, call))


def _team_of(cloud: Cloud, call: Call) -> Team:
    wanted = call.where["team"].lower()
    team = next((each for each in cloud.tenant.teams.deleted() if each.group.object_id == wanted), None)
    if team is None:
        raise Fault(404, "NotFound", f"No deleted team found with Group Id {wanted}")
    return team


def _list_channels(cloud: Cloud, call: Call) -> Reply:
    team = _team_of(cloud, call)
    rows = [channel_json(cloud, team, each, call) for each in team.channels]
    return json_reply(collection(f"teamwork/deletedTeams('{call.where['team']}')/channels", rows, None, call))


def _export(cloud: Cloud, call: Call) -> Reply:
    """Posts and replies of all channels but shared ones."""
    team = _team_of(cloud, call)
    mark = team.group.object_id
    places = []
    for each in team.channels:
        if each.kind != "shared":
            thread, library = cloud.tenant.teams.open(team, each).thread, cloud.tenant.sites.of_channel(team, each)
            path = f"teamwork/deletedTeams/{mark}/channels/{each.thread_id}"
            places.append(Place(cloud, call, thread, each.thread_id, path, mark, library))
    return exported(call, places)


_TEAMS = "/teamwork/deletedTeams"
_CHANNELS = _TEAMS + "/{team}/channels"
ROUTES = (
    Route("GET", _TEAMS, _list, READ_TEAMS),
    Route("GET", _CHANNELS, _list_channels, READ_CHANNELS),
    Route("GET", _CHANNELS + "/getAllMessages", _export, READ_POSTS, filtered=True),
)
