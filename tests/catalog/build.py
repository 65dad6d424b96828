"""Makes commits by hand: short builders, a writer that numbers its commits, and times that only grow."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from tuiback.catalog import Catalog
from tuiback.model import (
    Account,
    AccountKind,
    ChunkEntry,
    Commit,
    CommitBody,
    CommitHead,
    Container,
    Kind,
    Outcome,
    Owed,
    PackTable,
    Removal,
    RunRow,
    SnapshotRow,
    StoredPart,
    VersionOpened,
)

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
A = "mailbox:a"
B = "mailbox:b"


def at(minutes: int) -> datetime:
    """So long after the start."""
    return START + timedelta(minutes=minutes)


def chunk_id(text: str) -> bytes:
    """An id as a keyed hash would give."""
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


def pack(name: str, chunks: Sequence[str]) -> PackTable:
    """A pack of chunks that stand alone in their records."""
    entries = tuple(ChunkEntry(chunk_id(chunk), slot, slot * 100, 100, 0, 80) for slot, chunk in enumerate(chunks))
    return PackTable(name, 100 * len(entries) + 20, entries)


def account(account_id: str = A, **fields: Any) -> Account:
    """An account with the fields given, the others as most tests need them."""
    kind, _, object_id = account_id.partition(":")
    facts = {"tenant": "contoso", "task": "mail", "owner_id": object_id, "name": object_id, "address": ""}
    return Account(account_id, AccountKind(kind), **(facts | fields))


def container(container_id: str = "inbox", account_id: str = A, **fields: Any) -> Container:
    """A container of messages."""
    return Container(account_id, container_id, **({"kind": "messages", "name": container_id} | fields))


def part(text: str, name: str = "mime") -> StoredPart:
    """A part of one chunk."""
    return StoredPart(name, len(text), chunk_id(f"whole {text}"), (chunk_id(text),))


def version(item_id: str, seq: int, **fields: Any) -> VersionOpened:
    """A message in the inbox."""
    facts: dict[str, Any] = {
        "account_id": A,
        "container_id": "inbox",
        "kind": Kind.MESSAGE,
        "parent_id": "",
        "name": item_id,
        "size": 10,
        "modified": "2026-11-20T10:00:00Z",
        "etag": "e1",
        "content_tag": "",
        "parts": (),
        "attrs": (),
    }
    return VersionOpened(seq=seq, item_id=item_id, **(facts | fields))


def folder(item_id: str, seq: int, **fields: Any) -> VersionOpened:
    """A folder item."""
    return version(item_id, seq, **({"kind": Kind.FOLDER, "container_id": "folders", "size": 0} | fields))


def removal(item_id: str, seq: int, container_id: str = "inbox", account_id: str = A) -> Removal:
    """The item leaves the inbox."""
    return Removal(account_id, seq, item_id, container_id)


def opened(seq: int, account_id: str = A, run: int = 1) -> SnapshotRow:
    """The snapshot begins."""
    return SnapshotRow(account_id, seq, run, at(seq))


def closed(seq: int, account_id: str = A, outcome: Outcome = Outcome.OK, **fields: Any) -> SnapshotRow:
    """The snapshot is complete."""
    row = SnapshotRow(account_id, seq, 1, at(seq), at(seq + 1), outcome)
    return replace(row, **fields)


def owed(item_id: str, container_id: str = "inbox", **fields: Any) -> Owed:
    """A message that could not be fetched."""
    facts: dict[str, Any] = {"kind": Kind.MESSAGE, "path": item_id, "since": at(0), "tries": 1, "error": "503"}
    return Owed(A, container_id, item_id, **(facts | fields))


def run(number: int, task: str = "mail", **fields: Any) -> RunRow:
    """A run that goes on."""
    return RunRow(number, task, "manual", at(number), **fields)


class Writer:
    """Numbers the commits of one writer as a repository would."""

    def __init__(self, name: str = "w1") -> None:
        self.name = name
        self.commits: list[tuple[Commit, tuple[PackTable, ...]]] = []

    def commit(self, *packs: PackTable, minute: int | None = None, **fields: Any) -> Commit:
        number = len(self.commits) + 1
        previous = self.commits[-1][0].head.digest if self.commits else ""
        body = CommitBody(time=at(number if minute is None else minute), **fields)
        head = CommitHead(self.name, number, f"{self.name}-{number}")
        commit = Commit(head, previous, tuple(table.pack_id for table in packs), body)
        self.commits.append((commit, packs))
        return commit

    def apply(self, catalog: Catalog, *packs: PackTable, minute: int | None = None, **fields: Any) -> None:
        commit = self.commit(*packs, minute=minute, **fields)
        catalog.apply(commit, packs)

    def replay(self, catalog: Catalog) -> None:
        for commit, packs in self.commits:
            catalog.apply(commit, packs)
