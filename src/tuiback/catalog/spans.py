"""Finds what was valid at any one snapshot at once, however much came and went before and after it.

Snapshots are divided into blocks of 1, 2, 4, ... of them, each twice as long as the next smaller ones in it. The
interval of a version that has ended is written down under the fewest blocks that make it up; whoever asks for one
snapshot looks at the blocks that hold it, one of each length, and everything found there is valid. (A segment tree:
de Berg and others, Computational Geometry, 10.3.)
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tuiback.catalog.inserting import insert_rows
from tuiback.model import FOLDER_KINDS

# Blocks of 2 ** 14 = 16,384 snapshots are the longest; a longer interval takes several of them.
_LONGEST = 14
BLOCKS_A_SNAPSHOT = _LONGEST + 1


class Ended(NamedTuple):
    """A version with its end, as far as listings need it; until_seq is None until it is known."""

    version_no: int
    parent_no: int
    kind: str
    sort_name: str
    modified: str
    from_seq: int
    until_seq: int | None


def blocks_of(seq: int) -> tuple[int, ...]:
    """The numbers of the blocks that hold the snapshot, the shortest first."""
    return tuple(_number(seq >> level, level) for level in range(BLOCKS_A_SNAPSHOT))


def cover(from_seq: int, until_seq: int) -> Iterator[int]:
    """The numbers of the fewest blocks that make up the snapshots from_seq to until_seq - 1."""
    while from_seq < until_seq:
        fits = (until_seq - from_seq).bit_length() - 1
        aligned = (from_seq & -from_seq).bit_length() - 1 if from_seq else _LONGEST
        level = min(fits, aligned, _LONGEST)
        yield _number(from_seq >> level, level)
        from_seq += 1 << level


def add_spans(connection: sqlite3.Connection, ended: Iterable[Ended]) -> None:
    """Write the blocks of these versions down."""
    by_name, by_modified = span_rows(ended)
    # In key order, neighbours land on one page.
    insert_rows(connection, "INSERT INTO spans_by_name", sorted(by_name))
    insert_rows(connection, "INSERT INTO spans_by_modified", sorted(by_modified))


def drop_spans(connection: sqlite3.Connection, ended: Iterable[Ended]) -> None:
    """Forget the blocks of versions that are not kept."""
    by_name, by_modified = span_rows(ended)
    key = "parent_no = ? AND is_folder = ? AND block = ? AND {} = ? AND version_no = ?"
    connection.executemany(f"DELETE FROM spans_by_name WHERE {key.format('sort_name')}", by_name)
    connection.executemany(f"DELETE FROM spans_by_modified WHERE {key.format('modified')}", by_modified)


SpanRow = tuple[int, bool, int, str, int]


def span_rows(ended: Iterable[Ended]) -> tuple[list[SpanRow], list[SpanRow]]:
    """The rows of spans_by_name and of spans_by_modified, in any order."""
    by_name: list[SpanRow] = []
    by_modified: list[SpanRow] = []
    for version in ended:
        is_folder = version.kind in FOLDER_KINDS
        for block in cover(version.from_seq, version.until_seq or 0):
            by_name.append((version.parent_no, is_folder, block, version.sort_name, version.version_no))
            by_modified.append((version.parent_no, is_folder, block, version.modified, version.version_no))
    return by_name, by_modified


def _number(place: int, level: int) -> int:
    """Odd multiples of 2 ** level, so that no two blocks share a number."""
    return (2 * place + 1) << level
