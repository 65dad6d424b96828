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


def test_a_series_is_made_with_exceptions_and_gaps(caller: Caller, other: str) -> None:
    """As a restore makes one: one of its days is changed, another deleted, and the delta tells of both."""
    _, link = caller.walk(f"{other}/calendarView/delta?{SPAN}", headers=LARGE)
    pattern = {"type": "daily", "interval": 1}
    span = {"type": "numbered", "startDate": "2026-11-02", "numberOfOccurrences": 5}
    series = caller.post(f"{other}/events", {
        "subject": "Stand-up", "start": {"dateTime": "2026-11-02T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-02T09:15:00", "timeZone": "UTC"}, "attendees": [],
        "recurrence": {"pattern": pattern, "range": span}, "location": {"displayName": "Room 1"},
    })  # fmt: skip
    assert (series["type"], series["recurrence"]["pattern"]["type"]) == ("seriesMaster", "daily")
    event = f"{other}/events/{series['id']}"
    day = "startDateTime=2026-11-03T00:00:00&endDateTime=2026-11-04T00:00:00"
    (second,) = caller.walk(f"{event}/instances?{day}")[0]
    later = {"start": {"dateTime": "2026-11-03T11:00:00"}, "end": {"dateTime": "2026-11-03T11:30:00"}}
    changed = caller.send("PATCH", f"{other}/events/{second['id']}", json=later | {"subject": "Late"}).json()
    assert (changed["type"], changed["subject"], changed["start"]["dateTime"][11:16]) == ("exception", "Late", "11:00")
    third = caller.walk(f"{event}/instances?{SPAN}")[0][2]
    entries, link = caller.walk(link, headers=LARGE)
    assert len(entries) == 5
    assert caller.send("DELETE", f"{other}/events/{third['id']}").status_code == 204
    whole = caller.get(f"{event}?$expand=exceptionOccurrences&$select=subject,cancelledOccurrences")
    assert whole["cancelledOccurrences"] == [f"OID.{series['id']}.2026-11-04"]
    assert [each["subject"] for each in whole["exceptionOccurrences"]] == ["Late"]
    entries, link = caller.walk(link, headers=LARGE)
    assert {each["id"] for each in entries if "@removed" in each} == {third["id"]}
    assert caller.send("DELETE", event).status_code == 204
    gone = {each["id"] for each in caller.walk(link, headers=LARGE)[0] if "@removed" in each}
    assert {series["id"], second["id"]} <= gone
    wrong = {"recurrence": {"pattern": {"type": "hourly"}, "range": span}, **later}
    assert caller.send("POST", f"{other}/events", json=wrong).status_code == 400


def test_a_repeated_request_makes_one_event(caller: Caller, other: str) -> None:
    """The same transactionId gives the same event."""
    given = {"start": {"dateTime": "2026-11-01T09:00:00"}, "end": {"dateTime": "2026-11-01T10:00:00"},
             "transactionId": "t1", "subject": "Once"}  # fmt: skip
    assert caller.post(f"{other}/events", given)["id"] == caller.post(f"{other}/events", given)["id"]
    assert len(caller.walk(f"{other}/events?$filter=subject eq 'Once'")[0]) == 1


def test_events_are_sorted_and_filtered(caller: Caller, other: str) -> None:
    """By when they begin, and within a span."""
    events = caller.walk(f"{other}/events?$orderby=start/dateTime&$filter=start/dateTime ge '2025-01-01T00:00'")[0]
    moments = [each["start"]["dateTime"] for each in events]
    assert moments == sorted(moments)
    assert moments[0] > "2025"
    assert len(moments) > 5


def test_files_are_attached_to_events(caller: Caller, other: str) -> None:
    """As to messages: small ones at once, large ones in fragments to another host."""
    event = f"{other}/events/{caller.walk(f'{other}/events')[0][1]['id']}"
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentBytes": "aGk="}
    made = caller.post(f"{event}/attachments", file)
    assert caller.send("GET", f"{event}/attachments/{made['id']}/$value").content == b"hi"
    item = {"AttachmentItem": {"attachmentType": "file", "name": "b.bin", "size": 4}}
    session = caller.send("POST", f"{event}/attachments/createUploadSession", json=item).json()
    reply = caller.plain.put(session["uploadUrl"], content=b"1234", headers={"Content-Range": "bytes 0-3/4"})
    assert (reply.status_code, "/Events('" in reply.headers["location"]) == (201, True)
    assert [each["name"] for each in caller.get(f"{event}/attachments")["value"]] == ["a.txt", "b.bin"]
    assert caller.get(event)["hasAttachments"]
    assert caller.send("DELETE", f"{event}/attachments/{made['id']}").status_code == 204
    assert [each["name"] for each in caller.get(f"{event}/attachments?$select=name")["value"]] == ["b.bin"]


def test_moments_are_told_in_the_zone_asked_for(caller: Caller, other: str) -> None:
    """A weekly meeting keeps its hour where it was made when clocks change; unknown zones are refused."""
    berlin, utc = "W. Europe Standard Time", {"Prefer": 'outlook.timezone="UTC"'}
    made = caller.post(f"{other}/events", {
        "subject": "Weekly", "start": {"dateTime": "2026-10-19T09:00:00", "timeZone": berlin},
        "end": {"dateTime": "2026-10-19T10:00:00", "timeZone": berlin},
        "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
                       "range": {"type": "numbered", "numberOfOccurrences": 2, "startDate": "2026-10-19"}},
    })  # fmt: skip
    assert (made["start"], made["originalStartTimeZone"]) == (
        {"dateTime": "2026-10-19T07:00:00.0000000", "timeZone": "UTC"}, berlin)  # fmt: skip
    url = f"{other}/events/{made['id']}/instances?{SPAN}"
    assert [each["start"]["dateTime"][11:13] for each in caller.walk(url, headers=utc)[0]] == ["07", "08"]
    reply = caller.send("GET", url, headers={"Prefer": f'outlook.timezone="{berlin}"'})
    assert [each["start"]["dateTime"][11:13] for each in reply.json()["value"]] == ["09", "09"]
    assert reply.headers["preference-applied"] == f'outlook.timezone="{berlin}"'
    reply = caller.send("GET", url, headers={"Prefer": 'outlook.timezone="Middle Earth"'})
    assert code_of(reply) == "TimeZoneNotSupportedException"
