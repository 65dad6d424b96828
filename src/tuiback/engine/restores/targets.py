"""Where an export writes, and a folder as such a place; no name can lead outside of it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tuiback.catalog import short_id
from tuiback.errors import StorageFull, UsageError

MANIFEST = "tuiback-manifest.jsonl"
# A name that is taken, by a link too, is never written through.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o666

# A small file's bytes, or a long one's as they come.
Content = bytes | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """What a FolderTarget is made of."""

    folder: str
    overwrite: bool


class Target(Protocol):
    """Where exported files go; `at_once` is how many threads may call write() at a time."""

    at_once: int

    @property
    def place(self) -> FolderPlace | None:
        """What makes the same target in another process; None where there can be no second one."""
        ...

    def write(self, name: str, content: Content, modified: str) -> None:
        """Write a file; `name` has segments separated by "/", each safe. Raises OSError."""
        ...

    def note(self, names: Iterable[str]) -> None:
        """Remember what lies where another process is about to write these files."""
        ...

    def take_back(self, names: Iterable[str]) -> None:
        """Remove what that process has written of them when it ended before it told; what lay there before stays."""
        ...

    def close(self, manifest: Iterable[bytes]) -> None:
        """Write the manifest and finish."""
        ...


class FolderTarget:
    """Files below a folder. An existing file is kept unless overwriting was asked for."""

    at_once = 2

    def __init__(self, folder: Path, *, overwrite: bool) -> None:
        self._folder = str(folder)
        self._overwrite = overwrite
        self.place = FolderPlace(self._folder, overwrite)
        # By folder: the names that were there before another process wrote to it.
        self._there: dict[str, frozenset[str]] = {}
        # Looked at once: that costs more than writing a mail.
        self._made: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as e:
            raise UsageError("this is a file, not a folder", str(folder), "name a folder or a .zip file") from e
        except OSError as e:
            raise StorageFull(f"the folder can't be made ({e.strerror})", str(folder), "check its place") from e

    def write(self, name: str, content: Content, modified: str) -> None:
        """See Target.write. What comes in pieces is written beside and then put in place."""
        path = f"{self._folder}/{name}"
        folder, _, last = path.rpartition("/")
        if folder not in self._made:
            self._make_folder(folder)
        try:
            if isinstance(content, bytes) and not self._overwrite:
                _write_new(path, (content,), modified)
            else:
                self._write_beside(Path(path), Path(folder, f".{short_id(last)}.tuiback-partial"), content, modified)
        except FileExistsError as e:
            raise UsageError("a file of this name is there already", path, "use --overwrite or an empty folder") from e

    def _write_beside(self, path: Path, partial: Path, content: Content, modified: str) -> None:
        if not self._overwrite and os.path.lexists(path):
            raise FileExistsError
        partial.unlink(missing_ok=True)
        _write_new(str(partial), (content,) if isinstance(content, bytes) else content, modified)
        partial.replace(path)

    def _make_folder(self, folder: str) -> None:
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        if not path.resolve().is_relative_to(Path(self._folder).resolve()):
            raise UsageError("a link leads out of the export folder", folder, "export into an empty folder")
        self._made.add(folder)

    def note(self, names: Iterable[str]) -> None:
        """See Target.note."""
        for folder in {name.rpartition("/")[0] for name in names} - self._there.keys():
            try:
                self._there[folder] = frozenset(path.name for path in Path(self._folder, folder).iterdir())
            except OSError:
                # It is not there yet, or the one that writes will tell.
                self._there[folder] = frozenset()

    def take_back(self, names: Iterable[str]) -> None:
        """See Target.take_back. What may be overwritten needs no removing."""
        for name in () if self._overwrite else names:
            folder, _, last = name.rpartition("/")
            if last not in self._there[folder]:
                with suppress(OSError):
                    Path(self._folder, name).unlink()

    def close(self, manifest: Iterable[bytes]) -> None:
        """Write the manifest at the top of the folder."""
        with Path(self._folder, MANIFEST).open("wb") as f:
            f.writelines(line + b"\n" for line in manifest)


def _write_new(path: str, pieces: Iterable[bytes], modified: str) -> None:
    """Write a file that is not there yet, all of it or none."""
    descriptor = os.open(path, _NEW_FILE, _MODE)
    try:
        try:
            for piece in pieces:
                written = os.write(descriptor, piece)
                while written < len(piece):
                    written += os.write(descriptor, memoryview(piece)[written:])
            moment = _moment_of(modified)
            if moment is not None:
                os.utime(descriptor, (moment, moment))
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            Path(path).unlink()
        raise


def _moment_of(modified: str) -> float | None:
    try:
        return datetime.fromisoformat(modified).timestamp()
    except ValueError:
        return None
