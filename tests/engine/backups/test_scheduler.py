"""The scheduler starts tasks on time through days, sleeps and jumps of the clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tests.graph.clocks import HandClock, settle
from tuiback.engine.activity import Activity
from tuiback.engine.backups.dispatch import Dispatcher
from tuiback.engine.backups.runs import RunReport
from tuiback.engine.backups.scheduler import Scheduler
from tuiback.engine.commands import RunTasks
from tuiback.engine.settings.registry import Registry
from tuiback.errors import EnvironmentFault
from tuiback.model import Outcome, RunCounters, RunRow, Task

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
HOUR = 3600.0
NIGHTLY = Task("nightly", "t", "exchange", everything=True, mode="scheduled", cron="0 22 * * *", created_at=START)
STEADY = Task("steady", "t", "exchange", everything=True, mode="continuous", created_at=START)


class RealisticClock(HandClock):
    """Never tells the same moment twice; `put_forward` is how wrong it was set."""

    put_forward = timedelta()

    def now(self) -> datetime:
        """A microsecond later than the last time."""
        self.seconds += 1e-6
        return super().now() + self.put_forward


class Office:
    """Stands for registry, catalog and dispatcher: keeps tasks, and runs that last ten minutes."""

    def __init__(self, clock: "RealisticClock") -> None:
        self.clock = clock
        self.tasks: tuple[Task, ...] = ()
        self.past: dict[str, RunRow] = {}
        self.runs: dict[str, object] = {}
        self.started: list[tuple[str, datetime]] = []
        self.outcome = Outcome.OK
        self.refuses = False
        self.skips = False
        self.skipped = 0
        self.changes = 0
        self.run_seconds = 600.0
        self.on_end: Callable[[Task, RunReport], None] = lambda *_: None
        self._going: set[asyncio.Task[None]] = set()

    def task(self, name: str) -> tuple[Any, Task]:
        """The task, and itself in place of an archive with a reader."""
        return self, next(task for task in self.tasks if task.name == name)

    @property
    def reader(self) -> "_Reader":
        """The catalog."""
        return _Reader(self)

    def history(self, name: str, _limit: int) -> tuple[RunRow, ...]:
        """The newest run that the catalog knows."""
        return (self.past[name],) if name in self.past else ()

    def allowance_used(self, _tenant: str) -> float:
        """Nobody else asks Microsoft for anything."""
        return 0.0

    async def run(self, command: RunTasks) -> dict[str, object]:
        """Start a run that ends by itself."""
        (name,) = command.tasks
        if self.refuses:
            raise EnvironmentFault("the repository is not mounted", "/volume1")
        if self.skips:
            self.skipped += 1
            return {"runs": [{"task": name, "outcome": "skipped", "error": {"what": "waiting for consent"}}]}
        self.started.append((name, self.clock.now()))
        self.runs[name] = object()
        self._going.add(asyncio.create_task(self._end(name)))
        return {}

    async def _end(self, name: str) -> None:
        await self.clock.sleep(self.run_seconds)
        del self.runs[name]
        task = self.task(name)[1]
        counters = RunCounters(items_new=self.changes)
        self.on_end(task, RunReport(1, name, self.outcome, self.run_seconds, counters))


class _Reader:
    """The catalog of an office."""

    def __init__(self, office: Office) -> None:
        self.runs = office.history


class Watch:
    """A scheduler at work."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.activity = Activity(office.clock)
        self.scheduler = Scheduler(
            cast("Registry", office), cast("Dispatcher", office), self.activity, office.clock
        )
        self._work = asyncio.create_task(self.scheduler.run())

    async def pass_hours(self, hours: float) -> None:
        """Let time go by."""
        await self.office.clock.advance(hours * HOUR)

    async def end(self) -> None:
        """End it."""
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)
        await self.scheduler.close()


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    """A scheduler over an empty office, on Monday at six in the morning."""
    watch = Watch(Office(RealisticClock()))
    yield watch
    await watch.end()


async def add(watch: Watch, *tasks: Task) -> None:
    """Configure tasks, and wait until the scheduler has asked the catalog about them on its other thread."""
    watch.office.tasks += tasks
    watch.scheduler.changed()
    async with asyncio.timeout(30):
        # The catalog is asked on another thread, so there is nothing here to wait for but the outcome.
        while not all(t.name in watch.office.runs or watch.scheduler.next_run_at(t) for t in tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await settle()


async def test_a_nightly_task_runs_every_night(watch: Watch) -> None:
    """Three days have three runs, each at its minute; in between the next one is known."""
    await add(watch, NIGHTLY)
    assert watch.scheduler.next_run_at(NIGHTLY) == START + timedelta(hours=16)
    await watch.pass_hours(72)
    nights = [START + timedelta(hours=hours) for hours in (16, 40, 64)]
    assert [moment.replace(microsecond=0) for _, moment in watch.office.started] == nights


async def test_nights_that_were_slept_through_are_made_good_once(watch: Watch) -> None:
    """The clock jumps three days ahead while the machine sleeps: one run within a minute of waking."""
    await add(watch, NIGHTLY)
    watch.office.clock.seconds += 72 * HOUR
    woken = watch.office.clock.now()
    await watch.pass_hours(1)
    assert [name for name, _ in watch.office.started] == ["nightly"]
    assert watch.office.started[0][1] - woken <= timedelta(minutes=1)
    await watch.pass_hours(22)
    assert len(watch.office.started) == 2


async def test_a_run_that_a_crash_cut_off_goes_on_at_once(watch: Watch) -> None:
    """The catalog knows a run without an end."""
    watch.office.past["nightly"] = RunRow(7, "nightly", "schedule", START - timedelta(hours=8))
    await add(watch, NIGHTLY)
    ((name, moment),) = watch.office.started
    assert (name, moment - START < timedelta(seconds=1)) == ("nightly", True)


async def test_a_continuous_task_slows_down_where_nothing_changes(watch: Watch) -> None:
    """The pauses grow to an hour; with changes they shrink to five minutes, and runs never overlap."""
    watch.office.run_seconds = 10
    await add(watch, STEADY)
    await watch.pass_hours(24)
    quiet = len(watch.office.started)
    assert 24 <= quiet <= 40
    watch.office.changes = 3
    await watch.pass_hours(24)
    assert len(watch.office.started) - quiet > 200


async def test_what_cannot_be_started_is_told_and_tried_later(watch: Watch) -> None:
    """Each ten minutes at the soonest, not in a circle without end."""
    watch.office.refuses = True
    await add(watch, STEADY)
    await watch.pass_hours(1)
    told = [line.text for line in watch.activity.recent() if line.level == "error"]
    assert 5 <= len(told) <= 7
    assert "not mounted" in told[0]
    watch.office.refuses = False
    await watch.pass_hours(0.2)
    assert watch.office.started


async def test_a_task_whose_tenant_waits_for_consent_is_asked_again_in_a_while(watch: Watch) -> None:
    """What was skipped because Microsoft would refuse is tried every ten minutes, not at once, until it may run."""
    watch.office.skips = True
    await add(watch, STEADY)
    await watch.pass_hours(1)
    assert 5 <= watch.office.skipped <= 7
    assert not watch.office.started
    watch.office.skips = False
    await watch.pass_hours(0.2)
    assert watch.office.started


async def test_a_task_that_was_removed_runs_no_more(watch: Watch) -> None:
    """Nor does one that was paused, until it goes on."""
    await add(watch, STEADY)
    await watch.pass_hours(0.5)
    watch.office.tasks = ()
    watch.scheduler.changed()
    before = len(watch.office.started)
    await watch.pass_hours(5)
    assert len(watch.office.started) == before


async def test_of_tasks_due_together_the_highest_priority_starts_first(watch: Watch) -> None:
    """Order of starting follows priority, not name."""
    await add(watch, *(replace(STEADY, name=name, priority=number) for number, name in enumerate("abc")))
    assert [name for name, _ in watch.office.started] == ["c", "b", "a"]


async def test_what_could_not_be_started_is_still_due(watch: Watch) -> None:
    """A nightly run whose disk is away at ten is made good that night, not the next."""
    await add(watch, NIGHTLY)
    watch.office.refuses = True
    await watch.pass_hours(16.5)
    watch.office.refuses = False
    await watch.pass_hours(0.5)
    ((name, moment),) = watch.office.started
    assert name == "nightly"
    assert timedelta(hours=16.5) < moment - START < timedelta(hours=17)


async def test_a_night_that_failed_is_made_good_as_soon_as_that_is_possible(watch: Watch) -> None:
    """Microsoft can't be reached from ten to midnight: a few tries, a good run, and none before the next night."""
    watch.office.run_seconds = 60
    watch.office.outcome = Outcome.FAILED
    await add(watch, NIGHTLY)
    await watch.pass_hours(18)
    assert len(watch.office.started) == 4
    watch.office.outcome = Outcome.OK
    await watch.pass_hours(21)
    assert len(watch.office.started) == 5
    await watch.pass_hours(2)
    assert len(watch.office.started) == 6


async def test_a_clock_put_back_is_told_and_keeps_no_task_from_running(watch: Watch) -> None:
    """Two days ahead for an hour, then right again: the coming night has its run."""
    clock = watch.office.clock
    await add(watch, NIGHTLY)
    clock.put_forward = timedelta(days=2)
    await watch.pass_hours(1)
    clock.put_forward = timedelta()
    await watch.pass_hours(16)
    assert [moment.replace(microsecond=0) for _, moment in watch.office.started][1:] == [START + timedelta(hours=16)]
    told = [line.text for line in watch.activity.recent() if line.subject == "clock"]
    assert len(told) == 2
    assert "jumped 2 days, 0:0" in told[0]
    assert "put back by 2 days, 0:0" in told[1]
