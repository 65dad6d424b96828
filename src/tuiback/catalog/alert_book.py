"""Keeps which alerts are open, and the messages about them that were not delivered yet, over restarts."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuiback.catalog.local_file import LocalFile, open_local
from tuiback.catalog.migrations import Migration
from tuiback.catalog.moments import from_text, to_text
from tuiback.catalog.rows import AlertRow, MessageRow
from tuiback.errors import NoSuchThing

if TYPE_CHECKING:
    from sqlite_utils import Database


def _first_tables(database: "Database") -> None:
    condition = {"alert": str, "severity": str, "since": str, "subject": str, "text": str, "remedy": str, "news": str}
    database.create_table("alerts", {**condition, "acked_at": str, "acked_by": str, "ack_reason": str}, pk="alert")
    database.create_table("reported", condition, pk="alert")
    database.create_table(
        "messages",
        {"number": int, "channel": str, "payload": bytes, "created_at": str, "due_at": str, "tries": int},
        pk="number",
    )
    database.create_table("digests", {"channel": str, "made_for": str}, pk="channel")


MIGRATIONS = (Migration(1, "first tables", _first_tables),)

_ALERT = "alert, severity, since, subject, text, remedy, news, acked_at, acked_by, ack_reason"
_MESSAGE = "number, channel, payload, created_at, due_at, tries"


class AlertBook(LocalFile):
    """The alerts of a home, over all its repositories; commands change them beside an engine.

    Thread-safe, and durable when a method returns. Every method may raise Damage and EnvironmentFault.
    """

    @classmethod
    def open(cls, path: Path) -> "AlertBook":
        """The book at `path`, made when there is none yet. Raises EnvironmentFault, FormatTooNew, Damage."""
        return cls(path, open_local(path, "FULL", MIGRATIONS))

    def alerts(self) -> tuple[AlertRow, ...]:
        """All that are open, the oldest first."""
        with self._asking() as connection:
            rows = connection.execute(f"SELECT {_ALERT} FROM alerts ORDER BY since, alert").fetchall()
        return tuple(_alert_row(row) for row in rows)

    def change(
        self,
        opened: Iterable[AlertRow],
        reworded: Iterable[AlertRow],
        closed: Iterable[str],
        messages: Mapping[str, Collection[bytes]],
        now: datetime,
    ) -> None:
        """Open, reword and close alerts, and queue for each channel what it is to be told of that: all at once.

        So nothing is told twice, and nothing is forgotten, whenever the engine ends. An alert that opens again loses
        its acknowledgement.
        """
        with self._changing() as connection:
            connection.executemany("DELETE FROM alerts WHERE alert = ?", ((alert,) for alert in closed))
            connection.executemany(
                f"INSERT OR REPLACE INTO alerts ({_ALERT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (row.alert, row.severity, to_text(row.since), row.subject, row.text, row.remedy, row.news,
                     to_text(row.acked_at), row.acked_by, row.ack_reason)
                    for row in opened
                ),
            )  # fmt: skip
            connection.executemany(
                "UPDATE alerts SET severity = ?, text = ?, remedy = ? WHERE alert = ?",
                ((row.severity, row.text, row.remedy, row.alert) for row in reworded),
            )
            _queue(connection, messages, now)

    def ack(self, alert: str, now: datetime, who: str, reason: str) -> None:
        """Somebody knows of it. Raises NoSuchThing when it is not open."""
        with self._changing() as connection:
            changed = connection.execute(
                "UPDATE alerts SET acked_at = ?, acked_by = ?, ack_reason = ? WHERE alert = ?",
                (to_text(now), who, reason, alert),
            ).rowcount
        if not changed:
            raise NoSuchThing("no such alert is open", alert, "see 'tuiback alerts'")

    def report(self, row: AlertRow) -> None:
        """Remember a condition that only its finder can see, such as damage; it stays until withdraw()."""
        with self._changing() as connection:
            connection.execute(
                """INSERT INTO reported (alert, severity, since, subject, text, remedy, news)
                   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET severity = excluded.severity,
                   subject = excluded.subject, text = excluded.text, remedy = excluded.remedy, news = excluded.news""",
                (row.alert, row.severity, to_text(row.since), row.subject, row.text, row.remedy, row.news),
            )

    def withdraw(self, alert: str) -> None:
        """The reported condition is over, or never was."""
        with self._changing() as connection:
            connection.execute("DELETE FROM reported WHERE alert = ?", (alert,))

    def reported(self) -> tuple[AlertRow, ...]:
        """The conditions that stand as reported."""
        with self._asking() as connection:
            rows = connection.execute(
                "SELECT alert, severity, since, subject, text, remedy, news, NULL, '', '' FROM reported ORDER BY alert"
            ).fetchall()
        return tuple(_alert_row(row) for row in rows)

    def queue(self, messages: Mapping[str, Collection[bytes]], now: datetime) -> None:
        """Queue messages by channel."""
        with self._changing() as connection:
            _queue(connection, messages, now)

    def messages(self) -> tuple[MessageRow, ...]:
        """What waits to be delivered, in the order it came."""
        with self._asking() as connection:
            rows = connection.execute(f"SELECT {_MESSAGE} FROM messages ORDER BY number").fetchall()
        return tuple(
            MessageRow(number, channel, payload, from_text(created_at), from_text(due_at), tries)
            for number, channel, payload, created_at, due_at, tries in rows
        )

    def delivered(self, number: int) -> None:
        """The message arrived, or is given up."""
        with self._changing() as connection:
            connection.execute("DELETE FROM messages WHERE number = ?", (number,))

    def postpone(self, number: int, due_at: datetime) -> None:
        """A try failed; the next one is due then."""
        with self._changing() as connection:
            connection.execute(
                "UPDATE messages SET due_at = ?, tries = tries + 1 WHERE number = ?", (to_text(due_at), number)
            )

    def forget_channels(self, kept: Collection[str]) -> None:
        """Drop what waits for channels other than these."""
        marks = ", ".join("?" * len(kept))
        with self._changing() as connection:
            connection.execute(f"DELETE FROM messages WHERE channel NOT IN ({marks})", tuple(kept))

    def digest_at(self, channel: str) -> datetime | None:
        """For when the channel's newest digest was made; None before the first."""
        with self._asking() as connection:
            row = connection.execute("SELECT made_for FROM digests WHERE channel = ?", (channel,)).fetchone()
        return from_text(row[0]) if row else None

    def queue_digest(self, channel: str, made_for: datetime, payload: bytes | None, now: datetime) -> None:
        """Queue the channel's digest of that moment; without a payload only remember that it was passed."""
        with self._changing() as connection:
            connection.execute("INSERT OR REPLACE INTO digests VALUES (?, ?)", (channel, to_text(made_for)))
            if payload is not None:
                _queue(connection, {channel: [payload]}, now)


def _queue(connection: sqlite3.Connection, messages: Mapping[str, Collection[bytes]], now: datetime) -> None:
    connection.executemany(
        "INSERT INTO messages (channel, payload, created_at, due_at, tries) VALUES (?, ?, ?3, ?3, 0)",
        ((channel, payload, to_text(now)) for channel, payloads in messages.items() for payload in payloads),
    )


def _alert_row(row: tuple[Any, ...]) -> AlertRow:
    alert, severity, since, subject, text, remedy, news, acked_at, acked_by, ack_reason = row
    return AlertRow(
        alert, severity, from_text(since), subject, text, remedy, news, from_text(acked_at), acked_by, ack_reason
    )
