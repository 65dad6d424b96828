"""Opening a repository: replay, rebuild, and the states in which it must not go on."""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.rig import SECRET, Rig, anna, make_home, now_in
from tuiback.catalog import same_content
from tuiback.engine.archive import Archive, open_repository, rebuild_catalog, remove_database
from tuiback.engine.clock import SystemClock
from tuiback.errors import EnvironmentFault, RepositoryMissing, StorageFull, WrongKey
from tuiback.model import Outcome
from tuiback.store import Secret


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


async def test_rolled_back_repository_is_refused(tmp_path: Path) -> None:
    """A repository that lacks commits which the catalog knows is never written to; rebuilding goes on from it."""
    home = make_home(tmp_path)
    rig = await Rig.open(home)
    box = rig.cloud.mailboxes["anna"] = anna()
    await rig.run()
    await rig.archive.close()
    snapshot = tmp_path / "snapshot"
    shutil.copytree(tmp_path / "repository", snapshot)
    rig = await Rig.open(home, rig.cloud)
    box.put("late", "in", b"came late")
    await rig.run()
    await rig.archive.close()
    shutil.rmtree(tmp_path / "repository")
    shutil.copytree(snapshot, tmp_path / "repository")
    with pytest.raises(EnvironmentFault, match="rebuild-catalog"):
        await Rig.open(home)
    repository = open_repository(home.repository("main"), SECRET, SystemClock(), to_write=False)
    rebuild_catalog(home.catalog_path("main"), repository)
    rig = await Rig.open(home, rig.cloud)
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(box)
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
