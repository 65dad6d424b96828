"""Makes the task table's rows out of a status: which columns, which order, which accounts under which task."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tuiback.console import figures
from tuiback.console.services import short_service
from tuiback.console.widgets.gauge import bar
from tuiback.console.widgets.lines import Line, Span
from tuiback.console.widgets.rows import Cell, Column, Row
from tuiback.model import AtWork, TaskState, TaskStatus

MIDDLE, WIDE = 100, 130

STATE_TONES = {
    TaskState.RUNNING: "ok", TaskState.THROTTLED: "warn", TaskState.WAITING: "info", TaskState.ERROR: "err",
    TaskState.PARTIAL: "warn", TaskState.IDLE: "dim", TaskState.PAUSED: "info", TaskState.DISK: "err",
}
WORST_FIRST = (
    TaskState.ERROR, TaskState.DISK, TaskState.THROTTLED, TaskState.PARTIAL, TaskState.RUNNING, TaskState.WAITING,
    TaskState.PAUSED, TaskState.IDLE,
)
_SHORT_MODES = {"continuous": "cont", "scheduled": "sched", "manual": "man"}
_NEVER_ETA = float("inf")

SORT_KEYS: dict[str, Callable[[TaskStatus], object]] = {
    "state": lambda task: WORST_FIRST.index(task.state),
    "task": lambda task: task.name,
    "done": lambda task: -done_share(task),
    "owed": lambda task: -task.owed,
    "items": lambda task: -task.items_per_second,
    "bytes": lambda task: -task.bytes_per_second,
    "eta": lambda task: _NEVER_ETA if task.eta_seconds is None else task.eta_seconds,
}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """What a row stands for: a task, or an account at work under it."""

    task: TaskStatus
    at_work: AtWork | None = None


@dataclass(slots=True)
class TaskOrder:
    """How the user wants the tasks: order, filter, and which are unfolded."""

    sort: str = "state"
    inverted: bool = False
    pattern: str = ""
    open: set[str] = field(default_factory=set)


def columns_for(width: int) -> tuple[Column, ...]:
    """The columns that fit: more from 100 and again from 130 cells on."""
    wide, middle = width >= WIDE, width >= MIDDLE
    columns = [
        Column("task", "TASK", 10, grow=True),
        Column("service", "SVC", 3),
        Column("mode", "MODE", 10 if wide else 5),
        Column("state", "ST", 5 if middle else 4),
        Column("done", "DONE", 20 if wide else 11),
    ]
    if middle:
        columns.append(Column("accounts", "ACCTS", 8, "right"))
    columns += [
        Column("last", "LAST", 4, "right"),
        Column("owed", "OWED", 4, "right"),
        Column("items", "it/s", 5, "right"),
        Column("bytes", "MB/s", 5, "right"),
    ]
    if wide:
        columns.append(Column("read", "READ", 6, "right"))
    if middle:
        columns += [Column("throttled", "429", 4, "right"), Column("dedup", "DEDUP", 5, "right")]
    return (*columns, Column("eta", "ETA", 5, "right"), Column("next", "NEXT", 5, "right"))


def done_share(task: TaskStatus) -> float:
    """How much of the run is done, between 0 and 1."""
    if task.run is None:
        return 1.0 if task.last_outcome == "ok" else task.accounts_done / max(1, task.accounts)
    if task.items_expected:
        return min(1.0, task.items_done / task.items_expected)
    return task.accounts_done / max(1, task.accounts)


def task_rows(
    tasks: Sequence[TaskStatus],
    order: TaskOrder,
    columns: Sequence[Column],
    now: datetime,
    late: Collection[str] = (),
) -> list[Row[TaskLine]]:
    """The rows in the user's order; an unfolded task is followed by its accounts at work.

    The last ok run of a task that is `late` has a mark.
    """
    pattern = order.pattern.casefold()
    shown = [task for task in tasks if pattern in f"{task.name} {task.tenant} {task.service}".casefold()]
    # Names decide among equals, so that rows never change places without a reason.
    shown.sort(key=lambda task: task.name)
    shown.sort(key=SORT_KEYS[order.sort], reverse=order.inverted)  # type: ignore[arg-type]  # each key is of one type
    rows: list[Row[TaskLine]] = []
    for task in shown:
        rows.append(_task_row(task, columns, now, late=task.name in late))
        if task.name in order.open:
            rows.extend(_work_row(task, work, columns) for work in task.at_work)
    return rows


def _task_row(task: TaskStatus, columns: Sequence[Column], now: datetime, *, late: bool) -> Row[TaskLine]:
    cells: dict[str, Cell] = {
        "task": task.name,
        "service": short_service(task.service),
        "mode": task.mode if any(one.key == "mode" and one.width >= 10 for one in columns) else _mode(task.mode),
        "state": (Span(task.state.value, STATE_TONES[task.state]),),
        "done": _done_cell(task, next(column.width for column in columns if column.key == "done")),
        "accounts": f"{task.accounts_done}/{task.accounts}",
        "last": (Span(f"{figures.age(task.last_ok_at, now)}{'!' if late else ''}", "warn" if late else ""),),
        "owed": (Span(figures.short_number(task.owed), "warn" if task.owed else "dim"),),
        "items": figures.rate(task.items_per_second),
        "bytes": figures.megabytes_rate(task.bytes_per_second),
        "read": figures.size(task.bytes_read),
        "throttled": (Span(figures.short_number(task.throttled), "warn" if task.throttled else "dim"),),
        "dedup": f"{task.bytes_read / task.bytes_stored:.1f}x" if task.bytes_stored else "-",
        "eta": figures.duration(task.eta_seconds),
        "next": figures.ahead(task.next_run_at, now),
    }
    return Row(task.name, tuple(cells[column.key] for column in columns), TaskLine(task))


def _mode(mode: str) -> str:
    return _SHORT_MODES.get(mode, mode)


def _done_cell(task: TaskStatus, width: int) -> Line:
    if task.run is None and task.last_outcome is None:
        return bar(0, width, "never")
    share = done_share(task)
    tone = STATE_TONES[task.state] if task.run is not None else "dim"
    return bar(share, width, f"{share * 100:.0f}%", tone)


def _work_row(task: TaskStatus, work: AtWork, columns: Sequence[Column]) -> Row[TaskLine]:
    done = figures.short_number(work.items_done)
    state_width = next(column.width for column in columns if column.key == "state")
    cells: dict[str, Cell] = {
        "task": f"  └ {work.address}",
        "state": (Span(work.phase[:state_width], "info"),),
        "done": f" {done} items",
        "read": figures.size(work.bytes_read),
    }
    shown = tuple(cells.get(column.key, "") for column in columns)
    return Row(f"{task.name}\0{work.account_id}", shown, TaskLine(task, work), "dim")
