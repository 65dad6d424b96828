"""Keeps the audit in state.db: rows are only ever added, and each is chained to the one before."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tuiback.catalog.local_file import LocalFile
from tuiback.catalog.moments import from_text, to_text
from tuiback.model.audited import AuditEntry, Deed, entry_after

if TYPE_CHECKING:
    from sqlite_utils import Database

_decoder = msgspec.json.Decoder(AuditEntry)


class AuditTrail(LocalFile):
    """The part of State about the audit, over the connection and the lock of all of it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, new_id: Callable[[], str]) -> None:
        super().__init__(path, connection)
        self._new_id = new_id

    def audit(self, now: datetime, deed: Deed) -> AuditEntry:
        """Write down who does what, as the entry after the newest one."""
        with self._changing() as connection:
            return put_entry(connection, self._writer(connection), now, deed)

    def audit_entries(self, since: datetime | None = None, first: int = 0) -> tuple[AuditEntry, ...]:
        """What was done since then, from entry `first` on, the oldest first."""
        with self._asking() as connection:
            return read_entries(connection, since, first)

    def follow_audit(self, sealed: Sequence[AuditEntry]) -> None:
        """Take in the entries that the repository has of this home's log: all of them.

        That is needed where a home is older than what it has once sealed. What it noted since comes behind them.
        """
        with self._changing() as connection:
            follow(connection, self._writer(connection), sealed)

    def _writer(self, connection: sqlite3.Connection) -> str:
        row = connection.execute("SELECT writer_id FROM writer").fetchone()
        return str(row[0]) if row else self._replace_writer(connection)

    def _replace_writer(self, connection: sqlite3.Connection) -> str:
        writer_id = self._new_id()
        connection.execute("DELETE FROM writer")
        connection.execute("INSERT INTO writer (writer_id) VALUES (?)", (writer_id,))
        return writer_id


def make_trail(database: "Database") -> None:
    """The migration to chained entries. What was audited before comes first, with all that was known of it."""
    database.execute("CREATE TABLE audit_trail (number INTEGER PRIMARY KEY, time TEXT NOT NULL, entry BLOB NOT NULL)")
    database.execute("CREATE INDEX audit_trail_by_time ON audit_trail (time)")
    before = database.execute("SELECT time, who, action, subject, detail FROM audit ORDER BY row").fetchall()
    connection = database.conn
    assert connection is not None
    for time, who, action, subject, detail in before:
        deed = Deed(who=who, uid=-1, origin="", action=action, subject=subject, detail=detail)
        put_entry(connection, "", from_text(time), deed)
    database.execute("DROP TABLE audit")


def put_entry(connection: sqlite3.Connection, log: str, time: datetime, deed: Deed) -> AuditEntry:
    """Add the deed behind the newest entry, within the caller's transaction."""
    row = connection.execute("SELECT entry FROM audit_trail ORDER BY number DESC LIMIT 1").fetchone()
    entry = entry_after(_decoder.decode(row[0]) if row else None, log, time.astimezone(UTC), deed)
    _insert(connection, entry)
    return entry


def follow(connection: sqlite3.Connection, log: str, sealed: Sequence[AuditEntry]) -> None:
    """Put these entries where they belong, and behind them what was noted since, within the caller's transaction."""
    since = read_entries(connection, None, sealed[0].number)
    theirs = {entry.digest for entry in sealed}
    connection.execute("DELETE FROM audit_trail WHERE number >= ?", (sealed[0].number,))
    for entry in sealed:
        _insert(connection, entry)
    for entry in since:
        if entry.digest not in theirs:
            put_entry(connection, log, entry.time, entry)


def _insert(connection: sqlite3.Connection, entry: AuditEntry) -> None:
    connection.execute(
        "INSERT INTO audit_trail (number, time, entry) VALUES (?, ?, ?)",
        (entry.number, to_text(entry.time), msgspec.json.encode(entry)),
    )


def read_entries(connection: sqlite3.Connection, since: datetime | None, first: int) -> tuple[AuditEntry, ...]:
    """The entries from that time on and with that number or a higher one, in their order."""
    rows = connection.execute(
        "SELECT entry FROM audit_trail WHERE time >= ? AND number >= ? ORDER BY number", (to_text(since) or "", first)
    ).fetchall()
    return tuple(_decoder.decode(data) for (data,) in rows)
