"""Calendars: meetings, series with exceptions, a colleague's calendar, and changes in a span of time."""

import pytest

from tests.simtenant.caller import Caller, code_of

SPAN = "startDateTime=2024-01-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"
LARGE = {"Prefer": "odata.maxpagesize=50"}


@pytest.fixture
def other(caller: Caller) -> str:
    """The path of somebody to whom a colleague's calendar was shared."""
    return f"/users/{caller.users()[1]}"


def test_a_shared_calendar_has_a_foreign_owner(caller: Caller, other: str) -> None:
    """It is listed beside the own one; its events are not there, and its delta is 404."""
    own, shared = caller.walk(f"{other}/calendars")[0]
    assert own["isDefaultCalendar"]
    assert own["owner"]["address"] == caller.get(other)["mail"]
    assert shared["owner"]["address"] != own["owner"]["address"]
    assert caller.walk(f"{other}/calendars/{shared['id']}/events")[0] == []
    assert caller.send("GET", f"{other}/calendars/{shared['id']}/calendarView/delta?{SPAN}").status_code == 404
    assert len(caller.walk(f"{other}/calendars/{own['id']}/events")[0]) == len(caller.walk(f"{other}/events")[0]) > 9
    new = {"start": {"dateTime": "2026-11-01T09:00:00"}, "end": {"dateTime": "2026-11-01T10:00:00"}}
    assert caller.send("POST", f"{other}/calendars/{shared['id']}/events", json=new).status_code == 403


def test_a_series_has_exceptions(caller: Caller, other: str) -> None:
    """Lists show the series, views its days; one day was moved and one cancelled."""
    series = next(each for each in caller.walk(f"{other}/events")[0] if each["type"] == "seriesMaster")
    event = f"{other}/events/{series['id']}"
    whole = caller.get(f"{event}?$expand=exceptionOccurrences&$select=subject,cancelledOccurrences")
    moved = whole["exceptionOccurrences"][0]
    assert (moved["type"], moved["seriesMasterId"]) == ("exception", series["id"])
    days = caller.walk(f"{event}/instances?{SPAN}")[0]
    cancelled = whole["cancelledOccurrences"][0].rpartition(".")[2]
    assert cancelled not in {each["start"]["dateTime"][:10] for each in days}
    assert moved in days
    assert len(days) == 11
    assert caller.get(f"{other}/events/{days[0]['id']}")["type"] == "occurrence"
    assert {each["id"] for each in days} <= {each["id"] for each in caller.walk(f"{other}/calendarView?{SPAN}")[0]}
    assert code_of(caller.send("GET", f"{other}/calendarView")) == "ErrorInvalidParameter"


def test_delta_follows_a_span_of_time(caller: Caller, other: str) -> None:
    """What comes into the span, what leaves it, and what is deleted."""
    _, link = caller.walk(f"{other}/calendarView/delta?{SPAN}", headers=LARGE)
    single = next(each for each in caller.walk(f"{other}/events")[0] if each["type"] == "singleInstance")
    when = {"start": {"dateTime": "2026-11-01T09:00:00"}, "end": {"dateTime": "2026-11-01T10:00:00"}}
    made = caller.post(f"{other}/events", {"subject": "New", **when})
    late = {name: {"dateTime": value["dateTime"].replace("2026", "2031")} for name, value in when.items()}
    assert caller.send("PATCH", f"{other}/events/{single['id']}", json=late).status_code == 200
    found = {each["id"]: each for each in caller.walk(link)[0]}
    assert found[made["id"]]["subject"] == "New"
    assert found[single["id"]]["@removed"] == {"reason": "deleted"}
    assert caller.send("DELETE", f"{other}/events/{made['id']}").status_code == 204
    assert {each["id"] for each in caller.walk(link)[0] if "@removed" in each} == {single["id"], made["id"]}
    caller.control("/expire-deltas", {})
    assert code_of(caller.send("GET", link)) == "SyncStateNotFound"


def test_large_pages_may_fail(caller: Caller, other: str) -> None:
    """503 without a body until a page is small."""
    caller.control("/fault", {"id": "calendar-pages-too-large", "times": -1})
    url = f"{other}/calendarView/delta?{SPAN}"
    reply = caller.send("GET", url, headers=LARGE)
    assert (reply.status_code, reply.content) == (503, b"")
    assert caller.send("GET", url, headers={"Prefer": "odata.maxpagesize=10"}).status_code == 200
