"""Whatever is damaged: a repair saves what is whole, the next run fetches the rest, and then all checks clean."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.cloud import Cloud, Mailbox
from tests.engine.rig import SECRET, Rig, make_home, now_in
from tuiback.catalog import Catalog, State
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.archives.checkpointing import make_checkpoint
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.engine.upkeep.checking import Checked, Extent, check_repository
from tuiback.engine.upkeep.repairing import Repair, repair_all
from tuiback.errors import Damage
from tuiback.model import CommitBody
from tuiback.store import Repository
from tuiback.store.commits import commit_name
from tuiback.store.folder import FolderBackend
from tuiback.store.gc import Accept, Intent, accept_name, put_accept, put_intent, read_rounds
from tuiback.store.pack import pack_name
from tuiback.store.segment import segment_name

READ = Extent(read_data=True)


def mailbox() -> Mailbox:
    """A mailbox whose mails differ in every byte, so that each damage loses only some."""
    box = Mailbox()
    box.add_folder("in", "Inbox")
    for number in range(4):
        box.put(f"m{number}", "in", (f"text {number} " * 2000).encode())
    return box


class Place:
    """A home with three runs in it: mails came, one changed and one went."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.home: Home = make_home(path)
        self.cloud = Cloud()
        self.box = self.cloud.mailboxes["anna"] = mailbox()
        self.root = Path(self.home.repository("main").url)
        self.folder = Path(self.home.repository("main").catalog)

    async def fill(self, *, checkpoint: bool) -> None:
        """The three runs, with a checkpoint before the last or none."""
        await self.run()
        self._change()
        await self.run()
        if checkpoint:
            self._make_checkpoint()
        self._grow()
        await self.run()

    def _make_checkpoint(self) -> None:
        state, catalog = State.open(self.folder / "state.db"), Catalog.open(self.folder / "catalog.db")
        try:
            repository = self.repository()
            assert make_checkpoint(repository, catalog, writer_id=state.writer_id(), clock=SystemClock())
        finally:
            catalog.close()
            state.close()

    def _change(self) -> None:
        self.box.put("m0", "in", b"changed " * 3000)
        self.box.delete("m1")

    def _grow(self) -> None:
        for number in range(4, 7):
            self.box.put(f"m{number}", "in", (f"more {number} " * 2000).encode())

    async def run(self) -> dict[str, str]:
        """One run; what is listed and can be read afterwards."""
        rig = await Rig.open(self.home, self.cloud)
        try:
            await rig.run()
            return rig.listing()
        finally:
            await rig.archive.close()

    def repository(self, *, to_write: bool = True) -> Repository:
        """The repository, as a new process opens it."""
        return open_repository(self.home.repository("main"), SECRET, SystemClock(), to_write=to_write)

    def check(self, extent: Extent = READ) -> Checked:
        """A check by the home."""
        return check_repository(self.folder, self.repository(to_write=False), SystemClock(), extent)

    def repair(self) -> Repair:
        """A check and the repair of what it finds."""
        found = self.check().report
        assert not found.ok
        repository = self.repository()
        return repair_all(self.folder, repository, found, READ, SystemClock(), lambda *_: None)

    def files(self, prefix: str) -> list[Path]:
        """The objects below a prefix, in the order in which they came."""
        found = [path for path in (self.root / prefix).rglob("*") if path.is_file()]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def made(path: Path, *, checkpoint: bool) -> Place:
    """A home with three runs, and a copy of it beside it."""
    place = Place(path / "now")
    asyncio.run(place.fill(checkpoint=checkpoint))
    assert place.check().report.ok
    shutil.copytree(path / "now", path / "before")
    return place


def brought_back(place: Place) -> Place:
    """The home as it was, where it was: its files name their places."""
    path = place.home.path.parent
    shutil.rmtree(path)
    shutil.copytree(path.with_name("before"), path)
    return place


@pytest.fixture(scope="module")
def with_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Filled once."""
    return made(tmp_path_factory.mktemp("checkpoint"), checkpoint=True)


@pytest.fixture(scope="module")
def with_commits(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Filled once."""
    return made(tmp_path_factory.mktemp("commits"), checkpoint=False)


@pytest.fixture
def place(with_checkpoint: Place) -> Place:
    """A home with three runs and a checkpoint before the last."""
    return brought_back(with_checkpoint)


@pytest.fixture
def plain_place(with_commits: Place) -> Place:
    """A home with three runs that are told by commits alone."""
    return brought_back(with_commits)


def damage(path: Path, harm: str) -> None:
    """Do harm to an object."""
    data = bytearray(path.read_bytes())
    path.unlink()
    if harm == "flip":
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    elif harm == "cut":
        path.write_bytes(data[:-9])


async def is_whole_after_a_run(place: Place) -> None:
    """The next run fetches what was lost; then all checks clean and every live mail is what the service has."""
    listed = await place.run()
    assert listed == now_in(place.box)
    report = place.check().report
    assert report.damaged == ()
    assert not [version for version in report.lost if version.live]


@pytest.mark.parametrize(("number", "harm"), [(0, "flip"), (1, "flip"), (1, "cut"), (1, "delete"), (2, "cut")])
async def test_damaged_pack(place: Place, number: int, harm: str) -> None:
    """What is whole in it is saved, what is not is owed, and the pack lies in quarantine."""
    pack = place.files("packs")[number]
    damage(pack, harm)
    result = place.repair()
    assert result.left == ()
    assert result.lost or result.repaired
    assert result.owed == len({item.item_id for item in result.lost if item.live})
    aside = place.root / "quarantine" / "packs" / pack.name[:2] / pack.name
    assert (aside.exists(), pack.exists()) == (harm != "delete", False)
    assert place.check().report.damaged == ()
    await is_whole_after_a_run(place)


def object_names(place: Place, prefix: str) -> list[Path]:
    """The objects that the newest checkpoint and the commits behind it make part of the repository."""
    repository = place.repository(to_write=False)
    checkpoint = repository.newest_checkpoint()
    assert checkpoint is not None
    if prefix == "segments":
        names = sorted({checkpoint[0].checkpoint, *checkpoint[1].segments()})
        return [place.root / segment_name(name) for name in names]
    heads = [head for chain in repository.chains() for head in chain.heads]
    return [place.root / commit_name(head) for head in dict.fromkeys((checkpoint[0].head, *heads))]


@pytest.mark.parametrize(
    ("place_in_line", "harm"),
    [("checkpoint", "flip"), ("checkpoint", "delete"), ("first", "delete"), ("newest", "cut"), ("newest", "delete")],
)
async def test_damaged_commit(place: Place, place_in_line: str, harm: str) -> None:
    """The catalog knows what it said: a checkpoint takes its place, and nothing is lost."""
    commits = object_names(place, "commits")
    damage(commits[{"checkpoint": 0, "first": 1, "newest": -1}[place_in_line]], harm)
    result = place.repair()
    assert (result.lost, result.left, result.owed) == ((), (), 0)
    assert result.whole
    assert place.check().report.damaged == ()
    await is_whole_after_a_run(place)


@pytest.mark.parametrize(("number", "harm"), [(0, "flip"), (0, "delete"), (1, "cut"), (1, "delete")])
async def test_damaged_segment(place: Place, number: int, harm: str) -> None:
    """Bases and the table of a checkpoint are written anew from the catalog."""
    damage(object_names(place, "segments")[number], harm)
    result = place.repair()
    assert (result.lost, result.left, result.owed, result.whole) == ((), (), 0, True)
    assert place.check().report.damaged == ()
    await is_whole_after_a_run(place)


def foreign_commit(path: Path) -> bytes:
    """The bytes of a commit of another repository."""
    path.mkdir()
    repository = open_repository(make_home(path).repository("main"), SECRET, SystemClock(), to_write=True)
    head = repository.append("nas", None, [], CommitBody(time=SystemClock().now())).head
    return Path(repository.url, commit_name(head)).read_bytes()


@pytest.mark.parametrize("number", [0, 1])
async def test_damaged_checkpoint_without_the_commits_before_it(place: Place, number: int) -> None:
    """When nobody but the catalog knows what a checkpoint said, a new one is made from it."""
    segments = object_names(place, "segments")
    chain = place.repository(to_write=False).chains()[0]
    for name in chain.superseded:
        (place.root / name).unlink()
    assert place.check().report.ok
    damage(segments[number], "flip")
    assert place.repair().whole
    await is_whole_after_a_run(place)


@pytest.mark.parametrize(("place_in_line", "harm"), [(0, "flip"), (0, "delete"), (2, "delete"), (-1, "flip")])
async def test_damaged_commit_without_a_catalog(plain_place: Place, place_in_line: int, harm: str) -> None:
    """All other commits are read back, the accounts are listed again, and what nothing tells of is fetched again."""
    damage(plain_place.files("commits")[place_in_line], harm)
    shutil.rmtree(plain_place.folder)
    plain_place.repair()
    assert {finding.kind for finding in plain_place.check().report.damaged} <= {"item"}
    await is_whole_after_a_run(plain_place)


@pytest.mark.parametrize("harm", ["flip", "delete"])
async def test_lost_checkpoint_without_a_catalog(place: Place, harm: str) -> None:
    """Its table lies in segments of its own, where it is found: what nothing else tells of comes back from there."""
    repository = place.repository(to_write=False)
    checkpoint = repository.newest_checkpoint()
    assert checkpoint is not None
    for name in repository.chains()[0].superseded:
        (place.root / name).unlink()
    damage(place.root / commit_name(checkpoint[0].head), harm)
    shutil.rmtree(place.folder)
    assert place.repair().lost_accounts == ()
    place.cloud.fetched.clear()
    await is_whole_after_a_run(place)
    assert not {"m0", "m2", "m3"} & set(place.cloud.fetched)


@pytest.mark.parametrize("kind", ["base", "table", "both tables"])
async def test_damaged_base_without_a_catalog(place: Place, kind: str) -> None:
    """What the repository alone can't tell of an account is said, and the service is asked again."""
    repository = place.repository(to_write=False)
    checkpoint = repository.newest_checkpoint()
    assert checkpoint is not None
    base = next(iter(checkpoint[1].subjects["mailbox:anna"].base)).segment_id
    for name in repository.chains()[0].superseded:
        (place.root / name).unlink()
    tables = (checkpoint[0].checkpoint, checkpoint[0].checkpoint_copy)
    for segment_id in {"base": (base,), "table": tables[:1], "both tables": tables}[kind]:
        (place.root / segment_name(segment_id)).unlink()
    shutil.rmtree(place.folder)
    place.folder.mkdir()
    if kind == "both tables":
        with pytest.raises(Damage):
            place.repair()
        return
    assert ("mailbox:anna" in place.repair().lost_accounts) == (kind == "base")
    await is_whole_after_a_run(place)


@pytest.mark.parametrize("prefix", ["packs", "segments", "commits"])
async def test_swapped_and_foreign_objects(place: Place, prefix: str, tmp_path: Path) -> None:
    """Two objects under each other's names, or one of another repository, are damage as any other."""
    names = place.files("packs") if prefix == "packs" else object_names(place, prefix)
    one, other = names[:2]
    one_data, other_data = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_data)
    other.write_bytes(one_data)
    assert not place.check(Extent()).report.ok
    other.write_bytes(other_data)
    one.write_bytes(foreign_commit(tmp_path / "foreign"))
    assert not place.check(Extent()).report.ok
    assert place.repair().left == ()
    await is_whole_after_a_run(place)


@pytest.mark.parametrize(
    ("name", "harm"), [("config", "flip"), ("config.2", "delete"), ("keys/1", "delete"), ("keys/1.2", "cut")]
)
async def test_damaged_settings(place: Place, name: str, harm: str) -> None:
    """A copy comes back from the other one."""
    whole = (place.root / name).read_bytes()
    damage(place.root / name, harm)
    result = place.repair()
    assert (result.repaired, result.whole) == ((name,), True)
    assert (place.root / name).read_bytes() == whole
    await is_whole_after_a_run(place)


@pytest.mark.parametrize("harm", ["flip", "cut"])
async def test_damaged_gc_object(place: Place, harm: str) -> None:
    """What a prune decided is in the catalog too; without the object nobody can follow the commits."""
    repository = place.repository()
    accept = Accept(generation=1, writer="nas", doomed=(), superseded=(), seen=repository.heads())
    put_accept(repository.objects, accept)
    assert place.check().report.ok
    damage(place.root / accept_name(1), harm)
    assert place.check(Extent()).report.names_of("gc") == (accept_name(1),)
    assert place.repair().whole
    await is_whole_after_a_run(place)


async def test_a_prune_that_died_keeps_nobody_waiting_after_a_repair(place: Place) -> None:
    """The home has announced it under a name that the repair gives up: nothing of it leaves, and others may commit."""
    state = State.open(place.folder / "state.db")
    writer = state.writer_id()
    state.close()
    objects = place.repository().objects
    pack = pack_name(place.files("packs")[0].name)
    put_intent(objects, Intent(1, writer, (pack,), (), ()))
    damage(place.files("commits")[-1], "flip")
    assert place.repair().left == ()
    (told,) = read_rounds(objects)
    assert told.accept is not None
    assert told.accept.doomed == ()
    await is_whole_after_a_run(place)


async def test_damaged_note_of_a_loss(place: Place) -> None:
    """What it told of is found and told again."""
    damage(place.files("packs")[0], "delete")
    lost = place.repair().lost
    for path in place.files("quarantine/losses"):
        damage(path, "flip")
    assert len(place.check().report.names_of("loss")) > 0
    assert {(item.item_id, item.from_seq) for item in place.repair().lost} == {(i.item_id, i.from_seq) for i in lost}
    await is_whole_after_a_run(place)


async def test_everything_at_once(place: Place) -> None:
    """A pack, a commit and a copy of the config."""
    for path in (place.files("packs")[0], place.files("commits")[1], place.root / "config.2"):
        damage(path, "flip")
    assert place.repair().left == ()
    await is_whole_after_a_run(place)


async def test_a_damaged_catalog_is_made_anew(place: Place) -> None:
    """It is only a cache: nothing is lost."""
    catalog = place.home.catalog_path("main")
    catalog.write_bytes(b"no database" * 1000)
    assert place.check().report.names_of("catalog") == (str(catalog),)
    result = place.repair()
    assert result.whole
    await is_whole_after_a_run(place)


async def test_repairing_again_finds_nothing_more(place: Place) -> None:
    """What was told once as lost is known, and no damage any more."""
    damage(place.files("packs")[0], "delete")
    lost = place.repair().lost
    assert lost
    report = place.check().report
    assert report.ok
    assert {(version.item_id, version.from_seq) for version in report.lost} == {(i.item_id, i.from_seq) for i in lost}
    assert all(version.known for version in report.lost)


@pytest.mark.parametrize("killed", [False, True])
async def test_what_is_lost_twice_is_fetched_twice(place: Place, killed: bool) -> None:
    """Content that was lost, fetched again and lost again is no known loss, also when a repair died half-way."""
    damage(place.files("packs")[0], "delete")
    lost = {item.item_id for item in place.repair().lost if item.live}
    await is_whole_after_a_run(place)
    damage(place.files("packs")[-1], "delete")
    if killed:
        found = place.check().report
        # It dies when the pack has been given up and nothing is owed yet.
        backend = DyingBackend(place.home.repository("main").url, 1)
        repository = Repository.open(backend, SECRET, clock=SystemClock(), probe=False)
        with pytest.raises(Killed):
            repair_all(place.folder, repository, found, READ, SystemClock(), lambda *_: None)
    assert {item.item_id for item in place.repair().lost if item.live} >= lost != set()
    await is_whole_after_a_run(place)


class Killed(BaseException):
    """The process ends here."""


class DyingBackend(FolderBackend):
    """Does so many writes and deletions, and no more."""

    def __init__(self, path: str, writes: int) -> None:
        super().__init__(path)
        self.writes = writes

    def create(self, name: str, data: Sequence[bytes]) -> None:
        self._die()
        super().create(name, data)

    def delete(self, name: str) -> None:
        self._die()
        super().delete(name)

    def _die(self) -> None:
        self.writes -= 1
        if self.writes < 0:
            raise Killed


@pytest.mark.parametrize("writes", range(9))
async def test_a_repair_that_is_killed_can_be_repeated(place: Place, writes: int) -> None:
    """Between any two writes."""
    damage(place.files("packs")[0], "flip")
    damage(object_names(place, "commits")[-1], "delete")
    found = place.check().report
    backend = DyingBackend(place.home.repository("main").url, writes)
    repository = Repository.open(backend, SECRET, clock=SystemClock(), probe=False)
    with pytest.raises(Killed):
        repair_all(place.folder, repository, found, READ, SystemClock(), lambda *_: None)
    if not place.check().report.ok:
        assert place.repair().left == ()
    await is_whole_after_a_run(place)
