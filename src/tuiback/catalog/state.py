"""Keeps what only this home knows: who writes, jobs, the journal of writes to Microsoft, the audit, heads seen."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuiback.catalog.audit_trail import AuditTrail, make_trail
from tuiback.catalog.local_file import open_local
from tuiback.catalog.migrations import Migration
from tuiback.catalog.moments import from_text, to_text
from tuiback.catalog.rows import JobRow, JournalRow
from tuiback.errors import NoSuchThing
from tuiback.model import CommitHead, Outcome

if TYPE_CHECKING:
    from sqlite_utils import Database


def _first_tables(database: "Database") -> None:
    database.create_table("writer", {"writer_id": str}, not_null=["writer_id"])
    database.create_table("heads_seen", {"writer": str, "number": int, "digest": str}, pk="writer")
    database.create_table(
        "jobs",
        {
            "job": int, "kind": str, "subject": str, "state": str, "outcome": str, "done": int, "total": int,
            "plan": bytes, "report": bytes, "created_at": str, "updated_at": str,
        },
        pk="job",
    )
    database.create_table(
        "journal",
        {"job": int, "item_key": str, "target": str, "done": int, "new_id": str, "note": str},
        pk=("job", "item_key"),
    )
    database.create_table(
        "audit", {"row": int, "time": str, "who": str, "action": str, "subject": str, "detail": str}, pk="row"
    )
    database.table("audit").create_index(["time"])


def _check_dates(database: "Database") -> None:
    # In SQL, because sqlite-utils can't express WITHOUT ROWID. See tuiback.catalog.check_dates.
    database.execute(
        "CREATE TABLE pack_checks (pack_id TEXT PRIMARY KEY, scrubbed_at TEXT, read_at TEXT) WITHOUT ROWID"
    )
    database.execute("CREATE TABLE check_passes (read INTEGER PRIMARY KEY, begun_at TEXT NOT NULL)")


def _chores(database: "Database") -> None:
    # See tuiback.catalog.upkeep.
    database.execute(
        "CREATE TABLE chores (chore TEXT PRIMARY KEY, since TEXT NOT NULL, ended_at TEXT, outcome TEXT,"
        " note TEXT NOT NULL DEFAULT '') WITHOUT ROWID"
    )


def _replaced(database: "Database") -> None:
    database.execute("ALTER TABLE journal ADD COLUMN replaces TEXT NOT NULL DEFAULT ''")


MIGRATIONS = (
    Migration(1, "first tables", _first_tables),
    Migration(2, "dates of checks", _check_dates),
    Migration(3, "a chained audit", make_trail),
    Migration(4, "upkeep", _chores),
    Migration(5, "what a restore replaced", _replaced),
)

_JOB = "SELECT job, kind, subject, state, outcome, done, total, plan, report, created_at, updated_at FROM jobs"


def _random_writer_id() -> str:
    return secrets.token_hex(8)


class State(AuditTrail):
    """Durable when a method returns (synchronous=FULL). Calls may come from any thread; they take turns."""

    @classmethod
    def open(cls, path: Path, *, new_id: Callable[[], str] = _random_writer_id) -> "State":
        """The home's state, made when there is none yet. Raises EnvironmentFault, FormatTooNew or Damage."""
        return cls(path, open_local(path, "FULL", MIGRATIONS), new_id)

    def writer_id(self) -> str:
        """Under which name this home writes commits: made at the first call, the same ever after."""
        with self._changing() as connection:
            return self._writer(connection)

    def new_writer_id(self) -> str:
        """A new name, for when a copy of this home has used the old one."""
        with self._changing() as connection:
            return self._replace_writer(connection)

    def heads_seen(self) -> tuple[CommitHead, ...]:
        """The newest commit of each writer that this home has ever seen."""
        with self._asking() as connection:
            rows = connection.execute("SELECT writer, number, digest FROM heads_seen ORDER BY writer").fetchall()
        return tuple(CommitHead(*row) for row in rows)

    def see_head(self, head: CommitHead) -> None:
        """Remember the writer's head, so that a repository rolled back to an older one is noticed."""
        with self._changing() as connection:
            connection.execute(
                """INSERT INTO heads_seen (writer, number, digest) VALUES (?, ?, ?) ON CONFLICT DO UPDATE
                   SET number = excluded.number, digest = excluded.digest WHERE excluded.number >= number""",
                (head.writer, head.number, head.digest),
            )

    def forget_heads(self) -> None:
        """Forget all heads, once what they stood for has been given up."""
        with self._changing() as connection:
            connection.execute("DELETE FROM heads_seen")

    def new_job(self, kind: str, subject: str, plan: bytes, now: datetime, number: int | None = None) -> int:
        """The number of a new job in state "planned": `number`, or the next one here."""
        with self._changing() as connection:
            job = connection.execute(
                """INSERT INTO jobs (kind, subject, state, done, total, plan, report, created_at, updated_at, job)
                   VALUES (?, ?, 'planned', 0, 0, ?, x'', ?4, ?4, ?5)""",
                (kind, subject, plan, to_text(now), number),
            ).lastrowid
        return int(job or 0)

    def update_job(
        self,
        job: int,
        *,
        now: datetime,
        state: str | None = None,
        outcome: Outcome | None = None,
        done: int | None = None,
        total: int | None = None,
        report: bytes | None = None,
    ) -> None:
        """Change what is given. Raises NoSuchThing."""
        with self._changing() as connection:
            changed = connection.execute(
                """UPDATE jobs SET state = coalesce(?, state), outcome = coalesce(?, outcome),
                       done = coalesce(?, done), total = coalesce(?, total), report = coalesce(?, report),
                       updated_at = ? WHERE job = ?""",
                (state, outcome, done, total, report, to_text(now), job),
            ).rowcount
        if not changed:
            raise _no_such_job(job)

    def reopen_job(self, job: int, now: datetime) -> None:
        """Let a job that ended, or was cut off, go on. Raises NoSuchThing."""
        with self._changing() as connection:
            changed = connection.execute(
                "UPDATE jobs SET state = 'planned', outcome = NULL, report = x'', updated_at = ? WHERE job = ?",
                (to_text(now), job),
            ).rowcount
        if not changed:
            raise _no_such_job(job)

    def jobs(self, limit: int = 50) -> tuple[JobRow, ...]:
        """The newest jobs, the newest first."""
        with self._asking() as connection:
            rows = connection.execute(f"{_JOB} ORDER BY job DESC LIMIT ?", (limit,)).fetchall()
        return tuple(_job_row(row) for row in rows)

    def job(self, job: int) -> JobRow:
        """One job. Raises NoSuchThing."""
        with self._asking() as connection:
            row = connection.execute(f"{_JOB} WHERE job = ?", (job,)).fetchone()
        if row is None:
            raise _no_such_job(job)
        return _job_row(row)

    def intend(self, job: int, item_key: str, target: str, replaces: str = "") -> None:
        """Write down that the item is about to be written to the target: before the request is sent."""
        with self._changing() as connection:
            connection.execute(
                """INSERT OR REPLACE INTO journal (job, item_key, target, done, new_id, note, replaces)
                   VALUES (?, ?, ?, 0, '', '', ?)""",
                (job, item_key, target, replaces),
            )

    def fail(self, job: int, item_key: str, note: str) -> None:
        """Write down why the item could not be written, whether or not it came so far that it was intended."""
        with self._changing() as connection:
            connection.execute(
                """INSERT INTO journal (job, item_key, target, done, new_id, note) VALUES (?, ?, '', 1, '', ?)
                   ON CONFLICT DO UPDATE SET done = 1, note = excluded.note""",
                (job, item_key, note),
            )

    def done(self, job: int, item_key: str, new_id: str, note: str = "") -> None:
        """Write down that an intended write succeeded. Raises NoSuchThing when it was never intended."""
        with self._changing() as connection:
            changed = connection.execute(
                "UPDATE journal SET done = 1, new_id = ?, note = ? WHERE job = ? AND item_key = ?",
                (new_id, note, job, item_key),
            ).rowcount
        if not changed:
            raise NoSuchThing(f"job {job} never intended to write it", item_key, "report this to the tuiback team")

    def journal(self, job: int) -> tuple[JournalRow, ...]:
        """Every write that the job intended, in the order it did."""
        with self._asking() as connection:
            rows = connection.execute(
                """SELECT job, item_key, target, done, new_id, note, replaces FROM journal WHERE job = ?
                   ORDER BY rowid""",
                (job,),
            ).fetchall()
        return tuple(
            JournalRow(of_job, item_key, target, bool(done), new_id, note, replaces)
            for of_job, item_key, target, done, new_id, note, replaces in rows
        )


def _job_row(row: Sequence[Any]) -> JobRow:
    job, kind, subject, state, outcome, done, total, plan, report, created_at, updated_at = row
    return JobRow(
        job, kind, subject, state, None if outcome is None else Outcome(outcome), done, total, plan, report,
        from_text(created_at), from_text(updated_at),
    )


def _no_such_job(job: int) -> NoSuchThing:
    return NoSuchThing("there is no such job", f"job {job}", "list them with tuiback job list")
