"""Rows go in many at a time, and each exactly once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tuiback.catalog.inserting import insert_rows

ROWS = [(number, f"name {number}", bytes([number % 256])) for number in range(1, 601)]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A database with an empty table."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        opened.execute("CREATE TABLE things (number INTEGER PRIMARY KEY, name TEXT, data BLOB)")
        yield opened


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 255, 256, 257, 273, 600])
@pytest.mark.parametrize("variables_max", [3, 100, 999, 32766])
def test_every_row_goes_in_once(connection: sqlite3.Connection, count: int, variables_max: int) -> None:
    """Whatever number of rows there is, and however few values a statement may have."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, variables_max)
    assert insert_rows(connection, "INSERT INTO things (number, name, data)", ROWS[:count]) == count
    assert connection.execute("SELECT * FROM things ORDER BY number").fetchall() == ROWS[:count]


def test_rows_that_are_there_are_not_counted(connection: sqlite3.Connection) -> None:
    """What INSERT OR IGNORE leaves out was not taken; later rows replace earlier ones with OR REPLACE."""
    insert_rows(connection, "INSERT INTO things", ROWS[100:400])
    assert insert_rows(connection, "INSERT OR IGNORE INTO things", ROWS) == 300
    again = [(number, "new", b"") for number, _, _ in ROWS[:300]] + [(1, "newest", b"")]
    insert_rows(connection, "INSERT OR REPLACE INTO things", again)
    assert connection.execute("SELECT name FROM things WHERE number IN (1, 2, 301)").fetchall() == [
        ("newest",), ("new",), ("name 301",),
    ]  # fmt: skip


def test_few_statements_are_run(connection: sqlite3.Connection) -> None:
    """Each statement takes as many rows as are left, so that few give the interpreter away."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    insert_rows(connection, "INSERT INTO things", ROWS[:530])
    assert len(statements) == 2 + 1 + 2
