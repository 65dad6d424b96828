"""Keeps the words of a group of accounts in one search file: written behind the catalog, thrown away at will.

A group is what has the same remainder of the account's number by 32. A file per account would be 5,000 of them open
in a search over all; one file for all would be merged, and after each retention cleaned, as a whole. Of 32, one
account's search opens one, and even at 100 million versions each holds little more than a gigabyte.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tuiback.catalog.connection import faults_told, open_for_reading, open_for_writing, write_anew, write_transaction
from tuiback.catalog.inserting import insert_rows
from tuiback.catalog.migrations import version_of
from tuiback.catalog.search_text import Document, place_of
from tuiback.errors import Damage

GROUPS = 32
# What stands in the files; one written otherwise is made anew.
_VERSION = 1
# All files are open at once, and each is written in the order of its rows.
_CACHE_KIB = 1024
# So many bytes of words are gathered before they are written as a piece of the index; the default of 1 MiB costs half
# as much again, because more pieces have to be merged. FTS5 has the setting, its page does not tell of it.
_GATHERED_BYTES = 16 * 2**20
# How many finds are read at once; a statement never stays open.
_AT_ONCE = 256

_TABLES = (
    # `made` names the catalog whose numbers these are; `unclean`: words that expired are still in the index.
    """CREATE TABLE followed (made TEXT NOT NULL, version_no INTEGER NOT NULL, drop_no INTEGER NOT NULL,
        unclean INTEGER NOT NULL)""",
    # The index wants the words again to forget them.
    """CREATE TABLE documents (version_no INTEGER PRIMARY KEY, place INTEGER NOT NULL, name TEXT NOT NULL,
        sender TEXT NOT NULL, recipients TEXT NOT NULL, facets TEXT NOT NULL)""",
    # Positions are kept for phrases; texts and their lengths, which only ranking needs, are not.
    """CREATE VIRTUAL TABLE words USING fts5 (name, sender, recipients, facets, content = '', columnsize = 0,
        tokenize = 'ascii')""",
    f"INSERT INTO words (words, rank) VALUES ('hashsize', {_GATHERED_BYTES})",
    # Pieces are merged when there are so many of a size.
    "INSERT INTO words (words, rank) VALUES ('automerge', 8)",
    f"PRAGMA user_version = {_VERSION}",
)
_FIELDS = "name, sender, recipients, facets"


class Followed(NamedTuple):
    """How far a search file has followed its catalog: versions opened and versions dropped."""

    version_no: int = 0
    drop_no: int = 0


class Change(NamedTuple):
    """What is to become of a file: first the dropped leave, then the added come. `expired`: no trace may be left."""

    reached: Followed
    added: Sequence[Document] = ()
    dropped: Sequence[int] = ()
    expired: bool = False


def group_of(account_no: int) -> int:
    """The group that holds the account."""
    return account_no % GROUPS


def group_path(catalog: Path, group: int) -> Path:
    """The search file of a group, beside its catalog."""
    return catalog.with_name(f"search-{group:02}.db")


def groups_on_disk(catalog: Path) -> frozenset[int]:
    """The groups that have a search file."""
    return frozenset(group for group in range(GROUPS) if group_path(catalog, group).exists())


def remove_file(path: Path) -> None:
    """Remove a search file with its log; nobody else need know."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class SearchGroup:
    """Writes one search file. Several processes may: what one has done, the others notice and don't do again."""

    def __init__(self, path: Path, made: str) -> None:
        self._path = path
        self._made = made
        self._connection = self._open()
        self.saved, self.unclean = self._read()

    def _open(self) -> sqlite3.Connection:
        with contextlib.suppress(Damage):
            if self._path.exists() and read_followed(self._path, self._made) is None:
                remove_file(self._path)
            return self._prepared()
        remove_file(self._path)
        return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        connection = open_for_writing(self._path, "NORMAL")
        try:
            with faults_told(self._path):
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                with write_transaction(connection):
                    if not version_of(connection):
                        for statement in _TABLES:
                            connection.execute(statement)
                        connection.execute("INSERT INTO followed VALUES (?, 0, 0, 0)", (self._made,))
                self._file = self._path.stat().st_ino
        except BaseException:
            connection.close()
            raise
        return connection

    def write(self, change: Change) -> bool:
        """Make the change part of the file; False, with `saved` renewed, where somebody else was faster."""
        with faults_told(self._path):
            self._follow_the_file()
            with write_transaction(self._connection):
                now, unclean = self._read()
                if now != self.saved:
                    self.saved, self.unclean = now, unclean
                    return False
                left = self._drop(change.dropped)
                self._add(change.added)
                self.unclean = unclean or (left and change.expired)
                self._connection.execute(
                    "UPDATE followed SET version_no = ?, drop_no = ?, unclean = ?", (*change.reached, self.unclean)
                )
        self.saved = change.reached
        return True

    def clean(self) -> None:
        """Leave no trace of what was dropped, by writing index and file anew: about 7 us an item of the group."""
        with faults_told(self._path):
            with write_transaction(self._connection):
                self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")
            write_anew(self._connection, self._path)
            with write_transaction(self._connection):
                self._connection.execute("UPDATE followed SET unclean = 0")
        self.unclean = False

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _follow_the_file(self) -> None:
        """Begin anew where the file was thrown away."""
        try:
            same = self._path.stat().st_ino == self._file
        except FileNotFoundError:
            same = False
        if not same:
            self._connection.close()
            self._connection = self._open()

    def _read(self) -> tuple[Followed, bool]:
        row = self._connection.execute("SELECT version_no, drop_no, unclean FROM followed").fetchone()
        return Followed(row[0], row[1]), bool(row[2])

    def _add(self, documents: Sequence[Document]) -> None:
        insert_rows(self._connection, "INSERT INTO documents", documents)
        # Out of order, each row would be written as a piece of the index of its own.
        rows = sorted(document[1:] for document in documents)
        insert_rows(self._connection, f"INSERT INTO words (rowid, {_FIELDS})", rows)

    def _drop(self, version_nos: Iterable[int]) -> bool:
        rows: list[tuple[Any, ...]] = []
        for version_no in version_nos:
            rows += self._connection.execute(
                f"DELETE FROM documents WHERE version_no = ? RETURNING place, {_FIELDS}", (version_no,)
            ).fetchall()
        self._connection.executemany(
            f"INSERT INTO words (words, rowid, {_FIELDS}) VALUES ('delete', ?, ?, ?, ?, ?)", sorted(rows)
        )
        return bool(rows)


def read_followed(path: Path, made: str) -> Followed | None:
    """How far the file has followed that catalog; None where it is missing, of another catalog, or broken."""
    opened = _open_of(path, made)
    if opened is None:
        return None
    connection, followed = opened
    connection.close()
    return followed


def find_places(path: Path, made: str, expression: str, days: tuple[int, int]) -> Iterator[int]:
    """The places of all that fits the expression, the newest first; none from a file that read_followed refuses."""
    opened = _open_of(path, made)
    if opened is None:
        return
    lowest, highest = place_of(days[0], 0), place_of(days[1] + 1, 0) - 1
    # A file that turns out to be broken further on is as if it ended there; whoever fills it makes it anew.
    with contextlib.suppress(Damage), contextlib.closing(opened[0]) as connection, faults_told(path):
        while True:
            found = connection.execute(
                "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?",
                (expression, lowest, highest, _AT_ONCE),
            ).fetchall()
            yield from (place for (place,) in found)
            if len(found) < _AT_ONCE:
                return
            highest = found[-1][0] - 1


def _open_of(path: Path, made: str) -> tuple[sqlite3.Connection, Followed] | None:
    if not path.exists():
        return None
    connection = open_for_reading(path)
    with contextlib.suppress(Damage), faults_told(path):
        if version_of(connection) == _VERSION:
            row = connection.execute("SELECT version_no, drop_no FROM followed WHERE made = ?", (made,)).fetchone()
            if row is not None:
                return connection, Followed(*row)
    connection.close()
    return None
