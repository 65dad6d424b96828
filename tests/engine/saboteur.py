"""Runs the work of homes in processes that die at chosen moments, and proves what they leave behind."""

import asyncio
import contextlib
import mmap
import os
import pickle
import random
import shutil
import signal
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tests.engine.cloud import Cloud
from tests.engine.rig import SECRET, TASK, Rig, anna, listing, make_home, now_in
from tests.engine.upkeep.test_pruning import big
from tuiback.catalog import same_content
from tuiback.engine.archives import archive as archives
from tuiback.engine.archives.checkpointing import write_checkpoint
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.engine.progress import Progress
from tuiback.engine.upkeep.checking import Extent, check_repository
from tuiback.engine.upkeep.pins import Pins
from tuiback.engine.upkeep.pruning import Pruner
from tuiback.engine.upkeep.repairing import repair_all
from tuiback.errors import Overtaken, TuibackError
from tuiback.model import ControlRow, Task
from tuiback.store import Backend
from tuiback.store.folder import Disk, FolderBackend

DIED = 137
DAY_SECONDS = 25 * 3600
_LABEL_BYTES = 64
_READ = Extent(read_data=True)
KEPT_POINTS = 3


@dataclass(frozen=True, slots=True)
class Death:
    """When a process dies: at its n-th moment with the disk, or so many seconds after it began, wherever that is."""

    moments: int | None = None
    seconds: float | None = None


class Label:
    """The last step that a process came to, readable when it is dead."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _LABEL_BYTES)

    def put(self, text: str) -> None:
        """Come to a step."""
        self._memory[:] = text.encode()[:_LABEL_BYTES].ljust(_LABEL_BYTES)

    def get(self) -> str:
        """The last step."""
        return self._memory[:].decode().strip()


class DeadlyDisk(Disk):
    """Ends the process before, in the middle of or after one of its steps, as a kill does: at once, all threads."""

    def __init__(self, label: Label, moments: int | None) -> None:
        self._label = label
        self._left = moments

    def write(self, path: Path, data: Sequence[bytes]) -> None:
        """See Disk."""
        self._come_to("before a write")
        if self._left == 0:
            whole = b"".join(data)
            path.write_bytes(whole[: len(whole) // 2])
        self._come_to("in a write")
        super().write(path, data)

    def link(self, existing: Path, new: Path) -> None:
        """See Disk."""
        where = new.parent.name if len(new.parent.name) != 2 else new.parent.parent.name
        self._come_to(f"before a name in {where if len(where) < 12 else 'commits'}")
        super().link(existing, new)

    def sync_folder(self, folder: Path) -> None:
        """See Disk."""
        self._come_to("before a folder's sync")
        super().sync_folder(folder)
        self._come_to("after a folder's sync")

    def _come_to(self, step: str) -> None:
        if self._left is not None:
            if self._left == 0:
                self._label.put(step)
                os._exit(DIED)
            self._left -= 1


def in_process(work: Callable[[], object]) -> object:
    """What `work` gives in a process of its own; None when that died. Raises what it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work_and_tell(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        answer = file.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == DIED:
        return None
    told = pickle.loads(answer)
    assert not isinstance(told, Failed), told.text
    return told


@dataclass(frozen=True, slots=True)
class Failed:
    """What went wrong in another process."""

    text: str


def _work_and_tell(work: Callable[[], object], writing: int) -> None:
    """The whole life of a child: it must never return into what its parent does."""
    code = 1
    try:
        try:
            told = work()
        except BaseException:  # noqa: BLE001 - the parent raises it
            told = Failed(traceback.format_exc())
        with os.fdopen(writing, "wb") as file:
            pickle.dump(told, file)
        code = 0
    finally:
        os._exit(code)


@dataclass
class Place:
    """A home, what its tenant has, and what each of its points must give back."""

    home: Home
    cloud: Cloud
    account: str
    # None for a point of which a repair has told that something is lost.
    points: dict[int, dict[str, str] | None] = field(default_factory=dict)
    pruned: bool = False

    @property
    def owner(self) -> str:
        """The tenant's name for the account."""
        return self.account.partition(":")[2]

    @property
    def task(self) -> Task:
        """The task of this home."""
        return replace(TASK, name=f"mail of {self.owner}", tenant=self.owner, keep=f"{KEPT_POINTS}v")

    async def open(self) -> Rig:
        """The home as an engine has it open."""
        rig = await Rig.open(self.home, self.cloud)
        rig.task = self.task
        return rig


class World:
    """Two homes of two tenants with one repository; work in them, deaths, and proofs."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.label = Label()
        self._chance = chance
        self._changes = 0
        places = in_process(lambda: asyncio.run(two_places(folder)))
        assert isinstance(places, tuple)
        self.first, self.second = places
        self.url = Path(self.first.home.repository("main").url)
        for place in (self.first, self.second):
            self.prove(place)

    def change(self, place: Place) -> None:
        """Mails come, change and go; contents come back, so that what was given up is wanted again."""
        box = place.cloud.mailboxes[place.owner]
        for _ in range(self._chance.randint(1, 4)):
            self._changes += 1
            name = f"x{self._chance.randrange(12)}"
            if name in box.mails and self._chance.random() < 0.4:
                box.delete(name)
            else:
                box.put(name, "in", big(self._chance.randrange(9)))
                # A mail that comes back is never taken for what it once was.
                box.mails[name].version = self._changes

    def days_pass(self) -> None:
        """All that lies in the repository is a day older by the store's time."""
        for path in self.url.rglob("*"):
            earlier = path.stat().st_mtime - DAY_SECONDS
            os.utime(path, (earlier, earlier))

    def damage(self) -> str:
        """Flip, cut or delete an object, any one; what."""
        files = sorted(path for kind in ("packs", "segments", "commits") for path in (self.url / kind).rglob("*"))
        path = self._chance.choice([path for path in files if path.is_file()])
        harm = self._chance.choice(("flip", "cut", "delete"))
        data = bytearray(path.read_bytes())
        data[self._chance.randrange(len(data))] ^= 1
        path.unlink()
        if harm != "delete":
            path.write_bytes(data if harm == "flip" else data[: len(data) // 2])
        return f"{harm} {path.relative_to(self.url).parts[0]}"

    def do(self, place: Place, work: "Work", death: Death) -> str | None:
        """Do it in a process that may die; the step at which it died, or None when it came to its end."""
        self.label.put(f"{work.__name__}: begun")
        if work is prune:
            # It looks after all accounts of the repository.
            self.first.pruned = self.second.pruned = True
        done = in_process(lambda: self._work(place, work, death))
        return None if done else self.label.get()

    def _work(self, place: Place, work: "Work", death: Death) -> bool:
        if death.seconds is not None:
            # What the alarm does by itself: the process ends, wherever it is.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, death.seconds)
        disk = DeadlyDisk(self.label, death.moments)

        def opened(url: str) -> Backend:
            return FolderBackend(url, disk)

        # This process ends with the work.
        setattr(archives, "open_backend", opened)  # noqa: B010 - only so the type checker lets it
        asyncio.run(_guarded(work(place, self.label)))
        return True

    def prove(self, place: Place) -> None:
        """A new process finds all that was committed, nothing damaged, and its run completes. Raises AssertionError."""
        points = in_process(lambda: asyncio.run(_prove(place)))
        assert isinstance(points, dict)
        place.points = points
        place.pruned = False

    def prove_equal(self, place: Place) -> None:
        """The catalog equals the one that the repository alone gives."""
        in_process(lambda: _prove_equal(place, self.folder / "fresh.db"))

    def repair(self, place: Place, death: Death) -> str | None:
        """Repair in a process that may die; where it did."""
        self.label.put("repair: begun")
        return None if in_process(lambda: self._work(place, repair, death)) else self.label.get()

    def prove_repaired(self, place: Place) -> None:
        """What the service still has is there, nothing is damaged; points that lost something may be less."""
        points = in_process(lambda: asyncio.run(_prove_repaired(place)))
        assert isinstance(points, dict)
        place.points = points

    def keep_catalog(self, place: Place) -> None:
        """Keep a copy of the catalog of now."""
        path = place.home.catalog_path("main")
        in_process(lambda: asyncio.run(_closed(place)))
        shutil.copy(path, path.with_suffix(".old"))

    def bring_catalog_back(self, place: Place) -> None:
        """Put that copy in the catalog's place."""
        path = place.home.catalog_path("main")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        shutil.copy(path.with_suffix(".old"), path)

    def drop_old_catalogs(self) -> None:
        """Forget the copies."""
        for place in (self.first, self.second):
            place.home.catalog_path("main").with_suffix(".old").unlink(missing_ok=True)

    def lose_catalog(self, place: Place) -> None:
        """The catalog is gone."""
        path = place.home.catalog_path("main")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)


Work = Callable[[Place, Label], Awaitable[None]]


async def _guarded(work: Awaitable[None]) -> None:
    # A second home that prunes at this moment keeps this one from what it wanted, no more than that.
    with contextlib.suppress(Overtaken):
        await work


async def two_places(folder: Path) -> tuple[Place, Place]:
    """Two homes of two tenants with one repository, each with its task and no run yet."""
    home = make_home(folder)
    other = Home.create(folder / "second", mounts=(("/", "ext4"),))
    catalog = str(other.default_catalog_folder("main"))
    other.add_repository(msgspec.structs.replace(home.repository("main"), catalog=catalog))
    places = _place(home, "anna"), _place(other, "carl")
    for place in places:
        rig = await place.open()
        rig.archive.committer.stage_control(ControlRow("task", place.task.name, msgspec.json.encode(place.task)))
        await rig.archive.committer.commit()
        await rig.archive.close()
    return places


def _place(home: Home, owner: str) -> Place:
    cloud = Cloud()
    cloud.mailboxes[owner] = anna()
    return Place(home, cloud, f"mailbox:{owner}")


async def _closed(place: Place) -> None:
    rig = await place.open()
    await rig.archive.close()


async def backup(place: Place, label: Label) -> None:
    """A run of the task."""
    rig = await place.open()
    label.put("backup: opened")
    report = await rig.run()
    if report.error is not None:
        raise report.error
    label.put("backup: run done")
    await rig.archive.close()


async def checkpoint(place: Place, label: Label) -> None:
    """A checkpoint, as a prune makes it."""
    rig = await place.open()
    label.put("checkpoint: opened")
    archive = rig.archive
    segment_id = await asyncio.to_thread(write_checkpoint, archive.repository, archive.catalog_path)
    label.put("checkpoint: written")
    if segment_id is not None:
        async with archive.committer.alone() as commit:
            await commit(checkpoint=segment_id)
    label.put("checkpoint: committed")
    await archive.close()


async def prune(place: Place, label: Label) -> None:
    """A backup, then a prune beside the next one."""
    rig = await place.open()
    label.put("prune: opened")

    def step(name: str) -> None:
        label.put(f"prune: {name}")

    pruner = Pruner(rig.archive, SystemClock(), is_held=Pins().__contains__, step=step)
    pruning = asyncio.ensure_future(pruner.prune(Progress()))
    report = await rig.run()
    await pruning
    if report.error is not None:
        raise report.error
    label.put("prune: run done")
    await rig.archive.close()


async def rebuild(place: Place, label: Label) -> None:
    """The catalog is made anew from the repository."""
    ref = place.home.repository("main")
    repository = archives.open_repository(ref, SECRET, SystemClock(), to_write=True)

    def progress(done: int, total: int) -> None:
        label.put(f"rebuild: {'half' if 2 * done > total else 'first half'}")

    rebuild_catalog(place.home.catalog_path("main"), repository, progress=progress)
    label.put("rebuild: done")


async def repair(place: Place, label: Label) -> None:
    """A check and the repair of what it finds."""
    ref = place.home.repository("main")
    folder = Path(ref.catalog)
    repository = archives.open_repository(ref, SECRET, SystemClock(), to_write=True)
    found = check_repository(folder, repository, SystemClock(), _READ).report
    label.put("repair: checked")
    if not found.ok:
        repair_all(folder, repository, found, _READ, SystemClock(), lambda *_: label.put("repair: looking"))
    label.put("repair: done")


async def _prove(place: Place) -> dict[int, dict[str, str] | None]:
    rig = await place.open()
    reader = rig.archive.reader
    _is_whole(place)
    points = {point.seq for point in reader.points(place.account)}
    known = set(place.points)
    # Of a point that a killed process closed nobody was told; the tenant has not changed since.
    for seq in points - known:
        place.points[seq] = now_in(place.cloud.mailboxes[place.owner])
    lost = sorted(known - points)
    may_go = sorted(known | points)[:-KEPT_POINTS] if place.pruned else []
    assert set(lost) <= set(may_go), f"points {lost} are lost, {may_go} may be"
    for seq in points:
        if place.points[seq] is not None:
            assert listing(reader, rig.archive, place.account, seq) == place.points[seq], f"point {seq}"
    report = await rig.run()
    assert report.error is None, report.error
    there, wanted = rig.listing(place.account), now_in(place.cloud.mailboxes[place.owner])
    differing = sorted(name for name in there | wanted if there.get(name) != wanted.get(name))
    assert not differing, f"{differing} differ; {report}, owed {reader.owed()}"
    found = {point.seq: place.points.get(point.seq, wanted) for point in reader.points(place.account)}
    await rig.archive.close()
    return found


async def _prove_repaired(place: Place) -> dict[int, dict[str, str] | None]:
    rig = await place.open()
    for _ in range(2):
        report = await rig.run()
        assert report.error is None, report.error
    _is_whole(place)
    now = now_in(place.cloud.mailboxes[place.owner])
    there = rig.listing(place.account)
    differing = sorted(name for name in there | now if there.get(name) != now.get(name))
    assert not differing, f"{differing} differ, owed {rig.archive.reader.owed()}"
    found: dict[int, dict[str, str] | None] = {}
    for point in rig.archive.reader.points(place.account):
        before = place.points.get(point.seq) or {}
        try:
            there = rig.listing(place.account, point.seq)
        except TuibackError:
            there = {}
        # What can be read is what it was, or what a run has listed again after the commit of that point was lost.
        assert all(text in (before.get(name, text), now.get(name)) for name, text in there.items()), point.seq
        found[point.seq] = there if there in (before, now) else None
    await rig.archive.close()
    return found


def _is_whole(place: Place) -> None:
    ref = place.home.repository("main")
    repository = archives.open_repository(ref, SECRET, SystemClock(), to_write=False)
    report = check_repository(Path(ref.catalog), repository, SystemClock(), _READ).report
    assert report.damaged == (), report.damaged


def _prove_equal(place: Place, fresh: Path) -> bool:
    ref = place.home.repository("main")
    repository = archives.open_repository(ref, SECRET, SystemClock(), to_write=False)
    rebuild_catalog(fresh, repository)
    # A chunk that several packs have may be looked for in any of them.
    differences = [line for line in same_content(place.home.catalog_path("main"), fresh) if " in chunks: " not in line]
    assert differences == [], differences
    return True
