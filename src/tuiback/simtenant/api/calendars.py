"""Answers for calendars and events: lists, series with their exceptions, views of a span of time, and what changed.

https://learn.microsoft.com/graph/api/resources/event, .../event-delta
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tuiback.simtenant.api.cabinet_lists import counted, listed
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.event_lookup import (
    ZONE_PREFERENCE,
    CalendarView,
    calendar_of,
    calendar_view_of,
    event_json,
    event_of,
    not_found,
    taking_place,
)
from tuiback.simtenant.api.mail_lookup import honoured
from tuiback.simtenant.api.message_json import change_key
from tuiback.simtenant.api.odata import collection, context_url, find_token, page, page_size, sealed_token, selected
from tuiback.simtenant.api.permissions import READ_CALENDARS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.calendars import OWN, SHARED, Event

_PAGE, _MOST = 10, 1000


def calendar_json(view: CalendarView, serial: int) -> dict[str, Any]:
    """One calendar; which may be edited are those of one's own."""
    owner = view.calendar.owners[serial]
    is_own = serial != SHARED
    return {
        "id": view.calendar_id(serial),
        "name": view.calendar.names.get(serial, owner.name),
        "color": view.calendar.colors.get(serial, "auto"),
        "hexColor": "",
        "isDefaultCalendar": serial == OWN,
        "changeKey": change_key(view.calendar.owner, serial, 0),
        "canShare": is_own,
        "canViewPrivateItems": is_own,
        "canEdit": is_own,
        "isTallyingResponses": serial == OWN,
        "isRemovable": serial != OWN,
        "owner": {"name": owner.name, "address": owner.address},
    }


def _list_calendars(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    shown, next_link = page(list(view.calendar.owners), call, page_size(call, _PAGE, _MOST))
    rows = [narrowed(calendar_json(view, serial), selected(call)) for serial in shown]
    return json_reply(collection(f"users('{call.where['user']}')/calendars", rows, next_link, call))


def _get_calendar(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    context = {"@odata.context": context_url(call, f"users('{call.where['user']}')/calendars/$entity")}
    return json_reply(context | narrowed(calendar_json(view, calendar_of(view, call)), selected(call)))


def _events_of(view: CalendarView, call: Call) -> list[Event]:
    """What lies in the calendar; a colleague's shows nothing here."""
    serial = calendar_of(view, call)
    return [each for each in view.calendar.events.values() if each.calendar == serial]


def _list_events(cloud: Cloud, call: Call) -> Reply:
    """Single events and series."""
    view = calendar_view_of(cloud, call)
    return _listed(call, [event_json(view, each) for each in _events_of(view, call)])


def _count_events(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    return counted(call, [event_json(view, each) for each in _events_of(view, call)])


def _list_view(cloud: Cloud, call: Call) -> Reply:
    """What takes place in a span of time, occurrence by occurrence."""
    view = calendar_view_of(cloud, call)
    first, last = _span(call)
    found = [each for event in _events_of(view, call) for each in taking_place(view, event, first, last)]
    return _listed(call, found)


def _listed(call: Call, rows: list[dict[str, Any]]) -> Reply:
    return honoured(listed(call, f"users('{call.where['user']}')/calendar/events", rows), call, ZONE_PREFERENCE)


def _span(call: Call) -> tuple[datetime, datetime]:
    """Raises Fault 400."""
    try:
        first, last = (datetime.fromisoformat(call.query[name]) for name in ("startDateTime", "endDateTime"))
    except (KeyError, ValueError) as error:
        text = "This request requires a time window specified by the query string parameters StartDateTime and "
        raise Fault(400, "ErrorInvalidParameter", text + "EndDateTime.") from error
    return tuple(each if each.tzinfo else each.replace(tzinfo=UTC) for each in (first, last))  # type: ignore[return-value]


def _get_event(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    return shown_event(view, *event_of(view, call), call)


def shown_event(view: CalendarView, event: Event, number: int | None, call: Call, status: int = 200) -> Reply:
    """An event as the answer: with $expand the exceptions of a series; cancelled days only when selected."""
    context = context_url(call, f"users('{call.where['user']}')/events/$entity")
    document: dict[str, Any] = {"@odata.context": context}
    names = selected(call)
    document |= narrowed(event_json(view, event, number), names)
    if "exceptionOccurrences" in call.query.get("$expand", "") and event.recurrence is not None:
        document["exceptionOccurrences"] = [event_json(view, event, each) for each in sorted(event.deviations)]
    if names is not None and "cancelledOccurrences" in names:
        days = event.planned()
        document["cancelledOccurrences"] = [
            f"OID.{view.event_id(event)}.{days[each].date().isoformat()}" for each in sorted(event.cancelled)
        ]
    return honoured(json_reply(document, status), call, ZONE_PREFERENCE)


def _list_instances(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    event, _ = event_of(view, call)
    return _listed(call, list(taking_place(view, event, *_span(call))))


def _delta(cloud: Cloud, call: Call) -> Reply:
    """What takes place in the span, then what changed in it; what left the span counts as deleted. Raises Fault 410."""
    return _followed(cloud, call, has_span=True)


def _events_delta(cloud: Cloud, call: Call) -> Reply:
    """Single events and series, whenever they are, then what changed of them. Raises Fault 410."""
    return _followed(cloud, call, has_span=False)


def _followed(cloud: Cloud, call: Call, *, has_span: bool) -> Reply:
    view = calendar_view_of(cloud, call)
    place = calendar_of(view, call)
    if place == SHARED:
        raise not_found()
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    log = view.calendar.changes
    if text is None:
        span = [each.timestamp() for each in _span(call)] if has_span else []
        state: dict[str, Any] = {"of": [view.calendar.owner, place], "age": cloud.delta_generation, "span": span,
                                 "since": -1, "until": log.latest, "shown": 0}  # fmt: skip
    else:
        state = find_token(cloud.token_key, text) or {}
    if (state.get("of"), state.get("age")) != ([view.calendar.owner, place], cloud.delta_generation):
        raise Fault(410, "SyncStateNotFound", "The sync state generation is not found.")
    if "$deltatoken" in call.query:
        state["until"] = log.latest
    rows = list(_changed(view, state, place))
    size = page_size(call, _PAGE, _MOST, preferred=True)
    more = state["shown"] + size < len(rows)
    following = state | ({"shown": state["shown"] + size} if more else {"shown": 0, "since": state["until"]})
    name, link = ("$skiptoken", "@odata.nextLink") if more else ("$deltatoken", "@odata.deltaLink")
    token = sealed_token(cloud.token_key, following)
    document = collection("Collection(event)", rows[state["shown"] : state["shown"] + size], None, call)
    reply = json_reply(document | {link: f"{call.root}{call.path}?{name}={token}"})
    return honoured(reply, call, "odata.maxpagesize", ZONE_PREFERENCE)


def _changed(view: CalendarView, state: dict[str, Any], place: int) -> Iterator[dict[str, Any]]:
    """What the calendar of that number holds of the span, or what of it changed."""
    span = tuple(datetime.fromtimestamp(each, UTC) for each in state["span"])
    if state["since"] < 0:
        serials = [each.serial for each in view.calendar.events.values() if each.calendar == place]
    else:
        log = view.calendar.changes.between(state["since"], state["until"])
        serials = list(dict.fromkeys(change.serial for change in log if change.container == place))
    for serial in serials:
        event = view.calendar.events.get(serial) or view.calendar.gone[serial]
        is_here = serial in view.calendar.events
        if not span:
            yield event_json(view, event) if is_here else _gone(view.event_id(event))
            continue
        found = list(taking_place(view, event, *span)) if is_here else []
        yield from found
        if state["since"] >= 0:
            told = {each["id"] for each in found}
            yield from (_gone(each) for each in _ids(view, event, is_there=bool(found)) if each not in told)


def _ids(view: CalendarView, event: Event, *, is_there: bool) -> list[str]:
    """The ids under which an event may be known; its own only where nothing of it takes place any more."""
    own = [] if is_there else [view.event_id(event)]
    places = range(1, len(event.planned()) + 1) if event.recurrence is not None else ()
    return own + [view.event_id(event, place) for place in places]


def _gone(event_id: str) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.event", "id": event_id, "@removed": {"reason": "deleted"}}


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
            Route("GET", base + "/events", _list_events, READ_CALENDARS, filtered=True),
            Route("GET", base + "/events/$count", _count_events, READ_CALENDARS, filtered=True),
            Route("GET", base + "/events/delta", _events_delta, READ_CALENDARS, in_beta=True),
            Route("GET", base + "/events/{event}", _get_event, READ_CALENDARS),
            Route("GET", base + "/events/{event}/instances", _list_instances, READ_CALENDARS, filtered=True),
            Route("GET", base + "/calendarView", _list_view, READ_CALENDARS, filtered=True),
            Route("GET", base + "/calendarView/delta", _delta, READ_CALENDARS),
        )
    ),
)
