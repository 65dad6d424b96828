"""Answers for calendars and events: lists, series with their exceptions, views of a span of time, and what changed.

https://learn.microsoft.com/graph/api/resources/event, .../event-delta
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.mail_lookup import honoured
from tuiback.simtenant.api.message_json import change_key
from tuiback.simtenant.api.odata import collection, context_url, find_token, page, page_size, sealed_token, selected
from tuiback.simtenant.api.permissions import READ_CALENDARS, WRITE_CALENDARS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.calendars import OWN, Calendar, Event
from tuiback.simtenant.state.clock import stamp

_PAGE, _MOST = 10, 1000
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WRITTEN = frozenset({"body", "importance", "sensitivity", "showAs", "isAllDay", "categories"})
# The place of a series itself among the places of its occurrences.
_MASTER = 0


@dataclass(frozen=True, slots=True)
class _View:
    """How a request sees the calendars of a mailbox."""

    cloud: Cloud
    calendar: Calendar

    def calendar_id(self, serial: int) -> str:
        return self.cloud.tenant.ids.encode("calendar", self.calendar.owner, serial)

    def event_id(self, event: Event, place: int = _MASTER) -> str:
        return self.cloud.tenant.ids.encode("event", self.calendar.owner, event.serial, place)


def _view_of(cloud: Cloud, call: Call) -> _View:
    return _View(cloud, cloud.tenant.calendar(mailbox_owner_of(cloud, call).person))


def _calendar_of(view: _View, call: Call) -> int:
    """Which calendar the URL names. Raises Fault 400 and 404."""
    if "calendar" not in call.where:
        return OWN
    found = view.cloud.tenant.ids.find(call.where["calendar"])
    if found is None or found.kind != "calendar":
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    if found.owner != view.calendar.owner or found.serial not in view.calendar.owners:
        raise _not_found()
    return found.serial


def _calendar_json(view: _View, serial: int) -> dict[str, Any]:
    owner = view.calendar.owners[serial]
    is_own = serial == OWN
    return {
        "id": view.calendar_id(serial),
        "name": "Calendar" if is_own else owner.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": is_own,
        "changeKey": change_key(view.calendar.owner, serial, 0),
        "canShare": is_own,
        "canViewPrivateItems": is_own,
        "canEdit": is_own,
        "isTallyingResponses": is_own,
        "isRemovable": not is_own,
        "owner": {"name": owner.name, "address": owner.address},
    }


def _event_json(view: _View, event: Event, number: int | None = None) -> dict[str, Any]:
    """An event or a series, or with `number` one occurrence of it."""
    key = change_key(view.calendar.owner, event.serial, event.version)
    start = event.start if number is None else event.start_of(number)
    organizer = _person(view.cloud.tenant.company.people[event.organizer])
    kind = "seriesMaster" if event.weeks else "singleInstance"
    if event.weeks and number is not None:
        kind = "exception" if event.is_exception(number) else "occurrence"
    place = _MASTER if number is None or not event.weeks else number + 1
    return {
        "@odata.etag": f'W/"{key}"',
        "id": view.event_id(event, place),
        "createdDateTime": stamp(event.created),
        "lastModifiedDateTime": stamp(event.created),
        "changeKey": key,
        "categories": event.given.get("categories", []),
        "iCalUId": f"040000008200E00074C5B7101A82E008{view.calendar.owner:08X}{event.serial:08X}",
        "subject": event.title,
        "bodyPreview": event.title,
        "body": event.given.get("body", {"contentType": "text", "content": event.title}),
        "importance": event.given.get("importance", "normal"),
        "sensitivity": event.given.get("sensitivity", "normal"),
        "showAs": event.given.get("showAs", "busy"),
        "isAllDay": event.given.get("isAllDay", False),
        "isCancelled": False,
        "isOrganizer": event.organizer == view.calendar.owner,
        "hasAttachments": False,
        "type": kind,
        "seriesMasterId": view.event_id(event) if place else None,
        "start": _zoned(start),
        "end": _zoned(start + event.length),
        "organizer": organizer,
        "attendees": [],
        "recurrence": _recurrence(event) if event.weeks and number is None else None,
    }


def _person(person: Person) -> dict[str, Any]:
    return {"emailAddress": {"name": person.name, "address": person.address}}


def _zoned(moment: datetime) -> dict[str, str]:
    return {"dateTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}


def _recurrence(event: Event) -> dict[str, Any]:
    day = _DAYS[event.start.weekday()]
    dates = {"startDate": event.start.date().isoformat(), "endDate": event.end.date().isoformat()}
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [day], "firstDayOfWeek": "monday"}
    return {"pattern": pattern, "range": {"type": "endDate", "recurrenceTimeZone": "UTC", **dates}}


def _list_calendars(cloud: Cloud, call: Call) -> Reply:
    view = _view_of(cloud, call)
    shown, next_link = page(list(view.calendar.owners), call, page_size(call, _PAGE, _MOST))
    rows = [narrowed(_calendar_json(view, serial), selected(call)) for serial in shown]
    return json_reply(collection(f"users('{call.where['user']}')/calendars", rows, next_link, call))


def _get_calendar(cloud: Cloud, call: Call) -> Reply:
    view = _view_of(cloud, call)
    context = {"@odata.context": context_url(call, f"users('{call.where['user']}')/calendars/$entity")}
    return json_reply(context | narrowed(_calendar_json(view, _calendar_of(view, call)), selected(call)))


def _events_of(view: _View, call: Call) -> list[Event]:
    """What lies in the calendar; a colleague's shows nothing here."""
    return list(view.calendar.events.values()) if _calendar_of(view, call) == OWN else []


def _list_events(cloud: Cloud, call: Call) -> Reply:
    """Single events and series."""
    view = _view_of(cloud, call)
    return _listed(call, [_event_json(view, each) for each in _events_of(view, call)])


def _list_view(cloud: Cloud, call: Call) -> Reply:
    """What takes place in a span of time, occurrence by occurrence."""
    view = _view_of(cloud, call)
    first, last = _span(call)
    found = [each for event in _events_of(view, call) for each in _taking_place(view, event, first, last)]
    return _listed(call, found)


def _taking_place(view: _View, event: Event, first: datetime, last: datetime) -> Iterator[dict[str, Any]]:
    for number, start in event.occurrences():
        if start < last and start + event.length > first:
            yield _event_json(view, event, number)


def _listed(call: Call, rows: list[dict[str, Any]]) -> Reply:
    shown, next_link = page(rows, call, page_size(call, _PAGE, _MOST, preferred=True))
    value = [narrowed(each, selected(call)) for each in shown]
    document = collection(f"users('{call.where['user']}')/calendar/events", value, next_link, call)
    return honoured(json_reply(document), call, "odata.maxpagesize")


def _span(call: Call) -> tuple[datetime, datetime]:
    """Raises Fault 400."""
    try:
        first, last = (datetime.fromisoformat(call.query[name]) for name in ("startDateTime", "endDateTime"))
    except (KeyError, ValueError) as error:
        text = "This request requires a time window specified by the query string parameters StartDateTime and "
        raise Fault(400, "ErrorInvalidParameter", text + "EndDateTime.") from error
    return tuple(each if each.tzinfo else each.replace(tzinfo=UTC) for each in (first, last))  # type: ignore[return-value]


def _get_event(cloud: Cloud, call: Call) -> Reply:
    view = _view_of(cloud, call)
    return _shown(view, *_event_of(view, call), call)


def _shown(view: _View, event: Event, number: int | None, call: Call, status: int = 200) -> Reply:
    """With $expand the exceptions of a series; which days were cancelled only when selected."""
    context = context_url(call, f"users('{call.where['user']}')/events/$entity")
    document: dict[str, Any] = {"@odata.context": context}
    names = selected(call)
    document |= narrowed(_event_json(view, event, number), names)
    if "exceptionOccurrences" in call.query.get("$expand", "") and event.moved is not None:
        document["exceptionOccurrences"] = [_event_json(view, event, event.moved)]
    if names is not None and "cancelledOccurrences" in names:
        day = event.cancelled
        document["cancelledOccurrences"] = [f"OID.{view.event_id(event)}.{day.date().isoformat()}"] if day else []
    return json_reply(document, status)


def _event_of(view: _View, call: Call) -> tuple[Event, int | None]:
    """The event and, of a series, which occurrence the URL names. Raises Fault 400 and 404."""
    found = view.cloud.tenant.ids.find(call.where["event"])
    if found is None or found.kind != "event":
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    event = view.calendar.events.get(found.serial) if found.owner == view.calendar.owner else None
    number = found.place - 1 if found.place else None
    if event is None or (number is not None and number not in dict(event.occurrences())):
        raise _not_found()
    return event, number


def _list_instances(cloud: Cloud, call: Call) -> Reply:
    view = _view_of(cloud, call)
    event, _ = _event_of(view, call)
    return _listed(call, list(_taking_place(view, event, *_span(call))))


def _create(cloud: Cloud, call: Call) -> Reply:
    view, given = _view_of(cloud, call), call.json()
    if _calendar_of(view, call) != OWN:
        raise Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    start, end = _moment(given.get("start")), _moment(given.get("end"))
    written = {name: value for name, value in given.items() if name in _WRITTEN}
    now = cloud.clock.now().replace(microsecond=0)
    event = view.calendar.add(str(given.get("subject") or ""), start, end - start, now, written)
    return _shown(view, event, None, call, 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    view, given = _view_of(cloud, call), call.json()
    event, number = _event_of(view, call)
    if number is not None:
        raise Fault(501, "NotImplemented", "The simulated tenant changes whole series only.")
    event.title = str(given.get("subject", event.title))
    event.start = _moment(given["start"]) if "start" in given else event.start
    event.length = _moment(given["end"]) - event.start if "end" in given else event.length
    event.given |= {name: value for name, value in given.items() if name in _WRITTEN}
    view.calendar.touch(event)
    return _shown(view, event, None, call)


def _delete(cloud: Cloud, call: Call) -> Reply:
    view = _view_of(cloud, call)
    event, number = _event_of(view, call)
    if number is not None:
        raise Fault(501, "NotImplemented", "The simulated tenant deletes whole series only.")
    view.calendar.delete(event)
    return no_content()


def _moment(given: object) -> datetime:
    try:
        text = given["dateTime"][:19] if isinstance(given, dict) else ""
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError) as error:
        raise Fault(400, "ErrorInvalidRequest", "start and end need a dateTime and a timeZone.") from error


def _delta(cloud: Cloud, call: Call) -> Reply:
    """What takes place in the span, then what changed in it; what left the span counts as deleted. Raises Fault 410."""
    view = _view_of(cloud, call)
    if _calendar_of(view, call) != OWN:
        raise _not_found()
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    log = view.calendar.changes
    if text is None:
        first, last = _span(call)
        state: dict[str, Any] = {"of": view.calendar.owner, "age": cloud.delta_generation, "first": first.timestamp(),
                                 "last": last.timestamp(), "since": -1, "until": log.latest, "shown": 0}  # fmt: skip
    else:
        state = find_token(cloud.token_key, text) or {}
    if (state.get("of"), state.get("age")) != (view.calendar.owner, cloud.delta_generation):
        raise Fault(410, "SyncStateNotFound", "The sync state generation is not found.")
    if "$deltatoken" in call.query:
        state["until"] = log.latest
    rows = list(_changed(view, state))
    size = page_size(call, _PAGE, _MOST, preferred=True)
    more = state["shown"] + size < len(rows)
    following = state | ({"shown": state["shown"] + size} if more else {"shown": 0, "since": state["until"]})
    name, link = ("$skiptoken", "@odata.nextLink") if more else ("$deltatoken", "@odata.deltaLink")
    token = sealed_token(cloud.token_key, following)
    document = collection("Collection(event)", rows[state["shown"] : state["shown"] + size], None, call)
    reply = json_reply(document | {link: f"{call.root}{call.path}?{name}={token}"})
    return honoured(reply, call, "odata.maxpagesize")


def _changed(view: _View, state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    first, last = (datetime.fromtimestamp(state[name], UTC) for name in ("first", "last"))
    if state["since"] < 0:
        serials = list(view.calendar.events)
    else:
        log = view.calendar.changes.between(state["since"], state["until"])
        serials = list(dict.fromkeys(change.serial for change in log))
    for serial in serials:
        event = view.calendar.events.get(serial)
        found = list(_taking_place(view, event, first, last)) if event is not None else []
        yield from found
        if not found and state["since"] >= 0:
            gone = Event(serial, "", first, timedelta(), view.calendar.owner, first)
            yield {"@odata.type": "#microsoft.graph.event", "id": view.event_id(gone),
                   "@removed": {"reason": "deleted"}}  # fmt: skip


def _not_found() -> Fault:
    return Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")


_USER = "/users/{user}"
_CALENDAR = _USER + "/calendars/{calendar}"
ROUTES = (
    Route("GET", _USER + "/calendars", _list_calendars, READ_CALENDARS),
    Route("GET", _USER + "/calendar", _get_calendar, READ_CALENDARS),
    Route("GET", _CALENDAR, _get_calendar, READ_CALENDARS),
    *(
        route
        for base in (_USER, _USER + "/calendar", _CALENDAR)
        for route in (
            Route("GET", base + "/events", _list_events, READ_CALENDARS),
            Route("POST", base + "/events", _create, WRITE_CALENDARS),
            Route("GET", base + "/events/{event}", _get_event, READ_CALENDARS),
            Route("GET", base + "/events/{event}/instances", _list_instances, READ_CALENDARS),
            Route("PATCH", base + "/events/{event}", _change, WRITE_CALENDARS),
            Route("DELETE", base + "/events/{event}", _delete, WRITE_CALENDARS),
            Route("GET", base + "/calendarView", _list_view, READ_CALENDARS),
            Route("GET", base + "/calendarView/delta", _delta, READ_CALENDARS),
        )
    ),
)
