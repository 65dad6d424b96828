"""Inserts many rows with few statements, so that other threads run meanwhile instead of taking turns with each row."""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain

# Python gives its interpreter away for the length of each statement and waits to have it back: beside a thread that
# runs Python, a statement for each row takes twenty times as long as this.
_ROWS_AT_ONCE = (256, 16, 1)


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]]) -> int:
    """Insert the rows, all equally long, in their order; how many the table took.

    `into` is the statement up to VALUES, which it leaves out.
    """
    if not rows:
        return 0
    columns = len(rows[0])
    rows_max = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // columns
    done = taken = 0
    for count in _ROWS_AT_ONCE:
        if count > rows_max:
            continue
        sql = _statement(into, columns, count)
        while len(rows) - done >= count:
            taken += connection.execute(sql, list(chain.from_iterable(rows[done : done + count]))).rowcount
            done += count
    return taken


@cache
def _statement(into: str, columns: int, count: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{into} VALUES {', '.join([row] * count)}"
