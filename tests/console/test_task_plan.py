"""A task's plan in words: what keeps it from running now, and when it goes on."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from tests.console.fakes import NOW, task
from tuiback.console.task_plan import plan_lines
from tuiback.console.task_rows import TaskOrder, columns_for, task_rows
from tuiback.model import Task, TaskState, TaskStatus

# A Monday, 10:41 UTC; the window opens at 20:00.
PLAN = Task(
    "mail", "contoso", "exchange", everything=True, mode="scheduled", cron="0 22 * * *", tz="UTC",
    window="mon-fri 20:00-06:00", objective="26h", created_at=NOW - timedelta(days=9),
)
TONIGHT = NOW.astimezone().replace(hour=20, minute=0, second=0)


def told(plan: Task, status: TaskStatus | None, start: str, now: datetime = NOW) -> str:
    """The line of the plan that begins so."""
    lines = ["".join(span.text for span in line) for line in plan_lines(plan, status, None, now)]
    return next(line for line in lines if line.startswith(start))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"next_run_at": TONIGHT}, "today 20:00; its window is closed now"),
        ({"next_run_at": TONIGHT, "last_outcome": "paused"}, "today 20:00: paused by its window, it goes on where"),
        ({"next_run_at": TONIGHT, "state": TaskState.DISK}, "today 20:00; it waits for room on the disk"),
        ({"run": 7}, "runs now"),
        ({}, "never by itself; R runs it"),
    ],
)
def test_what_comes_next_is_told_with_its_reason(changes: dict[str, object], expected: str) -> None:
    """A closed window, a pause, a full disk, a run in progress, or nothing at all."""
    assert expected in told(PLAN, task("mail", **changes), "Next")  # type: ignore[arg-type]  # fields of TaskStatus


def test_a_run_in_its_window_says_when_that_ends() -> None:
    """At two in the morning there are four hours left."""
    night = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    ends = f"{datetime(2026, 11, 24, 6, 0, tzinfo=UTC).astimezone():%H:%M}"
    assert f"its window ends today {ends}" in told(PLAN, task("mail", run=7), "Next", night)


def test_pauses_engines_and_objectives() -> None:
    """A pause by hand, no engine, no objective and a late task are told."""
    assert "paused by you" in told(replace(PLAN, paused=True), task("mail"), "Next")
    assert "no engine runs it" in told(PLAN, None, "Next")
    assert "it has no --objective" in told(replace(PLAN, objective=""), task("mail"), "Late")
    assert "in time" in told(PLAN, task("mail", last_ok_at=NOW), "Late")
    assert "LATE since" in told(PLAN, task("mail", last_ok_at=NOW - timedelta(days=2)), "Late")


def test_the_next_run_names_the_day_where_the_hour_would_mislead() -> None:
    """Within a day the hour, then how many days, then the date."""
    tasks = [
        task(f"t{days}", next_run_at=TONIGHT + timedelta(days=days), last_ok_at=NOW - timedelta(days=3))
        for days in (0, 3, 30)
    ]
    columns = columns_for(80)
    rows = task_rows(tasks, TaskOrder(sort="task"), columns, NOW, {"t3"})
    cells = [dict(zip((column.key for column in columns), row.cells, strict=True)) for row in rows]
    assert [one["next"] for one in cells] == ["20:00", "in 3d", "12-23"]
    assert [one["last"][0][0] for one in cells] == ["3d", "3d!", "3d"]
