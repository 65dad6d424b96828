"""Answers for what is attached to events, as to messages: https://learn.microsoft.com/graph/api/event-post-attachments."""

from tuiback.simtenant.api.attachments import (
    attachment_session,
    given_attachment,
    inside,
    raw_attachment,
    shown_attachment,
)
from tuiback.simtenant.api.cabinet_lists import listed, shown
from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.event_lookup import CalendarView, calendar_view_of, event_of, not_found
from tuiback.simtenant.api.odata import selected
from tuiback.simtenant.api.permissions import READ_CALENDARS, WRITE_CALENDARS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.state.calendars import Event


def _list(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    event, _ = event_of(view, call)
    names = selected(call)
    whole = names is None or "contentBytes" in names
    return listed(call, _context(call), [_json(view, event, number, call, whole=whole) for number in event.files])


def _json(view: CalendarView, event: Event, number: int, call: Call, *, whole: bool) -> dict[str, object]:
    attachment = event.files[number]
    attachment_id = view.cloud.tenant.ids.encode("eventFile", view.calendar.owner, event.serial, number)
    document = shown_attachment(attachment, attachment_id, event.modified or event.created, whole=whole)
    return document | inside(attachment, call)


def _get(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    event, _ = event_of(view, call)
    return shown(call, _context(call), _json(view, event, _number(view, event, call), call, whole=True))


def _number(view: CalendarView, event: Event, call: Call) -> int:
    """Which of the event's attachments the URL names. Raises Fault 400 and 404."""
    found = view.cloud.tenant.ids.find(call.where["attachment"])
    if found is None or found.kind != "eventFile":
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    if (found.owner, found.serial) != (view.calendar.owner, event.serial) or found.place not in event.files:
        raise not_found()
    return found.place


def _get_bytes(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    event, _ = event_of(view, call)
    return raw_attachment(event.files[_number(view, event, call)])


def _add(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    event, _ = event_of(view, call)
    number = _attach(cloud, view, event, given_attachment(call.json(), cloud.clock.now()))
    return shown(call, _context(call), _json(view, event, number, call, whole=True), 201)


def _attach(cloud: Cloud, view: CalendarView, event: Event, attachment: Attachment) -> int:
    number = view.calendar.new_serial()
    event.files[number] = attachment
    view.calendar.touch(event, cloud.clock.now())
    return number


def _open_session(cloud: Cloud, call: Call) -> Reply:
    event_of(calendar_view_of(cloud, call), call)

    def finish(attachment: Attachment) -> str:
        view = calendar_view_of(cloud, call)
        event, _ = event_of(view, call)
        number = _attach(cloud, view, event, attachment)
        attachment_id = cloud.tenant.ids.encode("eventFile", view.calendar.owner, event.serial, number)
        return f"Events('{call.where['event']}')/Attachments('{attachment_id}')"

    return attachment_session(cloud, call, finish)


def _delete(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    event, _ = event_of(view, call)
    del event.files[_number(view, event, call)]
    view.calendar.touch(event, cloud.clock.now())
    return no_content()


def _context(call: Call) -> str:
    return f"users('{call.where['user']}')/events('{call.where['event']}')/attachments"


ROUTES = tuple(
    route
    for base in ("/users/{user}", "/users/{user}/calendar", "/users/{user}/calendars/{calendar}")
    for route in (
        Route("GET", base + "/events/{event}/attachments", _list, READ_CALENDARS),
        Route("POST", base + "/events/{event}/attachments", _add, WRITE_CALENDARS),
        Route("POST", base + "/events/{event}/attachments/createUploadSession", _open_session, WRITE_CALENDARS),
        Route("GET", base + "/events/{event}/attachments/{attachment}", _get, READ_CALENDARS),
        Route("DELETE", base + "/events/{event}/attachments/{attachment}", _delete, WRITE_CALENDARS),
        Route("GET", base + "/events/{event}/attachments/{attachment}/$value", _get_bytes, READ_CALENDARS),
    )
)
