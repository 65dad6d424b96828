"""Keeps what the commits say in one SQLite file, and applies each commit in one transaction."""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from tuiback.catalog.applying import apply_body, apply_packs
from tuiback.catalog.chunks import FORGET_STEPS, MERGE_AT, forget_merged, forget_waiting
from tuiback.catalog.connection import faults_told, open_for_reading, open_for_writing, write_anew, write_transaction
from tuiback.catalog.migrations import migrate, refuse_empty, refuse_missing
from tuiback.catalog.schema import MIGRATIONS
from tuiback.catalog.upgrading import Versioned, forget_copies, upgrade
from tuiback.errors import Damage, EnvironmentFault
from tuiback.model import Commit, CommitHead, PackTable


class Catalog:
    """The one writer of a catalog. Calls may come from any thread; they take turns.

    The file can be thrown away: applying all commits of the repository to a new one gives the same content.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, merge_at: int) -> None:
        self.path = path
        self._connection = connection
        self._merge_at = merge_at
        self._turn = threading.Lock()
        (self.repository_id,) = connection.execute("SELECT repository_id FROM identity").fetchone()

    @classmethod
    def create(cls, path: Path, repository_id: str, *, merge_at: int = MERGE_AT) -> "Catalog":
        """A new, empty catalog of that repository. Raises EnvironmentFault when a file lies there already."""
        if path.exists():
            raise EnvironmentFault("a file lies here already", str(path), "open it, or move it away")
        # Whole before it has its name, so that after a crash nobody meets half a catalog.
        half = path.with_name(f"{path.name}.new")
        for suffix in ("", "-wal", "-shm"):
            half.with_name(half.name + suffix).unlink(missing_ok=True)
        connection = open_for_writing(half, "NORMAL")
        try:
            with faults_told(half):
                migrate(connection, half, MIGRATIONS)
                connection.execute("INSERT INTO identity (repository_id) VALUES (?)", (repository_id,))
        finally:
            connection.close()
        half.rename(path)
        return cls.open(path, merge_at=merge_at)

    @classmethod
    def open(cls, path: Path, *, merge_at: int = MERGE_AT) -> "Catalog":
        """An existing catalog, brought to this version. Raises EnvironmentFault, FormatTooNew or Damage.

        `merge_at` is how many new chunks wait before a part of them goes to where all the others are.
        """
        refuse_missing(path)
        upgrade(Versioned(path, MIGRATIONS))
        connection = open_for_writing(path, "NORMAL")
        try:
            with faults_told(path):
                refuse_empty(connection, path)
                migrate(connection, path, MIGRATIONS)
                return cls(path, connection, merge_at)
        except BaseException:
            connection.close()
            raise

    def heads(self) -> tuple[CommitHead, ...]:
        """The newest applied commit of each writer."""
        with self._turn, faults_told(self.path):
            rows = self._connection.execute("SELECT writer, number, digest FROM writers ORDER BY writer").fetchall()
        return tuple(CommitHead(*row) for row in rows)

    def apply(self, commit: Commit, tables: Sequence[PackTable]) -> None:
        """Make the commit and its packs part of the catalog: all of it or, after an error, nothing.

        Raises Damage when the commit does not follow its writer's newest applied one, StorageFull without space.
        """
        _refuse_other_packs(commit, tables)
        with self._turn, faults_told(self.path), write_transaction(self._connection):
            self._refuse_gap(commit)
            apply_packs(self._connection, tables, self._merge_at)
            apply_body(self._connection, commit.body)
            head = commit.head
            self._connection.execute(
                "INSERT OR REPLACE INTO writers (writer, number, digest) VALUES (?, ?, ?)",
                (head.writer, head.number, head.digest),
            )

    def forget_packs(self, pack_ids: Sequence[str]) -> None:
        """Make the packs and their chunks unknown, all at once; their rows leave in steps between other commits.

        After a crash in between, the next call drops the rest. A chunk that an older pack has too may be found there
        again.
        """
        with self._turn, faults_told(self.path), write_transaction(self._connection):
            for pack_id in pack_ids:
                _forget_pack(self._connection, pack_id)
            forget_waiting(self._connection)
        for step in range(FORGET_STEPS):
            with self._turn, faults_told(self.path), write_transaction(self._connection):
                forget_merged(self._connection, step)

    def replace_packs(self, pack_ids: Sequence[str], tables: Iterable[PackTable]) -> None:
        """Forget packs and learn others, or the same ones anew, in one transaction: nobody ever meets half an index."""
        with self._turn, faults_told(self.path), write_transaction(self._connection):
            for pack_id in pack_ids:
                _forget_pack(self._connection, pack_id)
            forget_waiting(self._connection)
            for step in range(FORGET_STEPS):
                forget_merged(self._connection, step)
            for table in tables:
                apply_packs(self._connection, [table], self._merge_at)

    def put_packs(self, tables: Sequence[PackTable]) -> None:
        """Make forgotten packs known again; those that are known stay as they are."""
        with self._turn, faults_told(self.path), write_transaction(self._connection):
            apply_packs(self._connection, tables, self._merge_at)

    def compact(self) -> None:
        """Write the file anew without the space, and without any byte, of rows that are gone.

        SQLite overwrites what it deletes, but not every copy it made of a row while it moved rows between pages: after
        this none is left, nor in a copy of before an upgrade. Until it ends it takes three times the file's space.
        Raises StorageFull.
        """
        forget_copies(self.path)
        with self._turn, faults_told(self.path):
            write_anew(self._connection, self.path)

    def become(self, other: Path) -> None:
        """Take over all that the catalog at `other`, which nobody has open, says: at once, under whoever reads."""
        source = open_for_reading(other)
        try:
            with self._turn, faults_told(self.path):
                source.backup(self._connection)
        finally:
            source.close()

    def forget_dropped(self, drop_no: int) -> None:
        """Keep no list any more of the versions dropped up to this number: SearchFiller.followed_drops."""
        with self._turn, faults_told(self.path), write_transaction(self._connection):
            self._connection.execute("DELETE FROM dropped_versions WHERE drop_no <= ?", (drop_no,))

    def close(self) -> None:
        """Let the file go; the last to close it folds the write-ahead log in."""
        with self._turn:
            self._connection.close()

    def _refuse_gap(self, commit: Commit) -> None:
        writer = commit.head.writer
        row = self._connection.execute("SELECT number, digest FROM writers WHERE writer = ?", (writer,)).fetchone()
        number, digest = row or (0, "")
        if (commit.head.number, commit.previous) != (number + 1, digest):
            raise Damage(
                f"commit {commit.head.number} of writer {writer} does not follow commit {number}, the newest known",
                str(self.path),
                "run tuiback rebuild-catalog",
            )


def _forget_pack(connection: sqlite3.Connection, pack_id: str) -> None:
    row = connection.execute("SELECT stored_bytes FROM packs WHERE pack_id = ?", (pack_id,)).fetchone()
    if row is not None:
        connection.execute("UPDATE stored SET packs = packs - 1, bytes = bytes - ?", row)
        connection.execute("DELETE FROM packs WHERE pack_id = ?", (pack_id,))


def _refuse_other_packs(commit: Commit, tables: Sequence[PackTable]) -> None:
    if sorted(commit.packs) != sorted(table.pack_id for table in tables):
        raise Damage(
            f"{len(tables)} pack tables came with {len(commit.packs)} packs",
            f"commit {commit.head.number} of writer {commit.head.writer}",
            "run tuiback check",
        )
