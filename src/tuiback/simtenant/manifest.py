"""Lists what exists for one account, with hashes of the bytes as they are served."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.mailbox import ROOT, Folder, Mailbox


def manifest(cloud: Cloud, person: Person, kinds: frozenset[str]) -> list[dict[str, Any]]:
    """Each message (hash of its $value) and each file: {kind, id, path, size, sha256}; `/` in a name is %2F."""
    found: list[dict[str, Any]] = []
    if "mailbox" in kinds:
        found += _messages(cloud, person)
    if "drive" in kinds:
        found += _files(cloud, person)
    return found


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
