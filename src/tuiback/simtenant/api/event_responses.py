"""Answers for what people say to an invitation, and for meetings that their organizer calls off.

https://learn.microsoft.com/graph/api/event-accept, .../event-decline, .../event-tentativelyaccept, .../event-cancel
"""

from tuiback.simtenant.api.call import Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.event_lookup import CalendarView, calendar_view_of, event_of
from tuiback.simtenant.api.permissions import WRITE_CALENDARS
from tuiback.simtenant.api.router import Handler, Route
from tuiback.simtenant.state.calendars import Event
from tuiback.simtenant.state.clock import stamp

_ORGANIZER = "Your request can't be completed. You can't respond to this meeting because you're the meeting organizer."
_RESPONSES = {"accept": "accepted", "tentativelyAccept": "tentativelyAccepted", "decline": "declined"}
_SHOWN_AS = {"accepted": "busy", "tentativelyAccepted": "tentative"}


def _respond(response: str) -> Handler:
    """Answers one of the responses; who declines has the meeting in the calendar no longer."""

    def answer(cloud: Cloud, call: Call) -> Reply:
        call.arguments()
        view, event = _of_organizer(cloud, call, is_wanted=False)
        if response == "declined":
            view.calendar.delete(event)
            return Reply(202)
        now = cloud.clock.now()
        told = {"response": response, "time": stamp(now)}
        event.given |= {"responseStatus": told, "showAs": _SHOWN_AS[response]}
        view.calendar.touch(event, now)
        return Reply(202)

    return answer


def _cancel(cloud: Cloud, call: Call) -> Reply:
    """Only who invited can: the meeting is in their calendar no longer."""
    call.arguments()
    view, event = _of_organizer(cloud, call, is_wanted=True)
    view.calendar.delete(event)
    return Reply(202)


def _of_organizer(cloud: Cloud, call: Call, *, is_wanted: bool) -> tuple[CalendarView, Event]:
    """The event that the URL names, which the owner of the calendar has organized, or has not. Raises Fault 400."""
    view = calendar_view_of(cloud, call)
    event, _ = event_of(view, call)
    if (event.organizer == view.calendar.owner) is not is_wanted:
        text = "Your request can't be completed. Only the organizer can cancel a meeting." if is_wanted else _ORGANIZER
        raise Fault(400, "ErrorInvalidRequest", text)
    return view, event


ROUTES = tuple(
    route
    for base in ("/users/{user}", "/users/{user}/calendar", "/users/{user}/calendars/{calendar}")
    for route in (
        *(
            Route("POST", f"{base}/events/{{event}}/{name}", _respond(response), WRITE_CALENDARS)
            for name, response in _RESPONSES.items()
        ),
        Route("POST", base + "/events/{event}/cancel", _cancel, WRITE_CALENDARS),
    )
)
