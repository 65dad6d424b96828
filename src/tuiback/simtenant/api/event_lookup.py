"""Finds the calendars and events that a URL names, and shows them as Graph's resources.

https://learn.microsoft.com/graph/api/resources/event and .../resources/calendar
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.message_json import body_json, change_key
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.api.zones import UTC_NAME, zone_of
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.calendars import OWN, Calendar, Event
from tuiback.simtenant.state.clock import stamp

# The place of a series itself among the places of its occurrences.
MASTER = 0
ZONE_PREFERENCE = "outlook.timezone"
# What may be written besides the subject, the moments and the recurrence, and what an unwritten one holds.
EVENT_PROPERTIES: dict[str, Any] = {
    "importance": "normal", "sensitivity": "normal", "showAs": "busy", "isAllDay": False, "categories": [],
    "attendees": [], "location": {"displayName": ""}, "locations": [], "isReminderOn": True,
    "reminderMinutesBeforeStart": 15, "responseRequested": True, "allowNewTimeProposals": True,
    "hideAttendees": False, "isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "transactionId": None,
}  # fmt: skip
WRITTEN = frozenset({"body", *EVENT_PROPERTIES})


@dataclass(frozen=True, slots=True)
class CalendarView:
    """How a request sees the calendars of a mailbox: moments are told in the zone of this name."""

    cloud: Cloud
    calendar: Calendar
    zone_name: str = UTC_NAME

    def calendar_id(self, serial: int) -> str:
        """A calendar's id."""
        return self.cloud.tenant.ids.encode("calendar", self.calendar.owner, serial)

    def event_id(self, event: Event, place: int = MASTER) -> str:
        """The id of an event, or of one occurrence of a series."""
        return self.cloud.tenant.ids.encode("event", self.calendar.owner, event.serial, place)


def calendar_view_of(cloud: Cloud, call: Call) -> CalendarView:
    """The calendars of the URL's user, seen as the request asks. Raises Fault 400 and 404."""
    zone_name = call.preferences.get(ZONE_PREFERENCE) or UTC_NAME
    zone_of(zone_name)
    return CalendarView(cloud, cloud.tenant.outlook.calendar(mailbox_owner_of(cloud, call).person), zone_name)


def calendar_of(view: CalendarView, call: Call) -> int:
    """Which calendar the URL names. Raises Fault 400 and 404."""
    if "calendar" not in call.where:
        return OWN
    found = view.cloud.tenant.ids.find(call.where["calendar"])
    if found is None or found.kind != "calendar":
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    if found.owner != view.calendar.owner or found.serial not in view.calendar.owners:
        raise not_found()
    return found.serial


def event_of(view: CalendarView, call: Call) -> tuple[Event, int | None]:
    """The event and, of a series, which occurrence the URL names. Raises Fault 400 and 404."""
    found = view.cloud.tenant.ids.find(call.where["event"])
    if found is None or found.kind != "event":
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    event = view.calendar.events.get(found.serial) if found.owner == view.calendar.owner else None
    number = found.place - 1 if found.place else None
    if event is None or (number is not None and number not in dict(event.occurrences())):
        raise not_found()
    if "calendar" in call.where and event.calendar != calendar_of(view, call):
        raise not_found()
    return event, number


def taking_place(view: CalendarView, event: Event, first: datetime, last: datetime) -> Iterator[dict[str, Any]]:
    """What of an event lies in a span of time, occurrence by occurrence."""
    for number, start in event.occurrences():
        length = event.deviations[number].length if number in event.deviations else event.length
        if start < last and start + length > first:
            yield event_json(view, event, number)


def event_json(view: CalendarView, event: Event, number: int | None = None) -> dict[str, Any]:
    """An event or a series, or with `number` one occurrence of it."""
    key = change_key(view.calendar.owner, event.serial, event.version)
    other = event.deviations.get(number) if number is not None else None
    place = MASTER if number is None or event.recurrence is None else number + 1
    title, length = (other.title, other.length) if other is not None else (event.title, event.length)
    start = other.start if other is not None else event.planned()[number or 0]
    given = event.given | (other.given if other is not None else {})
    is_own = event.organizer == view.calendar.owner
    body = body_json(given.get("body") or {"content": title})
    return {
        "@odata.etag": f'W/"{key}"',
        "id": view.event_id(event, place),
        "createdDateTime": stamp(event.created),
        "lastModifiedDateTime": stamp(event.modified or event.created),
        "changeKey": key,
        "iCalUId": f"040000008200E00074C5B7101A82E008{view.calendar.owner:08X}{event.serial:08X}",
        "subject": title,
        "bodyPreview": body["content"][:255] if body["contentType"] == "text" else title,
        "body": body,
        "isCancelled": False,
        "isDraft": False,
        "isOrganizer": is_own,
        "hasAttachments": bool(event.files),
        "type": _kind(event, number),
        "seriesMasterId": view.event_id(event) if place else None,
        "start": _zoned(start, view.zone_name),
        "end": _zoned(start + length, view.zone_name),
        "originalStartTimeZone": event.zone_name,
        "originalEndTimeZone": event.zone_name,
        "organizer": _person(view.cloud.tenant.company.people[event.organizer]),
        "responseStatus": given.get("responseStatus") or _first_response(is_own=is_own),
        "recurrence": event.recurrence if number is None else None,
    } | {name: given.get(name, usual) for name, usual in EVENT_PROPERTIES.items()}


def _first_response(*, is_own: bool) -> dict[str, str]:
    return {"response": "organizer" if is_own else "accepted", "time": "0001-01-01T00:00:00Z"}


def _kind(event: Event, number: int | None) -> str:
    if event.recurrence is None:
        return "singleInstance"
    if number is None:
        return "seriesMaster"
    return "exception" if number in event.deviations else "occurrence"


def _person(person: Person) -> dict[str, Any]:
    return {"emailAddress": {"name": person.name, "address": person.address}}


def _zoned(moment: datetime, zone_name: str) -> dict[str, str]:
    there = moment.astimezone(zone_of(zone_name))
    return {"dateTime": there.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": zone_name}


def not_found() -> Fault:
    """What Exchange says of a thing that is not there."""
    return Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
