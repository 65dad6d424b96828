"""Gives each thread its own read-only connection to one catalog."""

import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from weakref import WeakSet

from tuiback.catalog.connection import ReadingConnection, faults_told, open_for_reading
from tuiback.catalog.migrations import refuse_empty, refuse_missing, refuse_newer, refuse_older
from tuiback.catalog.schema import MIGRATIONS

# SQLite's oldest limit of parameters in a statement is 999.
BATCH = 500


class Reading:
    """Statements run to their end at once, so that no reader keeps the writer from its checkpoints."""

    def __init__(self, path: Path) -> None:
        refuse_missing(path)
        self._path = path
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._all: WeakSet[ReadingConnection] = WeakSet()
        try:
            with faults_told(path):
                refuse_empty(self._connection(), path)
                refuse_newer(self._connection(), path, MIGRATIONS)
                refuse_older(self._connection(), path, MIGRATIONS)
        except BaseException:
            self.close()
            raise

    @property
    def path(self) -> Path:
        """The catalog's file."""
        return self._path

    def close(self) -> None:
        """End the connections of all threads."""
        with self._lock:
            while self._all:
                self._all.pop().close()

    def _rows(self, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[tuple[Any, ...]]:
        with faults_told(self._path):
            return self._connection().execute(sql, parameters).fetchall()

    def _column(self, sql: str, parameters: dict[str, object]) -> "array[int]":
        """The numbers that are each row's only column, 8 bytes each."""
        with faults_told(self._path):
            return array("q", (number for (number,) in self._connection().execute(sql, parameters)))

    def _every(self, step: int, sql: str, parameters: dict[str, object]) -> list[tuple[Any, ...]]:
        """The last row of each full `step` of them; the others are never held."""
        with faults_told(self._path):
            return list(islice(self._connection().execute(sql, parameters), step - 1, None, step))

    def _row(self, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> tuple[Any, ...] | None:
        rows = self._rows(sql, parameters)
        return rows[0] if rows else None

    def _number(self, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> int:
        (number,) = self._rows(sql, parameters)[0]
        return int(number)

    @contextmanager
    def _one_moment(self) -> Iterator[None]:
        """All statements within see the same committed state."""
        connection = self._connection()
        with faults_told(self._path):
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    def _connection(self) -> ReadingConnection:
        connection: ReadingConnection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = open_for_reading(self._path)
            with self._lock:
                self._all.add(connection)
        return connection


def batches(values: Sequence[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Pieces that fit into one statement, each with its question marks."""
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        yield ",".join("?" * len(batch)), batch
