"""Knows where every chunk lies, whether there are thousands or many millions of them.

Ids are random: put straight into a table of ten million, each would read and write a page of its own. So new rows
wait in a small table and go over in key order, a sixteenth of all keys at a time. A filter over the large table
answers most questions about ids that it does not hold: 16 bits of an id choose a block, which keeps the next 16 bits
of each id in it, and as a bitmap from 512 ids on, so that all blocks together never pass 64 MiB. Nothing ever leaves
the filter, and it is written in the transaction that writes the table: what it calls new is new.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Any

from tuiback.catalog.inserting import insert_rows
from tuiback.catalog.reading import batches
from tuiback.model import ChunkEntry, Location

# How many leading bytes of a chunk id are the key of its row.
ID_HEAD = 16

# How many rows wait before a part of them goes over: about 50 MB.
MERGE_AT = 2**19
_SLICES = 16

# In how many steps the rows of forgotten packs leave, by the first byte of their ids: each a short transaction.
FORGET_STEPS = 256

_MARK_BYTES = 2
_BITMAP_BYTES = 1024
# A bitmap has one bit for every 2 ** 3 marks.
_MARKS_A_BIT = 3

Rows = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]


def find_locations(rows: Rows, chunk_ids: Collection[bytes]) -> dict[bytes, Location]:
    """Where each of these chunks lies that is committed. `rows` runs a SELECT, always on the same committed state."""
    found = _look_up(rows, "recent_chunks", chunk_ids)
    older = _not_surely_new(rows, [chunk_id for chunk_id in chunk_ids if chunk_id not in found])
    return found | _look_up(rows, "chunks", older)


def put_chunks(connection: sqlite3.Connection, pack_no: int, entries: Sequence[ChunkEntry]) -> int:
    """Make the pack's chunks known, those stored before from now on here; how many were not known before."""

    def rows_of(sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return connection.execute(sql, parameters).fetchall()

    ids = {entry.chunk_id for entry in entries}
    rows = [
        (
            entry.chunk_id[:ID_HEAD], entry.chunk_id[ID_HEAD:], pack_no,
            entry.slot, entry.offset, entry.length, entry.inner_offset, entry.size,
        )
        for entry in entries
    ]
    rows.sort(key=lambda row: row[0])
    waiting = insert_rows(connection, "INSERT OR IGNORE INTO recent_chunks", rows)
    recent: set[bytes] = set()
    if waiting < len(rows):
        # Only now is it worth asking, for that takes a third of the time that inserting does.
        recent = _with_row(rows_of, "recent_chunks", ids, but_of=pack_no)
        insert_rows(connection, "INSERT OR REPLACE INTO recent_chunks", rows)
    connection.execute("UPDATE merging SET waiting = waiting + ?", (waiting,))
    return len(ids) - len(recent) - _count_merged(rows_of, ids - recent)


def merge_chunks(connection: sqlite3.Connection, merge_at: int) -> None:
    """Bring waiting rows over, key range by key range, until fewer than merge_at wait."""
    waiting, number = connection.execute("SELECT waiting, next_slice FROM merging").fetchone()
    while waiting >= merge_at:
        waiting -= _merge_slice(connection, number)
        number = (number + 1) % _SLICES
        connection.execute("UPDATE merging SET waiting = ?, next_slice = ?", (waiting, number))


def fill_filter(connection: sqlite3.Connection) -> None:
    """Write the filter of a table that was filled past put_chunks."""
    heads = connection.execute("SELECT id_head FROM chunks ORDER BY id_head")
    by_block = groupby((head for (head,) in heads), lambda head: head[:_MARK_BYTES])
    connection.executemany(
        "INSERT INTO chunk_filter (block, marks) VALUES (?, ?)",
        ((int.from_bytes(block), with_marks(b"", [_mark(head) for head in ids])) for block, ids in by_block),
    )


def forget_waiting(connection: sqlite3.Connection) -> None:
    """Drop the waiting rows whose pack is forgotten: they must not go over what an older pack still has."""
    gone = _drop_packless(connection, "recent_chunks", b"", b"\xff" * ID_HEAD)
    connection.execute("UPDATE merging SET waiting = waiting - ?", (gone,))


def forget_merged(connection: sqlite3.Connection, step: int) -> None:
    """Drop one step's share of all other rows whose pack is forgotten. Steps go from 0 to FORGET_STEPS - 1."""
    _drop_packless(connection, "chunks", bytes([step]), bytes([step]) + b"\xff" * ID_HEAD)


def _drop_packless(connection: sqlite3.Connection, table: str, first: bytes, last: bytes) -> int:
    def rows_of(sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return connection.execute(sql, parameters).fetchall()

    gone = rows_of(
        f"""SELECT id_head, id_tail FROM {table} c WHERE id_head BETWEEN ? AND ?
            AND NOT EXISTS (SELECT 1 FROM packs p WHERE p.pack_no = c.pack_no)""",
        (first, last),
    )
    connection.executemany(f"DELETE FROM {table} WHERE id_head = ? AND id_tail = ?", gone)
    still_there = _count_rows(rows_of, {head + tail for head, tail in gone})
    connection.execute("UPDATE stored SET chunks = chunks - ?", (len(gone) - still_there,))
    return len(gone)


def _merge_slice(connection: sqlite3.Connection, number: int) -> int:
    width = 256 // _SLICES
    last = bytes([number * width + width - 1]) + b"\xff" * ID_HEAD
    where = "WHERE id_head BETWEEN ? AND ?"
    between = (bytes([number * width]), last)
    heads = connection.execute(f"SELECT id_head FROM recent_chunks {where} ORDER BY id_head", between)
    for block_id, ids in groupby((head for (head,) in heads.fetchall()), lambda head: head[:_MARK_BYTES]):
        block = int.from_bytes(block_id)
        row = connection.execute("SELECT marks FROM chunk_filter WHERE block = ?", (block,)).fetchone()
        marks = with_marks(row[0] if row else b"", [_mark(head) for head in ids])
        connection.execute("INSERT OR REPLACE INTO chunk_filter (block, marks) VALUES (?, ?)", (block, marks))
    connection.execute(
        f"INSERT OR REPLACE INTO chunks SELECT * FROM recent_chunks {where} ORDER BY id_head, id_tail", between
    )
    return connection.execute(f"DELETE FROM recent_chunks {where}", between).rowcount


def _look_up(rows: Rows, table: str, chunk_ids: Collection[bytes]) -> dict[bytes, Location]:
    found = {}
    for marks, batch in batches([chunk_id[:ID_HEAD] for chunk_id in chunk_ids]):
        for head, tail, *location in rows(
            f"""SELECT id_head, id_tail, pack_id, slot, offset, length, inner_offset, size
                FROM {table} CROSS JOIN packs USING (pack_no) WHERE id_head IN ({marks})""",
            batch,
        ):
            found[head + tail] = Location(*location)
    return {chunk_id: found[chunk_id] for chunk_id in chunk_ids if chunk_id in found}


def _count_rows(rows: Rows, chunk_ids: Collection[bytes]) -> int:
    """How many of these chunks have a row, if only one that waits to be dropped."""
    recent = _with_row(rows, "recent_chunks", chunk_ids)
    return len(recent) + _count_merged(rows, [chunk_id for chunk_id in chunk_ids if chunk_id not in recent])


def _count_merged(rows: Rows, chunk_ids: Collection[bytes]) -> int:
    return len(_with_row(rows, "chunks", _not_surely_new(rows, chunk_ids)))


def _with_row(rows: Rows, table: str, chunk_ids: Collection[bytes], *, but_of: int = 0) -> set[bytes]:
    """Those of the chunks that the table has, but for the rows of the pack `but_of`."""
    found = {
        head + tail
        for marks, batch in batches([chunk_id[:ID_HEAD] for chunk_id in chunk_ids])
        for head, tail in rows(
            f"SELECT id_head, id_tail FROM {table} WHERE id_head IN ({marks}) AND pack_no <> {but_of}", batch
        )
    }
    return found.intersection(chunk_ids)


def _not_surely_new(rows: Rows, chunk_ids: Collection[bytes]) -> list[bytes]:
    if not chunk_ids or not rows("SELECT 1 FROM chunk_filter LIMIT 1", ()):
        # Nothing has gone over to the large table yet.
        return []
    by_block: dict[int, list[bytes]] = {}
    for chunk_id in chunk_ids:
        by_block.setdefault(int.from_bytes(chunk_id[:_MARK_BYTES]), []).append(chunk_id)
    return [
        chunk_id
        for marks, batch in batches(list(by_block))
        for block, held in rows(f"SELECT block, marks FROM chunk_filter WHERE block IN ({marks})", batch)
        for chunk_id in by_block[block]
        if may_hold(held, _mark(chunk_id))
    ]


def _mark(chunk_id: bytes) -> bytes:
    return chunk_id[_MARK_BYTES : 2 * _MARK_BYTES]


def may_hold(held: bytes, mark: bytes) -> bool:
    """Whether a block of the filter knows the mark; False is certain."""
    if len(held) == _BITMAP_BYTES:
        place, bit = divmod(int.from_bytes(mark) >> _MARKS_A_BIT, 8)
        return bool(held[place] >> bit & 1)
    place = held.find(mark)
    # A hit that straddles two marks is none.
    while place > 0 and place % _MARK_BYTES:
        place = held.find(mark, place + 1)
    return place >= 0


def with_marks(held: bytes, marks: Sequence[bytes]) -> bytes:
    """The block with these marks in it too."""
    if len(held) < _BITMAP_BYTES:
        joined = held + b"".join(dict.fromkeys(mark for mark in marks if not may_hold(held, mark)))
        if len(joined) < _BITMAP_BYTES:
            return joined
        marks = [joined[start : start + _MARK_BYTES] for start in range(0, len(joined), _MARK_BYTES)]
        held = bytes(_BITMAP_BYTES)
    bits = bytearray(held)
    for mark in marks:
        place, bit = divmod(int.from_bytes(mark) >> _MARKS_A_BIT, 8)
        bits[place] |= 1 << bit
    return bytes(bits)
