"""The dates of checks: the longest unseen first, a pass that was cut off goes on, and how much was seen lately."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tuiback.catalog import CheckDates, Coverage, State
from tuiback.catalog.check_dates import PASS_LIFE
from tuiback.catalog.migrations import migrate, version_of
from tuiback.catalog.state import MIGRATIONS

from .build import at

HOUR = timedelta(hours=1)
NOW = at(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state lies."""
    return tmp_path / "state.db"


@pytest.fixture
def dates(path: Path) -> Iterator[CheckDates]:
    """The dates of three packs that were never seen."""
    dates = CheckDates.open(path)
    dates.track(["a", "b", "c"])
    yield dates
    dates.close()


def test_packs_never_seen_come_first_then_the_longest_unseen(dates: CheckDates) -> None:
    """What was noted comes last, and reading counts as a scrub, but not the other way round."""
    dates.note(["a"], NOW, read=True)
    dates.note(["b"], NOW + HOUR, read=False)
    assert dates.due(NOW + 2 * HOUR, read=False) == ["c", "a", "b"]
    assert dates.due(NOW + 2 * HOUR, read=True) == ["b", "c", "a"]
    assert dates.due(NOW + 2 * HOUR, read=False, limit=2) == ["c", "a"]


def test_a_pass_that_was_cut_off_goes_on(dates: CheckDates, path: Path) -> None:
    """Its begin is kept, so that what it saw is not due; once it ended, everything is."""
    begun = dates.begin(NOW, read=False)
    dates.note(["b"], NOW + HOUR, read=False)
    later = CheckDates.open(path)
    assert later.begin(NOW + 2 * HOUR, read=False) == begun == NOW
    assert later.due(begun, read=False) == ["a", "c"]
    later.end(read=False)
    assert later.begin(NOW + 2 * HOUR, read=False) == NOW + 2 * HOUR
    later.close()


def test_an_old_pass_and_one_of_the_future_are_not_gone_on_with(dates: CheckDates) -> None:
    """After a week what it saw is old; after the clock was set back its begin says nothing."""
    dates.begin(NOW, read=True)
    assert dates.begin(NOW + PASS_LIFE, read=True) == NOW + PASS_LIFE
    assert dates.begin(NOW, read=True) == NOW


def test_dates_of_packs_that_are_no_more_are_forgotten(dates: CheckDates) -> None:
    """A pack that comes later has none yet; the others keep theirs."""
    dates.note(["a", "b"], NOW, read=True)
    dates.track(["b", "d"])
    assert dates.due(NOW + HOUR, read=True) == ["d", "b"]


def test_coverage_tells_how_much_was_seen_and_since_when(dates: CheckDates) -> None:
    """The oldest date is told once every pack has one."""
    assert dates.coverage(NOW, read=False) == Coverage(packs=3, recent=0, never=3, oldest_at=None)
    dates.note(["a", "b"], NOW, read=False)
    dates.note(["c"], NOW + HOUR, read=False)
    assert dates.coverage(NOW + HOUR, read=False) == Coverage(packs=3, recent=1, never=0, oldest_at=NOW)
    assert dates.coverage(NOW, read=True).never == 3


def test_a_state_of_version_one_is_brought_up_to_date(tmp_path: Path) -> None:
    """It keeps its writer and ends with the same tables as one made today."""
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    connection = sqlite3.connect(old, isolation_level=None)
    migrate(connection, old, MIGRATIONS[:1])
    assert version_of(connection) == 1
    connection.execute("INSERT INTO writer VALUES ('writer-1')")
    connection.close()
    for path in (old, new):
        State.open(path).close()
    schemas = []
    for path in (old, new):
        connection = sqlite3.connect(path)
        assert version_of(connection) == len(MIGRATIONS)
        schemas.append(connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall())
        connection.close()
    assert schemas[0] == schemas[1]
    state = State.open(old)
    assert state.writer_id() == "writer-1"
    state.close()
