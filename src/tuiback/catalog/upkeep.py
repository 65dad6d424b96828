"""Remembers when each chore of a home's upkeep was done last, and how it ended."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tuiback.catalog.connection import faults_told, open_for_writing, write_transaction
from tuiback.catalog.migrations import migrate
from tuiback.catalog.moments import from_text, to_text
from tuiback.catalog.state import MIGRATIONS
from tuiback.model import Outcome


@dataclass(frozen=True, slots=True)
class ChoreRow:
    """A chore as it stands: known since `since`, ended last at `ended_at` with `outcome`; None before the first time.

    `note` says what went wrong, "" where nothing did.
    """

    chore: str
    since: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    note: str = ""


class Upkeep:
    """The part of state.db about upkeep, on a connection of its own. Thread-safe.

    Every method may raise Damage and EnvironmentFault.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> "Upkeep":
        """The chores in this state.db, made when there is none yet. Raises EnvironmentFault, FormatTooNew, Damage."""
        connection = open_for_writing(path, "NORMAL")
        try:
            with faults_told(path):
                migrate(connection, path, MIGRATIONS)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def close(self) -> None:
        """Let the file go."""
        with self._turn:
            self._connection.close()

    def chores(self) -> tuple[ChoreRow, ...]:
        """All chores that were ever known, by name."""
        with self._turn, faults_told(self._path):
            rows = self._connection.execute(
                "SELECT chore, since, ended_at, outcome, note FROM chores ORDER BY chore"
            ).fetchall()
        return tuple(
            ChoreRow(chore, from_text(since), from_text(ended_at), Outcome(outcome) if outcome else None, note)
            for chore, since, ended_at, outcome, note in rows
        )

    def learn(self, chores: Iterable[str], now: datetime) -> None:
        """These are the chores there are; new ones are known since now."""
        with self._changing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO chores (chore, since) VALUES (?, ?)", ((each, to_text(now)) for each in chores)
            )

    def note(self, chore: str, now: datetime, outcome: Outcome, note: str = "") -> None:
        """The chore has ended now."""
        with self._changing() as connection:
            connection.execute(
                "UPDATE chores SET ended_at = ?, outcome = ?, note = ? WHERE chore = ?",
                (to_text(now), outcome, note, chore),
            )

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._turn, faults_told(self._path), write_transaction(self._connection):
            yield self._connection
