"""Makes a whole catalog from packs, bases and what changed since them: sorted rows first, their indexes afterwards."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tuiback.catalog.applying import apply_body
from tuiback.catalog.chunks import ID_HEAD, fill_filter
from tuiback.catalog.connection import faults_told, open_for_loading
from tuiback.catalog.inserting import insert_rows
from tuiback.catalog.migrations import migrate
from tuiback.catalog.piece_rows import PieceRows
from tuiback.catalog.schema import MIGRATIONS
from tuiback.errors import Damage
from tuiback.model import CommitBody, CommitHead, PackTable
from tuiback.model.kept import decode_piece

# Filled in any order, then sorted into place at once.
_SORTED_LATER = {
    "chunks": "id_head, id_tail, rowid",
    "spans_by_name": "parent_no, is_folder, block, sort_name, version_no",
    "spans_by_modified": "parent_no, is_folder, block, modified, version_no",
}
# Those of millions of rows; the few other indexes are kept while rows come.
_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'versions' AND sql IS NOT NULL"


class Contents(msgspec.Struct, frozen=True):
    """What a catalog is made of; each is gone through once, in this order.

    `packs` are in the order in which commits brought them. `bases` are (account id or REPOSITORY, encoded piece), all
    pieces of a subject one after the other. `changes` came after the bases, those of one account in their order; with
    them the catalog is as of `heads`.
    """

    packs: Iterable[PackTable]
    bases: Iterable[tuple[str, bytes]]
    changes: Iterable[CommitBody]
    heads: Sequence[CommitHead]


def load_catalog(path: Path, repository_id: str, contents: Contents) -> None:
    """Write the catalog to `path`, which must be a new file: it is whole and on the disk only when this returns.

    Raises Damage when a piece can't be understood, StorageFull without space, and what the iterables raise.
    """
    beside = path.with_name(f"{path.name}.unsorted")
    beside.unlink(missing_ok=True)
    try:
        with faults_told(path), _loading(path, beside) as connection:
            migrate(connection, path, MIGRATIONS)
            connection.execute("INSERT INTO identity (repository_id) VALUES (?)", (repository_id,))
            _load(connection, contents)
    finally:
        beside.unlink(missing_ok=True)
    _settle_on_disk(path)


@contextmanager
def _loading(path: Path, beside: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_loading(path)
    try:
        connection.execute("ATTACH ? AS unsorted", (str(beside),))
        connection.execute("PRAGMA unsorted.journal_mode = OFF")
        connection.execute("PRAGMA unsorted.synchronous = OFF")
        yield connection
    finally:
        connection.close()


def _load(connection: sqlite3.Connection, contents: Contents) -> None:
    for table in _SORTED_LATER:
        connection.execute(f"CREATE TABLE unsorted.{table} AS SELECT * FROM main.{table} WHERE 0")
    indexes = connection.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    connection.execute("BEGIN")
    _put_packs(connection, contents.packs)
    _put_bases(connection, contents.bases)
    for table, order in _SORTED_LATER.items():
        # A chunk that lies in several packs is read from the newest one.
        connection.execute(
            f"INSERT OR REPLACE INTO main.{table} SELECT * FROM unsorted.{table} ORDER BY {order}"
        )
        connection.execute(f"DROP TABLE unsorted.{table}")
    fill_filter(connection)
    connection.execute("UPDATE stored SET chunks = (SELECT count(*) FROM chunks)")
    for _, create in indexes:
        connection.execute(create)
    # As every connection that changes rows: what they replace must not stay readable.
    connection.execute("PRAGMA main.secure_delete = ON")
    for body in contents.changes:
        apply_body(connection, body)
    connection.executemany(
        "INSERT INTO writers (writer, number, digest) VALUES (?, ?, ?)",
        [(head.writer, head.number, head.digest) for head in contents.heads],
    )
    connection.execute("COMMIT")


def _put_bases(connection: sqlite3.Connection, bases: Iterable[tuple[str, bytes]]) -> None:
    rows = PieceRows(connection)
    for subject, data in bases:
        try:
            rows.put(subject, decode_piece(data))
        except (msgspec.DecodeError, KeyError) as error:
            what = f"a piece of its base can't be understood: {error}"
            raise Damage(what, subject or "runs and controls", "run tuiback check") from error
    rows.finish()


def _put_packs(connection: sqlite3.Connection, tables: Iterable[PackTable]) -> None:
    for pack_no, table in enumerate(tables, 1):
        connection.execute("INSERT INTO packs VALUES (?, ?, ?)", (pack_no, table.pack_id, table.stored_bytes))
        insert_rows(
            connection,
            "INSERT INTO unsorted.chunks",
            [
                (
                    entry.chunk_id[:ID_HEAD], entry.chunk_id[ID_HEAD:], pack_no,
                    entry.slot, entry.offset, entry.length, entry.inner_offset, entry.size,
                )
                for entry in table.entries
            ],
        )
    connection.execute(
        "UPDATE stored SET (packs, bytes) = (SELECT count(*), coalesce(sum(stored_bytes), 0) FROM packs)"
    )


def _settle_on_disk(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
