"""Hands out all that one committed state of a catalog keeps, account by account, as the pieces of bases."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tuiback.catalog.connection import faults_told, open_for_reading
from tuiback.catalog.reading import BATCH, batches
from tuiback.model import CommitHead
from tuiback.model.kept import (
    BasePiece,
    KeptAccount,
    KeptAlias,
    KeptContainer,
    KeptControl,
    KeptDebt,
    KeptPart,
    KeptRemoval,
    KeptRow,
    KeptRun,
    KeptSnapshot,
    KeptVersion,
    encode_piece,
    encoded_bytes,
)

PIECE_BYTES = 1024 * 1024

# Who what belongs to no account belongs to: runs and controls.
REPOSITORY = ""

_Placed = tuple[str, KeptRow]


class EncodedPiece(msgspec.Struct, frozen=True):
    """A BasePiece as plain bytes, and how many rows are in it."""

    data: bytes
    rows: int


class Bases:
    """One committed state of a catalog, for one thread; open_bases() gives it out."""

    def __init__(self, connection: sqlite3.Connection, piece_bytes: int) -> None:
        self._connection = connection
        self._piece_bytes = piece_bytes

    def heads(self) -> tuple[CommitHead, ...]:
        """The newest commit of each writer in this state."""
        rows = self._connection.execute("SELECT writer, number, digest FROM writers ORDER BY writer").fetchall()
        return tuple(CommitHead(*row) for row in rows)

    def pack_ids(self) -> tuple[str, ...]:
        """All packs, in the order in which commits brought them."""
        return tuple(pack for (pack,) in self._connection.execute("SELECT pack_id FROM packs ORDER BY pack_no"))

    def subjects(self) -> tuple[str, ...]:
        """REPOSITORY and the ids of all accounts."""
        accounts = self._connection.execute("SELECT account_id FROM accounts ORDER BY account_id").fetchall()
        return (REPOSITORY, *(account_id for (account_id,) in accounts))

    def pieces(self, subject: str) -> Iterator[EncodedPiece]:
        """The base of an account or REPOSITORY, never more of it in memory than a piece; none for an unknown one.

        A piece is larger than 1 MiB only where a single row is.
        """
        if subject == REPOSITORY:
            return _pieces(_repository_rows(self._connection), self._piece_bytes)
        row = self._connection.execute("SELECT account_no FROM accounts WHERE account_id = ?", (subject,)).fetchone()
        return _pieces(_account_rows(self._connection, row[0]) if row else (), self._piece_bytes)


@contextmanager
def open_bases(path: Path, *, piece_bytes: int = PIECE_BYTES) -> Iterator[Bases]:
    """The catalog's newest committed state; it stays the same until the end, whatever is committed meanwhile."""
    connection = open_for_reading(path)
    try:
        with faults_told(path):
            connection.execute("BEGIN")
            yield Bases(connection, piece_bytes)
    finally:
        connection.close()


def _pieces(rows: Iterable[_Placed], piece_bytes: int) -> Iterator[EncodedPiece]:
    held: dict[str, list[Any]] = {}
    held_bytes = count = 0
    for place, row in rows:
        row_bytes = encoded_bytes(row)
        if count and held_bytes + row_bytes > piece_bytes:
            yield EncodedPiece(encode_piece(BasePiece(**held)), count)
            held = {}
            held_bytes = count = 0
        held.setdefault(place, []).append(row)
        held_bytes += row_bytes
        count += 1
    if count:
        yield EncodedPiece(encode_piece(BasePiece(**held)), count)


def _repository_rows(connection: sqlite3.Connection) -> Iterator[_Placed]:
    for row in connection.execute("SELECT kind, name, data FROM controls ORDER BY kind, name"):
        yield "controls", KeptControl(*row)
    for row in connection.execute(
        "SELECT run, task, trigger, started_at, ended_at, outcome, counters FROM runs ORDER BY run"
    ):
        yield "runs", KeptRun(*row)


def _account_rows(connection: sqlite3.Connection, account_no: int) -> Iterator[_Placed]:
    of_account = (account_no,)
    for row in connection.execute(
        """SELECT kind, tenant, task, owner_id, name, address, state, gone_at, gone_reason
           FROM accounts WHERE account_no = ?""",
        of_account,
    ):
        yield "accounts", KeptAccount(*row)
    for row in connection.execute(
        "SELECT since, address, until FROM aliases WHERE account_no = ? ORDER BY since, address", of_account
    ):
        yield "aliases", KeptAlias(*row)
    places = _places(connection, account_no)
    for container_no, container_id, kind, name, cursor, relisting, present in connection.execute(
        """SELECT container_no, container_id, kind, name, cursor, relisting, present FROM containers
           WHERE account_no = ? ORDER BY container_id""",
        of_account,
    ):
        if present or container_no in places.containers:
            kept = KeptContainer(container_id, kind, name, cursor, bool(relisting), bool(present))
            yield "containers", kept
    for row in connection.execute(
        """SELECT seq, run, opened_at, closed_at, outcome, verified_until, items, bytes FROM snapshots
           WHERE account_no = ? ORDER BY seq""",
        of_account,
    ):
        yield "snapshots", KeptSnapshot(*row)
    yield from (("parents", item_id) for item_id in places.parents)
    yield from (("versions", version) for version in _versions(connection, account_no))
    yield from _waiting(connection, account_no)


class _Places(msgspec.Struct, frozen=True):
    """What an account's versions and removals name: container numbers, and folders' item ids in order."""

    containers: frozenset[int]
    parents: tuple[str, ...]


def _places(connection: sqlite3.Connection, account_no: int) -> _Places:
    rows = connection.execute(
        """SELECT DISTINCT v.parent_no, v.container_no FROM items i CROSS JOIN versions v USING (item_no)
           WHERE i.account_no = ?""",
        (account_no,),
    ).fetchall()
    awaited = connection.execute("SELECT DISTINCT container_no FROM removals WHERE account_no = ?", (account_no,))
    containers = frozenset(container_no for _, container_no in rows) | {number for (number,) in awaited}
    parents = [
        item_id
        for marks, batch in batches(sorted({parent_no for parent_no, _ in rows}))
        for (item_id,) in connection.execute(f"SELECT item_id FROM items WHERE item_no IN ({marks})", batch)
    ]
    return _Places(containers, tuple(sorted(parents)))


def _versions(connection: sqlite3.Connection, account_no: int) -> Iterator[KeptVersion]:
    cursor = connection.execute(
        """SELECT v.version_no, i.item_id, v.from_seq, v.until_seq, v.removed, c.container_id, p.item_id, v.kind,
               v.name, v.size, v.modified, v.etag, v.content_tag, v.attrs
           FROM items i CROSS JOIN versions v USING (item_no)
               CROSS JOIN containers c USING (container_no) CROSS JOIN items p ON p.item_no = v.parent_no
           WHERE i.account_no = ? ORDER BY i.item_id, v.from_seq""",
        (account_no,),
    )
    while rows := cursor.fetchmany(BATCH):
        parts = _parts_of(connection, [row[0] for row in rows])
        for version_no, item_id, from_seq, until_seq, removed, *facts in rows:
            facts.append(parts.get(version_no, []))
            yield KeptVersion(item_id, from_seq, until_seq, bool(removed), *facts)


def _parts_of(connection: sqlite3.Connection, version_nos: list[int]) -> dict[int, list[KeptPart]]:
    parts: dict[int, list[KeptPart]] = {}
    for marks, batch in batches(version_nos):
        for version_no, *part in connection.execute(
            f"""SELECT version_no, name, size, digest, chunks, form FROM parts WHERE version_no IN ({marks})
                ORDER BY version_no, ordinal""",
            batch,
        ):
            parts.setdefault(version_no, []).append((part[0], part[1], part[2], part[3], part[4]))
    return parts


def _waiting(connection: sqlite3.Connection, account_no: int) -> Iterator[_Placed]:
    for row in connection.execute(
        """SELECT i.item_id, c.container_id, r.seq FROM removals r JOIN items i USING (item_no)
               JOIN containers c USING (container_no)
           WHERE r.account_no = ? ORDER BY i.item_id, c.container_id""",
        (account_no,),
    ):
        yield "removals", KeptRemoval(*row)
    for row in connection.execute(
        """SELECT item_id, container_id, kind, path, since, tries, error, request_id, ack FROM owed
           WHERE account_no = ? ORDER BY item_id, scope""",
        (account_no,),
    ):
        yield "owed", KeptDebt(*row)
