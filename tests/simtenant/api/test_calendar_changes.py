"""People have calendars beside the first one, in groups; each holds and tells its own events."""

from typing import Any

from tests.simtenant.caller import Caller, code_of

SPAN = "startDateTime=2030-01-01T00:00:00Z&endDateTime=2030-12-31T00:00:00Z"


def moment(day: int) -> dict[str, str]:
    """A time on a day of May 2030."""
    return {"dateTime": f"2030-05-{day:02}T10:00:00", "timeZone": "UTC"}


def event(day: int) -> dict[str, Any]:
    """A new event."""
    return {"subject": f"on the {day}th", "start": moment(day), "end": moment(day + 1)}


def test_a_calendar_holds_its_own_events(caller: Caller, user: str) -> None:
    """What is made in a second calendar is in no other, for lists, for delta and by its id."""
    calendars = f"/users/{user}/calendars"
    first = caller.get(f"/users/{user}/calendar")["id"]
    made = caller.post(calendars, {"name": "Trips", "color": "lightPink"})
    assert (made["color"], made["isDefaultCalendar"], made["canEdit"]) == ("lightPink", False, True)
    second = f"{calendars}/{made['id']}"
    whole, link = caller.walk(f"{second}/calendarView/delta?{SPAN}")
    assert whole == []
    mark = caller.post(f"{second}/events", event(3))["id"]
    caller.post(f"/users/{user}/events", event(5))
    assert [each["id"] for each in caller.walk(f"{second}/events")[0]] == [mark]
    assert [each["id"] for each in caller.walk(f"{second}/calendarView?{SPAN}")[0]] == [mark]
    assert mark not in {each["id"] for each in caller.walk(f"/users/{user}/events?$top=100")[0]}
    changed, link = caller.walk(link)
    assert [each["id"] for each in changed] == [mark]
    assert caller.get(f"{second}/events/{mark}")["subject"] == "on the 3th"
    assert caller.send("GET", f"{calendars}/{first}/events/{mark}").status_code == 404
    assert caller.send("DELETE", f"/users/{user}/events/{mark}").status_code == 204
    assert [each["@removed"] for each in caller.walk(link)[0]] == [{"reason": "deleted"}]


def test_calendars_are_renamed_and_removed(caller: Caller, user: str) -> None:
    """Names are taken once; the first calendar stays, and with a removed one go its events."""
    calendars = f"/users/{user}/calendars"
    made = caller.post(calendars, {"name": "Trips"})["id"]
    taken = caller.send("POST", calendars, json={"name": "trips"})
    assert (taken.status_code, code_of(taken)) == (409, "ErrorFolderExists")
    assert caller.send("POST", calendars, json={"name": ""}).status_code == 400
    assert caller.send("POST", calendars, json={"name": "x", "color": "mauve"}).status_code == 400
    assert caller.send("PATCH", f"{calendars}/{made}", json={"name": "Travels"}).json()["name"] == "Travels"
    mark = caller.post(f"{calendars}/{made}/events", event(3))["id"]
    assert caller.send("DELETE", f"{calendars}/{made}").status_code == 204
    assert caller.send("GET", f"{calendars}/{made}").status_code == 404
    assert caller.send("GET", f"/users/{user}/events/{mark}").status_code == 404
    kept = caller.send("DELETE", f"{calendars}/{caller.get(f'/users/{user}/calendar')['id']}")
    assert (kept.status_code, code_of(kept)) == (403, "ErrorDeleteDistinguishedFolder")


def test_calendars_lie_in_groups(caller: Caller) -> None:
    """One's own are in the first group, a colleague's in the last; new ones come into the first."""
    person = caller.users()[1]
    groups = caller.get(f"/users/{person}/calendarGroups")["value"]
    assert [each["name"] for each in groups] == ["My Calendars", "Other Calendars", "People's Calendars"]
    own, _, foreign = (f"/users/{person}/calendarGroups/{each['id']}" for each in groups)
    assert caller.get(own)["classId"] == "0006f0b7-0000-0000-c000-000000000046"
    caller.post(f"{own}/calendars", {"name": "Trips"})
    assert [each["name"] for each in caller.get(f"{own}/calendars")["value"]] == ["Calendar", "Trips"]
    (shared,) = caller.get(f"{foreign}/calendars")["value"]
    assert not shared["canEdit"]
    assert caller.send("PATCH", f"/users/{person}/calendars/{shared['id']}", json={"name": "x"}).status_code == 403
    assert caller.send("DELETE", f"/users/{person}/calendars/{shared['id']}").status_code == 204
    assert caller.get(f"{foreign}/calendars")["value"] == []
    assert caller.send("GET", f"/users/{person}/calendarGroups/x").status_code == 404


def test_beta_follows_events_themselves(caller: Caller, user: str) -> None:
    """Series are not taken apart there, no span is asked for, and v1.0 does not know it."""
    path = f"/users/{user}/calendars/{caller.get(f'/users/{user}/calendar')['id']}/events"
    assert caller.send("GET", f"{path}/delta").status_code == 400
    whole, link = caller.walk(caller.root.replace("/v1.0", "/beta") + f"{path}/delta?$top=9")
    assert {each["id"] for each in whole} == {each["id"] for each in caller.walk(f"{path}?$top=100")[0]}
    gone = next(each["id"] for each in whole if each["type"] == "seriesMaster")
    caller.send("DELETE", f"/users/{user}/events/{gone}")
    made = caller.post(path, event(7))["id"]
    changed = {each["id"]: each for each in caller.walk(link)[0]}
    assert changed.keys() == {gone, made}
    assert changed[gone]["@removed"] == {"reason": "deleted"}


def test_an_invitation_is_answered(caller: Caller) -> None:
    """By who was invited; who declines has it no longer, and only the organizer can call it off."""
    caller.control("/mutate", {"changes": 40, "seed": 5, "also": ["outlook"]})
    invited: list[tuple[str, str]] = []
    own: list[tuple[str, str]] = []
    for person in caller.users():
        for each in caller.walk(f"/users/{person}/events?$top=100&$select=isOrganizer")[0]:
            (own if each["isOrganizer"] else invited).append((person, each["id"]))
    path = f"/users/{invited[0][0]}/events/{invited[0][1]}"
    assert caller.send("POST", f"{path}/tentativelyAccept", json={"sendResponse": False}).status_code == 202
    answered = caller.get(path)
    assert (answered["responseStatus"]["response"], answered["showAs"]) == ("tentativelyAccepted", "tentative")
    assert caller.send("POST", f"{path}/cancel", json={}).status_code == 400
    assert caller.send("POST", f"{path}/decline", json={"comment": "no time"}).status_code == 202
    assert caller.send("GET", path).status_code == 404
    mine = f"/users/{own[0][0]}/events/{own[0][1]}"
    refused = caller.send("POST", f"{mine}/accept", json={})
    assert (refused.status_code, code_of(refused)) == (400, "ErrorInvalidRequest")
    assert caller.send("POST", f"{mine}/cancel", json={"comment": "off"}).status_code == 202
    assert caller.send("GET", mine).status_code == 404
