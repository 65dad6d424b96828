"""Chunks are found wherever they stand, and the filter never calls one new that is stored."""

import hashlib
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuiback.catalog import Catalog, CatalogReader, same_content
from tuiback.catalog.chunks import may_hold, with_marks
from tuiback.model import ChunkEntry, PackTable

from .build import Writer

MARKS = st.binary(min_size=2, max_size=2)


def _id(number: int) -> bytes:
    return hashlib.blake2b(str(number).encode(), digest_size=32).digest()


def _pack(name: str, ids: list[bytes]) -> PackTable:
    entries = tuple(ChunkEntry(each, slot, slot * 100, 100, 0, 80) for slot, each in enumerate(ids))
    return PackTable(name, 100 * len(ids), entries)


def _waiting(path: Path) -> tuple[int, int, int]:
    connection = sqlite3.connect(path)
    counts = [
        connection.execute(f"SELECT {what}").fetchone()[0]
        for what in (
            "waiting FROM merging", "count(*) FROM recent_chunks", "count(*) FROM chunks",
        )
    ]
    connection.close()
    return counts[0], counts[1], counts[2]


@given(st.lists(MARKS, max_size=40), st.lists(MARKS, max_size=40), st.lists(MARKS, max_size=40))
def test_a_block_knows_every_mark_that_it_was_given(
    first: list[bytes], second: list[bytes], others: list[bytes]
) -> None:
    """In two goes; and while it is small it knows no other, not even one that lies across two."""
    held = with_marks(with_marks(b"", first), second)
    given_marks = {*first, *second}
    assert all(may_hold(held, mark) for mark in given_marks)
    assert not any(may_hold(held, mark) for mark in {*others} - given_marks)
    assert len(held) == 2 * len(given_marks)


def test_a_full_block_becomes_a_bitmap_and_grows_no_more() -> None:
    """From 512 marks on; it still knows each of them, also those that come later."""
    marks = [(number * 97 % 65536).to_bytes(2) for number in range(2000)]
    held = b""
    for start in range(0, 2000, 100):
        held = with_marks(held, marks[start : start + 100])
        assert all(may_hold(held, mark) for mark in marks[: start + 100])
    assert len(held) == 1024
    assert with_marks(held, marks) == held
    assert not all(may_hold(held, number.to_bytes(2)) for number in range(65536))


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    packs=st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=12),
    merge_at=st.integers(1, 40),
    block=st.sampled_from([None, b"\xab\xcd"]),
)
def test_every_stored_chunk_is_found_in_its_newest_pack(
    tmp_path_factory: pytest.TempPathFactory, packs: list[list[int]], merge_at: int, block: bytes | None
) -> None:
    """Whenever rows go over, also where all ids share a block; a replay that never merges has the same content."""
    folder = tmp_path_factory.mktemp("chunks")
    catalog, writer = Catalog.create(folder / "a.db", "repo-1", merge_at=merge_at), Writer()
    reader = CatalogReader(folder / "a.db")
    ids = [each if block is None else block + each[2:] for each in map(_id, range(61))]
    newest: dict[bytes, str] = {}
    for number, chosen in enumerate(packs):
        table = _pack(f"p{number}", [ids[each] for each in dict.fromkeys(chosen)])
        writer.apply(catalog, table)
        newest |= {entry.chunk_id: table.pack_id for entry in table.entries}
        found = reader.find_chunks(ids)
        assert {chunk_id: location.pack_id for chunk_id, location in found.items()} == newest
        assert reader.totals().chunks == len(newest)
    reader.close()
    catalog.close()
    waiting, recent, _ = _waiting(folder / "a.db")
    assert waiting == recent < merge_at
    again = Catalog.create(folder / "b.db", "repo-1")
    writer.replay(again)
    again.close()
    assert same_content(folder / "a.db", folder / "b.db") == []


def test_rows_go_over_a_key_range_at_a_time(tmp_path: Path) -> None:
    """One apply moves no more than it must, so that no commit waits for all of them."""
    catalog, writer = Catalog.create(tmp_path / "c.db", "repo-1", merge_at=1000), Writer()
    writer.apply(catalog, _pack("p1", [_id(number) for number in range(999)]))
    assert _waiting(tmp_path / "c.db") == (999, 999, 0)
    writer.apply(catalog, _pack("p2", [_id(number) for number in range(999, 1001)]))
    waiting, recent, merged = _waiting(tmp_path / "c.db")
    assert waiting == recent == 1001 - merged
    assert 20 < merged < 150
    catalog.close()


def test_a_chunk_whose_id_only_begins_alike_is_another(tmp_path: Path) -> None:
    """The filter and half of the id are not enough: the whole of it is compared."""
    catalog, writer = Catalog.create(tmp_path / "c.db", "repo-1", merge_at=1), Writer()
    stored = _id(1)
    writer.apply(catalog, _pack("p1", [stored]))
    reader = CatalogReader(tmp_path / "c.db")
    alike = [stored[:length] + bytes(32 - length) for length in (2, 4, 16, 31)]
    assert set(reader.find_chunks([*alike, stored])) == {stored}
    writer.apply(catalog, _pack("p2", [alike[2]]))
    assert set(reader.find_chunks([*alike, stored])) == {stored, alike[2]}
    reader.close()
    catalog.close()
