"""Decides when a task runs next, from what is configured and how its newest run ended."""

from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from tuiback.engine.timing.hours import Hours, parse_hours
from tuiback.engine.timing.timetable import Timetable, parse_timetable, parse_zone
from tuiback.errors import UsageError
from tuiback.model import Outcome, Task

MODES = ("manual", "scheduled", "continuous")
# After a run that failed as a whole (no network, no disk) the next try waits so long, and then twice as long each time.
AFTER_FAILURE = timedelta(minutes=10)
_LONGEST_AFTER_FAILURE = timedelta(hours=4)


class Standing(msgspec.Struct, frozen=True):
    """A task's newest run, as far as its next one depends on it; all None before the first.

    `pause_seconds` is how long a continuous task rests after it, `failures` how many have failed since one did not.
    """

    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    pause_seconds: float = 0.0
    failures: int = 0


def check_plan(task: Task) -> None:
    """Let a sound mode, schedule and window pass. Raises UsageError."""
    if task.mode not in MODES:
        raise UsageError("there is no such mode", task.mode, f"choose one of: {', '.join(MODES)}")
    if task.mode == "scheduled":
        timetable_of(task)
    elif task.cron:
        raise UsageError("a cron expression goes with --mode scheduled", task.cron, "give both, or leave it out")
    hours_of(task)


def timetable_of(task: Task) -> Timetable:
    """When a scheduled task runs. Raises UsageError."""
    if not task.cron:
        raise UsageError("a scheduled task needs a cron expression", task.name, "add --cron '0 22 * * *'")
    return _timetable(task.cron, task.tz, task.window)


def hours_of(task: Task) -> Hours:
    """When a task may run at all. Raises UsageError."""
    return _hours(task.window, task.tz)


def next_run_at(task: Task, standing: Standing, now: datetime) -> datetime | None:
    """When the task is to run next by itself; a moment in the past means at once, None never.

    A run that its window's end has paused goes on when the window opens again. What was missed while nothing ran
    is made good by one run. A scheduled run that failed is tried again before its next tick, ever more seldom.
    """
    if task.paused or task.mode == "manual":
        return None
    if standing.outcome is Outcome.PAUSED:
        return hours_of(task).next_open(now)
    if task.mode == "scheduled":
        done = standing.started_at or task.created_at or now
        due = _due_after(timetable_of(task), done)
        if standing.outcome is Outcome.FAILED and standing.ended_at is not None:
            again = hours_of(task).next_open(max(standing.ended_at + _rest(standing.failures), now))
            due = min((moment for moment in (due, again) if moment is not None), default=None)
        if due is None or due > now or hours_of(task).is_open(now):
            return due
        # What was missed waits for the window too: a start outside it would do nothing.
        return hours_of(task).next_open(now)
    ended = standing.ended_at or standing.started_at
    if ended is None:
        return hours_of(task).next_open(now)
    # A clock that was put back must not keep a task waiting for hours that are over.
    begins = min(ended, now) + timedelta(seconds=standing.pause_seconds)
    return hours_of(task).next_open(max(begins, now))


def _rest(failures: int) -> timedelta:
    # Doubled five times, ten minutes are more than four hours.
    return min(AFTER_FAILURE * (1 << min(max(failures - 1, 0), 5)), _LONGEST_AFTER_FAILURE)


def put_back(standing: Standing, now: datetime) -> Standing:
    """The same when the clock is found to be earlier than it was: nothing can have been started in times to come."""
    started_at = standing.started_at and min(standing.started_at, now)
    return replace(standing, started_at=started_at, ended_at=standing.ended_at and min(standing.ended_at, now))


def closes_at(task: Task, now: datetime) -> datetime | None:
    """When a run that begins now must pause, because its window ends; None without a window."""
    return hours_of(task).next_change(now) if task.window else None


@lru_cache(maxsize=4096)
def _timetable(cron: str, zone: str, window: str) -> Timetable:
    return parse_timetable(cron, zone, window)


@lru_cache(maxsize=4096)
def _due_after(timetable: Timetable, done: datetime) -> datetime | None:
    # Asked of every task once a second, and cron goes through the days one by one.
    return timetable.due_at(done)


@lru_cache(maxsize=4096)
def _hours(window: str, zone: str) -> Hours:
    return parse_hours(window, parse_zone(zone))
