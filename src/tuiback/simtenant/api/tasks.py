"""Answers for lists of tasks and for tasks: lists, changes and writes.

https://learn.microsoft.com/graph/api/resources/todo-overview
"""

from typing import Any

from tuiback.simtenant.api.cabinet_lists import Walk, changed, counted, listed, records_walk, shown
from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.permissions import READ_TASKS, WRITE_TASKS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.task_lookup import (
    TASK_PROPERTIES,
    TaskView,
    check_writable,
    list_of,
    task_of,
    task_view_of,
)
from tuiback.simtenant.api.task_parts import part_of
from tuiback.simtenant.state.cabinet import Drawer, Record
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.tasks import CHECKLIST, LINKS, NO_KNOWN_LIST, zoned

_STATES = frozenset({"notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"})


def _list_lists(cloud: Cloud, call: Call) -> Reply:
    return listed(call, _lists(call), _all_lists(cloud, call))


def _count_lists(cloud: Cloud, call: Call) -> Reply:
    return counted(call, _all_lists(cloud, call))


def _all_lists(cloud: Cloud, call: Call) -> list[dict[str, Any]]:
    view = task_view_of(cloud, call)
    return [view.list_json(each) for each in view.cabinet.drawers.values()]


def _get_list(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    return shown(call, _lists(call), view.list_json(list_of(view, call)))


def _change_lists(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    cabinet = view.cabinet

    def show(serial: int) -> dict[str, Any] | None:
        drawer = cabinet.drawers.get(serial)
        return view.list_json(drawer) if drawer is not None else None

    def first() -> list[int]:
        return sorted(cabinet.drawers)

    what = f"task lists {cabinet.owner}"
    return changed(cloud, call, Walk(what, "todoTaskList", cabinet.drawer_changes, first, show, view.list_id))


def _create_list(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    drawer = view.cabinet.add_drawer(None, _name(call), NO_KNOWN_LIST)
    return shown(call, _lists(call), view.list_json(drawer), 201)


def _name(call: Call) -> str:
    """Raises Fault 400."""
    name = call.json().get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise Fault(400, "invalidRequest", "Invalid request: the displayName of a list is required.")
    return name


def _rename_list(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    drawer = _own_list(view, call)
    drawer.name = _name(call)
    view.cabinet.touch_drawer(drawer)
    return shown(call, _lists(call), view.list_json(drawer))


def _delete_list(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    view.cabinet.delete_drawer(_own_list(view, call))
    return no_content()


def _own_list(view: TaskView, call: Call) -> Drawer:
    """A list that may be changed: neither one that everybody has nor a colleague's. Raises Fault 400."""
    drawer = list_of(view, call)
    if drawer.kind != NO_KNOWN_LIST:
        raise Fault(400, "invalidRequest", "Invalid request: this list can't be renamed or deleted.")
    return drawer


def _list(cloud: Cloud, call: Call) -> Reply:
    return listed(call, _tasks(call), _within(cloud, call))


def _count(cloud: Cloud, call: Call) -> Reply:
    return counted(call, _within(cloud, call))


def _within(cloud: Cloud, call: Call) -> list[dict[str, Any]]:
    view = task_view_of(cloud, call)
    found = view.cabinet.within(list_of(view, call).serial)
    return [view.task_json(each, call.query.get("$expand", "")) for each in found]


def _get(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    return _shown(view, task_of(view, call), call)


def _shown(view: TaskView, record: Record, call: Call, status: int = 200) -> Reply:
    return shown(call, _tasks(call), view.task_json(record, call.query.get("$expand", "")), status)


def _change_tasks(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    drawer = list_of(view, call).serial
    return changed(cloud, call, records_walk(view.cabinet, drawer, "todoTask", view.task_json, view.task_id))


def _create(cloud: Cloud, call: Call) -> Reply:
    """A task, with its steps and links where they come along."""
    view, given = task_view_of(cloud, call), call.json()
    drawer = list_of(view, call).serial
    check_writable(view, drawer)
    if not given.get("title"):
        raise Fault(400, "invalidRequest", "Invalid request: the title of a task is required.")
    now = cloud.clock.now().replace(microsecond=0)
    record = view.cabinet.add(drawer, now, {})
    _write(record, given, cloud)
    for kind in (CHECKLIST, LINKS):
        for each in given.get(kind) or []:
            record.parts.setdefault(kind, {})[view.new_part_id()] = part_of(kind, each, now)
    return _shown(view, record, call, 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    record = task_of(view, call)
    check_writable(view, record.drawer)
    _write(record, call.json(), cloud)
    view.cabinet.touch(record, cloud.clock.now())
    return _shown(view, record, call)


def _write(record: Record, given: dict[str, Any], cloud: Cloud) -> None:
    """Who completes a task need not say when. Raises Fault 400."""
    now = cloud.clock.now().replace(microsecond=0)
    status = given.get("status", record.properties.get("status", "notStarted"))
    if status not in _STATES:
        raise Fault(400, "invalidRequest", f"Invalid request: '{status}' is no status of a task.")
    record.properties |= {name: value for name, value in given.items() if name in TASK_PROPERTIES}
    if "body" in given:
        record.properties["bodyLastModifiedDateTime"] = stamp(now)
    if status == "completed":
        record.properties.setdefault("completedDateTime", zoned(now))
    else:
        record.properties.pop("completedDateTime", None)
    # A reminder needs no switch, https://learn.microsoft.com/graph/api/todotasklist-post-tasks shows one without.
    if given.get("reminderDateTime") and "isReminderOn" not in given:
        record.properties["isReminderOn"] = True


def _delete(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    record = task_of(view, call)
    check_writable(view, record.drawer)
    view.cabinet.delete(record)
    return no_content()


def _lists(call: Call) -> str:
    return f"users('{call.where['user']}')/todo/lists"


def _tasks(call: Call) -> str:
    return f"{_lists(call)}('{call.where['list']}')/tasks"


_LISTS = "/users/{user}/todo/lists"
_ONE = _LISTS + "/{list}"
_TASKS = _ONE + "/tasks"
ROUTES = (
    Route("GET", _LISTS, _list_lists, READ_TASKS, filtered=True),
    Route("POST", _LISTS, _create_list, WRITE_TASKS),
    Route("GET", _LISTS + "/$count", _count_lists, READ_TASKS, filtered=True),
    Route("GET", _LISTS + "/delta", _change_lists, READ_TASKS),
    Route("GET", _ONE, _get_list, READ_TASKS),
    Route("PATCH", _ONE, _rename_list, WRITE_TASKS),
    Route("DELETE", _ONE, _delete_list, WRITE_TASKS),
    Route("GET", _TASKS, _list, READ_TASKS, filtered=True),
    Route("POST", _TASKS, _create, WRITE_TASKS),
    Route("GET", _TASKS + "/$count", _count, READ_TASKS, filtered=True),
    Route("GET", _TASKS + "/delta", _change_tasks, READ_TASKS),
    Route("GET", _TASKS + "/{task}", _get, READ_TASKS),
    Route("PATCH", _TASKS + "/{task}", _change, WRITE_TASKS),
    Route("DELETE", _TASKS + "/{task}", _delete, WRITE_TASKS),
)
