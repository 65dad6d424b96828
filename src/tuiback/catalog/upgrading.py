"""Brings a database of an older tuiback to this one's version: with room for it, behind a copy, and all or nothing."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tuiback.catalog.connection import WRITER_CACHE_KIB, faults_told, open_for_reading
from tuiback.catalog.migrations import Migration, migrate, refuse_newer, version_of
from tuiback.errors import EnvironmentFault, StorageFull, TuibackError

# Told in words what is done now.
Told = Callable[[str], None]
FreeBytes = Callable[[Path], int]

# Whoever has the file open for a moment only is waited for; an engine keeps it open.
_ALONE_SECONDS = 5.0
# Beside what grows with the file: its log's index, the folder's own blocks.
_SLACK_BYTES = 16_000_000
# Between two words about a copy; some 30 MB.
_PAGES_AT_ONCE = 4096
_UNFINISHED = ".new"


class Versioned(msgspec.Struct, frozen=True):
    """A database file and the numbered steps that lead to what this program needs."""

    path: Path
    migrations: Sequence[Migration]

    @property
    def newest(self) -> int:
        """The version that this program works with."""
        return self.migrations[-1].number

    def version(self) -> int:
        """The file's version now; 0 where there is none, or one without tables. Raises Damage, EnvironmentFault."""
        if not self.path.exists():
            return 0
        with faults_told(self.path), contextlib.closing(open_for_reading(self.path)) as connection:
            return version_of(connection)

    def is_older(self) -> bool:
        """Whether an older tuiback made the file, so that it must be brought up to date first."""
        return 0 < self.version() < self.newest

    def refuse_newer(self) -> None:
        """Raise FormatTooNew when a newer tuiback has written the file."""
        with faults_told(self.path), contextlib.closing(open_for_reading(self.path)) as connection:
            refuse_newer(connection, self.path, self.migrations)

    def needed_bytes(self) -> int:
        """The most that bringing it up to date takes on its volume: the copy, and a log as long as the file."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return 2 * _size_of(files) + _SLACK_BYTES - _size_of(self.useless_copies())

    def useless_copies(self) -> list[Path]:
        """Copies that were cut off, or are of the version that the file itself still has."""
        return [*unfinished_copies(self.path), copy_path(self.path, self.version())]


def copy_path(path: Path, version: int) -> Path:
    """Where the file's copy of that version is kept, beside it: catalog.db.version-1."""
    return path.with_name(f"{path.name}.version-{version}")


def copies_of(path: Path) -> list[Path]:
    """The copies that were made of the file, whole or not."""
    return sorted(path.parent.glob(f"{path.name}.version-*"))


def forget_copies(path: Path) -> None:
    """Remove all copies of the file: what they still name has expired."""
    for copy in copies_of(path):
        copy.unlink(missing_ok=True)


def unfinished_copies(path: Path) -> list[Path]:
    """Copies that were cut off."""
    return [copy for copy in copies_of(path) if copy.name.endswith(_UNFINISHED)]


def disk_free(folder: Path) -> int:
    """The bytes that the volume of the folder has left for us."""
    return shutil.disk_usage(folder).free


def refuse_without_room(databases: Iterable[Versioned], free_bytes: FreeBytes = disk_free) -> None:
    """Raise StorageFull where the volumes have no room for bringing all of them up to date; changes nothing."""
    volumes: dict[int, list[Versioned]] = {}
    for database in databases:
        volumes.setdefault(database.path.parent.stat().st_dev, []).append(database)
    for found in volumes.values():
        needed, free = sum(each.needed_bytes() for each in found), free_bytes(found[0].path.parent)
        if free < needed:
            raise StorageFull(
                f"bringing {', '.join(each.path.name for each in found)} up to date needs {_mb(needed)} on its volume,"
                f" {_mb(free)} are free; nothing was changed",
                str(found[0].path.parent),
                f"free {_mb(needed - free)} there and start again, or install the tuiback of before",
            )


def upgrade(database: Versioned, told: Told = lambda _: None, free_bytes: FreeBytes = disk_free) -> Path | None:
    """Bring the file up to date; the copy of what it was, None where there was nothing to do.

    Nobody else may have the file open meanwhile. Whatever fails, and whenever the process is killed, the file stays as
    it was, and the next call begins anew. Raises StorageFull, EnvironmentFault, Damage.
    """
    if not database.is_older():
        return None
    path = database.path
    refuse_without_room([database], free_bytes)
    with _told_as_given_up(database), contextlib.closing(_open_alone(path)) as connection:
        # Another process may have been faster.
        before = version_of(connection)
        if before >= database.newest:
            return None
        copy = _copy(connection, path, copy_path(path, before), told)
        migrate(
            connection, path, database.migrations,
            lambda step: told(f"{path.name}: step {step.number} of {database.newest}, {step.name}"),
        )  # fmt: skip
        with contextlib.suppress(sqlite3.Error):  # the log is as durable as what it is folded into
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for older in copies_of(path):
            if older != copy:
                older.unlink(missing_ok=True)
    return copy


def _open_alone(path: Path) -> sqlite3.Connection:
    """A connection that shuts all others out until it is closed."""
    connection = sqlite3.connect(path, timeout=_ALONE_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # Before the first access: then no other connection can take part in the log. https://sqlite.org/wal.html#noshm
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _copy(connection: sqlite3.Connection, path: Path, copy: Path, told: Told) -> Path:
    """Write the copy, which has its name only when it is whole and on the disk."""
    half = copy.with_name(copy.name + _UNFINISHED)
    for useless in (copy, *unfinished_copies(path)):
        useless.unlink(missing_ok=True)
    os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(half, isolation_level=None)) as target:
            target.execute("PRAGMA journal_mode = OFF")
            target.execute("PRAGMA synchronous = OFF")

            def tell(_status: int, remaining: int, total: int) -> None:
                told(f"{path.name}: copying, {100 * (total - remaining) // max(total, 1)} %")

            connection.backup(target, pages=_PAGES_AT_ONCE, progress=tell)
        _settle(half)
        half.rename(copy)
        _settle(copy.parent)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    return copy


def _settle(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told_as_given_up(database: Versioned) -> Iterator[None]:
    """Raise whatever goes wrong as a fault that says that the file is as it was."""
    try:
        with faults_told(database.path):
            yield
    except Exception as error:  # a step may fail at anything
        kind = type(error) if isinstance(error, TuibackError) else EnvironmentFault
        what = error.what if isinstance(error, TuibackError) else f"{type(error).__name__}: {error}"
        if isinstance(error, OSError):
            kind, what = StorageFull, str(error.strerror)
        raise kind(
            f"it could not be brought to version {database.newest} and is as it was ({what})",
            str(database.path),
            "see that its volume has room and that no other tuiback runs, then start again;"
            " or install the tuiback of before",
        ) from error


def _size_of(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.exists())


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
