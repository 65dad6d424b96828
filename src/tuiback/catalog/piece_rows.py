"""Puts the pieces of bases into the tables of a new catalog, in an order in which each table grows at its end.

Spans go into unsorted.spans_by_name and unsorted.spans_by_modified: see tuiback.catalog.loading.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import count

import msgspec

from tuiback.catalog.bases import REPOSITORY
from tuiback.catalog.inserting import insert_rows
from tuiback.catalog.spans import Ended, span_rows
from tuiback.catalog.versioning import sort_key
from tuiback.model import FOLDER_KINDS
from tuiback.model.kept import BasePiece, KeptDebt, KeptRemoval, KeptVersion

# A version with its number and its item's.
_Numbered = tuple[int, int, KeptVersion]


def _part_bytes(version: KeptVersion) -> int:
    return sum(part[1] for part in version.parts)


class _Figures(msgspec.Struct):
    points: int = 0
    live_items: int = 0
    live_bytes: int = 0
    versions: int = 0
    version_bytes: int = 0

    def count(self, versions: Sequence[KeptVersion]) -> None:
        """Add these. Folders are among the versions kept, but are nothing that people count."""
        self.versions += len(versions)
        self.version_bytes += sum(map(_part_bytes, versions))
        for version in versions:
            if version.until_seq is None and version.kind not in FOLDER_KINDS:
                self.live_items += 1
                self.live_bytes += version.size


class _Loaded(msgspec.Struct):
    """An account while its pieces come in: its numbers, and its figures so far."""

    account_no: int
    containers: dict[str, int] = msgspec.field(default_factory=dict)
    parents: dict[str, int] = msgspec.field(default_factory=dict)
    figures: _Figures = msgspec.field(default_factory=_Figures)
    # Versions of one item follow each other, perhaps in the next piece.
    item: tuple[str, int] = ("", 0)


class PieceRows:
    """Gives numbers to accounts, containers and items in the order in which they come."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._subject: str | None = None
        self._account = _Loaded(0)
        self._last_container = 0
        self._last_item = 0
        self._last_version = 0

    def put(self, subject: str, piece: BasePiece) -> None:
        """The next piece; those of one account follow each other. Raises KeyError when it names what has no row."""
        if subject == REPOSITORY:
            self._put_repository(piece)
            return
        if subject != self._subject:
            self.finish()
            self._subject = subject
            self._account = _Loaded(self._account.account_no + 1)
        self._put_account(subject, piece)
        self._put_containers(piece)
        self._put_snapshots(piece)
        self._put_parents(piece.parents)
        self._put_versions(piece.versions)
        self._put_removals(piece.removals)
        self._put_owed(piece.owed)

    def finish(self) -> None:
        """Nothing more comes of the account."""
        figures = self._account.figures
        self._connection.execute(
            """UPDATE accounts SET points = ?, live_items = ?, live_bytes = ?, versions = ?, version_bytes = ?
               WHERE account_no = ?""",
            (
                figures.points, figures.live_items, figures.live_bytes, figures.versions, figures.version_bytes,
                self._account.account_no,
            ),
        )

    def _put_repository(self, piece: BasePiece) -> None:
        self._connection.executemany(
            "INSERT INTO controls (kind, name, data) VALUES (?, ?, ?)",
            [(row.kind, row.name, row.data) for row in piece.controls],
        )
        self._connection.executemany(
            """INSERT INTO runs (run, task, trigger, started_at, ended_at, outcome, counters)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            [
                (row.run, row.task, row.trigger, row.started_at, row.ended_at, row.outcome, row.counters)
                for row in piece.runs
            ],
        )

    def _put_account(self, subject: str, piece: BasePiece) -> None:
        account_no = self._account.account_no
        self._connection.executemany(
            """INSERT INTO accounts (account_no, account_id, kind, tenant, task, owner_id, name, address, state,
                   gone_at, gone_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (
                    account_no, subject, row.kind, row.tenant, row.task, row.owner_id, row.name, row.address,
                    row.state, row.gone_at, row.gone_reason,
                )
                for row in piece.accounts
            ],
        )
        self._connection.executemany(
            "INSERT INTO aliases (account_no, since, address, address_key, until) VALUES (?, ?, ?, ?, ?)",
            [(account_no, row.since, row.address, row.address.casefold(), row.until) for row in piece.aliases],
        )

    def _put_containers(self, piece: BasePiece) -> None:
        account = self._account
        rows = []
        for row in piece.containers:
            self._last_container += 1
            account.containers[row.container_id] = self._last_container
            rows.append(
                (
                    self._last_container, account.account_no, row.container_id, row.kind, row.name, row.cursor,
                    row.relisting, row.present,
                )
            )
        self._connection.executemany(
            """INSERT INTO containers (container_no, account_no, container_id, kind, name, cursor, relisting, present)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            rows,
        )

    def _put_snapshots(self, piece: BasePiece) -> None:
        account = self._account
        account.figures.points += sum(row.closed_at is not None for row in piece.snapshots)
        self._connection.executemany(
            """INSERT INTO snapshots (account_no, seq, run, opened_at, closed_at, outcome, verified_until, items, bytes)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (
                    account.account_no, row.seq, row.run, row.opened_at, row.closed_at, row.outcome,
                    row.verified_until, row.items, row.bytes,
                )
                for row in piece.snapshots
            ],
        )

    def _put_parents(self, parents: Sequence[str]) -> None:
        account = self._account
        numbered = [(self._last_item + place, item_id) for place, item_id in enumerate(parents, 1)]
        self._last_item += len(parents)
        account.parents.update((item_id, item_no) for item_no, item_id in numbered)
        self._put_items(numbered)
        insert_rows(
            self._connection,
            "INSERT INTO parents (account_no, parent_no)",
            [(account.account_no, item_no) for item_no, _ in numbered],
        )

    def _put_items(self, numbered: Iterable[tuple[int, str]]) -> None:
        account_no = self._account.account_no
        insert_rows(
            self._connection,
            "INSERT INTO items (item_no, account_no, item_id)",
            [(item_no, account_no, item_id) for item_no, item_id in numbered],
        )

    def _put_versions(self, versions: Sequence[KeptVersion]) -> None:
        version_nos = count(self._last_version + 1)
        numbered = list(zip(version_nos, self._item_numbers(versions), versions, strict=False))
        self._last_version += len(versions)
        self._write_versions(numbered)
        insert_rows(
            self._connection,
            "INSERT INTO parts (version_no, ordinal, name, size, digest, chunks, form)",
            [(version_no, ordinal, *part) for version_no, _, v in numbered for ordinal, part in enumerate(v.parts)],
        )
        self._write_spans(numbered)
        self._account.figures.count(versions)

    def _item_numbers(self, versions: Sequence[KeptVersion]) -> list[int]:
        """The item of each version: a folder that has a number already, that of the version before, or a new one."""
        parents = self._account.parents
        item_id, item_no = self._account.item
        new: list[tuple[int, str]] = []
        numbers: list[int] = []
        for version in versions:
            if version.item_id != item_id or not item_no:
                item_id = version.item_id
                known = parents.get(item_id)
                if known is None:
                    self._last_item += 1
                    new.append((self._last_item, item_id))
                item_no = known or self._last_item
            numbers.append(item_no)
        self._account.item = (item_id, item_no)
        self._put_items(new)
        return numbers

    def _write_versions(self, numbered: Sequence[_Numbered]) -> None:
        containers, parents = self._account.containers, self._account.parents
        insert_rows(
            self._connection,
            """INSERT INTO versions (version_no, item_no, from_seq, until_seq, removed, container_no, parent_no, kind,
                   sort_name, name, size, modified, etag, content_tag, attrs, part_bytes)""",
            [
                (
                    version_no, item_no, v.from_seq, v.until_seq, v.removed, containers[v.container_id],
                    parents[v.parent_id], v.kind, sort_key(v.name), v.name, v.size, v.modified, v.etag, v.content_tag,
                    v.attrs, _part_bytes(v),
                )
                for version_no, item_no, v in numbered
            ],
        )

    def _write_spans(self, numbered: Sequence[_Numbered]) -> None:
        parents = self._account.parents
        by_name, by_modified = span_rows(
            Ended(version_no, parents[v.parent_id], v.kind, sort_key(v.name), v.modified, v.from_seq, v.until_seq)
            for version_no, _, v in numbered
            if v.until_seq is not None
        )
        insert_rows(self._connection, "INSERT INTO unsorted.spans_by_name", by_name)
        insert_rows(self._connection, "INSERT INTO unsorted.spans_by_modified", by_modified)

    def _put_removals(self, removals: Sequence[KeptRemoval]) -> None:
        account = self._account
        self._connection.executemany(
            """INSERT INTO removals (account_no, item_no, container_no, seq)
               SELECT ?1, item_no, ?3, ?4 FROM items WHERE account_no = ?1 AND item_id = ?2""",
            [(account.account_no, row.item_id, account.containers[row.container_id], row.seq) for row in removals],
        )

    def _put_owed(self, debts: Sequence[KeptDebt]) -> None:
        self._connection.executemany(
            """INSERT INTO owed (account_no, item_id, scope, container_id, kind, path, since, tries, error, request_id,
                   ack) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (
                    self._account.account_no, row.item_id, "" if row.item_id else row.container_id, row.container_id,
                    row.kind, row.path, row.since, row.tries, row.error, row.request_id, row.ack,
                )
                for row in debts
            ],
        )
