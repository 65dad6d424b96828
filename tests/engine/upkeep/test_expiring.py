"""Retention over a real catalog: what kept points show stays the same, and the rest is really gone."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.catalog.build import A, B, Writer, account, at, closed, folder, opened, part, removal, version
from tests.catalog.conftest import Bench
from tests.catalog.test_loading import bases_of, load
from tuiback.catalog import Catalog, CatalogReader, same_content
from tuiback.engine.settings.retention import Figures
from tuiback.engine.upkeep.expiring import find_expired
from tuiback.errors import UsageError
from tuiback.model import AccountState, ControlRow, Expired, Kind, Task

_DAY = 24 * 60


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh catalog."""
    path = tmp_path / "catalog.db"
    bench = Bench(path, Catalog.create(path, "repo-1"), CatalogReader(path))
    yield bench
    bench.reader.close()
    bench.catalog.close()


def _task(keep: str, keep_gone: str = "forever", name: str = "mail") -> ControlRow:
    task = Task(name, "contoso", "exchange", everything=True, keep=keep, keep_gone=keep_gone)
    return ControlRow("task", name, msgspec.json.encode(task))


def _history(bench: Bench, account_id: str = A, **facts: object) -> None:
    """A message changed on each of ten days; another that came and went on the second and third."""
    bench.apply(accounts=(account(account_id, **facts),))
    for day in range(1, 11):
        came = (version("n", day, account_id=account_id, parts=(part("n"),)),) if day == 2 else ()
        changed = version("m", day, name=f"day {day}", account_id=account_id, parts=(part(f"day {day}"),))
        gone = (removal("n", day, account_id=account_id),) if day == 3 else ()
        close = replace(closed(day, account_id), closed_at=at(day * _DAY))
        bench.apply(versions=(*came, changed), removals=gone, snapshots_closed=(close,))


def _found(bench: Bench, day: float, held: Sequence[str] = ()) -> tuple[list[Expired], Figures]:
    figures = Figures()
    rows = find_expired(bench.reader, at(int(day * _DAY)), lambda each: each.account_id in held, figures)
    return list(rows), figures


def test_an_account_expires_by_its_tasks_rule(bench: Bench) -> None:
    """What is older than the rule goes, points first; day 6 answers for the beginning of the last five days."""
    _history(bench)
    bench.apply(controls=(_task("5d"),))
    rows, figures = _found(bench, 12)
    assert [row.snapshots for row in rows] == [(1, 2, 3, 4, 5)]
    assert sorted(rows[0].versions) == [("m", 1), ("m", 2), ("m", 3), ("m", 4), ("m", 5), ("n", 2)]
    assert figures == Figures(versions=6, bytes=26, points=5, items=1)
    assert bench.reader.totals().versions == 11
    bench.apply(expired=tuple(rows))
    assert [point.seq for point in bench.reader.points(A)] == [10, 9, 8, 7, 6]
    assert bench.names(6) == ["day 6"]
    assert _found(bench, 12) == ([], Figures())


def test_the_last_copy_of_a_removed_item_is_counted_apart(bench: Bench) -> None:
    """It stays for the rule's reach, although no kept point shows it."""
    _history(bench)
    bench.apply(controls=(_task("2d,1m"),))
    rows, figures = _found(bench, 12)
    assert figures == Figures(versions=9, bytes=45, points=9, last_copies=1)
    bench.apply(expired=tuple(rows))
    assert bench.names(10, deleted=True) == ["n"]
    rows, figures = _found(bench, 50)
    assert (rows, figures) == ([Expired(A, (("n", 2),))], Figures(versions=1, bytes=1, items=1))


def test_what_keeps_an_account_from_expiring(bench: Bench) -> None:
    """A hold, an open snapshot, a task that keeps everything, and a task that is no more."""
    _history(bench)
    assert _found(bench, 500) == ([], Figures())
    bench.apply(controls=(_task("all"),))
    assert _found(bench, 500) == ([], Figures())
    bench.apply(controls=(_task("1d"),))
    assert _found(bench, 500)[1].points == 9
    assert _found(bench, 500, held=[A]) == ([], Figures())
    bench.apply(snapshots_opened=(opened(11),))
    assert _found(bench, 500) == ([], Figures())


def test_a_gone_account_goes_whole_when_its_time_ran_out(bench: Bench) -> None:
    """Until then its last point is frozen; an open snapshot that nobody will close does not save it, a hold does."""
    _history(bench, address="a@x.example")
    _history(bench, B)
    gone = account(address="a@x.example", state=AccountState.GONE, gone_at=at(11 * _DAY))
    bench.apply(accounts=(gone,), snapshots_opened=(opened(11),), controls=(_task("all", "30d"),))
    assert _found(bench, 40.9) == ([], Figures())
    assert _found(bench, 41, held=[A]) == ([], Figures())
    rows, figures = _found(bench, 41)
    assert (rows, figures) == ([Expired(A, whole=True)], Figures(versions=11, bytes=52, accounts=1))
    bench.apply(expired=tuple(rows))
    assert [each.account_id for each in bench.reader.accounts()] == [B]
    assert bench.reader.totals().versions == 11


def test_a_gone_account_keeps_its_last_point(bench: Bench) -> None:
    """The task's rule goes on over its history, but never reaches what was live when it left."""
    _history(bench)
    gone = account(state=AccountState.GONE, gone_at=at(11 * _DAY))
    bench.apply(accounts=(gone,), controls=(_task("5d"),))
    bench.apply(expired=tuple(_found(bench, 900)[0]))
    assert [point.seq for point in bench.reader.points(A)] == [10]
    assert bench.names(10) == ["day 10"]
    assert _found(bench, 5000) == ([], Figures())


def test_a_broken_rule_is_told(bench: Bench) -> None:
    """Nothing expires by a guess."""
    _history(bench)
    bench.apply(controls=(_task("soon"),))
    with pytest.raises(UsageError, match="retention rule"):
        _found(bench, 12)


_ITEMS = [f"i{number}" for number in range(7)]
_RULES = st.sampled_from(["1d", "4d", "9d", "1v", "3v", "2d,1w", "3d,2w,2m", "1w", "1m,1y"])
_DAYS = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.dictionaries(st.sampled_from(_ITEMS), st.sampled_from(["", "f", "g"]), max_size=4),
        st.sets(st.sampled_from([*_ITEMS, "f"]), max_size=3),
    ),
    min_size=1,
    max_size=14,
)


def _written(writer: Writer, catalog: Catalog, days: list[tuple[int, dict[str, str], set[str]]]) -> float:
    """One snapshot for each; the day of the last one."""
    writer.apply(catalog, accounts=(account(),), versions=(folder("f", 1), folder("g", 1)))
    day = 0.0
    for seq, (later, came, left) in enumerate(days, 1):
        day += later / 5
        versions = tuple(
            version(item_id, seq, name=f"{item_id} {seq}", parent_id=parent_id, parts=(part(f"{item_id} {seq}"),))
            for item_id, parent_id in came.items()
        )
        removals = tuple(removal(item_id, seq, "folders" if item_id == "f" else "inbox") for item_id in left)
        close = replace(closed(seq), closed_at=at(round(day * _DAY)))
        writer.apply(catalog, versions=versions, removals=removals, snapshots_closed=(close,))
    return day


def _shown(reader: CatalogReader, seq: int) -> dict[str, tuple[object, ...]]:
    """All that is told of each item; the path of one whose folder was not there is its own affair."""
    walked = list(reader.walk(A, seq))
    there = {"", *(entry.item_id for _, entry in walked)}
    return {
        entry.item_id: (
            path if entry.parent_id in there else "", entry.name, entry.kind, entry.parent_id, entry.from_seq,
            entry.until_seq, reader.parts(A, entry.item_id, entry.from_seq),
        )
        for path, entry in walked
    }


_STRAY = (
    "parts WHERE version_no NOT IN (SELECT version_no FROM versions)",
    "spans_by_name WHERE version_no NOT IN (SELECT version_no FROM versions)",
    "spans_by_modified WHERE version_no NOT IN (SELECT version_no FROM versions)",
    "parents WHERE parent_no NOT IN (SELECT parent_no FROM versions)",
    "items WHERE item_no NOT IN (SELECT item_no FROM versions UNION SELECT parent_no FROM versions)",
    """accounts a WHERE versions <> (
           SELECT count(*) FROM versions JOIN items i USING (item_no) WHERE i.account_no = a.account_no)
       OR points <> (SELECT count(*) FROM snapshots s WHERE s.account_no = a.account_no AND closed_at IS NOT NULL)""",
)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(_DAYS, st.lists(st.tuples(_RULES, st.integers(0, 60)), min_size=1, max_size=3))
def test_any_expiry_leaves_every_kept_point_as_it_was(
    days: list[tuple[int, dict[str, str], set[str]]], rules: list[tuple[str, int]]
) -> None:
    """Rule after rule; nothing stray is left, and a replay, of all or over bases, forgets the same."""
    with tempfile.TemporaryDirectory() as folder_name:
        path, again, loaded = (Path(folder_name, name) for name in ("live.db", "again.db", "loaded.db"))
        catalog, writer, reader = Catalog.create(path, "repo-1"), Writer(), CatalogReader(path)
        day = _written(writer, catalog, days)
        for keep, later in rules:
            bases, since = bases_of(path), len(writer.commits)
            writer.apply(catalog, controls=(_task(keep),))
            before = {point.seq: _shown(reader, point.seq) for point in reader.points(A)}
            day += later / 3
            rows = tuple(find_expired(reader, at(round(day * _DAY)), lambda _: False, Figures()))
            writer.apply(catalog, expired=rows)
            dropped = {seq for row in rows for seq in row.snapshots}
            assert max(before) not in dropped
            after = {point.seq: _shown(reader, point.seq) for point in reader.points(A)}
            assert after == {seq: shown for seq, shown in before.items() if seq not in dropped}
            assert [stray for stray in _STRAY if reader._rows(f"SELECT 1 FROM {stray}")] == []
            assert not list(find_expired(reader, at(round(day * _DAY)), lambda _: False, Figures()))
        replayed = Catalog.create(again, "repo-1")
        writer.replay(replayed)
        for each in (replayed, catalog, reader):
            each.close()
        assert same_content(path, again) == []
        load(loaded, (), bases, writer, since)
        assert same_content(path, loaded) == []


def test_only_live_items_and_recent_removals_outlive_their_points(bench: Bench) -> None:
    """Moved and changed many times: of each item one version is left."""
    _history(bench)
    moved = tuple(version(f"x{number}", 11, kind=Kind.FILE) for number in range(3))
    close = replace(closed(11), closed_at=at(11 * _DAY))
    bench.apply(versions=moved, removals=(removal("x0", 11),), snapshots_closed=(close,), controls=(_task("1v"),))
    bench.apply(expired=tuple(_found(bench, 11 + timedelta(hours=1) / timedelta(days=1))[0]))
    assert bench.names(11) == ["day 10", "x1", "x2"]
    assert bench.names(11, deleted=True) == ["x0"]
    assert bench.reader.totals().versions == 4
