"""Opens SQLite files as tuiback needs them and tells their troubles in tuiback's errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tuiback.errors import Damage, EnvironmentFault, StorageFull, TuibackError

# How long a statement waits for another process: writers finish a commit in well under a second.
BUSY_SECONDS = 30.0
# Ids are random, so a commit touches pages all over the file: with SQLite's own 2 MiB each is read and written often.
WRITER_CACHE_KIB = 64 * 1024
# Of a new file. What a cold question costs is the pages that it touches: 40 % fewer than with SQLite's own 4096, for
# the same bytes written; with 16384 half as many, for twice the bytes.
PAGE_BYTES = 8192
# The first with RETURNING. https://sqlite.org/changes.html
_OLDEST_SQLITE = (3, 35, 0)


def find_sqlite_lack() -> str:
    """What the SQLite library of this Python lacks of what we need; "" where it has all."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        return f"it is {sqlite3.sqlite_version}, {'.'.join(map(str, _OLDEST_SQLITE))} is needed"
    with closing(sqlite3.connect(":memory:")) as connection:
        options = {option for (option,) in connection.execute("PRAGMA compile_options")}
    return "" if "ENABLE_FTS5" in options else "it was built without full-text search (FTS5)"


def open_for_writing(path: Path, synchronous: str) -> sqlite3.Connection:
    """A connection in WAL mode that begins transactions only where the code says BEGIN.

    `synchronous` is NORMAL where the repository can replay a lost commit, FULL where nothing else knows.
    """
    with faults_told(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
            # What an index has let go must not be readable after the row itself has expired.
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        return connection


def open_for_loading(path: Path) -> sqlite3.Connection:
    """A connection to a new file that is worth nothing until it is whole: without a log, and nothing waits for disks.

    What has to be sorted goes beside the file: a system's folder for temporary files may be small.
    """
    with faults_told(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
            connection.execute(f"PRAGMA temp_store_directory = '{_quoted(path.absolute().parent)}'")
        except BaseException:
            connection.close()
            raise
        return connection


def _quoted(folder: Path) -> str:
    return str(folder).replace("'", "''")


def write_anew(connection: sqlite3.Connection, path: Path) -> None:
    """Write the connection's file without the space of what is gone; until the end it takes three times the space."""
    connection.execute(f"PRAGMA temp_store_directory = '{_quoted(path.absolute().parent)}'")
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class ReadingConnection(sqlite3.Connection):
    """A connection that a weak reference may name, so that it goes with the thread that opened it."""


def open_for_reading(path: Path) -> ReadingConnection:
    """A connection that can't write; every statement sees one committed state."""
    with faults_told(path):
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=ReadingConnection,
        )


@contextmanager
def write_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. IMMEDIATE, because a read transaction that starts to write fails at once when locked."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk makes SQLite roll back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def faults_told(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as StorageFull, EnvironmentFault or Damage that name the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _told(error, path) from error


def _told(error: sqlite3.DatabaseError, path: Path) -> TuibackError:
    # https://www.sqlite.org/rescode.html: the low byte is the primary code.
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    what = f"SQLite says: {error}"
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return StorageFull(what, str(path), "free space on its volume and run again")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return Damage(what, str(path), "run tuiback rebuild-catalog")
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return EnvironmentFault(what, str(path), "another program holds the file; end it and run again")
    return EnvironmentFault(what, str(path), "see whether the file exists and may be read and written")
