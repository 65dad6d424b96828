"""What a folder promises beyond every backend: a failing, leaving or unfit disk is told and does no harm."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tuiback.errors import EnvironmentFault, RepositoryMissing, StorageFull, TuibackError, UsageError
from tuiback.store import open_backend
from tuiback.store.folder import Disk, FolderBackend


@pytest.fixture
def folder(tmp_path: Path) -> FolderBackend:
    """A prepared folder backend."""
    backend = FolderBackend(tmp_path / "repository")
    backend.prepare()
    return backend


def files(folder: FolderBackend) -> dict[str, bytes]:
    """Everything that lies in the backend's folder."""
    root = Path(folder.url)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


class FailingOnce(Disk):
    """A disk that fails once, with an error of the operating system, at the end of one of its steps."""

    def __init__(self, step: str, code: int) -> None:
        self._step = step
        self._code = code

    def write(self, path: Path, data: Sequence[bytes]) -> None:
        super().write(path, data)
        self._fail("write")

    def link(self, existing: Path, new: Path) -> None:
        self._fail("link")
        super().link(existing, new)

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self._fail(f"sync {folder.name}")

    def _fail(self, step: str) -> None:
        if step == self._step:
            self._step = ""
            raise OSError(self._code, os.strerror(self._code))


def test_missing_folder_is_never_created(tmp_path: Path) -> None:
    """Every verb on a folder that isn't there says so and creates nothing."""
    backend = FolderBackend(tmp_path / "mount" / "repository")
    with pytest.raises(RepositoryMissing, match="mount it"):
        backend.create("config", [b"."])
    with pytest.raises(RepositoryMissing):
        backend.read("config")
    with pytest.raises(RepositoryMissing):
        list(backend.list("packs/"))
    with pytest.raises(RepositoryMissing):
        backend.probe()
    with pytest.raises(RepositoryMissing):
        backend.free_bytes()
    assert list(tmp_path.iterdir()) == []


def test_volume_that_leaves_is_told_and_its_mount_point_stays_empty(folder: FolderBackend) -> None:
    """After an unmount in the middle of the work no verb writes into the empty folder behind it."""
    folder.create("packs/ab/x", [b"."])
    root = Path(folder.url)
    root.rename(root.with_name("volume"))
    root.mkdir()
    for name in ("packs/ab/y", "packs/cd/z", "commits/nas/1-x"):
        with pytest.raises(RepositoryMissing, match="mount it"):
            folder.create(name, [b"."])
    for verb in (folder.read, folder.size, folder.delete):
        with pytest.raises(RepositoryMissing, match="mount it"):
            verb("packs/ab/x")
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("step", ["write", "link", "sync ab", "sync packs"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_failed_write_leaves_nothing(tmp_path: Path, code: int, step: str) -> None:
    """A full or failing disk raises StorageFull, leaves no file, and the next try may succeed."""
    backend = FolderBackend(tmp_path, FailingOnce(step, code))
    with pytest.raises(StorageFull, match="what was committed is safe"):
        backend.create("packs/ab/x", [b"data"])
    assert files(backend) == {}
    backend.create("packs/ab/x", [b"data"])
    assert files(backend) == {"packs/ab/x": b"data"}


def test_all_that_is_done_is_on_the_disk(folder: FolderBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is synced when all its bytes are there, then its name is; so is a name that is taken away."""
    synced: list[tuple[str, object]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        state = sorted(os.listdir(descriptor)) if path.is_dir() else path.read_bytes()
        synced.append((path.parent.name if isinstance(state, bytes) else path.name, state))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    folder.create("packs/ab/x", [b"da", b"ta"])
    written, named = synced.index(("tmp", b"data")), synced.index(("ab", ["x"]))
    assert written < named
    folder.delete("packs/ab/x")
    assert synced[-1] == ("ab", [])


def test_refused_write_is_no_full_disk(tmp_path: Path) -> None:
    """A read-only mount is the environment's fault, not a lack of space."""
    backend = FolderBackend(tmp_path, FailingOnce("write", errno.EROFS))
    with pytest.raises(EnvironmentFault, match="check the mount") as caught:
        backend.create("packs/ab/x", [b"data"])
    assert not isinstance(caught.value, StorageFull)


def test_probe_leaves_no_trace_and_clears_old_leftovers(folder: FolderBackend) -> None:
    """A day-old temporary file is removed, a young one may belong to somebody."""
    folder.probe()
    root = Path(folder.url)
    (root / "tmp" / "old").write_bytes(b".")
    (root / "tmp" / "young").write_bytes(b".")
    os.utime(root / "tmp" / "old", (1_000_000_000, 1_000_000_000))
    folder.probe()
    assert files(folder) == {"tmp/young": b"."}


def test_probe_refuses_a_disk_that_replaces(tmp_path: Path) -> None:
    """A file system on which the second create of a name succeeds can't hold a repository."""

    class Replacing(Disk):
        def link(self, existing: Path, new: Path) -> None:
            existing.replace(new)

    with pytest.raises(EnvironmentFault, match="choose another disk"):
        FolderBackend(tmp_path, Replacing()).probe()


def test_file_system_without_hard_links_is_named(tmp_path: Path) -> None:
    """A disk with exFAT, like some network mounts, can't link: the error says what to choose instead."""
    with pytest.raises(EnvironmentFault, match="no hard links"):
        FolderBackend(tmp_path, FailingOnce("link", errno.EPERM)).probe()


@pytest.mark.parametrize(("url", "error"), [("ftp://host/x", UsageError), ("file://relative", UsageError)])
def test_unknown_places_are_refused(url: str, error: type[TuibackError]) -> None:
    """Only folders and s3:// are known, and a file URL must be absolute."""
    with pytest.raises(error, match="name a folder"):
        open_backend(url)


def test_file_url_and_path_name_the_same_folder(tmp_path: Path) -> None:
    """file:// with an absolute path is the folder itself; opening creates nothing."""
    target = tmp_path / "r"
    assert open_backend(f"file://{target}").url == open_backend(str(target)).url == str(target)
    assert not target.exists()
