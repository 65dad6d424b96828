"""Seven days of an unattended engine beside a living tenant: a separate model says which points must exist."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.oracle import ExpectedPoint, Oracle, Timing
from tests.engine.rig import SECRET, make_home
from tests.engine.week import Company, WeekClock, sha256
from tuiback.catalog import State
from tuiback.engine.activity import Activity
from tuiback.engine.commands import AddHold, Command, Prune, PutTask, PutTenant, RunTasks
from tuiback.engine.home import Home
from tuiback.engine.hosting.core import Engine
from tuiback.model import AccountState, ActivityLine, Kind, Outcome, RunRow
from tuiback.simtenant import Plan, Server

# A Tuesday; in the night to the sixth day Berlin's clocks are put forward.
START = datetime(2027, 3, 23, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SOON = timedelta(minutes=2)
NIGHT = frozenset({22, 23, 0, 1, 2, 3, 4, 5})
WORKDAYS = range(5)
PATIENCE_SECONDS = 90.0

TIMINGS = {
    "nightly": Timing(
        "Europe/Berlin", 0, 20,
        open_hours={
            **dict.fromkeys(range(1, 5), NIGHT), 0: frozenset({22, 23}),
            5: frozenset(range(24)), 6: frozenset(range(24)),
        },
    ),
    "hourly": Timing(minute=30),
    "steady": Timing(pause_minutes=(15, 240)),
    "grid": Timing(pause_minutes=(5, 60), open_hours=dict.fromkeys(WORKDAYS, frozenset({9, 10}))),
    "byhand": Timing(),
}  # fmt: skip
KEEP = {"nightly": "all", "hourly": "3d", "steady": "7d,4w", "grid": "3d", "byhand": "7d,4w"}


@dataclass
class Week:
    """The engine, the tenant, the clock that both live by, and what the oracle was told."""

    home: Home
    company: Company
    clock: WeekClock
    oracle: Oracle = field(default_factory=Oracle)
    engine: Engine | None = None
    said: list[str] = field(default_factory=list)
    since: dict[str, datetime] = field(default_factory=dict)
    # Nothing can have been started before this moment: the engine was down, or its clock was set.
    resumed_at: datetime = START
    runs_seen: int = 0
    prunes_seen: int = 0
    changed_at: datetime = START

    def __post_init__(self) -> None:
        people = [person.object_id for person in self.company.people]
        self.hourly, self.grid, self.byhand = set(people[:2]), people[2], people[3]
        self.leaver, self.bride = people[4], people[5]

    # The engine's life.

    async def boot(self) -> None:
        """Start the engine on the home as it is."""
        self.engine = Engine(self.home, "serve", lambda _: SECRET, self.clock, Activity(self.clock, self._hear))
        await self.engine.open()
        self.resumed_at = self.clock.now()

    def _hear(self, line: ActivityLine) -> None:
        self.said.append(f"{line.subject}: {line.text}")

    async def lose_power(self) -> None:
        """End the engine in the midst of what it does: nothing is committed, closed or said any more."""
        engine, self.engine = self.running, None
        # Whatever is in work is abandoned: all tasks of this loop but the test's own are the engine's.
        abandoned = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in abandoned:
            task.cancel()
        await asyncio.gather(*abandoned, return_exceptions=True)
        # What an operating system takes back by itself.
        await engine._registry.close()
        for archive in engine._archives.values():
            archive._writer.close()
            archive.reader.close()
            await archive._databases.let_go()
            archive._workers.shutdown()

    @property
    def running(self) -> Engine:
        """The engine, which must be up."""
        assert self.engine is not None
        return self.engine

    async def do(self, command: Command) -> dict[str, object]:
        """Ask the engine for something, and wait until all is quiet."""
        answer = await self.running.execute(command)
        await self.settle()
        return answer

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what must come."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not condition():  # noqa: ASYNC110 - the engine has no event for being idle
                    await asyncio.sleep(0.001)
        except TimeoutError:
            engine = self.running
            dues = {t.name: engine._scheduler.next_run_at(t) for t in engine._registry.tasks}
            pytest.fail(f"{self.clock.now()}: {engine.info().state}, {dues}, {self.said[-10:]}")

    def is_idle(self) -> bool:
        """Whether nothing is in work and nothing is due."""
        engine = self.running
        scheduler = engine._scheduler
        if engine.info().state != "idle" or scheduler._starting:
            return False
        if {task.name for task in engine._registry.tasks} - scheduler._standings.keys():
            return False
        # Asked before the clock: what is due at once is due at the moment of asking.
        dues = list(map(scheduler.next_run_at, engine._registry.tasks))
        now = self.clock.now()
        return all(due is None or due > now for due in dues)

    async def settle(self) -> None:
        """Wait until the engine is idle, and tell the oracle what was run and pruned."""
        await self.until(self.is_idle)
        (archive,) = self.running._archives.values()
        rows = [row for row in archive.reader.runs(limit=20) if row.run > self.runs_seen]
        jobs = await archive.with_state(State.jobs)
        prunes = [job for job in jobs if job.kind == "prune" and job.job > self.prunes_seen and job.outcome]
        self.prunes_seen = max([self.prunes_seen, *(job.job for job in prunes)])
        for row in sorted(rows, key=lambda row: row.run):
            self._note_run(row)
        for job in sorted(prunes, key=lambda job: job.job):
            rules = {a.account_id: KEEP[a.task] for a in archive.reader.accounts()}
            self.oracle.pruned(rules, job.created_at)
        for name, timing in TIMINGS.items():
            bounds = self._bounds(name, timing)
            assert bounds is None or bounds[1] + SOON > self.clock.now(), f"{name} should have run at {bounds[1]}"

    def _note_run(self, row: RunRow) -> None:
        assert row.outcome is Outcome.OK, (row, self.said[-20:])
        self.runs_seen = row.run
        bounds = self._bounds(row.task, TIMINGS[row.task])
        if bounds is not None:
            earliest, latest = bounds
            assert earliest <= row.started_at <= latest + SOON, f"{row.task} ran at {row.started_at}, not {bounds}"
        self.since[row.task] = row.started_at
        kind = "drive" if row.task in ("hourly", "steady") else "mailbox"
        for account_id, person in self.company.accounts(kind).items():
            if self.task_of(kind, person.object_id) == row.task:
                state = self.company.state(account_id, person)
                self.oracle.ran(account_id, row.started_at, state, self.company.content(account_id, person, state))

    def task_of(self, kind: str, person_id: str) -> str:
        """Whose each account is."""
        if kind == "drive":
            return "hourly" if person_id in self.hourly else "steady"
        return {self.grid: "grid", self.byhand: "byhand"}.get(person_id, "nightly")

    def _bounds(self, name: str, timing: Timing) -> tuple[datetime, datetime] | None:
        """Between which moments the task must start next; None where nothing says when."""
        since = self.since.get(name)
        if since is None:
            return None
        if timing.minute is not None:
            due = timing.due(since, since + 8 * DAY)
            moments = [] if due is None else [due, due]
        else:
            moments = [since + timedelta(minutes=minutes) for minutes in timing.pause_minutes or ()]
        # What was missed is made good as soon as the task may run again.
        opened = [_opening(timing, max(moment, self.resumed_at)) for moment in moments]
        return (opened[0], opened[1]) if opened else None

    # Time.

    async def skip_to(self, moment: datetime) -> None:
        """Let idle time pass, here and in the tenant."""
        # A little beyond, so that what is due at that moment is due for sure.
        seconds = (moment - self.clock.now()).total_seconds() + 0.002
        if seconds > 0:
            self.company.pass_seconds(seconds)
            self.clock.skip(seconds)
            if self.engine is not None:
                # It may have been about to fall asleep for a time that is over now.
                self.engine._scheduler.changed()

    async def live_until(self, end: datetime) -> None:
        """Days go by: people work from six to eight, and at each moment at which something is due it is done."""
        while True:
            dues = [d for t in self.running._registry.tasks if (d := self.running._scheduler.next_run_at(t))]
            work = self.changed_at.replace(minute=10) + HOUR
            moment = min([*dues, work, end])
            await self.skip_to(moment)
            if moment == work:
                self.changed_at = work
                if 6 <= work.hour < 20:
                    seed = int((work - START) / HOUR)
                    await asyncio.to_thread(self.company.control, "mutate", {"changes": 3, "seed": seed})
            await self.settle()
            if moment == end:
                return

    async def set_clock(self, by: timedelta) -> None:
        """Somebody sets the clock; the engine notices within a minute, and says so."""
        heard = len(self.said)
        for _ in range(20):
            # Whoever is about to fall asleep does so before, or it would sleep through the minute that is skipped.
            await asyncio.sleep(0)
        self.clock.put(by)
        now = self.clock.now()
        self.resumed_at = now
        self.changed_at = max(now.replace(minute=10), self.changed_at) if by > timedelta() else now.replace(minute=10)
        self.since = {name: min(moment, now) for name, moment in self.since.items()}
        self.clock.skip(61)
        await self.until(lambda: any(line.startswith("clock: ") for line in self.said[heard:]))
        await self.settle()

    # What must be there.

    def compare(self) -> int:
        """Every account has exactly the points it must have, each with exactly the items; the number of points."""
        (archive,) = self.running._archives.values()
        reader, count = archive.reader, 0
        assert {account.account_id for account in reader.accounts()} == set(self.oracle.points)
        for account_id, expected in self.oracle.points.items():
            points = sorted(reader.points(account_id), key=lambda point: point.seq)
            times = [(point.taken_at, point.verified_until) for point in points]
            assert len(times) == len(expected), (account_id, times, expected)
            for (taken, verified), point, row in zip(times, expected, points, strict=True):
                assert abs(taken - point.taken_at) < SOON, (account_id, taken, point.taken_at)
                assert abs(verified - point.verified_until) < SOON, (account_id, verified, point.verified_until)
                self._compare_items(account_id, row.seq, point)
                count += 1
        return count

    def _compare_items(self, account_id: str, seq: int, point: ExpectedPoint) -> None:
        (archive,) = self.running._archives.values()
        reader = archive.reader
        entries = [e for _, e in reader.walk(account_id, seq) if e.kind in (Kind.MESSAGE, Kind.FILE)]
        assert {entry.item_id for entry in entries} == point.content.keys(), (account_id, seq)
        # A few of each, others in each snapshot.
        for entry in entries[seq % 7 :: 7]:
            parts = {part.name: part for part in reader.parts(account_id, entry.item_id, entry.from_seq)}
            data = archive.content.read_all(parts.get("mime") or parts["file"])
            assert sha256(data) == point.content[entry.item_id]


def _opening(timing: Timing, moment: datetime) -> datetime:
    if timing.is_open(moment):
        return moment
    # Hours are opened as a whole, in zones whose clocks differ by whole hours.
    moment = moment.replace(minute=0, second=0, microsecond=0)
    while not timing.is_open(moment):
        moment += HOUR
    return moment


async def configure(week: Week) -> None:
    """Five tasks of all modes."""
    ends = week.company.endpoints
    await week.do(
        PutTenant(
            name="acme", tenant_id=ends.tenant_id, client_id=ends.client_id, cloud="custom", graph_url=ends.graph_url,
            authority=ends.authority, credential_kind="secret", credential=ends.client_secret,
        )
    )  # fmt: skip
    named = tuple(sorted(week.hourly))
    tasks = (
        PutTask(
            name="nightly", tenant="acme", service="exchange", everything=True, exclude=(week.grid, week.byhand),
            mode="scheduled", cron="0 20 * * *", tz="Europe/Berlin", window="mon-fri 22:00-06:00,sat-sun",
            keep=KEEP["nightly"],
        ),
        PutTask(
            name="hourly", tenant="acme", service="onedrive", accounts=named, mode="scheduled", cron="30 * * * *",
            keep=KEEP["hourly"],
        ),
        PutTask(
            name="steady", tenant="acme", service="onedrive", everything=True, exclude=named, mode="continuous",
            keep=KEEP["steady"],
        ),
        PutTask(
            name="grid", tenant="acme", service="exchange", accounts=(week.grid,), mode="continuous",
            window="mon-fri 09:00-11:00", keep=KEEP["grid"],
        ),
        PutTask(name="byhand", tenant="acme", service="exchange", accounts=(week.byhand,), keep=KEEP["byhand"]),
    )  # fmt: skip
    for name in ("nightly", "hourly"):
        week.since[name] = week.clock.now()
    for task in tasks:
        await week.do(task)


@pytest.mark.timeout(300)
async def test_seven_days_alone(tmp_path: Path) -> None:
    """Every day each account has exactly the recovery points that it must have, with exactly what was there then.

    Somebody leaves, somebody comes, somebody marries; the power fails in mid-run; the clock is two days ahead for two
    hours; one drive is held; retention is applied daily.
    """
    with Server(Plan(users=6, messages=12, files_per_user=6)) as server:
        company = Company(server)
        clock = WeekClock(START)
        company.pass_seconds((START - company._cloud.clock.now()).total_seconds())
        week = Week(make_home(tmp_path), company, clock)
        await week.boot()
        try:
            await configure(week)
            held = next(a for a, p in company.accounts("drive").items() if p.object_id in week.hourly)
            for day in range(7):
                begin = START + day * DAY
                await week.live_until(begin + 12 * HOUR)
                await change_staff(week, day)
                await week.do(RunTasks(tasks=("byhand",)))
                if day == 0:
                    await week.do(AddHold(account_id=held, reason="matter 17"))
                    week.oracle.held.add(held)
                await week.do(Prune())
                if day == 3:
                    await fail_in_mid_run(week, begin + 13.5 * HOUR)
                if day == 4:
                    await be_two_days_ahead(week, begin + 14 * HOUR + timedelta(minutes=5))
                await week.live_until(begin + DAY)
                assert week.compare() > 10
            (archive,) = week.running._archives.values()
            gone = [a for a in archive.reader.accounts() if a.state is AccountState.GONE]
            assert {(a.owner_id, a.gone_reason) for a in gone} == {(week.leaver, "left the tenant")}
            assert {a.kind for a in gone} == {"mailbox", "drive"}
            assert len(week.oracle.points[held]) > 3
            told = [line for line in week.said if line.startswith("clock: ")]
            assert ["ahead" in told[0], "put back" in told[1]] == [True, True], told
            assert len(told) == 2
        finally:
            if week.engine is not None:
                await week.engine.close()


async def change_staff(week: Week, day: int) -> None:
    """Somebody leaves on the second day, comes on the third, marries on the fifth."""
    orders = {
        1: {"leave": week.leaver}, 2: {"hire": "", "given": "Nora", "family": "Neu"},
        4: {"rename": week.bride, "family": "Neumann"},
    }  # fmt: skip
    if day in orders:
        await asyncio.to_thread(week.company.control, "people", orders[day])


async def fail_in_mid_run(week: Week, moment: datetime) -> None:
    """The power goes as the hourly run has begun, and comes back forty minutes later."""
    await week.live_until(moment - timedelta(minutes=1))
    await week.skip_to(moment)
    await week.until(lambda: "hourly" in week.running._dispatcher.runs)
    await week.lose_power()
    await week.skip_to(moment + timedelta(minutes=40))
    week.changed_at = max(week.changed_at, (moment + timedelta(minutes=40)).replace(minute=10) - HOUR)
    await week.boot()
    await week.settle()


async def be_two_days_ahead(week: Week, moment: datetime) -> None:
    """The clock jumps two days ahead and is put right two hours later; what is due goes on by the clock as it is."""
    await week.live_until(moment)
    await week.set_clock(2 * DAY)
    await week.live_until(week.clock.now() + 2 * HOUR)
    await week.set_clock(-2 * DAY)
