"""A disk that is nearly full pauses runs, and only runs, until there is room again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.engine.rig import SECRET, make_home
from tests.graph.clocks import HandClock
from tuiback.cli.running import exit_code
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.backups.dispatch import Dispatcher
from tuiback.engine.backups.low_water import LowWater, Room, disk_room, find_shortage, places_of
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Prune, PutTask, PutTenant, RunTasks
from tuiback.engine.home import RepositoryRef
from tuiback.engine.hosting.core import Engine
from tuiback.engine.settings.registry import Registry
from tuiback.errors import StorageFull
from tuiback.model import Outcome, Task, TaskState

GB = 1000**3
MAIL, FILES = (Task(name, "acme", service, everything=True) for name, service in (("m", "exchange"), ("f", "onedrive")))


@pytest.mark.parametrize(
    ("total", "free", "was_low", "low"),
    [
        (100 * GB, 5 * GB, False, False),
        (100 * GB, 5 * GB - 1, False, True),
        (10_000 * GB, 50 * GB, False, False),
        (10_000 * GB, 50 * GB - 1, False, True),
        (10_000 * GB, 54 * GB, True, True),
        (10_000 * GB, 56 * GB, True, False),
    ],
)
def test_the_mark(total: int, free: int, was_low: bool, low: bool) -> None:
    """5 % or 50 GB, whichever is smaller; a disk that was low must recover clearly, or runs would stop and go."""
    room = Room("/volume1", free, total)
    assert (find_shortage([Room("/", total, total), room], was_low=was_low) is room) is low


@dataclass
class Store:
    """Stands for an archive, which is only asked where it lies."""

    ref: RepositoryRef
    catalog_path: Path


def store(url: str) -> Store:
    """A repository somewhere, with a local catalog."""
    return Store(RepositoryRef(name="main", url=url, repository_id="", catalog="/catalog"), Path("/catalog/catalog.db"))


def test_where_room_is_needed() -> None:
    """Where the repository and the catalog lie; a bucket has no end that it tells."""
    assert places_of(cast("Archive", store("/volume1"))) == (Path("/volume1"), Path("/catalog"))
    assert places_of(cast("Archive", store("s3://bucket"))) == (Path("/catalog"),)


def test_a_real_disk(tmp_path: Path) -> None:
    """The disk of a folder is known; one that is not mounted is asked nothing."""
    room = disk_room(tmp_path)
    assert room is not None
    assert 0 < room.free_bytes < room.total_bytes
    assert disk_room(tmp_path / "nothing") is None


@dataclass
class Run:
    """A run in progress: stopping it is noted."""

    stopped_as: Outcome | None = None

    def stop(self, outcome: Outcome) -> None:
        """End it."""
        self.stopped_as = outcome


@dataclass
class Office:
    """Stands for registry and dispatcher over one repository, and for its disks."""

    clock: HandClock = field(default_factory=HandClock)
    tasks: tuple[Task, ...] = (MAIL, FILES)
    runs: dict[str, Run] = field(default_factory=dict)
    started: list[tuple[str, str]] = field(default_factory=list)
    free: int = 80 * GB
    archive: Store = field(default_factory=lambda: store("/volume1"))

    def task(self, name: str) -> tuple[Any, Task]:
        """The task and its archive."""
        return self.archive, next(task for task in self.tasks if task.name == name)

    def tenant(self, _name: str) -> tuple[Any, None]:
        """The tenant's archive."""
        return self.archive, None

    def room(self, path: Path) -> Room:
        """The repository's disk; the catalog's has room."""
        return Room(str(path), self.free if path == Path("/volume1") else 500 * GB, 1000 * GB)

    async def run(self, command: RunTasks) -> dict[str, object]:
        """Start it."""
        self.started.append((command.tasks[0], command.trigger))
        return {}


class Watch:
    """Low water at work; passes time and waits until the disks were looked at."""

    def __init__(self, *, resident: bool) -> None:
        self.office = Office()
        self.activity = Activity(self.office.clock)
        self.low_water = LowWater(
            {"main": cast("Archive", self.office.archive)}, cast("Registry", self.office),
            cast("Dispatcher", self.office), self.activity, self.office.clock, resident=resident,
            room_of=self.office.room,
        )  # fmt: skip
        self._work = asyncio.create_task(self.low_water.run())

    async def look(self) -> None:
        """Let it look twice: whatever was under way, the second look is a new one."""
        for _ in range(2):
            seen = len(self.office.clock.slept)
            await self.office.clock.advance(20)
            async with asyncio.timeout(30):
                # Disks are asked on another thread.
                while len(self.office.clock.slept) == seen:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)

    async def end(self) -> None:
        """End it."""
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    """In an engine that stays."""
    watch = Watch(resident=True)
    await watch.look()
    yield watch
    await watch.end()


async def test_runs_pause_and_go_on(watch: Watch) -> None:
    """When the disk gets full the run is paused, once it has room it starts again; both are told once."""
    run = watch.office.runs["m"] = Run()
    await watch.look()
    assert (run.stopped_as, watch.low_water.is_low("m")) == (None, False)
    watch.office.free = 49 * GB
    await watch.look()
    assert (run.stopped_as, watch.low_water.is_low("m"), watch.low_water.is_low("f")) == (Outcome.PAUSED, True, True)
    del watch.office.runs["m"]
    await watch.look()
    assert watch.office.started == []
    watch.office.free = 60 * GB
    await watch.look()
    assert watch.office.started == [("m", "room")]
    await watch.look()
    assert [line.level for line in watch.activity.recent()] == ["error", "ok"]
    assert watch.office.started == [("m", "room")]


async def test_nothing_starts_meanwhile(watch: Watch) -> None:
    """A run that would begin is refused with the place and the figures, exit code 7; measured at that moment."""
    assert await watch.low_water.refusal("acme") is None
    watch.office.free = 20 * GB
    refusal = await watch.low_water.refusal("acme")
    assert isinstance(refusal, StorageFull)
    assert (refusal.exit_code, refusal.subject) == (7, "/volume1")
    assert "20.0 GB are free and 50.0 GB are kept" in refusal.what


async def test_a_task_paused_by_hand_stays_so(watch: Watch) -> None:
    """Neither it nor one that was removed meanwhile is started again."""
    watch.office.runs |= {"m": Run(), "f": Run()}
    watch.office.free = 20 * GB
    await watch.look()
    watch.office.runs.clear()
    watch.office.tasks = (Task("m", "acme", "exchange", everything=True, paused=True),)
    watch.office.free = 80 * GB
    await watch.look()
    assert watch.office.started == []


async def test_a_passing_command_starts_nothing() -> None:
    """The engine of a command line pauses its run and leaves going on to whoever comes next."""
    watch = Watch(resident=False)
    run = watch.office.runs["m"] = Run()
    watch.office.free = 20 * GB
    await watch.look()
    del watch.office.runs["m"]
    watch.office.free = 80 * GB
    await watch.look()
    await watch.end()
    assert (run.stopped_as, watch.office.started) == (Outcome.PAUSED, [])


async def test_an_engine_without_room(tmp_path: Path) -> None:
    """A run can't start and says so with exit code 7; the task waits for the disk; a prune goes on."""
    room = Room("/volume1", 1 * GB, 1000 * GB)
    engine = Engine(
        make_home(tmp_path), "run", lambda _: SECRET, SystemClock(), Activity(SystemClock()), room_of=lambda _: room
    )
    await engine.open()
    try:
        await engine.execute(
            PutTenant(
                name="acme", tenant_id="t", client_id="c", cloud="custom", graph_url="http://127.0.0.1:9/",
                authority="http://127.0.0.1:9/t", credential_kind="secret", credential="x",
            )
        )  # fmt: skip
        await engine.execute(PutTask(name="mail", tenant="acme", service="exchange", everything=True))
        answer = await engine.execute(RunTasks(tasks=("mail",)))
        (run,) = cast("list[dict[str, Any]]", answer["runs"])
        assert (run["outcome"], run["error"]["exit"], run["error"]["subject"]) == ("skipped", 7, "/volume1")
        assert exit_code([run]) == 7
        async with asyncio.timeout(30):
            # Painted once a second.
            while not (engine.picture and [t.state for t in engine.picture.tasks] == [TaskState.DISK]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await engine.execute(Prune()))["outcome"] == "ok"
    finally:
        await engine.close()
