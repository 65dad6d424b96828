"""Opening a repository: replay, rebuild, and the states in which it must not go on."""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.cloud import Cloud
from tests.engine.rig import SECRET, Rig, anna, make_home, now_in
from tests.store.checkpoints import drop_superseded
from tuiback.catalog import Catalog, same_content
from tuiback.engine.archives.archive import Archive, open_repository
from tuiback.engine.archives.checkpointing import make_checkpoint
from tuiback.engine.archives.rebuilding import rebuild_catalog, remove_database
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.errors import RepositoryMissing, StorageFull, WriterCloned, WrongKey
from tuiback.model import CommitBody, Outcome
from tuiback.store import Repository, Secret


async def test_rebuilt_catalog_is_equal(tmp_path: Path) -> None:
    """A catalog made anew from the repository equals the lost one, cursors and owed items included."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    box = rig.cloud.mailboxes["anna"] = anna()
    rig.cloud.broken["m2"] = 1000
    await rig.run()
    box.put("m3", "arc", b"text 3")
    box.delete("m1")
    await rig.run()
    cursors = rig.archive.reader.containers("mailbox:anna")
    owed = rig.archive.reader.owed()
    await rig.archive.close()
    path = home.catalog_path("main")
    kept = tmp_path / "kept.db"
    shutil.copy(path, kept)
    remove_database(path)
    repository = open_repository(home.repository("main"), SECRET, SystemClock(), to_write=False)
    assert rebuild_catalog(path, repository) >= 2
    assert same_content(kept, path) == []
    rig = await Rig.open(home, rig.cloud)
    assert rig.archive.reader.containers("mailbox:anna") == cursors
    assert rig.archive.reader.owed() == owed
    rig.cloud.broken.clear()
    rig.cloud.fetched.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.cloud.fetched == ["m2"]
    assert rig.listing() == now_in(box)
    await rig.archive.close()


async def test_missing_catalog_is_made_at_open(tmp_path: Path) -> None:
    """A home whose catalog was lost opens with all of it read back."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    rig.cloud.mailboxes["anna"] = anna()
    await rig.run()
    await rig.archive.close()
    remove_database(home.catalog_path("main"))
    rig = await Rig.open(home, rig.cloud)
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    await rig.archive.close()


async def test_catalog_behind_the_repository_replays(tmp_path: Path) -> None:
    """A catalog that lost its last commits (a power cut with synchronous=NORMAL) gets them from the repository."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    box = rig.cloud.mailboxes["anna"] = anna()
    await rig.run()
    await rig.archive.close()
    path = home.catalog_path("main")
    old = tmp_path / "old.db"
    shutil.copy(path, old)
    rig = await Rig.open(home, rig.cloud)
    box.put("late", "in", b"came late")
    await rig.run()
    await rig.archive.close()
    remove_database(path)
    shutil.copy(old, path)
    rig = await Rig.open(home, rig.cloud)
    assert rig.listing() == now_in(box)
    await rig.archive.close()


async def reopened(home: Home, cloud: Cloud | None = None) -> tuple[Rig, list[str]]:
    """The home's repository opened again, and what was said about it."""
    said: list[str] = []
    archive = await Archive.open(
        home, home.repository("main"), SECRET, SystemClock(), lambda level, text: said.append(f"{level}: {text}")
    )
    return Rig(home, archive, cloud or Cloud(), runs=archive.reader.last_run_number()), said


def bring_back(snapshot: Path, repository: Path) -> None:
    """Put the older state of the volume in the place of the newer."""
    shutil.rmtree(repository)
    shutil.copytree(snapshot, repository)


async def run_twice_around_a_snapshot(tmp_path: Path, home: Home, cloud: Cloud) -> Path:
    """A run of two mailboxes, a snapshot of the volume, one more run in which only Anna's changed."""
    box = cloud.mailboxes["anna"] = anna()
    cloud.mailboxes["ben"] = anna()
    rig = await Rig.open(home, cloud)
    await rig.run()
    await rig.archive.close()
    snapshot = tmp_path / "snapshot"
    shutil.copytree(tmp_path / "repository", snapshot)
    rig = await Rig.open(home, cloud)
    box.put("late", "in", b"came late")
    box.put("m1", "in", b"changed later")
    box.delete("m2")
    await rig.run()
    await rig.archive.close()
    return snapshot


async def test_a_rolled_back_repository_is_gone_on_from_and_what_it_lost_is_listed_again(tmp_path: Path) -> None:
    """Only the touched account loses its cursors, only what the repository lacks is fetched, and it is said once."""
    home, cloud = make_home(tmp_path), Cloud()
    bring_back(await run_twice_around_a_snapshot(tmp_path, home, cloud), tmp_path / "repository")
    rig, said = await reopened(home, cloud)
    (line,) = said
    assert line == (
        f"warn: the repository at {tmp_path / 'repository'} was rolled back: it lacks commits that this home made;"
        " 1 account is listed again, and what it lacks of them is fetched"
    )
    assert all(c.relisting and not c.cursor for c in rig.archive.reader.containers("mailbox:anna"))
    assert all(c.cursor for c in rig.archive.reader.containers("mailbox:ben"))
    cloud.fetched.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert sorted(cloud.fetched) == ["late", "m1"]
    assert rig.listing() == now_in(cloud.mailboxes["anna"])
    await rig.archive.close()
    rig, said = await reopened(home)
    assert said == []
    await rig.archive.close()


async def test_lost_commits_that_changed_nothing_cost_nothing(tmp_path: Path) -> None:
    """Of a run that found everything unchanged only the run itself is lost: no account is listed again."""
    home, cloud = make_home(tmp_path), Cloud()
    cloud.mailboxes["anna"] = anna()
    rig = await Rig.open(home, cloud)
    await rig.run()
    await rig.archive.close()
    shutil.copytree(tmp_path / "repository", tmp_path / "snapshot")
    rig = await Rig.open(home, cloud)
    await rig.run()
    await rig.archive.close()
    bring_back(tmp_path / "snapshot", tmp_path / "repository")
    rig, said = await reopened(home)
    assert "rolled back" in said[0]
    assert all(c.cursor and not c.relisting for c in rig.archive.reader.containers("mailbox:anna"))
    await rig.archive.close()


async def test_a_catalog_older_than_the_commits_go_back_is_made_anew(tmp_path: Path) -> None:
    """An old copy of the catalog is put back after a checkpoint has replaced the commits behind it."""
    home, cloud = make_home(tmp_path), Cloud()
    box = cloud.mailboxes["anna"] = anna()
    rig = await Rig.open(home, cloud)
    await rig.run()
    await rig.archive.close()
    path = home.catalog_path("main")
    shutil.copy(path, tmp_path / "old.db")
    rig = await Rig.open(home, cloud)
    box.put("late", "in", b"came late")
    await rig.run()
    repository, writer_id = rig.archive.repository, rig.archive.writer_id
    await rig.archive.close()
    catalog = Catalog.open(path)
    make_checkpoint(repository, catalog, writer_id=writer_id, clock=SystemClock())
    catalog.close()
    drop_superseded(repository)
    remove_database(path)
    shutil.copy(tmp_path / "old.db", path)
    rig, said = await reopened(home, cloud)
    assert [line for line in said if "older" in line] == said != []
    assert rig.listing() == now_in(box)
    await rig.archive.close()


async def test_a_rolled_back_repository_is_noticed_without_the_catalog(tmp_path: Path) -> None:
    """The home remembers what it has seen: with its catalog lost too, every account is listed again."""
    home, cloud = make_home(tmp_path), Cloud()
    bring_back(await run_twice_around_a_snapshot(tmp_path, home, cloud), tmp_path / "repository")
    remove_database(home.catalog_path("main"))
    rig, said = await reopened(home, cloud)
    assert "rolled back" in said[-1]
    for account_id in ("mailbox:anna", "mailbox:ben"):
        assert all(c.relisting for c in rig.archive.reader.containers(account_id))
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(cloud.mailboxes["anna"])
    await rig.archive.close()


async def test_going_back_can_be_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the new catalog and the listing again: the next start still knows that commits were lost."""
    home, cloud = make_home(tmp_path), Cloud()
    bring_back(await run_twice_around_a_snapshot(tmp_path, home, cloud), tmp_path / "repository")

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(Repository, "append", crash)
        with pytest.raises(RuntimeError):
            await reopened(home)
    rig, said = await reopened(home, cloud)
    assert "rolled back" in said[-1]
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(cloud.mailboxes["anna"])
    await rig.archive.close()


async def test_a_forked_repository_is_gone_on_from(tmp_path: Path) -> None:
    """Another home went on from the older state: its commits count, and ours are listed again."""
    home, cloud = make_home(tmp_path), Cloud()
    snapshot = await run_twice_around_a_snapshot(tmp_path, home, cloud)
    bring_back(snapshot, tmp_path / "repository")
    shutil.copytree(tmp_path / "home", tmp_path / "mine")
    remove_database(home.catalog_path("main"))
    remove_database(home.state_path("main"))
    other = await Rig.open(home, cloud)
    await other.run()
    await other.archive.close()
    shutil.rmtree(tmp_path / "home")
    shutil.copytree(tmp_path / "mine", tmp_path / "home")
    rig, said = await reopened(home, cloud)
    assert "rolled back" in said[-1]
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(cloud.mailboxes["anna"])
    await rig.archive.close()


@pytest.mark.parametrize("again", [False, True])
async def test_a_cloned_writer_takes_a_new_name_and_loses_nothing(tmp_path: Path, again: bool) -> None:
    """Another copy of the home has written in its name: the run fails, the next one stores everything.

    Whether the program starts `again` in between or goes on.
    """
    home, cloud = make_home(tmp_path), Cloud()
    box = cloud.mailboxes["anna"] = anna()
    rig = await Rig.open(home, cloud)
    await rig.run()
    repository, before = rig.archive.repository, rig.archive.committer.head
    assert before is not None
    repository.append(before.writer, before, [], CommitBody(time=SystemClock().now()))
    box.put("late", "in", b"came late")
    report = await rig.run()
    assert report.outcome is Outcome.FAILED
    assert isinstance(report.error, WriterCloned)
    if again:
        await rig.archive.close()
        rig, _ = await reopened(home, cloud)
    else:
        await rig.archive.mend()
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(box)
    assert rig.archive.committer.head is not None
    assert rig.archive.committer.head.writer != before.writer
    await rig.archive.close()


async def test_wrong_key_and_missing_mount(tmp_path: Path) -> None:
    """A passphrase that does not fit, and an empty folder where the repository should be: nothing is created."""
    home = make_home(tmp_path)
    ref = home.repository("main")
    with pytest.raises(WrongKey):
        await Archive.open(home, ref, Secret("passphrase", b"not the one at all"), SystemClock(), print)
    shutil.move(tmp_path / "repository", tmp_path / "elsewhere")
    (tmp_path / "repository").mkdir()
    with pytest.raises(RepositoryMissing, match="mount"):
        await Archive.open(home, ref, SECRET, SystemClock(), print)
    assert list((tmp_path / "repository").iterdir()) == []


async def test_full_disk_fails_the_run_and_loses_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the run fails with the reason; with room again the next run stores everything."""
    backend = rig.archive.repository.backend

    def full(name: str, data: Sequence[bytes]) -> None:
        raise StorageFull(errno.errorcode[errno.ENOSPC], name, "make room and run again")

    with monkeypatch.context() as patched:
        patched.setattr(backend, "create", full)
        report = await rig.run()
    assert report.outcome is Outcome.FAILED
    assert isinstance(report.error, StorageFull)
    assert rig.archive.reader.points("mailbox:anna") == ()
    await rig.archive.mend()
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
