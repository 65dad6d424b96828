"""Starts tasks when they are due: scheduled ones by their timetable, continuous ones at their own pace."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from msgspec.structs import replace

from tuiback.catalog import CatalogReader
from tuiback.engine.activity import Activity
from tuiback.engine.backups.dispatch import Dispatcher
from tuiback.engine.backups.runs import RunReport
from tuiback.engine.commands import RunTasks
from tuiback.engine.jumps import Jumps, show_jump
from tuiback.engine.settings.registry import Registry
from tuiback.engine.timing.due import AFTER_FAILURE, Standing, next_run_at, put_back
from tuiback.engine.timing.pace import LastRun, next_interval_seconds
from tuiback.errors import TuibackError
from tuiback.model import Clock, Outcome, Task

# The wall clock may jump, and the machine may sleep: so often it is looked at again at the latest.
_LONGEST_SLEEP_SECONDS = 60.0


class Scheduler:
    """run() until cancelled. Belongs to the engine's loop."""

    def __init__(self, registry: Registry, dispatcher: Dispatcher, activity: Activity, clock: Clock) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._activity = activity
        self._clock = clock
        self._jumps = Jumps(clock)
        self._standings: dict[str, Standing] = {}
        self._starting: set[asyncio.Task[object]] = set()
        self._changed = asyncio.Event()
        # Asked of a task that is due: whether it must wait all the same, because its disk is nearly full.
        self.is_blocked: Callable[[str], bool] = lambda _: False

    def changed(self) -> None:
        """The configuration is another one, or the clock was moved: look again."""
        self._changed.set()

    def next_run_at(self, task: Task) -> datetime | None:
        """When the task runs next by itself; None when it does not, or runs right now."""
        if task.name in self._dispatcher.runs or task.name not in self._standings:
            return None
        return self._due_at(task, self._clock.now())

    async def run(self) -> None:
        """Start what is due, then sleep until the next task is."""
        self._dispatcher.on_end = self._ended
        while True:
            self._changed.clear()
            await self._learn()
            now = self._clock.now()
            self._mind_clock(now)
            waits = [_LONGEST_SLEEP_SECONDS]
            # A task that came while the catalogs were asked has its turn at once: changed() was called for it.
            known = [task for task in self._registry.tasks if task.name in self._standings]
            for task in sorted(known, key=lambda task: -task.priority):
                # Asked for one and the same moment: for another, what is due at once would always be just ahead.
                due = None if task.name in self._dispatcher.runs else self._due_at(task, now)
                if due is not None and due <= now:
                    if not self.is_blocked(task.name):
                        self._start(task)
                elif due is not None:
                    waits.append((due - now).total_seconds())
            await self._sleep(min(waits))

    async def close(self) -> None:
        """Forget the runs that were started: whoever ends the engine stops them."""
        for starting in self._starting:
            starting.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)

    async def _sleep(self, seconds: float) -> None:
        waiting = [asyncio.ensure_future(self._changed.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _learn(self) -> None:
        """Ask the catalogs about tasks that are new here."""
        names = {task.name for task in self._registry.tasks}
        for gone in self._standings.keys() - names:
            del self._standings[gone]
        for name in names - self._standings.keys():
            archive, _ = self._registry.task(name)
            self._standings[name] = await asyncio.to_thread(standing_of, archive.reader, name)

    def _mind_clock(self, now: datetime) -> None:
        """Say when the clock was moved; what ran in times that are still to come must not keep a task from running."""
        moved = self._jumps.look()
        if moved is not None:
            self._activity.add("warn", "clock", show_jump(moved, now))
        self._standings = {name: put_back(standing, now) for name, standing in self._standings.items()}

    def _start(self, task: Task) -> None:
        now = self._clock.now()
        before = self._standings[task.name]
        # From here on it is not due any more, however long its start takes.
        self._standings[task.name] = replace(before, started_at=now, ended_at=None, outcome=None)
        started = asyncio.ensure_future(self._run_one(task.name, before))
        self._starting.add(started)
        started.add_done_callback(self._starting.discard)

    async def _run_one(self, name: str, before: Standing) -> None:
        try:
            answer = await self._dispatcher.run(RunTasks(tasks=(name,), trigger="schedule", wait=False))
        except TuibackError as error:
            self._activity.add("error", name, f"could not be started: {error}")
            self._not_started(name, before)
            return
        # What Microsoft would refuse was skipped, and the dispatcher has said why.
        if any("error" in run for run in cast("list[dict[str, object]]", answer.get("runs", []))):
            self._not_started(name, before)

    def _not_started(self, name: str, before: Standing) -> None:
        """Try again later: what was due still is."""
        self._standings[name] = replace(before, ended_at=self._clock.now(), outcome=Outcome.FAILED)
        self._changed.set()

    def _due_at(self, task: Task, now: datetime) -> datetime | None:
        standing = self._standings[task.name]
        due = next_run_at(task, standing, now)
        if due is not None and standing.outcome is Outcome.FAILED and standing.ended_at is not None:
            return max(due, standing.ended_at + AFTER_FAILURE)
        return due

    def _ended(self, task: Task, report: RunReport) -> None:
        now = self._clock.now()
        before = self._standings.get(task.name, Standing())
        counters = report.counters
        last = LastRun(
            interval_seconds=before.pause_seconds,
            run_seconds=report.seconds,
            changes=counters.items_new + counters.items_changed + counters.items_removed,
            throttled=counters.throttled > 0,
            allowance_used=self._registry.allowance_used(task.tenant),
        )
        self._standings[task.name] = Standing(
            started_at=now - timedelta(seconds=report.seconds),
            ended_at=now,
            outcome=report.outcome,
            pause_seconds=next_interval_seconds(task.service, last),
            failures=before.failures + 1 if report.outcome is Outcome.FAILED else 0,
        )
        self._changed.set()


def standing_of(reader: CatalogReader, name: str) -> Standing:
    """How the newest run of a task ended, as the catalog knows it; one that was cut off goes on at once."""
    newest = next(iter(reader.runs(name, 1)), None)
    if newest is None:
        return Standing()
    ended_at = newest.ended_at or newest.started_at
    outcome = newest.outcome if newest.ended_at is not None else Outcome.PAUSED
    return Standing(newest.started_at, ended_at, outcome, failures=int(outcome is Outcome.FAILED))
