"""Answers for what belongs to a task: the steps of its checklist, its links and its files.

https://learn.microsoft.com/graph/api/resources/checklistitem, .../linkedresource, .../taskfileattachment and
https://learn.microsoft.com/graph/todo-attachments
"""

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

from tuiback.simtenant.api.cabinet_lists import listed, shown
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import READ_TASKS, WRITE_TASKS
from tuiback.simtenant.api.router import Handler, Route
from tuiback.simtenant.api.storage import taken
from tuiback.simtenant.api.task_lookup import (
    FILES,
    TaskView,
    check_writable,
    file_of,
    not_found,
    part_json,
    task_of,
    task_view_of,
)
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.state.cabinet import Record
from tuiback.simtenant.state.tasks import CHECKLIST, LINKS

# https://learn.microsoft.com/graph/todo-attachments
_MOST_DIRECT_BYTES = 3 * 1024 * 1024
_MOST_SESSION_BYTES = 25 * 1024 * 1024
_MOST_FRAGMENT_BYTES = 4 * 1024 * 1024
_LINK_PROPERTIES = ("webUrl", "applicationName", "displayName", "externalId")


def part_of(kind: str, given: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A step or a link as a request gives it. Raises Fault 400."""
    if kind == LINKS:
        return {name: given.get(name) for name in _LINK_PROPERTIES}
    if not given.get("displayName"):
        raise Fault(400, "invalidRequest", "Invalid request: the displayName of a step is required.")
    checked = now if given.get("isChecked") else None
    return {"displayName": str(given["displayName"]), "createdDateTime": now, "checkedDateTime": checked}


def _lists(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        parts = task_of(task_view_of(cloud, call), call).parts.get(kind, {})
        return listed(call, _context(call, kind), [part_json(part_id, part) for part_id, part in parts.items()])

    return answer


def _gets(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        record = task_of(task_view_of(cloud, call), call)
        return shown(call, _context(call, kind), part_json(call.where["part"], _part(record, kind, call)))

    return answer


def _creates(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        view, record, now = _written(cloud, call)
        part = part_of(kind, call.json(), now)
        part_id = view.new_part_id()
        record.parts.setdefault(kind, {})[part_id] = part
        view.cabinet.touch(record, now)
        return shown(call, _context(call, kind), part_json(part_id, part), 201)

    return answer


def _changes(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        view, record, now = _written(cloud, call)
        part, given = _part(record, kind, call), call.json()
        part |= {name: given[name] for name in part.keys() & given.keys() if not name.endswith("DateTime")}
        if "isChecked" in given and kind == CHECKLIST:
            part["checkedDateTime"] = now if given["isChecked"] else None
        view.cabinet.touch(record, now)
        return shown(call, _context(call, kind), part_json(call.where["part"], part))

    return answer


def _deletes(kind: str) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        view, record, now = _written(cloud, call)
        _part(record, kind, call)
        del record.parts[kind][call.where["part"]]
        view.cabinet.touch(record, now)
        return no_content()

    return answer


def _written(cloud: Cloud, call: Call) -> tuple[TaskView, Record, datetime]:
    """The task that may be written, and the present."""
    view = task_view_of(cloud, call)
    record = task_of(view, call)
    check_writable(view, record.drawer)
    return view, record, cloud.clock.now().replace(microsecond=0)


def _part(record: Record, kind: str, call: Call) -> dict[str, Any]:
    """Raises Fault 404."""
    part = record.parts.get(kind, {}).get(call.where["part"])
    if part is None:
        raise not_found()
    return part


def _list_files(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    record = task_of(view, call)
    value = [view.file_json(record, number, each) for number, each in record.files.items()]
    return listed(call, _context(call, FILES), value)


def _get_file(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    record = task_of(view, call)
    number = file_of(view, record, call)
    bytes_of = {"contentBytes": b64encode(record.files[number].read()).decode()}
    return shown(call, _context(call, FILES), view.file_json(record, number, record.files[number]) | bytes_of)


def _read_file(cloud: Cloud, call: Call) -> Reply:
    view = task_view_of(cloud, call)
    record = task_of(view, call)
    file = record.files[file_of(view, record, call)]
    return Reply(200, file.read(), file.content_type)


def _add_file(cloud: Cloud, call: Call) -> Reply:
    view, record, now = _written(cloud, call)
    given = call.json()
    try:
        content = b64decode(str(given["contentBytes"]), validate=True)
    except (KeyError, ValueError) as error:
        raise Fault(400, "invalidRequest", "Invalid request: contentBytes is missing or not base64.") from error
    if len(content) >= _MOST_DIRECT_BYTES:
        raise Fault(413, "RequestEntityTooLarge", "The attachment is too large for one request.")
    number = _attached(view, record, given, content, now)
    return shown(call, _context(call, FILES), view.file_json(record, number, record.files[number]), 201)


def _attached(view: TaskView, record: Record, given: dict[str, Any], content: bytes, now: datetime) -> int:
    number = view.cabinet.new_serial()
    kind = str(given.get("contentType") or "application/octet-stream")
    record.files[number] = Attachment(str(given.get("name") or ""), kind, len(content), lambda: content)
    view.cabinet.touch(record, now)
    return number


def _delete_file(cloud: Cloud, call: Call) -> Reply:
    view, record, now = _written(cloud, call)
    del record.files[file_of(view, record, call)]
    view.cabinet.touch(record, now)
    return no_content()


def _open_session(cloud: Cloud, call: Call) -> Reply:
    """An upload whose URL asks for a token as every other does, unlike that of a message's attachment."""
    _written(cloud, call)
    given = call.arguments().get("attachmentInfo") or {}
    if not isinstance(given.get("size"), int) or not given.get("name"):
        raise Fault(400, "invalidRequest", "Invalid request: attachmentInfo needs a name and a size.")
    if given["size"] > _MOST_SESSION_BYTES:
        raise Fault(413, "ErrorMessageSizeExceeded", "The attachment is larger than 25 MB.")
    task = f"{call.root}{call.path}".rpartition(f"/{FILES}/")[0]

    def finish(content: bytes) -> Reply:
        # The tasks may have been put away and made again between the requests.
        view, record, now = _written(cloud, call)
        number = _attached(view, record, given, content, now)
        return Reply(201, headers={"Location": f"{task}/{FILES}/{view.file_id(record, number)}"})

    session = cloud.transfers.open_session(finish, _MOST_FRAGMENT_BYTES, 1)
    session.is_attachment = True
    document = {
        "@odata.context": context_url(call, "microsoft.graph.uploadSession"),
        "uploadUrl": f"{task}/attachmentSessions/{session.mark}",
        "expirationDateTime": session.expiration,
        "nextExpectedRanges": ["0-"],
    }
    return json_reply(document, 201)


def _upload(cloud: Cloud, call: Call) -> Reply:
    session = cloud.transfers.find_session(call.where["session"])
    if session is None or session.finished is not None:
        raise not_found()
    return taken(cloud, call, session)


def _context(call: Call, kind: str) -> str:
    where = call.where
    return f"users('{where['user']}')/todo/lists('{where['list']}')/tasks('{where['task']}')/{kind}"


_TASK = "/users/{user}/todo/lists/{list}/tasks/{task}"
_FILES = f"{_TASK}/{FILES}"
_SESSION = _TASK + "/attachmentSessions/{session}"
ROUTES = (
    *(
        route
        for kind in (CHECKLIST, LINKS)
        for route in (
            Route("GET", f"{_TASK}/{kind}", _lists(kind), READ_TASKS, filtered=True),
            Route("POST", f"{_TASK}/{kind}", _creates(kind), WRITE_TASKS),
            Route("GET", f"{_TASK}/{kind}/{{part}}", _gets(kind), READ_TASKS),
            Route("PATCH", f"{_TASK}/{kind}/{{part}}", _changes(kind), WRITE_TASKS),
            Route("DELETE", f"{_TASK}/{kind}/{{part}}", _deletes(kind), WRITE_TASKS),
        )
    ),
    Route("GET", _FILES, _list_files, READ_TASKS),
    Route("POST", _FILES, _add_file, WRITE_TASKS),
    Route("POST", _FILES + "/createUploadSession", _open_session, WRITE_TASKS),
    Route("GET", _FILES + "/{file}", _get_file, READ_TASKS),
    Route("DELETE", _FILES + "/{file}", _delete_file, WRITE_TASKS),
    Route("GET", _FILES + "/{file}/$value", _read_file, READ_TASKS),
    Route("PUT", _SESSION + "/content", _upload, WRITE_TASKS),
    Route("GET", _SESSION, _upload, WRITE_TASKS),
    Route("DELETE", _SESSION, _upload, WRITE_TASKS),
)
