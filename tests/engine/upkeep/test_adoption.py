"""A catalog made from the repository alone, and what becomes of the writer whose line of commits is broken."""

from pathlib import Path

import msgspec
import pytest

from tests.engine.cloud import Cloud
from tests.engine.rig import SECRET, Rig, anna, make_home, now_in
from tests.store.checkpoints import drop_superseded
from tuiback.catalog import Catalog, State, same_content
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.archives.checkpointing import make_checkpoint
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.upkeep.adoption import Shortfall, adopt, find_gaps, rebuild
from tuiback.model import CommitBody, CommitHead, Outcome
from tuiback.store import Repository, SegmentRef, gc
from tuiback.store.folder import FolderBackend


def repository_of(home: Home) -> Repository:
    """The home's main repository."""
    return open_repository(home.repository("main"), SECRET, SystemClock(), to_write=True)


def append(repository: Repository, writer: str, times: int) -> list[Path]:
    """Empty commits of one writer; their files."""
    head: CommitHead | None = None
    for _ in range(times):
        head = repository.append(writer, head, [], CommitBody(time=SystemClock().now())).head
    return sorted(Path(repository.url, "commits", writer).iterdir())


def writer_of(home: Home) -> str:
    """The id that the home writes under."""
    state = State.open(home.state_path("main"))
    try:
        return state.writer_id()
    finally:
        state.close()


def heads_in_catalog(home: Home) -> tuple[CommitHead, ...]:
    """What the home's catalog has applied."""
    catalog = Catalog.open(home.catalog_path("main"))
    try:
        return catalog.heads()
    finally:
        catalog.close()


def test_a_home_whose_own_line_is_broken_takes_a_new_writer(tmp_path: Path) -> None:
    """Going on in the broken line would give one number two commits; another writer's gap changes nothing."""
    home = make_home(tmp_path)
    repository = repository_of(home)
    rebuild(home, "main", repository, SystemClock())
    mine = writer_of(home)
    own, other = append(repository, mine, 3), append(repository, "other", 3)
    other[1].unlink()
    assert [gap.writer_id for gap in rebuild(home, "main", repository, SystemClock()).gaps] == ["other"]
    assert writer_of(home) == mine
    own[1].unlink()
    gaps = rebuild(home, "main", repository, SystemClock()).gaps
    assert {(gap.writer_id, gap.commits) for gap in gaps} == {(mine, 1), ("other", 1)}
    assert writer_of(home) != mine
    assert {head.number for head in heads_in_catalog(home)} == {1}


def test_adopting_ends_with_the_home_knowing_it(tmp_path: Path) -> None:
    """The repository is known only once its catalog is whole, and the new home writes under an id of its own."""
    first = make_home(tmp_path)
    repository = repository_of(first)
    rebuild(first, "main", repository, SystemClock())
    append(repository, writer_of(first), 2)
    second = Home.create(tmp_path / "second")
    ref = RepositoryRef(
        name="main", url=repository.url, repository_id=repository.repository_id, catalog=str(tmp_path / "ssd")
    )
    shortfall = adopt(second, ref, repository, SystemClock())
    assert (shortfall.gaps, shortfall.lost_packs, find_gaps(repository)) == ((), (), ())
    second = Home.open(second.path)
    assert heads_in_catalog(second) == repository.heads()
    assert writer_of(second) != writer_of(first)


class Shaky(FolderBackend):
    """Gives the first commit or prune's object that is read with a wrong byte, once."""

    shakes = True

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See Backend."""
        data = super().read(name, offset, length)
        if self.shakes and name.startswith(("commits/", "gc/")):
            self.shakes = False
            return data[:-1] + bytes([data[-1] ^ 1])
        return data


@pytest.mark.parametrize("with_prune", [False, True])
def test_what_came_wrong_once_is_not_put_aside(tmp_path: Path, with_prune: bool) -> None:
    """Over a bad cable a whole object may look damaged: it is read again before it is taken from its place."""
    first = make_home(tmp_path)
    append(repository_of(first), "nas", 2)
    if with_prune:
        gc.put_intent(repository_of(first).objects, gc.Intent(1, "nas", (), (), ()))
    shaky = Shaky(repository_of(first).url)
    repository = Repository.open(shaky, SECRET, clock=SystemClock(), probe=False)
    second = Home.create(tmp_path / "second")
    ref = msgspec.structs.replace(first.repository("main"), catalog=str(tmp_path / "ssd"))
    assert adopt(second, ref, repository, SystemClock()) == Shortfall()
    assert not shaky.shakes
    assert heads_in_catalog(Home.open(second.path)) == repository.heads()


async def home_of_a_checkpoint_alone(tmp_path: Path, cloud: Cloud) -> Home:
    """A home whose repository holds one mailbox, with every commit before a checkpoint pruned away."""
    home = make_home(tmp_path)
    box = cloud.mailboxes["anna"] = anna()
    rig = await Rig.open(home, cloud)
    await rig.run()
    box.delete("m1")
    await rig.run()
    await rig.archive.close()
    repository = repository_of(home)
    catalog = Catalog.open(home.catalog_path("main"))
    make_checkpoint(repository, catalog, writer_id=writer_of(home), clock=SystemClock())
    catalog.close()
    assert drop_superseded(repository)
    return home


async def test_a_repository_of_a_checkpoint_alone_is_adopted_whole(tmp_path: Path) -> None:
    """Tasks, items, cursors and content come back, and how far it is told."""
    cloud = Cloud()
    home, box = await home_of_a_checkpoint_alone(tmp_path, cloud), cloud.mailboxes["anna"]
    second = Home.create(tmp_path / "second")
    ref = msgspec.structs.replace(home.repository("main"), catalog=str(tmp_path / "ssd"))
    told: list[tuple[int, int]] = []
    shortfall = adopt(second, ref, repository_of(home), SystemClock(), lambda done, total: told.append((done, total)))
    assert shortfall == Shortfall()
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] == told[-1][1]
    second = Home.open(second.path)
    assert same_content(home.catalog_path("main"), second.catalog_path("main")) == []
    rig = await Rig.open(second, cloud)
    cloud.fetched.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert cloud.fetched == []
    assert rig.listing() == now_in(box)
    await rig.archive.close()


def spoil(repository: Repository, ref: SegmentRef) -> None:
    """Change a byte of a record where it lies."""
    file = Path(repository.url, "segments", ref.segment_id[:2], ref.segment_id)
    data = bytearray(file.read_bytes())
    data[ref.offset + ref.length - 1] ^= 1
    file.chmod(0o600)
    file.write_bytes(data)


async def test_a_damaged_base_costs_its_own_account_only(tmp_path: Path) -> None:
    """The other accounts come back whole; this one is told, and the next run lists and fetches it again."""
    home, cloud = make_home(tmp_path), Cloud()
    cloud.mailboxes["anna"], cloud.mailboxes["ben"] = anna(), anna()
    rig = await Rig.open(home, cloud)
    await rig.run()
    ben = rig.listing("mailbox:ben")
    await rig.archive.close()
    repository = repository_of(home)
    catalog = Catalog.open(home.catalog_path("main"))
    make_checkpoint(repository, catalog, writer_id=writer_of(home), clock=SystemClock())
    catalog.close()
    drop_superseded(repository)
    newest = repository.newest_checkpoint()
    assert newest is not None
    spoil(repository, newest[1].subjects["mailbox:anna"].base[0])
    shortfall = rebuild(home, "main", repository_of(home), SystemClock())
    assert (shortfall.lost_accounts, shortfall.lost_packs) == (("mailbox:anna",), ())
    rig = await Rig.open(home, cloud)
    assert rig.listing("mailbox:ben") == ben
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing("mailbox:anna") == now_in(cloud.mailboxes["anna"])
    await rig.archive.close()


def cut(file: Path) -> None:
    """Take the last byte from an object."""
    data = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(data[:-1])


async def test_a_lost_checkpoint_and_a_damaged_prune_keep_nothing_back(tmp_path: Path) -> None:
    """Both are put aside and named; another commit names the checkpoint's table, and the next run fetches nothing."""
    cloud = Cloud()
    home = await home_of_a_checkpoint_alone(tmp_path, cloud)
    repository = repository_of(home)
    gc.put_accept(repository.objects, gc.Accept(1, "other", (), (), repository.heads()))
    damaged = [gc.accept_name(1), *repository.backend.list("commits/")]
    for name in damaged:
        cut(Path(repository.url, name))
    second = Home.create(tmp_path / "second")
    ref = msgspec.structs.replace(home.repository("main"), catalog=str(tmp_path / "ssd"))
    shortfall = adopt(second, ref, repository_of(home), SystemClock())
    assert shortfall == Shortfall(put_aside=tuple(damaged))
    assert {f"quarantine/{name}" for name in damaged} <= set(repository.backend.list("quarantine/"))
    rig = await Rig.open(Home.open(second.path), cloud)
    cloud.fetched.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert cloud.fetched == []
    assert rig.listing() == now_in(cloud.mailboxes["anna"])
    await rig.archive.close()
