"""Says whether a task, or an account of it, is late by the task's own objective."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tuiback.engine.duration import parse_duration
from tuiback.model import Task

if TYPE_CHECKING:
    from tuiback.catalog import AccountOverview


def late_since(task: Task, last_ok_at: datetime | None, now: datetime) -> datetime | None:
    """Since when the task is late by its objective; None while it is in time, paused, or has no objective."""
    begun = last_ok_at or task.created_at
    if task.paused or not task.objective or begun is None:
        return None
    ends = begun + parse_duration(task.objective)
    return ends if ends < now else None


def ok_since(tasks: Iterable[Task], now: datetime) -> dict[str, tuple[datetime, bool]]:
    """For CatalogReader.count_states(): by when accounts of tasks with an objective are late."""
    return {
        task.name: (now - parse_duration(task.objective), late_since(task, None, now) is not None)
        for task in tasks
        if task.objective and not task.paused
    }


def with_late(
    overviews: "Iterable[AccountOverview]", tasks: Iterable[Task], now: datetime
) -> "Iterator[AccountOverview]":
    """The same accounts; those that seem ok and have no ok snapshot within their task's objective are late."""
    by_name = {task.name: task for task in tasks}
    for overview in overviews:
        task = by_name.get(overview.account.task)
        is_late = overview.state == "ok" and task is not None and late_since(task, overview.last_ok_at, now) is not None
        yield replace(overview, state="late") if is_late else overview
