"""An SQLite file of this home with one connection whose users take turns: what State and its neighbours rest on."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tuiback.catalog.connection import faults_told, open_for_writing, write_transaction
from tuiback.catalog.migrations import Migration, migrate
from tuiback.catalog.upgrading import Versioned, upgrade


def open_local(path: Path, synchronous: str, migrations: Sequence[Migration]) -> sqlite3.Connection:
    """A connection to the file, made or brought to this version. Raises EnvironmentFault, FormatTooNew, Damage."""
    upgrade(Versioned(path, migrations))
    connection = open_for_writing(path, synchronous)
    try:
        with faults_told(path):
            migrate(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


class LocalFile:
    """Calls may come from any thread; they take turns. Every method may raise Damage and EnvironmentFault."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._turn = threading.Lock()

    def close(self) -> None:
        """Let the file go."""
        with self._turn:
            self._connection.close()

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection]:
        with self._turn, faults_told(self._path):
            yield self._connection

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._asking() as connection, write_transaction(connection):
            yield connection
