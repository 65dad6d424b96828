"""Lists what exists for one account, with hashes of what is served."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.contact_lookup import ContactView
from tuiback.simtenant.api.event_lookup import CalendarView, event_json
from tuiback.simtenant.api.task_lookup import TaskView
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.cabinet import Cabinet, Record
from tuiback.simtenant.state.mailbox import ROOT, Folder, Mailbox
from tuiback.simtenant.state.tasks import CHECKLIST, LINKS


def manifest(cloud: Cloud, person: Person, kinds: frozenset[str]) -> list[dict[str, Any]]:
    """What there is of these kinds: {kind, id, path, size, sha256}; `/` in a name is %2F.

    mailbox: each message (hash of its $value). drive: each file. contacts, tasks, calendar: each contact, task, and
    event or series, by its immutable id (hash of its JSON, sorted by name, without what OData says).
    """
    found: list[dict[str, Any]] = []
    if "mailbox" in kinds:
        found += _messages(cloud, person)
    if "drive" in kinds:
        found += _files(cloud, person)
    if "contacts" in kinds:
        contacts = ContactView(cloud, cloud.tenant.outlook.contacts(person), immutable=True)
        found += _records("contact", contacts.cabinet, contacts.contact_json, "displayName")
    if "tasks" in kinds:
        tasks = TaskView(cloud, cloud.tenant.outlook.tasks(person), immutable=True)
        parts = f"{CHECKLIST},{LINKS}"
        found += _records("task", tasks.cabinet, lambda record: tasks.task_json(record, parts), "title")
    if "calendar" in kinds:
        calendar = CalendarView(cloud, cloud.tenant.outlook.calendar(person))
        events = calendar.calendar.events.values()
        found += [_entry("event", ["Calendar"], event_json(calendar, each), "subject") for each in events]
    return found


def _records(
    kind: str, cabinet: Cabinet, show: Callable[[Record], dict[str, Any]], name: str
) -> Iterator[dict[str, Any]]:  # fmt: skip
    for record in cabinet.records.values():
        names: list[str] = []
        drawer = cabinet.drawers.get(record.drawer)
        while drawer is not None:
            names.insert(0, _segment(drawer.name))
            drawer = cabinet.drawers.get(drawer.parent) if drawer.parent is not None else None
        yield _entry(kind, names, show(record), name)


def _entry(kind: str, path: list[str], document: dict[str, Any], name: str) -> dict[str, Any]:
    content = json.dumps({key: document[key] for key in sorted(document) if not key.startswith("@")}, sort_keys=True)
    return {
        "kind": kind,
        "id": document["id"],
        "path": "/".join([*path, _segment(str(document[name] or ""))]),
        "size": len(content.encode()),
        "sha256": sha256(content.encode()).hexdigest(),
    }


def _messages(cloud: Cloud, person: Person) -> Iterator[dict[str, Any]]:
    mailbox = cloud.tenant.mailbox(person)
    for folder in mailbox.folders.values():
        path = _path(mailbox, folder)
        for serial in mailbox.serials(folder.serial):
            message = mailbox.find(serial)
            if message is None:
                continue
            mime = message.mail.mime()
            yield {
                "kind": "message",
                "id": cloud.tenant.ids.encode("immutable", person.index, serial),
                "path": "/".join([*path, _segment(message.mail.head.subject)]),
                "size": len(mime),
                "sha256": sha256(mime).hexdigest(),
            }


def _files(cloud: Cloud, person: Person) -> Iterator[dict[str, Any]]:
    drive = cloud.tenant.drive(person)
    for node in drive.nodes.values():
        if node.source is None:
            continue
        digest = sha256()
        for piece in node.source.pieces(0, node.source.size):
            digest.update(piece)
        yield {
            "kind": "file",
            "id": cloud.tenant.ids.node_id(person.drive_guids[0].bytes, person.index, node.serial),
            "path": "/".join(_segment(name) for name in drive.path(node)),
            "size": node.source.size,
            "sha256": digest.hexdigest(),
        }


def _path(mailbox: Mailbox, folder: Folder) -> list[str]:
    names: list[str] = []
    each: Folder | None = folder
    while each is not None and each.serial != ROOT:
        names.append(_segment(each.name))
        each = mailbox.folders.get(each.parent) if each.parent is not None else None
    return names[::-1]


def _segment(name: str) -> str:
    return name.replace("%", "%25").replace("/", "%2F")
