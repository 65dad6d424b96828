"""Proves that a folder can hold databases: that SQLite keeps its write-ahead log there, and that locks exclude."""

import errno
import fcntl
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tuiback.errors import EnvironmentFault

# struct flock of fcntl(2): a lock for writing on the whole file.
_WHOLE_FILE = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
_REMEDY = "choose a folder on a local disk; the repository itself may lie elsewhere"


def prove_volume(folder: Path) -> None:
    """Raise EnvironmentFault where the folder's volume does not do for databases; what is tried leaves no trace."""
    try:
        with tempfile.TemporaryDirectory(prefix=".proof-", dir=folder) as place:
            _prove_log(Path(place) / "log.db", folder)
            _prove_locks(Path(place) / "lock", folder)
    except OSError as error:
        raise EnvironmentFault(f"nothing can be kept here ({error.strerror})", str(folder), _REMEDY) from error


def _prove_log(path: Path, folder: Path) -> None:
    # https://sqlite.org/wal.html: without shared memory SQLite keeps another kind of journal, or fails.
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            (kept,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
            writer.execute("PRAGMA synchronous = OFF")
            writer.execute("CREATE TABLE proof (number INTEGER)")
            with closing(sqlite3.connect(path)) as reader:
                reader.execute("SELECT count(*) FROM proof").fetchone()
    except sqlite3.Error as error:
        raise EnvironmentFault(f"SQLite can't keep a database here ({error})", str(folder), _REMEDY) from error
    if kept != "wal":
        raise EnvironmentFault("SQLite can't keep a write-ahead log here", str(folder), _REMEDY)


def _prove_locks(path: Path, folder: Path) -> None:
    """Both kinds that are relied on: SQLite's of byte ranges, and the home's of whole files."""
    with path.open("wb") as first, path.open("wb") as second:
        fcntl.lockf(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with _refused(folder):
            # An open file's lock, because a process is never in its own way: it meets that of the process all the same.
            fcntl.fcntl(second, fcntl.F_OFD_SETLK, _WHOLE_FILE)
        fcntl.lockf(first, fcntl.LOCK_UN)
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with _refused(folder):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _refused(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.EAGAIN, errno.EACCES}:
            raise
        return
    raise EnvironmentFault("locks keep nobody out here", str(folder), _REMEDY)
