"""What the catalog says of a task between its runs; light enough for a command that only asks."""

from dataclasses import dataclass, field
from datetime import datetime

from tuiback.catalog import CatalogReader
from tuiback.model import AccountState, Outcome, RunCounters, Task, TaskState, TaskStatus

# How far back the last run that was ok is looked for.
RUNS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Past:
    """A task's accounts and its last runs. `last_outcome` is partial for a run that was cut off.

    `owed` leaves out what somebody has acknowledged.
    """

    accounts: int = 0
    gone: int = 0
    owed: int = 0
    owed_since: datetime | None = None
    last_run_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_outcome: Outcome | None = None
    last_counters: RunCounters = field(default_factory=RunCounters)


def past_of(reader: CatalogReader, task: str) -> Past:
    """Ask the catalog about a task."""
    accounts = reader.accounts(task)
    owed = [debt for debt in reader.owed(task=task) if not debt.ack]
    runs = reader.runs(task, RUNS_LOOKED_AT)
    last = runs[0] if runs else None
    return Past(
        accounts=sum(a.state is AccountState.ACTIVE for a in accounts),
        gone=sum(a.state is AccountState.GONE for a in accounts),
        owed=len(owed),
        owed_since=max((debt.since for debt in owed), default=None),
        last_run_at=last.started_at if last else None,
        last_ok_at=next((run.ended_at for run in runs if run.outcome is Outcome.OK), None),
        last_outcome=(last.outcome or Outcome.PARTIAL) if last else None,
        last_counters=last.counters if last else RunCounters(),
    )


def state_at_rest(task: Task, past: Past) -> TaskState:
    """The one word for a task that does not run."""
    if task.paused:
        return TaskState.PAUSED
    match past.last_outcome:
        case Outcome.FAILED:
            return TaskState.ERROR
        case Outcome.PARTIAL:
            return TaskState.PARTIAL
        case Outcome.PAUSED:
            return TaskState.WAITING
        case _:
            return TaskState.IDLE


def at_rest(task: Task, past: Past, next_run_at: datetime | None = None) -> TaskStatus:
    """The status of a task that does not run: its figures are those of its last run.

    `next_run_at` is None where no engine is there to run it.
    """
    counters = past.last_counters
    items = counters.items_new + counters.items_changed + counters.items_unchanged
    return TaskStatus(
        name=task.name,
        tenant=task.tenant,
        service=task.service,
        mode=task.mode,
        state=state_at_rest(task, past),
        accounts=past.accounts,
        accounts_done=min(past.accounts, counters.accounts),
        gone=past.gone,
        owed=past.owed,
        items_done=items,
        items_expected=items,
        items_per_second=0.0,
        bytes_per_second=0.0,
        bytes_read=counters.bytes_read,
        bytes_stored=counters.bytes_stored,
        throttled=counters.throttled,
        failed=counters.accounts_failed,
        run=None,
        eta_seconds=None,
        last_run_at=past.last_run_at,
        last_ok_at=past.last_ok_at,
        last_outcome=past.last_outcome,
        next_run_at=next_run_at,
        owed_since=past.owed_since,
    )
