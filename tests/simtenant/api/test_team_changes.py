"""Teams and channels change: settings, members, archives, and who shares a channel."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller

KNOWS_ALL = {"Prefer": "include-unknown-enum-members"}


@pytest.fixture
def team(caller: Caller) -> str:
    """The path of the first team."""
    return f"/teams/{caller.walk('/teams?$select=id')[0][0]['id']}"


def bound(user: str) -> dict[str, Any]:
    """A member in a request."""
    kind = "#microsoft.graph.aadUserConversationMember"
    return {"@odata.type": kind, "user@odata.bind": f"https://graph.microsoft.com/v1.0/users('{user}')"}


def test_settings_are_changed_one_by_one(caller: Caller, team: str) -> None:
    """What is not named stays as it was; a team counts its members for who asks."""
    before = caller.get(team)["memberSettings"]
    change = {"memberSettings": {"allowDeleteChannels": False}, "description": "d"}
    assert caller.send("PATCH", team, json=change).status_code == 204
    after = caller.get(team)
    assert after["memberSettings"] == before | {"allowDeleteChannels": False}
    assert (after["description"], "summary" in after) == ("d", False)
    counted = caller.get(f"{team}?$select=summary")["summary"]
    assert sum(counted.values()) == len(caller.walk(f"{team}/members")[0])
    assert caller.send("PATCH", team, json={"colour": "red"}).status_code == 400
    assert caller.send("POST", f"{team}/archive").status_code == 202
    assert caller.get(team)["isArchived"]


def test_private_channels_have_members_of_their_own(caller: Caller, team: str) -> None:
    """Some of the team's; they come and go; those of standard channels are the team's."""
    channels = {each["displayName"]: f"{team}/channels/{each['id']}" for each in caller.walk(f"{team}/channels")[0]}
    private, everybody = channels["Board"], caller.walk(f"{team}/members")[0]
    inside = caller.walk(f"{private}/members")[0]
    assert {each["userId"] for each in inside} <= {each["userId"] for each in everybody}
    assert inside[0]["roles"] == ["owner"]
    stranger = next(each for each in caller.users() if each not in {member["userId"] for member in inside})
    made = caller.post(f"{private}/members", bound(stranger))
    assert caller.get(f"{private}/members/{made['id']}")["userId"] == stranger
    assert caller.send("DELETE", f"{private}/members/{made['id']}").status_code == 204
    assert caller.send("DELETE", f"{private}/members/{made['id']}").status_code == 404
    assert caller.send("POST", f"{channels['Angebote']}/members", json=bound(stranger)).status_code == 400
    caller.post(f"{team}/members", bound(stranger))
    assert stranger in {each["userId"] for each in caller.walk(f"{team}/members")[0]}


def test_a_shared_channel_comes_to_another_team(caller: Caller, team: str) -> None:
    """It is among all channels of the guest, with the address of its home, and has members from both."""
    shared = next(each for each in caller.walk(f"{team}/channels", headers=KNOWS_ALL)[0]
                  if each["membershipType"] == "shared")  # fmt: skip
    home = f"{team}/channels/{shared['id']}"
    sharing = caller.walk(f"{home}/sharedWithTeams")[0]
    assert [each["isHostTeam"] for each in sharing] == [True, False]
    guest = f"/teams/{sharing[1]['id']}"
    incoming = caller.walk(f"{guest}/incomingChannels")[0]
    assert [each["id"] for each in incoming] == [shared["id"]]
    assert incoming[0]["@odata.id"].endswith(home)
    assert shared["id"] in {each["id"] for each in caller.walk(f"{guest}/allChannels")[0]}
    guests = {each["userId"] for each in caller.walk(f"{guest}/members")[0]}
    assert guests <= {each["userId"] for each in caller.walk(f"{home}/allMembers")[0]}
    general = caller.get(f"{team}/primaryChannel")["id"]
    assert caller.send("GET", f"{team}/channels/{general}/sharedWithTeams").status_code == 400


def test_channels_are_renamed_archived_and_deleted(caller: Caller, team: str) -> None:
    """All but General; the site of a private one stays where it is."""
    channels = {each["displayName"]: f"{team}/channels/{each['id']}" for each in caller.walk(f"{team}/channels")[0]}
    one = channels["Angebote"]
    assert caller.send("PATCH", one, json={"displayName": "Offers", "description": "x"}).status_code == 204
    assert caller.get(one)["displayName"] == "Offers"
    assert caller.send("POST", f"{one}/archive", json={}).status_code == 202
    assert caller.get(f"{one}?$select=isArchived,summary")["isArchived"]
    before = caller.get(f"{channels['Board']}/filesFolder")["parentReference"]
    assert caller.send("DELETE", one).status_code == 204
    assert caller.send("GET", one).status_code == 404
    assert caller.get(f"{channels['Board']}/filesFolder")["parentReference"] == before
    for method in ("PATCH", "DELETE"):
        assert caller.send(method, channels["General"], json={"displayName": "x"}).status_code == 400


def test_what_was_written_outlives_its_team(caller: Caller) -> None:
    """The group's deletion takes team and site away; posts can be exported from the deleted team."""
    team = caller.walk("/teams?$select=id")[0][1]["id"]
    posts = {each["id"] for each in caller.walk(f"/teams/{team}/channels/getAllMessages?$top=250")[0]}
    site = caller.get(f"/groups/{team}/sites/root")["id"]
    _, link = caller.walk("/groups/delta?$select=displayName")
    assert caller.get("/teamwork/deletedTeams")["value"] == []
    assert caller.send("DELETE", f"/groups/{team}").status_code == 204
    for path in (f"/groups/{team}", f"/teams/{team}", f"/sites/{site}"):
        assert caller.send("GET", path).status_code == 404
    assert team not in {each["id"] for each in caller.walk("/teams")[0]}
    assert caller.walk(link)[0] == [{"id": team, "@removed": {"reason": "changed"}}]
    assert caller.get("/teamwork/deletedTeams")["value"] == [{"id": team}]
    deleted = f"/teamwork/deletedTeams/{team}/channels"
    assert {each["id"] for each in caller.walk(f"{deleted}/getAllMessages?$top=250&model=A")[0]} == posts
    assert "General" in {each["displayName"] for each in caller.walk(deleted)[0]}
    assert caller.send("GET", "/teamwork/deletedTeams/none/channels").status_code == 404


def test_people_see_the_teams_they_are_in(caller: Caller, team: str) -> None:
    """Whoever is a member has the team among the joined ones."""
    member = caller.walk(f"{team}/members")[0][0]["userId"]
    assert team.rpartition("/")[2] in {each["id"] for each in caller.walk(f"/users/{member}/joinedTeams")[0]}


def test_a_team_is_made_to_be_filled(caller: Caller, user: str) -> None:
    """As old as it says and with nobody in it; it is done when its channels are, and then people come."""
    wanted = {
        "@microsoft.graph.teamCreationMode": "migration", "displayName": "Moved",
        "createdDateTime": "2015-03-01T00:00:00Z", "template@odata.bind": f"{caller.root}/teamsTemplates('standard')",
    }  # fmt: skip
    assert caller.send("POST", "/teams", json=wanted | {"createdDateTime": "2099-01-01T00:00:00Z"}).status_code == 400
    reply = caller.send("POST", "/teams", json=wanted)
    assert reply.status_code == 202
    team = reply.headers["content-location"].replace("('", "/").replace("')", "")
    caller.control("/clock", {"seconds": 10})
    assert caller.get(team)["createdDateTime"].startswith("2015")
    assert caller.walk(f"{team}/members")[0] == []
    (general,) = caller.walk(f"{team}/channels")[0]
    path = f"{team}/channels/{general['id']}"
    post = {"createdDateTime": "2015-03-02T00:00:00Z", "from": {"user": {"id": user}}, "body": {"content": "old"}}
    assert caller.post(f"{path}/messages", post)["createdDateTime"].startswith("2015-03-02")
    assert caller.send("POST", f"{team}/completeMigration").status_code == 400
    assert caller.send("POST", f"{path}/completeMigration").status_code == 204
    assert caller.send("POST", f"{team}/completeMigration").status_code == 204
    assert caller.send("POST", f"{team}/completeMigration").status_code == 400
    member = {"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": ["owner"],
              "user@odata.bind": f"{caller.root}/users('{user}')"}  # fmt: skip
    assert caller.post(f"{team}/members", member)["userId"] == user
