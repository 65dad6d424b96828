"""Answers that write events: create, change and delete, series and single occurrences of them.

https://learn.microsoft.com/graph/api/calendar-post-events, .../event-update and .../event-delete
"""

from datetime import datetime
from typing import Any

from tuiback.simtenant.api.calendars import shown_event
from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.event_lookup import (
    EVENT_PROPERTIES,
    WRITTEN,
    CalendarView,
    calendar_of,
    calendar_view_of,
    event_of,
)
from tuiback.simtenant.api.permissions import WRITE_CALENDARS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.zones import UTC_NAME, zone_of
from tuiback.simtenant.state.calendars import SHARED, Event
from tuiback.simtenant.state.recurrence import WrongRecurrence, beginnings


def _create(cloud: Cloud, call: Call) -> Reply:
    view, given = calendar_view_of(cloud, call), call.json()
    place = calendar_of(view, call)
    if place == SHARED:
        raise Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    made = _made_before(view, given)
    if made is not None:
        return shown_event(view, made, None, call, 201)
    start, end = _moment(given.get("start")), _moment(given.get("end"))
    recurrence = _recurrence(given, start)
    now = cloud.clock.now().replace(microsecond=0)
    title, written = str(given.get("subject") or ""), _written(given)
    event = view.calendar.add(title, start, end - start, now, written, calendar=place)
    event.recurrence, event.zone_name = recurrence, _zone(given["start"])
    return shown_event(view, event, None, call, 201)


def _made_before(view: CalendarView, given: dict[str, Any]) -> Event | None:
    """The event of an earlier request with the same transactionId, whose answer the client may have lost."""
    mark = given.get("transactionId")
    events = view.calendar.events.values()
    return next((each for each in events if mark and each.given.get("transactionId") == mark), None)


def _written(given: dict[str, Any]) -> dict[str, Any]:
    """What may be written; a truth in quotes, as a public client sends one, is a truth."""
    found = {name: value for name, value in given.items() if name in WRITTEN}
    for name, value in found.items():
        if isinstance(EVENT_PROPERTIES.get(name), bool) and isinstance(value, str):
            found[name] = value.lower() == "true"
    return found


def _recurrence(given: dict[str, Any], start: datetime) -> dict[str, Any] | None:
    """Raises Fault 400."""
    recurrence = given.get("recurrence")
    if not recurrence:
        return None
    try:
        found = beginnings(start, recurrence)
    except WrongRecurrence as wrong:
        raise Fault(400, "ErrorPropertyValidationFailure", f"The recurrence is not valid: {wrong}.") from wrong
    if not found:
        raise Fault(400, "ErrorPropertyValidationFailure", "The recurrence is not valid: it never takes place.")
    return dict(recurrence)


def _change(cloud: Cloud, call: Call) -> Reply:
    """A changed occurrence becomes an exception; with another recurrence a series has none any more."""
    view, given = calendar_view_of(cloud, call), call.json()
    event, number = event_of(view, call)
    held = event if number is None or event.recurrence is None else event.deviation(number)
    start = _moment(given["start"]) if "start" in given else held.start
    held.length = _moment(given["end"]) - start if "end" in given else held.length
    held.title = str(given.get("subject", held.title))
    held.given |= _written(given)
    if held is event:
        recurrence = _recurrence(given, start) if "recurrence" in given else event.recurrence
        if recurrence != event.recurrence or (start != event.start and recurrence is not None):
            event.deviations.clear()
            event.cancelled.clear()
        event.recurrence = recurrence
        event.zone_name = _zone(given["start"]) if "start" in given else event.zone_name
    held.start = start
    view.calendar.touch(event, cloud.clock.now())
    return shown_event(view, event, number, call)


def _delete(cloud: Cloud, call: Call) -> Reply:
    """A deleted occurrence is cancelled; the series goes on without it."""
    view = calendar_view_of(cloud, call)
    event, number = event_of(view, call)
    if number is None or event.recurrence is None:
        view.calendar.delete(event)
    else:
        event.cancelled.add(number)
        event.deviations.pop(number, None)
        view.calendar.touch(event, cloud.clock.now())
    return no_content()


def _moment(given: object) -> datetime:
    """A dateTimeTimeZone as a moment in its zone. Raises Fault 400."""
    try:
        text = given["dateTime"] if isinstance(given, dict) else ""
        found = datetime.fromisoformat(str(text))
    except (KeyError, ValueError) as error:
        raise Fault(400, "ErrorInvalidRequest", "start and end need a dateTime and a timeZone.") from error
    return found.replace(microsecond=0) if found.tzinfo else found.replace(microsecond=0, tzinfo=zone_of(_zone(given)))


def _zone(given: object) -> str:
    return str(given.get("timeZone") or UTC_NAME) if isinstance(given, dict) else UTC_NAME


ROUTES = tuple(
    route
    for base in ("/users/{user}", "/users/{user}/calendar", "/users/{user}/calendars/{calendar}")
    for route in (
        Route("POST", base + "/events", _create, WRITE_CALENDARS),
        Route("PATCH", base + "/events/{event}", _change, WRITE_CALENDARS),
        Route("DELETE", base + "/events/{event}", _delete, WRITE_CALENDARS),
    )
)
