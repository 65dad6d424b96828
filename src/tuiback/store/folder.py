"""Keeps the repository's objects as files of a folder, each durable and whole or not there at all."""

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tuiback.errors import Damage, EnvironmentFault, NoSuchThing, RepositoryMissing, StorageFull, TuibackError
from tuiback.store.backend import AlreadyThere, probe_place

# What a full or failing disk answers.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
# No upload takes a day, so an older temporary file belongs to a process that died.
_STALE_SECONDS = 24 * 3600


class Disk:
    """The three steps that a disk can fail at. Each raises OSError."""

    def write(self, path: Path, data: Sequence[bytes]) -> None:
        """A new file with these bytes, on the disk when this returns."""
        with path.open("xb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())

    def link(self, existing: Path, new: Path) -> None:
        """Give the file a second name, never replacing what has it."""
        new.hardlink_to(existing)

    def sync_folder(self, folder: Path) -> None:
        """The names in the folder are on the disk when this returns."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class FolderBackend:
    """Objects as files below one folder.

    An object is written to tmp/, fsynced, given its name by link() (which never replaces), and its folder is
    fsynced. A file whose fsync failed is thrown away, never synced again: Linux marks its pages clean.
    """

    def __init__(self, path: str | Path, disk: Disk | None = None) -> None:
        self._root = Path(path).expanduser().absolute()
        self.url = str(self._root)
        self._known_folders: set[Path] = set()
        self._disk = disk or Disk()

    def prepare(self) -> None:
        """See Backend.prepare."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._fault(error, self.url) from error

    def create(self, name: str, data: Sequence[bytes]) -> None:
        """See Backend.create."""
        self._require_root()
        target = self._path(name)
        temporary = self._root / "tmp" / os.urandom(16).hex()
        try:
            self._ensure_folder(temporary.parent)
            try:
                # First of all: when the volume has left since the last time, this fails and no folder is made.
                self._disk.write(temporary, data)
                self._ensure_folder(target.parent)
                self._link(temporary, target, name)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise self._fault(error, name) from error

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See Backend.read."""
        try:
            # Records are read by the thousand: a Path and a file object would take longer than their bytes.
            descriptor = os.open(f"{self.url}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return _read_up_to(descriptor, offset, length)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno == errno.EIO:
                raise Damage("the disk can't read it", name, "check the disk, then run tuiback check") from error
            raise self._fault(error, name) from error

    def size(self, name: str) -> int:
        """See Backend.size."""
        return self._stat(name).st_size

    def modified(self, name: str) -> datetime:
        """See Backend.modified."""
        return datetime.fromtimestamp(self._stat(name).st_mtime, UTC)

    def list(self, prefix: str) -> Iterator[str]:
        """See Backend.list."""
        self._require_root()
        folder, _, start = prefix.rpartition("/")
        base = f"{folder}/" if folder else ""
        try:
            with os.scandir(self._root / folder) as entries:
                found = sorted((entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(start))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise self._fault(error, prefix) from error
        for name, is_folder in found:
            if is_folder:
                yield from self.list(f"{base}{name}/")
            else:
                yield f"{base}{name}"

    def delete(self, name: str) -> None:
        """See Backend.delete."""
        path = self._path(name)
        try:
            path.unlink()
            self._disk.sync_folder(path.parent)
        except OSError as error:
            raise self._fault(error, name) from error

    def probe(self) -> None:
        """See Backend.probe; also clears temporary files that a dead process left."""
        self._clear_stale()
        probe_place(self, "its file system does not keep files as written", "choose another disk")

    def free_bytes(self) -> tuple[int, int]:
        """See Backend.free_bytes."""
        try:
            usage = shutil.disk_usage(self._root)
        except OSError as error:
            raise self._fault(error, self.url) from error
        return usage.total - usage.free, usage.total

    def _path(self, name: str) -> Path:
        return self._root / name

    def _stat(self, name: str) -> os.stat_result:
        try:
            return self._path(name).stat()
        except OSError as error:
            raise self._fault(error, name) from error

    def _require_root(self) -> None:
        if not self._root.is_dir():
            raise RepositoryMissing("there is no such folder", self.url, "mount it, or correct the path")

    def _ensure_folder(self, folder: Path) -> None:
        if folder in self._known_folders or folder == self._root:
            return
        self._ensure_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        self._disk.sync_folder(folder.parent)
        self._known_folders.add(folder)

    def _link(self, temporary: Path, target: Path, name: str) -> None:
        try:
            self._disk.link(temporary, target)
        except FileExistsError as error:
            raise AlreadyThere("the name is taken", name) from error
        except OSError as error:
            if error.errno in _NO_LINKS:
                remedy = "choose ext4, btrfs, XFS, ZFS or NFS"
                raise EnvironmentFault("its file system has no hard links", self.url, remedy) from error
            raise
        try:
            self._disk.sync_folder(target.parent)
        except OSError:
            # Whether the name survives a power cut is unknown: it must not look like success to a second try.
            target.unlink(missing_ok=True)
            raise

    def _clear_stale(self) -> None:
        # File times are the disk's, so the wall clock is the one to compare with.
        oldest = time.time() - _STALE_SECONDS
        for name in list(self.list("tmp/")):
            path = self._path(name)
            # A leftover that can't be removed harms nobody.
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _fault(self, error: OSError, name: str) -> TuibackError:
        if error.errno in _FULL:
            what = f"writing {name} failed: {error.strerror}"
            return StorageFull(what, self.url, "free space or check the disk; what was committed is safe")
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            if not self._root.is_dir() or not any(self._root.iterdir()):
                return RepositoryMissing("nothing lies there", self.url, "mount it, or correct the path")
            return NoSuchThing("there is no such object in the repository", name)
        return EnvironmentFault(f"{name}: {error.strerror}", self.url, "check the mount and its permissions")


def _read_up_to(descriptor: int, offset: int, length: int | None) -> bytes:
    if length is None:
        length = max(0, os.fstat(descriptor).st_size - offset)
    pieces = []
    while length > 0 and (piece := os.pread(descriptor, length, offset)):
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
