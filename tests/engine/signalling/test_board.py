"""The picture of the engine: states, rates and guesses."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tests.engine.rig import Rig
from tuiback.engine.monitor import Rate, RunMonitor
from tuiback.engine.signalling.board import eta_seconds
from tuiback.engine.signalling.past import past_of, state_at_rest
from tuiback.engine.signalling.remembered import FORECAST_EVERY_SECONDS, Forecasts
from tuiback.model import Outcome, RunCounters, RunRow, Task, TaskState


class TickingClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """A fixed day."""
        return datetime(2026, 11, 23, tzinfo=UTC)

    def monotonic(self) -> float:
        """As moved."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Time jumps."""
        self.seconds += seconds


def monitor(clock: TickingClock, traffic: Iterator[tuple[int, int]] | None = None) -> RunMonitor:
    """A run's monitor with an account at work."""
    made = RunMonitor(clock, (lambda: next(traffic)) if traffic else lambda: (0, 0))
    made.begin("mailbox:anna", "anna@x.example")
    return made


def test_rate_is_of_the_last_seconds() -> None:
    """Growth per second over ten seconds; what came before is forgotten."""
    rate = Rate()
    assert rate.sample(0, 0) == 0
    assert rate.sample(1, 10) == 10
    for second in range(2, 30):
        last = rate.sample(second, 10)
    assert last == 0


def test_counts_and_what_an_account_is_at() -> None:
    """Items, bytes and the service's traffic since the run began are counted; the account says what it does."""
    run = monitor(TickingClock(), iter([(100, 5), (130, 7)]))
    run.at_work("mailbox:anna", "fetch", "hello")
    run.read("mailbox:anna", 500)
    run.count("items_new")
    run.item_done("mailbox:anna")
    (anna,) = run.accounts_at_work
    assert (anna.phase, anna.what, anna.items_done, anna.bytes_read) == ("fetch", "hello", 1, 500)
    counters = run.counters
    assert (counters.items_new, counters.bytes_read, counters.requests, counters.throttled) == (1, 500, 30, 2)
    run.end("mailbox:anna")
    assert run.accounts_at_work == ()


def test_eta() -> None:
    """By items where they are known, else by accounts, else nothing is promised."""
    clock = TickingClock()
    run = monitor(clock)
    assert eta_seconds(run, 0.0) is None
    run.items_expected = 100
    run.count("items_new", 40)
    assert eta_seconds(run, 6.0) == 10
    run.items_expected = 0
    clock.seconds = 30
    run.accounts_total, run.accounts_done = 4, 1
    assert eta_seconds(run, 6.0) == 90


async def test_task_between_its_runs(rig: Rig) -> None:
    """The last outcome is the task's state; a run that was cut off counts as partial; pause beats both."""
    task = Task(name="mail", tenant="acme", service="exchange")
    assert state_at_rest(task, past_of(rig.archive.reader, "mail")) is TaskState.IDLE
    await rig.run()
    past = past_of(rig.archive.reader, "mail")
    assert (past.accounts, past.owed, past.last_outcome) == (1, 0, Outcome.OK)
    assert past.last_counters.items_new == 8
    begun = RunRow(9, "mail", "cron", datetime(2030, 1, 1, tzinfo=UTC), counters=RunCounters())
    rig.archive.committer.stage_run(begun)
    await rig.archive.committer.commit()
    past = past_of(rig.archive.reader, "mail")
    assert state_at_rest(task, past) is TaskState.PARTIAL
    assert state_at_rest(Task(name="mail", tenant="acme", service="exchange", paused=True), past) is TaskState.PAUSED


async def test_when_the_volume_will_be_full(rig: Rig) -> None:
    """It is foretold from what the runs of the last days stored, and thought over only now and then."""
    clock = TickingClock()
    forecasts = Forecasts(clock)
    assert forecasts.full_on(rig.archive) is None
    used, total = rig.archive.repository.backend.free_bytes()
    for number in range(1, 11):
        begun = clock.now() - timedelta(days=number)
        counters = RunCounters(bytes_stored=(total - used) // 10)
        rig.archive.committer.stage_run(RunRow(number, "mail", "cron", begun, begun, Outcome.OK, counters))
    await rig.archive.committer.commit()
    assert forecasts.full_on(rig.archive) is None
    clock.seconds += FORECAST_EVERY_SECONDS
    full_on = forecasts.full_on(rig.archive)
    assert full_on is not None
    # Other programs use the same disk.
    assert timedelta(days=9) < full_on - clock.now() < timedelta(days=11)
