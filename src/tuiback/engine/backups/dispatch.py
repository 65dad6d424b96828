"""Starts, joins and stops the runs of tasks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import asdict, replace

from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.backups.runs import Crew, RunReport, TaskRun
from tuiback.engine.codec import error_fields
from tuiback.engine.commands import PauseTask, RunTasks, StopTask
from tuiback.engine.monitor import RunMonitor
from tuiback.engine.settings.bandwidth import Bandwidth
from tuiback.engine.settings.limits import Gate
from tuiback.engine.settings.registry import Registry
from tuiback.engine.timing.due import closes_at, hours_of
from tuiback.errors import NoSuchThing, TuibackError, UsageError
from tuiback.model import Clock, Outcome, PackTable, RunCounters, Task

_CLOCK_LOOKED_AT_SECONDS = 60.0


def report_fields(report: RunReport, *, joined: bool) -> dict[str, object]:
    """A run as cli.md's `run` tells it."""
    fields: dict[str, object] = {"run": report.run, "task": report.task, "outcome": str(report.outcome)}
    fields["joined"] = joined
    fields |= asdict(report.counters)
    fields["seconds"] = round(report.seconds, 3)
    if report.error is not None:
        fields["error"] = error_fields(report.error)
    return fields


def _skipped_fields(name: str) -> dict[str, object]:
    """A task that can't start now, in the same shape as a run."""
    fields: dict[str, object] = {"run": None, "task": name, "outcome": str(Outcome.SKIPPED), "joined": False}
    return fields | asdict(RunCounters()) | {"seconds": 0.0}


async def _none_refused(_: str) -> TuibackError | None:
    return None


class Dispatcher:
    """At most one run a task; whoever asks for a running task joins it."""

    def __init__(self, registry: Registry, accounts: Gate, files: Gate, activity: Activity, clock: Clock) -> None:
        self._registry = registry
        self._accounts = accounts
        self._files = files
        self._activity = activity
        self._clock = clock
        self._runs: dict[str, TaskRun] = {}
        self._work: dict[str, asyncio.Task[RunReport]] = {}
        self._next_run: dict[str, int] = {}
        self._bytes_seen: dict[str, int] = {}
        self._starting = asyncio.Lock()
        # Why the last run of a task could do nothing, of those that ended here.
        self.faults: dict[str, TuibackError] = {}
        # What all runs share to read content through; None where nothing limits it.
        self.bandwidth: Bandwidth | None = None
        # Asked before a start for what keeps a tenant from being backed up at all.
        self.refusal: Callable[[str], Awaitable[TuibackError | None]] = _none_refused
        # Called with the task and its report whenever a run has ended.
        self.on_end: Callable[[Task, RunReport], None] = lambda *_: None
        # Called whenever a run begins.
        self.on_begin: Callable[[], None] = lambda: None

    @property
    def runs(self) -> Mapping[str, TaskRun]:
        """The runs in progress, by task."""
        return self._runs

    async def run(self, command: RunTasks) -> dict[str, object]:
        """Run the tasks at once, side by side; the answer comes when all have ended, unless wait is off."""
        names = command.tasks or tuple(t.name for t in self._registry.tasks if not t.paused)
        if not names:
            raise NoSuchThing("there are no tasks yet", "", "add one with 'tuiback task add'")
        for name in names:
            self._registry.task(name)
        waiting: list[tuple[bool, asyncio.Task[RunReport]]] = []
        closed: list[dict[str, object]] = []
        for name in dict.fromkeys(names):
            joined = name in self._work
            if not joined and not command.now and (opens := self._opens_at(name)) is not None:
                closed.append(_skipped_fields(name) | {"opens_at": f"{opens:%Y-%m-%dT%H:%M:%SZ}"})
                continue
            if not joined and (refusal := await self.refusal(self._registry.task(name)[1].tenant)) is not None:
                self._activity.add("warn", name, f"skipped: {refusal}")
                closed.append(_skipped_fields(name) | {"error": error_fields(refusal)})
                continue
            waiting.append((joined, self._work[name] if joined else await self._start(name, command)))
        if not command.wait:
            started = [{"task": name, "run": run.run} for name, run in self._runs.items() if name in names]
            return {"runs": started + closed}
        reports = [(joined, await asyncio.shield(work)) for joined, work in waiting]
        return {"runs": [report_fields(report, joined=joined) for joined, report in reports] + closed}

    def _opens_at(self, name: str) -> datetime | None:
        """When the task's window opens; None while it is open."""
        _, task = self._registry.task(name)
        now = self._clock.now()
        hours = hours_of(task)
        return None if hours.is_open(now) else hours.next_open(now)

    async def _start(self, name: str, command: RunTasks) -> "asyncio.Task[RunReport]":
        async with self._starting:
            if name in self._work:
                return self._work[name]
            archive, task = self._registry.task(name)
            await archive.mend()
            number = self._next_run.get(archive.ref.name)
            if number is None:
                number = await asyncio.to_thread(archive.reader.last_run_number) + 1
            self._next_run[archive.ref.name] = number + 1
            connector = self._registry.connector(task.tenant, task.service)
            monitor = RunMonitor(self._clock, partial(self._traffic, task.tenant, connector.throttled_as))
            crew = Crew(
                archive,
                connector,
                self._accounts,
                self._files,
                self._activity,
                monitor,
                self._clock,
                partial(self._registry.members_of, task.tenant),
                self.bandwidth,
            )
            run = TaskRun(task, number, command.trigger, crew, command.accounts)
            self._runs[name] = run
            self.on_begin()
            archive.on_commit = partial(self._share, archive)
            self._activity.add("info", name, f"run {number} started ({command.trigger})")
            work = asyncio.ensure_future(self._watch(run, self._ends_at(task, command)))
            self._work[name] = work
            return work

    def _ends_at(self, task: Task, command: RunTasks) -> datetime | None:
        """When the run must pause: at its window's end, or when its time is up."""
        now = self._clock.now()
        ends = [] if command.max_seconds is None else [now + timedelta(seconds=command.max_seconds)]
        closes = None if command.now else closes_at(task, now)
        return min([*ends, closes] if closes else ends, default=None)

    async def _watch(self, run: TaskRun, ends_at: datetime | None) -> RunReport:
        pausing = None if ends_at is None else asyncio.ensure_future(self._pause_at(run, ends_at))
        try:
            report = await run.execute()
        finally:
            if pausing is not None:
                pausing.cancel()
            del self._runs[run.task.name]
            del self._work[run.task.name]
        self.faults.pop(run.task.name, None)
        if report.error is not None:
            self.faults[run.task.name] = report.error
        self.on_end(run.task, report)
        return report

    async def _pause_at(self, run: TaskRun, moment: datetime) -> None:
        # In short steps, because the wall clock may be moved meanwhile.
        while (left := (moment - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(left, _CLOCK_LOOKED_AT_SECONDS))
        run.stop(Outcome.PAUSED)

    def _traffic(self, tenant: str, throttled_as: str) -> tuple[int, int]:
        """(requests, throttled replies) of the tenant's service up to now."""
        figures = [f for f in self._registry.graph(tenant).throttle_status() if f.service == throttled_as]
        return sum(f.requests for f in figures), sum(f.throttled for f in figures)

    def _share(self, archive: Archive, packs: Sequence[PackTable]) -> None:
        """Runs store side by side: each is said to have stored, and saved, its share of the bytes read."""
        saved = archive.new_savings()
        amounts = {
            "bytes_stored": sum(p.stored_bytes for p in packs),
            "bytes_decoded": saved.decoded_bytes,
            "bytes_single_instance": saved.single_instance_bytes,
            "bytes_blocks": saved.block_bytes,
        }
        seen = {name: run.monitor.counters.bytes_read for name, run in self._runs.items()}
        read = {name: count - self._bytes_seen.get(name, 0) for name, count in seen.items()}
        total = sum(read.values())
        for name, run in self._runs.items():
            for counter, amount in amounts.items():
                run.monitor.count(counter, amount * read[name] // total if total else 0)
        self._bytes_seen = seen

    @contextlib.asynccontextmanager
    async def at_rest(self, name: str) -> AsyncIterator[None]:
        """Within, no run starts. Raises UsageError while this task is running."""
        async with self._starting:
            if name in self._work:
                raise UsageError("the task is running", name, f"let it end, or stop it with 'tuiback stop {name}'")
            yield

    async def stop(self, command: StopTask) -> dict[str, object]:
        """Stop a task's run at a checkpoint."""
        self._registry.task(command.task)
        run = self._runs.get(command.task)
        if run is None:
            raise NoSuchThing("the task is not running", command.task)
        run.stop()
        await asyncio.wait([self._work[command.task]])
        return {}

    async def stop_all(self) -> None:
        """Stop every run at a checkpoint."""
        for run in self._runs.values():
            run.stop()
        if self._work:
            await asyncio.wait(list(self._work.values()))

    async def pause(self, command: PauseTask) -> dict[str, object]:
        """Keep a task from starting, or let it start again."""
        archive, task = self._registry.task(command.task)
        if task.paused != command.paused:
            await self._registry.save_task(archive, replace(task, paused=command.paused))
        if command.paused and command.task in self._runs:
            await self.stop(StopTask(task=command.task))
        return {}
