"""Upkeep by itself: when each chore is due, and that it is done, put off, made good and told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from tests.engine.rig import Rig
from tests.graph.clocks import HandClock
from tuiback.catalog import ChoreRow, Upkeep
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Check, Command, MakeCheckpoint, Prune
from tuiback.engine.restores.jobs import Jobs
from tuiback.engine.settings.registry import Registry
from tuiback.engine.upkeep.holds import Holds
from tuiback.engine.upkeep.maintenance import CHORES, Chore, Maintenance, covered_number, due_at, next_chore
from tuiback.errors import EnvironmentFault
from tuiback.model import Outcome

BERLIN = ZoneInfo("Europe/Berlin")
PRUNE, SAMPLE, STRUCTURE = CHORES
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = 3600.0


def row(ended_at: datetime | None, outcome: Outcome = Outcome.OK, since: datetime = NOON) -> ChoreRow:
    """A chore as the home remembers it."""
    return ChoreRow("any", since, ended_at, outcome if ended_at else None)


def local(text: str) -> datetime:
    """A wall clock time in Berlin, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("chore", "state", "wanted"),
    [
        (PRUNE, row(None), "2026-11-24T03:00"),
        (PRUNE, row(local("2026-11-23T03:20")), "2026-11-24T03:00"),
        (PRUNE, row(local("2026-11-23T14:00")), "2026-11-24T03:00"),
        (STRUCTURE, row(local("2026-11-22T04:10")), "2026-11-29T03:00"),
        (STRUCTURE, row(local("2026-11-22T04:10"), Outcome.FAILED), "2026-11-23T03:00"),
        (PRUNE, row(local("2026-10-24T03:20")), "2026-10-25T03:00"),
        (PRUNE, row(local("2027-11-23T03:20")), "2026-11-24T03:00"),
    ],
)
def test_due_at_the_quiet_hour(chore: Chore, state: ChoreRow, wanted: str) -> None:
    """Local night, whatever the clocks do; a failure is tried the next night; a date to come keeps nothing waiting."""
    assert due_at(chore, state, local("2026-11-23T13:00"), BERLIN) == local(wanted)


def test_runs_put_chores_off_but_not_for_ever() -> None:
    """The chore that is due longest goes first; runs in progress are waited for some hours."""
    now = local("2026-11-24T03:01")
    rows = {chore.name: row(local("2026-11-23T03:20")) for chore in CHORES}
    rows["sample"] = row(local("2026-11-20T03:20"))
    assert next_chore(rows, now, BERLIN, busy_since=None) is SAMPLE
    assert next_chore(rows, now, BERLIN, busy_since=now - timedelta(hours=5)) is None
    assert next_chore(rows, now, BERLIN, busy_since=now - timedelta(hours=6)) is SAMPLE
    done = {chore.name: row(now) for chore in CHORES}
    assert next_chore(done, now, BERLIN, busy_since=None) is None


class WatchedClock(HandClock):
    """Tells whether somebody sleeps by it."""

    @property
    def is_slept_by(self) -> bool:
        """Whether a sleeper waits."""
        return bool(self._sleepers)


class Home:
    """Stands for an engine: notes what it is asked for, and answers."""

    def __init__(self) -> None:
        self.clock = WatchedClock()
        self.asked: list[tuple[str, datetime]] = []
        self.busy = False
        self.repositories: set[str] = set()
        self.fault: EnvironmentFault | None = None
        self.activity = Activity(self.clock)
        self.archives = {"main": cast("Archive", SimpleNamespace(committer=SimpleNamespace(head=None)))}

    async def execute(self, command: Command) -> dict[str, object]:
        """Do it at once."""
        assert isinstance(command, Prune | Check)
        percent = command.percent if isinstance(command, Check) else None
        self.repositories.add(command.repository)
        self.asked.append(("prune" if percent is None else f"check {percent:g}", self.clock.now()))
        if self.fault is not None:
            raise self.fault
        return {"job": 1, "outcome": "partial" if percent else "ok", "errors": ["a", "b"]}


@asynccontextmanager
async def upkeep_of(home: Home, path: Path) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    """Maintenance at work; yields what lets hours pass, a minute at a time."""
    upkeep = Maintenance(path, home.archives, home.execute, lambda: home.busy, home.activity, home.clock, lambda: UTC)
    working = asyncio.create_task(upkeep.run())

    async def until_asleep() -> None:
        async with asyncio.timeout(30):
            # The state is asked on another thread: only its next sleep tells that it has looked.
            while not home.clock.is_slept_by:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def pass_hours(hours: float) -> None:
        for _ in range(int(hours * 2)):
            await until_asleep()
            await home.clock.advance(HOUR / 2)
        await until_asleep()

    await until_asleep()
    yield pass_hours
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def nights(home: Home, what: str) -> list[str]:
    """When it was asked for: day and hour."""
    return [f"{moment:%d %H}" for asked, moment in home.asked if asked == what]


async def test_a_week_of_nights(tmp_path: Path) -> None:
    """Prune and sample every night, the structure once; what went wrong is remembered with its words."""
    home = Home()
    async with upkeep_of(home, tmp_path / "state.db") as pass_hours:
        await pass_hours(7 * 24)
    assert nights(home, "prune") == ["24 03", "25 03", "26 03", "27 03", "28 03", "29 03", "30 03"]
    assert nights(home, "check 1") == nights(home, "prune")
    assert nights(home, "check 0") == ["24 03"]
    upkeep = Upkeep.open(tmp_path / "state.db")
    known = {row.chore: (row.outcome, row.note) for row in upkeep.chores()}
    upkeep.close()
    assert known == {"prune": (Outcome.OK, ""), "sample": (Outcome.PARTIAL, "a"), "structure": (Outcome.OK, "")}


async def test_a_run_in_the_night(tmp_path: Path) -> None:
    """Upkeep waits for its end, at most until the morning."""
    home = Home()
    async with upkeep_of(home, tmp_path / "state.db") as pass_hours:
        home.busy = True
        await pass_hours(26)
        assert nights(home, "prune") == []
        await pass_hours(4)
        assert nights(home, "prune") == ["24 09"]


async def test_nights_that_were_slept_through(tmp_path: Path) -> None:
    """After three days of sleep everything is done once, at once; a new engine does nothing again."""
    home = Home()
    async with upkeep_of(home, tmp_path / "state.db"):
        pass
    home.clock.seconds += 72 * HOUR
    async with upkeep_of(home, tmp_path / "state.db") as pass_hours:
        await pass_hours(2)
    assert sorted({asked for asked, _ in home.asked}) == ["check 0", "check 1", "prune"]
    assert len(home.asked) == len(CHORES)
    async with upkeep_of(home, tmp_path / "state.db") as pass_hours:
        await pass_hours(2)
    assert len(home.asked) == len(CHORES)


async def test_one_repository_after_the_other(tmp_path: Path) -> None:
    """Each is asked for by its name, and one that fails does not keep the next from its turn."""
    home = Home()
    home.archives["second"] = home.archives["main"]
    home.fault = EnvironmentFault("the repository is not mounted", "/volume1")
    async with upkeep_of(home, tmp_path / "state.db") as pass_hours:
        await pass_hours(24)
    assert nights(home, "prune") == ["24 03", "24 03"]
    assert home.repositories == {"main", "second"}


async def test_a_failure_is_told_and_tried_the_next_night(tmp_path: Path) -> None:
    """The activity has the error; the other chores are done all the same."""
    home = Home()
    home.fault = EnvironmentFault("the repository is not mounted", "/volume1")
    async with upkeep_of(home, tmp_path / "state.db") as pass_hours:
        await pass_hours(24)
        assert any("structure: /volume1: the repository is not mounted" in line.text for line in home.activity.recent())
        home.fault = None
        await pass_hours(24)
    assert nights(home, "check 0") == ["24 03", "25 03"]


def jobs_of(rig: Rig) -> Jobs:
    """The jobs of an engine over the rig's archive."""
    archives, clock = {"main": rig.archive}, SystemClock()
    registry = Registry(archives, rig.activity, clock)
    return Jobs(archives, registry, Holds(archives, registry, clock), rig.activity, clock)


async def test_checks_are_jobs(rig: Rig) -> None:
    """A whole repository passes; a pack that lost a byte fails the sample, and the lines say which."""
    assert (await rig.run()).error is None
    jobs = jobs_of(rig)
    answer = await jobs.check(Check(percent=100))
    assert (answer["outcome"], answer["damaged"], answer["errors"]) == ("ok", 0, [])
    assert answer["packs"] == answer["packs_verified"] != 0
    (pack,) = [path for path in (Path(rig.archive.repository.url) / "packs").rglob("*") if path.is_file()]
    pack.chmod(0o600)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    answer = await jobs.check(Check(percent=100))
    assert answer["outcome"] == "failed"
    assert pack.name in str(answer["errors"])
    shown = [(job.kind, job.outcome) for job in jobs.desk.statuses()]
    assert shown == [("sampled check", "failed"), ("sampled check", "ok")]


async def test_many_commits_are_condensed(rig: Rig) -> None:
    """When commits pile up a checkpoint is made of them, once."""
    assert (await rig.run()).error is None
    home, jobs = Home(), jobs_of(rig)
    made: list[Command] = []

    async def execute(command: Command) -> dict[str, object]:
        assert isinstance(command, MakeCheckpoint)
        made.append(command)
        return await jobs.checkpoint(command)

    state = rig.archive.catalog_path.with_name("state.db")
    archives = {"main": rig.archive}
    upkeep = Maintenance(state, archives, execute, lambda: False, home.activity, home.clock, most_commits=1)
    assert covered_number(rig.archive) == 0
    working = asyncio.create_task(upkeep.run())
    async with asyncio.timeout(30):
        while not home.clock.is_slept_by:  # noqa: ASYNC110 - the repository is read on another thread
            await asyncio.sleep(0.001)
    await home.clock.advance(600)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert len(made) == 1
    assert covered_number(rig.archive) > 0
