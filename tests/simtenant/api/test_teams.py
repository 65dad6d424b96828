"""Teams, their channels and posts, and what is odd about them."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def team(caller: Caller) -> str:
    """The path of the first team."""
    return f"/teams/{caller.walk('/teams')[0][0]['id']}"


def channels(caller: Caller, team: str) -> dict[str, str]:
    """The paths of a team's channels by name."""
    return {each["displayName"]: f"{team}/channels/{each['id']}" for each in caller.walk(f"{team}/allChannels")[0]}


def test_teams_are_groups(caller: Caller, team: str) -> None:
    """The groups say which of them are teams; the first member owns it, and member ids tell whose they are."""
    found = caller.walk("/groups?$filter=resourceProvisioningOptions/Any(x:x eq 'Team')&$select=id")[0]
    assert [each["id"] for each in found] == [each["id"] for each in caller.walk("/teams?$select=id")[0]]
    members = caller.walk(f"{team}/members")[0]
    assert [each["roles"] for each in members][:2] == [["owner"], []][: len(members)]
    assert {each["userId"] for each in members} == {
        each["id"] for each in caller.walk(f"{team.replace('/teams', '/groups')}/members")[0]
    }
    assert caller.get(f"{team}/primaryChannel")["displayName"] == "General"
    assert caller.send("GET", "/teams/nobody").status_code == 404


def test_a_shared_channel_is_known_to_who_asks(caller: Caller, team: str) -> None:
    """Without the preference its kind is one of the future; private ones can be filtered for."""
    kinds = {each["displayName"]: each["membershipType"] for each in caller.walk(f"{team}/channels")[0]}
    assert kinds["Partners"] == "unknownFutureValue"
    prefer = {"Prefer": "include-unknown-enum-members"}
    kinds = {each["displayName"]: each["membershipType"] for each in caller.walk(f"{team}/channels", headers=prefer)[0]}
    assert kinds["Partners"] == "shared"
    private = caller.walk(f"{team}/channels?$filter=membershipType eq 'private'")[0]
    assert [each["displayName"] for each in private] == ["Board"]


def test_long_conversations_go_on_elsewhere(caller: Caller, team: str) -> None:
    """A thousand replies come with the post, the others behind a link; lists hold fifty at most."""
    general = channels(caller, team)["General"]
    roots = caller.walk(f"{general}/messages?$top=50&$expand=replies")[0]
    long = next(each for each in roots if "replies@odata.nextLink" in each)
    rest = caller.walk(long["replies@odata.nextLink"])[0]
    assert len(long["replies"]) == 1000
    assert {each["id"] for each in rest}.isdisjoint(each["id"] for each in long["replies"])
    everything = caller.walk(f"{team}/channels/getAllMessages?$top=250")[0]
    assert {each["id"] for each in (*roots, *rest, *long["replies"])} <= {each["id"] for each in everything}
    assert caller.get(f"{general}/messages/{long['id']}/replies/{rest[0]['id']}")["replyToId"] == long["id"]
    assert caller.send("GET", f"{general}/messages?$top=51").status_code == 400
    caller.control("/fault", {"id": "protected-api"})
    assert code_of(caller.send("GET", f"{general}/messages")) == "Forbidden"


def test_delta_forgets_what_is_old(caller: Caller, team: str) -> None:
    """Conversations of the last eight months, and afterwards those with a new reply, each as a whole."""
    general = channels(caller, team)["General"]
    roots = caller.walk(f"{general}/messages?$top=50")[0]
    recent, link = caller.walk(f"{general}/messages/delta")
    assert 0 < len(recent) < len(roots)
    assert min(each["createdDateTime"] for each in recent) > min(each["createdDateTime"] for each in roots)
    assert caller.walk(link)[0] == []
    imported(caller, general, "2026-11-20T10:00:00.001Z", to=roots[0]["id"])
    changed, link = caller.walk(link + "&$expand=replies")
    assert [each["id"] for each in changed] == [roots[0]["id"]]
    assert changed[0]["replies"][0]["createdDateTime"] == "2026-11-20T10:00:00.001Z"
    caller.control("/expire-deltas", {})
    assert caller.send("GET", link).status_code == 410


def imported(caller: Caller, channel: str, moment: str, to: str = "") -> Any:
    """The answer to an imported post, in a migration of its own."""
    caller.send("POST", f"{channel}/startMigration", json={})
    body = {
        "createdDateTime": moment, "from": {"user": {"id": caller.users()[0], "userIdentityType": "aadUser"}},
        "body": {"contentType": "html", "content": "old"},
    }  # fmt: skip
    reply = caller.send("POST", f"{channel}/messages" + (f"/{to}/replies" if to else ""), json=body)
    caller.send("POST", f"{channel}/completeMigration")
    return reply


def test_posts_are_imported_in_migration_only(caller: Caller, team: str) -> None:
    """One post a millisecond, after the channel was made and not in the future; who began must end it."""
    channel = channels(caller, team)["Angebote"]
    moment = "2026-02-03T04:05:06.007Z"
    assert imported(caller, channel, moment).json()["createdDateTime"] == moment
    assert code_of(imported(caller, channel, moment)) == "Conflict"
    assert imported(caller, channel, "2020-01-01T00:00:00Z").status_code == 400
    assert imported(caller, channel, "2200-01-01T00:00:00Z").status_code == 400
    body = {"createdDateTime": moment, "body": {"content": "x"}}
    assert caller.send("POST", f"{channel}/messages", json=body).status_code == 403
    assert caller.send("POST", f"{channel}/startMigration", json={}).status_code == 204
    assert caller.get(channel)["migrationMode"] == "inProgress"
    assert caller.send("POST", f"{channel}/startMigration", json={}).status_code == 400
    assert caller.send("POST", f"{channel}/completeMigration").status_code == 204
    assert caller.send("POST", f"{channel}/completeMigration").status_code == 400
    assert caller.get(channel)["migrationMode"] == "completed"


def test_a_new_team_is_late(caller: Caller, user: str) -> None:
    """202, then an operation in progress and a 404, then the team."""
    given = {
        "template@odata.bind": "https://graph.microsoft.com/v1.0/teamsTemplates('standard')", "displayName": "New",
        "members": [{
            "@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": ["owner"],
            "user@odata.bind": f"https://graph.microsoft.com/v1.0/users('{user}')",
        }],
    }  # fmt: skip
    reply = caller.send("POST", "/teams", json=given)
    assert reply.status_code == 202
    team, operation = reply.headers["content-location"], reply.headers["location"]
    assert caller.get(operation)["status"] == "inProgress"
    assert caller.send("GET", team).status_code == 404
    caller.control("/clock", {"seconds": 5})
    assert caller.get(operation)["status"] == "succeeded"
    assert caller.get(team)["displayName"] == "New"
    made = caller.post(f"{team}/channels", {"displayName": "Room", "membershipType": "private"})
    assert made["membershipType"] == "private"
    assert caller.send("POST", f"{team}/channels", json={"displayName": "room"}).status_code == 400
    assert caller.send("POST", "/teams", json=given | {"members": []}).status_code == 400
