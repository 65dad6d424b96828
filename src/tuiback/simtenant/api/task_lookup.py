"""Finds the lists, tasks and files that a URL names, and shows them as Graph's resources.

https://learn.microsoft.com/graph/api/resources/todotask and .../resources/todotasklist
"""

from dataclasses import dataclass
from typing import Any

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.message_json import body_json, change_key
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.ids import Reference
from tuiback.simtenant.state.cabinet import Cabinet, Drawer, Record
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.tasks import CHECKLIST, DEFAULT_LIST, FLAGGED_LIST, LINKS, NO_KNOWN_LIST, SHARED_LIST

FILES = "attachments"
# What may be written of a task, and what an unwritten one holds.
TASK_PROPERTIES: dict[str, Any] = {
    "title": "", "status": "notStarted", "importance": "normal", "isReminderOn": False, "categories": [],
    "body": {"contentType": "text", "content": ""}, "dueDateTime": None, "reminderDateTime": None,
    "startDateTime": None, "completedDateTime": None, "recurrence": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TaskView:
    """How a request sees the tasks of a mailbox. Immutable ids differ from regular ones."""

    cloud: Cloud
    cabinet: Cabinet
    immutable: bool

    def list_id(self, serial: int) -> str:
        """A list's id."""
        return self.cloud.tenant.ids.encode("taskList", self.cabinet.owner, serial)

    def task_id(self, serial: int) -> str:
        """A task's id in the form that the request asked for."""
        return self.cloud.tenant.ids.encode("task", self.cabinet.owner, serial, int(self.immutable))

    def file_id(self, record: Record, number: int) -> str:
        """The id of a file at a task."""
        return self.cloud.tenant.ids.encode("taskFile", self.cabinet.owner, record.serial, number)

    def new_part_id(self) -> str:
        """An id for a step or a link."""
        return str(self.cloud.tenant.chance.guid("task part", self.cabinet.owner, self.cabinet.new_serial()))

    def list_json(self, drawer: Drawer) -> dict[str, Any]:
        """A todoTaskList."""
        is_shared = drawer.kind == SHARED_LIST
        return {
            "@odata.etag": f'W/"{change_key(self.cabinet.owner, drawer.serial, drawer.version)}"',
            "id": self.list_id(drawer.serial),
            "displayName": drawer.name,
            "isOwner": not is_shared,
            "isShared": is_shared,
            "wellknownListName": NO_KNOWN_LIST if is_shared else drawer.kind,
        }

    def task_json(self, record: Record, expand: str = "") -> dict[str, Any]:
        """A todoTask; what has no value is left out."""
        held = {name: record.properties.get(name, usual) for name, usual in TASK_PROPERTIES.items()}
        document = {
            "@odata.etag": f'W/"{change_key(self.cabinet.owner, record.serial, record.version)}"',
            "id": self.task_id(record.serial),
            "createdDateTime": stamp(record.created),
            "lastModifiedDateTime": stamp(record.modified),
            "bodyLastModifiedDateTime": record.properties.get("bodyLastModifiedDateTime", stamp(record.created)),
            "hasAttachments": bool(record.files),
        } | {name: value for name, value in held.items() if value is not None}
        document["body"] = body_json(held["body"] or {})
        for name in (CHECKLIST, LINKS):
            if name in expand:
                document[name] = [part_json(part_id, part) for part_id, part in record.parts.get(name, {}).items()]
        if FILES in expand:
            document[FILES] = [self.file_json(record, number, each) for number, each in record.files.items()]
        return document

    def file_json(self, record: Record, number: int, file: Attachment) -> dict[str, Any]:
        """A taskFileAttachment without its bytes."""
        return {
            "@odata.type": "#microsoft.graph.taskFileAttachment",
            "id": self.file_id(record, number),
            "lastModifiedDateTime": stamp(record.modified),
            "name": file.name,
            "contentType": file.content_type,
            "size": file.size,
        }


def part_json(part_id: str, part: dict[str, Any]) -> dict[str, Any]:
    """A checklistItem or a linkedResource."""
    document = {name: stamp(value) if name.endswith("DateTime") and value else value for name, value in part.items()}
    is_step = "createdDateTime" in part
    return {"id": part_id, **document} | ({"isChecked": part["checkedDateTime"] is not None} if is_step else {})


def task_view_of(cloud: Cloud, call: Call) -> TaskView:
    """The tasks of the URL's user, seen as the request asks. Raises Fault 404."""
    cabinet = cloud.tenant.outlook.tasks(mailbox_owner_of(cloud, call).person)
    return TaskView(cloud, cabinet, call.preferences.get("idtype", "").lower() == "immutableid")


def list_of(view: TaskView, call: Call) -> Drawer:
    """The list that the URL names, by id or by what everybody's is called. Raises Fault 400 and 404."""
    name = call.where["list"]
    if name in (DEFAULT_LIST, FLAGGED_LIST):
        return next(each for each in view.cabinet.drawers.values() if each.kind == name)
    drawer = view.cabinet.drawers.get(_named(view, name, "taskList").serial)
    if drawer is None:
        raise not_found()
    return drawer


def task_of(view: TaskView, call: Call) -> Record:
    """The task that the URL names, in its list. Raises Fault 400 and 404."""
    record = view.cabinet.records.get(_named(view, call.where["task"], "task").serial)
    if record is None or record.drawer != list_of(view, call).serial:
        raise not_found()
    return record


def file_of(view: TaskView, record: Record, call: Call) -> int:
    """The number of the task's file that the URL names. Raises Fault 400 and 404."""
    reference = _named(view, call.where["file"], "taskFile")
    if reference.serial != record.serial or reference.place not in record.files:
        raise not_found()
    return reference.place


def check_writable(view: TaskView, drawer: int) -> None:
    """Refuse to write into the list that Outlook fills with flagged letters. Raises Fault 400."""
    if view.cabinet.drawers[drawer].kind == FLAGGED_LIST:
        raise Fault(400, "invalidRequest", "Invalid request: tasks of the list of flagged emails can't be written.")


def _named(view: TaskView, text: str, kind: str) -> Reference:
    reference = view.cloud.tenant.ids.find(text)
    if reference is None or reference.kind != kind:
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    if reference.owner != view.cabinet.owner:
        raise not_found()
    return reference


def not_found() -> Fault:
    """What Exchange says of a thing that is not there."""
    return Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
