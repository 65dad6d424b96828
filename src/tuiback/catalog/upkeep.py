"""Remembers when each chore of a home's upkeep was done last, and how it ended."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from tuiback.catalog.local_file import LocalFile, open_local
from tuiback.catalog.moments import from_text, to_text
from tuiback.catalog.state import MIGRATIONS
from tuiback.model import Outcome


class ChoreRow(msgspec.Struct, frozen=True):
    """A chore as it stands: known since `since`, ended last at `ended_at` with `outcome`; None before the first time.

    `note` says what went wrong, "" where nothing did.
    """

    chore: str
    since: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    note: str = ""


class Upkeep(LocalFile):
    """The part of state.db about upkeep, on a connection of its own. Thread-safe.

    Every method may raise Damage and EnvironmentFault.
    """

    @classmethod
    def open(cls, path: Path) -> "Upkeep":
        """The chores in this state.db, made when there is none yet. Raises EnvironmentFault, FormatTooNew, Damage."""
        return cls(path, open_local(path, "NORMAL", MIGRATIONS))

    def chores(self) -> tuple[ChoreRow, ...]:
        """All chores that were ever known, by name."""
        with self._asking() as connection:
            rows = connection.execute(
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
