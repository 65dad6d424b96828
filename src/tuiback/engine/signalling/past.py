"""What the catalogs say of tasks between their runs; light enough for a command that only asks."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import msgspec

from tuiback.catalog import CatalogReader
from tuiback.engine.timing.lateness import ok_since
from tuiback.model import AccountState, Outcome, RunCounters, RunRow, Task, TaskState, TaskStatus, Tenant, TenantStatus

# How far back the last run that was ok is looked for.
RUNS_LOOKED_AT = 50


class Past(msgspec.Struct, frozen=True):
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
    last_counters: RunCounters = msgspec.field(default_factory=RunCounters)


def pasts_of(reader: CatalogReader, tasks: Iterable[str]) -> dict[str, Past]:
    """Ask the catalog about these tasks; what is counted over all accounts is counted once."""
    accounts, debts = reader.count_accounts(), reader.count_debts()
    pasts = {}
    for task in tasks:
        owed, owed_since = debts.get(task, (0, None))
        runs = _looked_at(reader, task)
        last = runs[0] if runs else None
        pasts[task] = Past(
            accounts=accounts.get((task, AccountState.ACTIVE), 0),
            gone=accounts.get((task, AccountState.GONE), 0),
            owed=owed,
            owed_since=owed_since,
            last_run_at=last.started_at if last else None,
            last_ok_at=next((run.ended_at for run in runs if run.outcome is Outcome.OK), None),
            last_outcome=(last.outcome or Outcome.PARTIAL) if last else None,
            last_counters=last.counters if last else RunCounters(),
        )
    return pasts


def past_of(reader: CatalogReader, task: str) -> Past:
    """Ask the catalog about one task."""
    return pasts_of(reader, (task,))[task]


def _looked_at(reader: CatalogReader, task: str) -> tuple[RunRow, ...]:
    newest = reader.runs(task, 1)
    # Of most tasks the last run was ok, and says everything.
    return newest if not newest or newest[0].outcome is Outcome.OK else reader.runs(task, RUNS_LOOKED_AT)


def standing_of(readers: Iterable[CatalogReader], now: datetime) -> dict[str, int]:
    """How many accounts of all tasks are ok, late, failed, gone or never were backed up."""
    standing: Counter[str] = Counter()
    for reader in readers:
        standing.update(reader.count_states(ok_since(reader.tasks(), now)))
    return dict(standing)


def shown_tenant(tenant: Tenant) -> TenantStatus:
    """A tenant as a picture shows it."""
    return TenantStatus(
        name=tenant.name,
        tenant_id=tenant.tenant_id,
        cloud=tenant.cloud,
        credential_kind=tenant.credential_kind,
        credential_expires_on=tenant.credential_expires_on,
        consent=str(tenant.consent),
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
