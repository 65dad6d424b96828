"""Schedules, tags and apps of Teams, and chats into which old messages are put."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def team(caller: Caller) -> str:
    """The path of a team that has a schedule."""
    return f"/teams/{caller.walk('/teams?$select=id')[0][0]['id']}"


def shift(hours: int) -> dict[str, Any]:
    """A shift of so many hours."""
    end = f"2026-03-{1 + hours // 24:02}T{hours % 24:02}:00:00Z"
    return {"startDateTime": "2026-03-01T00:00:00Z", "endDateTime": end}


def test_schedules_are_read_on_somebodys_behalf(caller: Caller, user: str, team: str) -> None:
    """Shifts name their groups and times off their reasons; an application says who asks."""
    acting: dict[str, Any] = {"headers": {"MS-APP-ACTS-AS": user}}
    refused = caller.send("GET", f"{team}/schedule")
    assert (refused.status_code, code_of(refused)) == (400, "BadRequest")
    assert caller.get(f"{team}/schedule", **acting)["provisionStatus"] == "Completed"
    groups = {each["id"] for each in caller.walk(f"{team}/schedule/schedulingGroups", **acting)[0]}
    shifts = caller.walk(f"{team}/schedule/shifts", **acting)[0]
    assert {each["schedulingGroupId"] for each in shifts} == groups
    reasons = {each["id"] for each in caller.walk(f"{team}/schedule/timeOffReasons", **acting)[0]}
    away = caller.walk(f"{team}/schedule/timesOff", **acting)[0]
    assert {each["sharedTimeOff"]["timeOffReasonId"] for each in away} == reasons
    first = shifts[0]["sharedShift"]["startDateTime"]
    later = caller.walk(f"{team}/schedule/shifts?$filter=sharedShift/startDateTime lt {first}", **acting)[0]
    assert len(later) == len(shifts) - 1


def test_shifts_are_written(caller: Caller, user: str, team: str) -> None:
    """They last from a minute to a day, are replaced as a whole, and go."""
    acting: dict[str, Any] = {"headers": {"MS-APP-ACTS-AS": user}}
    path = f"{team}/schedule/shifts"
    made = caller.post(path, {"userId": user, "sharedShift": shift(8)}, **acting)["id"]
    assert caller.send("POST", path, json={"userId": user, "sharedShift": shift(25)}, **acting).status_code == 400
    assert caller.send("POST", path, json={"sharedShift": shift(8)}, **acting).status_code == 400
    replaced = caller.send("PUT", f"{path}/{made}", json={"userId": user, "draftShift": shift(4)}, **acting).json()
    assert (replaced["sharedShift"], replaced["draftShift"]) == (None, shift(4))
    assert caller.get(f"{path}/{made}", **acting)["userId"] == user
    assert caller.send("DELETE", f"{path}/{made}", **acting).status_code == 204
    assert caller.send("GET", f"{path}/{made}", **acting).status_code == 404


def test_a_schedule_is_made(caller: Caller, user: str) -> None:
    """For a team that has none yet."""
    acting: dict[str, Any] = {"headers": {"MS-APP-ACTS-AS": user}}
    teams = [f"/teams/{each['id']}/schedule" for each in caller.walk("/teams?$select=id")[0]]
    bare = next(each for each in teams if caller.send("GET", each, **acting).status_code == 404)
    assert caller.send("PUT", bare, json={"enabled": True}, **acting).status_code == 400
    made = caller.send("PUT", bare, json={"enabled": True, "timeZone": "Europe/Paris"}, **acting)
    assert (made.status_code, caller.get(bare, **acting)["timeZone"]) == (200, "Europe/Paris")
    assert caller.walk(f"{bare}/shifts", **acting)[0] == []


def test_tags_name_members_of_a_team(caller: Caller, team: str) -> None:
    """They are made with some, who come and go; others of the tenant can't have them."""
    (drawn,) = caller.walk(f"{team}/tags")[0]
    inside = [each["userId"] for each in caller.walk(f"{team}/members")[0]]
    assert drawn["memberCount"] == len(caller.walk(f"{team}/tags/{drawn['id']}/members")[0])
    made = caller.post(f"{team}/tags", {"displayName": "Night", "members": [{"userId": inside[0]}]})
    one = f"{team}/tags/{made['id']}"
    twice = caller.send("POST", f"{one}/members", json={"userId": inside[0]})
    assert (twice.status_code, code_of(twice)) == (409, "Conflict")
    stranger = next(each for each in caller.users() if each not in inside)
    assert caller.send("POST", f"{one}/members", json={"userId": stranger}).status_code == 400
    assert caller.send("POST", f"{team}/tags", json={"displayName": "night", "members": [{"userId": inside[0]}]}
                       ).status_code == 409  # fmt: skip
    assert caller.send("PATCH", one, json={"displayName": "Late"}).json()["displayName"] == "Late"
    assert [each["id"] for each in caller.walk(f"{team}/tags?$filter=displayName eq 'Late'")[0]] == [made["id"]]
    member = caller.walk(f"{one}/members")[0][0]["id"]
    assert caller.send("DELETE", f"{one}/members/{member}").status_code == 204
    assert caller.send("DELETE", f"{one}/members/{member}").status_code == 404
    assert caller.get(one)["memberCount"] == 0
    assert caller.send("DELETE", one).status_code == 204
    assert caller.send("GET", one).status_code == 404


def test_people_have_apps_and_teams(caller: Caller, user: str) -> None:
    """Apps of their own, and beside the teams that they are in those of shared channels."""
    apps = caller.walk(f"/users/{user}/teamwork/installedApps?$expand=teamsApp")[0]
    assert all(each["teamsApp"]["displayName"] for each in apps)
    joined = {each["id"] for each in caller.walk(f"/users/{user}/joinedTeams")[0]}
    assert joined <= {each["id"] for each in caller.walk(f"/users/{user}/teamwork/associatedTeams")[0]}


def test_old_messages_are_put_into_a_chat(caller: Caller, user: str) -> None:
    """By the application that began, at moments after the chat's, which may be moved back; not beside meetings."""
    chats = {each["chatType"]: each for each in caller.walk(f"/users/{user}/chats")[0]}
    path = f"/chats/{chats['group']['id']}"
    old = {
        "createdDateTime": "2011-05-05T10:00:00Z", "from": {"user": {"id": user}}, "body": {"content": "long ago"},
    }  # fmt: skip
    assert code_of(caller.send("POST", f"{path}/messages", json=old)) == "Forbidden"
    later = {"conversationCreationDateTime": "2039-01-01T00:00:00Z"}
    assert caller.send("POST", f"{path}/startMigration", json=later).status_code == 400
    begun = {"conversationCreationDateTime": "2011-01-01T00:00:00Z"}
    assert caller.send("POST", f"{path}/startMigration", json=begun).status_code == 204
    assert caller.send("POST", f"{path}/startMigration", json={}).status_code == 400
    told = caller.get(path)
    assert (told["migrationMode"], told["createdDateTime"][:4]) == ("inProgress", "2011")
    assert told["originalCreatedDateTime"] == chats["group"]["createdDateTime"]
    made = caller.post(f"{path}/messages", old)
    assert caller.get(f"{path}/messages/{made['id']}")["body"]["content"] == "long ago"
    assert caller.send("POST", f"{path}/messages", json=old).status_code == 409
    assert caller.send("POST", f"{path}/completeMigration").status_code == 204
    assert caller.get(path)["migrationMode"] == "completed"
    assert caller.send("POST", f"{path}/completeMigration").status_code == 400
    meeting = caller.send("POST", f"/chats/{chats['meeting']['id']}/startMigration", json={})
    assert (meeting.status_code, code_of(meeting)) == (400, "BadRequest")
