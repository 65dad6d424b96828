"""Remembers when each pack was last looked into, so that checks take the longest unseen first and can be resumed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from tuiback.catalog.local_file import LocalFile, open_local
from tuiback.catalog.moments import from_text, to_text
from tuiback.catalog.state import MIGRATIONS

# Of a pass that was cut off, what was seen longer ago than this is looked at again.
PASS_LIFE = timedelta(days=7)


class Coverage(msgspec.Struct, frozen=True):
    """How much of a repository was looked into: `recent` of `packs` lately, the longest unseen at `oldest_at`.

    `oldest_at` is None where a pack was never looked into, or there is none.
    """

    packs: int
    recent: int
    never: int
    oldest_at: datetime | None


class CheckDates(LocalFile):
    """The part of state.db about checks, on a connection of its own: a check runs beside an engine. Thread-safe.

    With `read` every method is about packs that were read whole; without it about those whose checksums were
    compared, and reading does that too.
    """

    @classmethod
    def open(cls, path: Path) -> "CheckDates":
        """The dates in this state.db, made when there is none yet. Raises EnvironmentFault, FormatTooNew, Damage."""
        return cls(path, open_local(path, "NORMAL", MIGRATIONS))

    def track(self, pack_ids: Iterable[str]) -> None:
        """These are the packs that there are; dates of others are forgotten."""
        with self._changing() as connection:
            connection.execute("CREATE TEMP TABLE present (pack_id TEXT PRIMARY KEY) WITHOUT ROWID")
            connection.executemany("INSERT OR IGNORE INTO present VALUES (?)", ((pack_id,) for pack_id in pack_ids))
            connection.execute("DELETE FROM pack_checks WHERE pack_id NOT IN (SELECT pack_id FROM present)")
            connection.execute("INSERT OR IGNORE INTO pack_checks (pack_id) SELECT pack_id FROM present")
            connection.execute("DROP TABLE present")

    def begin(self, now: datetime, *, read: bool) -> datetime:
        """Begin a pass over all packs, or go on with one that was cut off; when that pass began."""
        with self._changing() as connection:
            row = connection.execute("SELECT begun_at FROM check_passes WHERE read = ?", (read,)).fetchone()
            begun: datetime | None = from_text(row[0]) if row else None
            if begun is not None and now - PASS_LIFE < begun <= now:
                return begun
            connection.execute("INSERT OR REPLACE INTO check_passes VALUES (?, ?)", (read, to_text(now)))
            return now

    def due(self, before: datetime, *, read: bool, limit: int = -1) -> list[str]:
        """The packs last looked into before then, the longest unseen first; at most `limit` of them."""
        when = _column(read)
        with self._asking() as connection:
            rows = connection.execute(
                f"""SELECT pack_id FROM pack_checks WHERE {when} IS NULL OR {when} < ?
                    ORDER BY {when} IS NOT NULL, {when}, pack_id LIMIT ?""",
                (to_text(before), limit),
            )
            return [pack_id for (pack_id,) in rows]

    def note(self, pack_ids: Sequence[str], now: datetime, *, read: bool) -> None:
        """These packs were looked into and are whole."""
        with self._changing() as connection:
            connection.executemany(
                f"""UPDATE pack_checks SET scrubbed_at = ?1 {", read_at = ?1" if read else ""} WHERE pack_id = ?2""",
                [(to_text(now), pack_id) for pack_id in pack_ids],
            )

    def end(self, *, read: bool) -> None:
        """The pass has come to its end: the next one begins anew."""
        with self._changing() as connection:
            connection.execute("DELETE FROM check_passes WHERE read = ?", (read,))

    def coverage(self, since: datetime, *, read: bool) -> Coverage:
        """How much was looked into since then, of the packs that the last check saw."""
        when = _column(read)
        with self._asking() as connection:
            packs, seen, recent, oldest = connection.execute(
                f"""SELECT count(*), count({when}), count(CASE WHEN {when} >= ? THEN 1 END), min({when})
                    FROM pack_checks""",
                (to_text(since),),
            ).fetchone()
        return Coverage(packs, recent, packs - seen, from_text(oldest) if packs == seen and oldest else None)


def _column(read: bool) -> str:
    return "read_at" if read else "scrubbed_at"
