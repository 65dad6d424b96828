"""Chunks are found wherever they stand, and the filter never calls one new that is stored."""

import hashlib
import sqlite3
from collections import Counter
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


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    packs=st.lists(st.lists(st.integers(0, 40), max_size=16, unique=True), min_size=2, max_size=8),
    gone=st.sets(st.integers(0, 7)),
    back=st.sets(st.integers(0, 7)),
    merge_at=st.integers(1, 30),
)
def test_forgotten_packs_are_as_if_they_had_never_been(
    tmp_path_factory: pytest.TempPathFactory,
    packs: list[list[int]],
    gone: set[int],
    back: set[int],
    merge_at: int,
) -> None:
    """Nothing is found in them, figures are right, and put back they are as they were; later packs come anew."""
    folder = tmp_path_factory.mktemp("forget")
    catalog, writer = Catalog.create(folder / "a.db", "repo-1", merge_at=merge_at), Writer()
    reader = CatalogReader(folder / "a.db")
    ids = [_id(number) for number in range(41)]
    tables = [_pack(f"p{number}", [ids[each] for each in chosen]) for number, chosen in enumerate(packs)]
    for table in tables[:-1]:
        writer.apply(catalog, table)
    gone_ids = [f"p{number}" for number in gone]
    catalog.forget_packs([*gone_ids, "never known"])
    writer.apply(catalog, tables[-1])
    kept = [table for table in tables if table.pack_id not in gone_ids or table is tables[-1]]
    _expect_packs(reader, kept, tables)
    returned = [tables[number] for number in sorted(back) if number < len(tables)]
    catalog.put_packs(returned)
    known = [*kept, *(table for table in returned if table not in kept)]
    _expect_packs(reader, known, tables)
    reader.close()
    catalog.close()
    waiting, recent, _ = _waiting(folder / "a.db")
    assert waiting == recent


def _expect_packs(reader: CatalogReader, known: list[PackTable], tables: list[PackTable]) -> None:
    """Every chunk is found in a known pack that has it, but one whose newest copy went may be missing."""
    holders: dict[bytes, set[str]] = {}
    for table in known:
        for entry in table.entries:
            holders.setdefault(entry.chunk_id, set()).add(table.pack_id)
    times = Counter(entry.chunk_id for table in tables for entry in table.entries)
    found = reader.find_chunks([_id(number) for number in range(41)])
    assert all(location.pack_id in holders.get(chunk, ()) for chunk, location in found.items())
    assert all(chunk in found for chunk in holders if times[chunk] == 1)
    totals = reader.totals()
    assert (totals.packs, totals.stored_bytes) == (len(known), sum(table.stored_bytes for table in known))
    assert totals.chunks == len(found)


def test_a_kill_while_packs_are_forgotten_leaves_them_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows still stand, but find nothing, also not in a new pack; the next call drops them."""
    catalog, writer = Catalog.create(tmp_path / "c.db", "repo-1", merge_at=1), Writer()
    reader, ids = CatalogReader(tmp_path / "c.db"), [_id(number) for number in range(9)]
    writer.apply(catalog, _pack("p1", ids[:8]))
    with monkeypatch.context() as patch:
        patch.setattr("tuiback.catalog.catalog.forget_merged", _raise)
        with pytest.raises(ZeroDivisionError):
            catalog.forget_packs(["p1"])
    assert reader.find_chunks(ids) == {}
    writer.apply(catalog, _pack("p2", ids[6:]))
    assert {each.pack_id for each in reader.find_chunks(ids).values()} == {"p2"}
    assert set(reader.find_chunks(ids)) == set(ids[6:])
    catalog.forget_packs([])
    assert set(reader.find_chunks(ids)) == set(ids[6:])
    assert reader.totals().chunks == 3
    assert _waiting(tmp_path / "c.db") == (0, 0, 3)
    reader.close()
    catalog.close()


def _raise(*_: object) -> None:
    raise ZeroDivisionError
