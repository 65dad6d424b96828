"""Answers for calendar groups and the calendars in them: new ones, other names for one, and none any more.

https://learn.microsoft.com/graph/api/user-post-calendars, .../calendar-update, .../user-list-calendargroups
"""

from typing import Any

from tuiback.simtenant.api.calendars import calendar_json
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.event_lookup import CalendarView, calendar_of, calendar_view_of, not_found
from tuiback.simtenant.api.message_json import change_key
from tuiback.simtenant.api.odata import collection, context_url, selected
from tuiback.simtenant.api.permissions import READ_CALENDARS, WRITE_CALENDARS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.calendars import OWN, SHARED

# One's own calendars lie in the first group, those of colleagues in the last: names and classes of Outlook.
_GROUPS = (
    ("My Calendars", "0006f0b7-0000-0000-c000-000000000046"),
    ("Other Calendars", "0006f0b8-0000-0000-c000-000000000046"),
    ("People's Calendars", "0006f0b9-0000-0000-c000-000000000046"),
)
_COLORS = frozenset({
    "auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal", "lightPink",
    "lightBrown", "lightRed", "maxColor",
})  # fmt: skip


def _list_groups(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    rows = [narrowed(_group_json(view, number), selected(call)) for number in range(len(_GROUPS))]
    return json_reply(collection(f"users('{call.where['user']}')/calendarGroups", rows, None, call))


def _group_json(view: CalendarView, number: int) -> dict[str, Any]:
    name, mark = _GROUPS[number]
    key = change_key(view.calendar.owner, number, 0)
    return {"id": _group_id(view, number), "name": name, "classId": mark, "changeKey": key}


def _group_id(view: CalendarView, number: int) -> str:
    return view.cloud.tenant.ids.encode("calendarGroup", view.calendar.owner, number)


def _group_of(view: CalendarView, call: Call) -> int:
    """Which group the URL names. Raises Fault 404."""
    wanted = call.where["calendargroup"]
    found = next((number for number in range(len(_GROUPS)) if _group_id(view, number) == wanted), None)
    if found is None:
        raise not_found()
    return found


def _get_group(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    context = {"@odata.context": context_url(call, f"users('{call.where['user']}')/calendarGroups/$entity")}
    return json_reply(context | narrowed(_group_json(view, _group_of(view, call)), selected(call)))


def _list_in_group(cloud: Cloud, call: Call) -> Reply:
    view = calendar_view_of(cloud, call)
    number = _group_of(view, call)
    inside = [each for each in view.calendar.owners if number == (len(_GROUPS) - 1 if each == SHARED else 0)]
    rows = [narrowed(calendar_json(view, each), selected(call)) for each in inside]
    return json_reply(collection(f"users('{call.where['user']}')/calendars", rows, None, call))


def _create(cloud: Cloud, call: Call) -> Reply:
    view, given = calendar_view_of(cloud, call), call.json()
    if "calendargroup" in call.where and _group_of(view, call):
        raise Fault(400, "ErrorInvalidRequest", "Calendars of one's own lie in the first group.")
    serial = view.calendar.add_calendar(_name(view, given))
    view.calendar.colors[serial] = _color(given)
    return _shown(view, call, serial, 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    view, given = calendar_view_of(cloud, call), call.json()
    serial = calendar_of(view, call)
    if serial == SHARED:
        raise Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    if "name" in given:
        view.calendar.names[serial] = _name(view, given)
    if "color" in given:
        view.calendar.colors[serial] = _color(given)
    return _shown(view, call, serial)


def _delete(cloud: Cloud, call: Call) -> Reply:
    """All that lies in it goes too; who deletes what a colleague shared only looks at it no longer."""
    view = calendar_view_of(cloud, call)
    serial = calendar_of(view, call)
    if serial == OWN:
        raise Fault(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    view.calendar.remove_calendar(serial)
    return no_content()


def _name(view: CalendarView, given: dict[str, Any]) -> str:
    """Raises Fault 400 and 409."""
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise Fault(400, "ErrorInvalidRequest", "A calendar needs a name.")
    if name.lower() in {each.lower() for each in view.calendar.names.values()}:
        raise Fault(409, "ErrorFolderExists", f"A folder with the specified name already exists., '{name}'.")
    return name


def _color(given: dict[str, Any]) -> str:
    color = given.get("color", "auto")
    if color not in _COLORS:
        raise Fault(400, "RequestBodyRead", f"Requested value '{color}' was not found.")
    return str(color)


def _shown(view: CalendarView, call: Call, serial: int, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, f"users('{call.where['user']}')/calendars/$entity")}
    return json_reply(context | calendar_json(view, serial), status)


_USER = "/users/{user}"
_GROUP = _USER + "/calendarGroups/{calendargroup}"
ROUTES = (
    Route("GET", _USER + "/calendarGroups", _list_groups, READ_CALENDARS),
    Route("GET", _GROUP, _get_group, READ_CALENDARS),
    Route("GET", _GROUP + "/calendars", _list_in_group, READ_CALENDARS),
    Route("POST", _GROUP + "/calendars", _create, WRITE_CALENDARS),
    Route("POST", _USER + "/calendars", _create, WRITE_CALENDARS),
    Route("PATCH", _USER + "/calendars/{calendar}", _change, WRITE_CALENDARS),
    Route("DELETE", _USER + "/calendars/{calendar}", _delete, WRITE_CALENDARS),
    Route("PATCH", _USER + "/calendar", _change, WRITE_CALENDARS),
)
