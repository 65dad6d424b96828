"""What was valid at one snapshot, however the blocks of snapshots fall, and without wading through history."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.catalog.arms import at_snapshot, valid_arms
from tuiback.catalog.spans import blocks_of, cover
from tuiback.model import Kind

from .build import A, closed, folder, removal, version
from .conftest import Bench

SEQS = st.integers(0, 40_000)


@given(SEQS, SEQS, SEQS)
def test_a_snapshot_shares_one_block_with_an_interval_that_holds_it_and_no_other(a: int, b: int, at: int) -> None:
    """However long the interval is, and at both of its ends."""
    first, until = min(a, b), max(a, b)
    for seq in (at, first, until, max(first - 1, 0), max(until - 1, 0)):
        shared = [block for block in cover(first, until) if block in blocks_of(seq)]
        assert len(shared) == (first <= seq < until)


@given(SEQS, st.integers(0, 16_000))
def test_an_interval_has_few_blocks(first: int, length: int) -> None:
    """No more than two of each length, and no block twice."""
    blocks = list(cover(first, first + length))
    assert len(blocks) == len(set(blocks)) <= 2 * max(length.bit_length(), 1)


def test_a_version_opened_anew_in_its_snapshot_leaves_nothing_behind(bench: Bench) -> None:
    """Also where the one before it had ended already, in this commit or in an earlier one."""
    bench.apply(versions=(version("m", 1, name="one"),), snapshots_closed=(closed(1),))
    bench.apply(versions=(version("m", 2, name="two"), version("m", 4, name="four"), version("m", 2, name="again")))
    assert [bench.names(seq) for seq in (1, 2, 4)] == [["one"], ["again"], ["again"]]
    bench.apply(versions=(version("m", 5, name="five"),))
    bench.apply(versions=(version("m", 2, name="two again"),))
    assert [bench.names(seq) for seq in (1, 2, 3, 5)] == [["one"], ["two again"], ["two again"], ["two again"]]
    connection = sqlite3.connect(bench.path)
    for table in ("spans_by_name", "spans_by_modified"):
        stray = f"SELECT count(*) FROM {table} WHERE version_no NOT IN (SELECT version_no FROM versions)"
        assert connection.execute(stray).fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("order", ["name", "modified"])
def test_some_kinds_of_a_shelf_at_a_snapshot_of_the_past(bench: Bench, order: str) -> None:
    """Messages without files, where both have ended since."""
    first = (version("a", 1), version("b", 1, kind=Kind.FILE), folder("c", 1), version("d", 1))
    bench.apply(versions=first, snapshots_closed=(closed(1),))
    gone = (*(removal(item, 2) for item in ("a", "b", "d")), removal("c", 2, "folders"))
    bench.apply(removals=gone, snapshots_closed=(closed(2),))
    assert sorted(bench.names(1, kinds=[Kind.MESSAGE], order=order)) == ["a", "d"]
    assert bench.names(1, kinds=[Kind.FILE, Kind.FOLDER]) == ["b", "c"]
    assert bench.names(2) == []
    assert bench.reader.count_children(A, 1, "") == 4


def test_a_page_of_the_past_is_read_from_indexes_alone(bench: Bench) -> None:
    """No piece of it sorts or scans a table, so that its cost does not grow with history."""
    connection = sqlite3.connect(bench.path)
    for order, column in (("name", "sort_name"), ("modified", "modified")):
        for arm in valid_arms(None, "name" if order == "name" else "modified"):
            plan = connection.execute(
                f"EXPLAIN QUERY PLAN SELECT v.{column}, v.version_no FROM {arm} ORDER BY v.{column}, v.version_no",
                {"parent": 1, **at_snapshot(5)},
            ).fetchall()
            (step,) = [row[3] for row in plan]
            assert step.startswith("SEARCH v USING")
            assert "COVERING INDEX live_by" in step or "PRIMARY KEY (parent_no=? AND is_folder=? AND block=?)" in step
    connection.close()


def test_superseded_versions_are_not_among_the_deleted_ones(bench: Bench) -> None:
    """An index of its own holds what was removed; what a newer version replaced is not in it."""
    bench.apply(versions=(version("m", 1), version("n", 1)), snapshots_closed=(closed(1),))
    for seq in range(2, 6):
        bench.apply(versions=(version("m", seq),), snapshots_closed=(closed(seq),))
    bench.apply(removals=(removal("n", 6),), snapshots_closed=(closed(6),))
    assert bench.names(6, deleted=True) == ["n"]
    connection = sqlite3.connect(bench.path)
    assert connection.execute("SELECT count(*) FROM versions WHERE removed").fetchone() == (1,)
    connection.close()


def test_a_folder_that_is_emptied_at_once_goes_in_batches(bench: Bench) -> None:
    """More removals than are carried out in one go, one of them of an item that has moved on: all others end."""
    names = [f"m{number:05}" for number in range(10_050)]
    bench.apply(versions=tuple(version(name, 1) for name in names), snapshots_closed=(closed(1),))
    gone = tuple(removal(name, 2) for name in names)
    moved = version(names[7], 2, container_id="archive")
    bench.apply(removals=gone, versions=(moved,), snapshots_closed=(closed(2),))
    assert bench.names(2) == [names[7]]
    assert bench.reader.count_children(A, 1, "") == len(names)
    assert bench.reader.points(A)[0].items == 1
    connection = sqlite3.connect(bench.path)
    assert connection.execute("SELECT count(*) FROM removals").fetchone() == (0,)
    connection.close()
