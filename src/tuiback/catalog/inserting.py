"""Inserts many rows with few statements, so that other threads run beside it instead of taking turns at every row."""

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain

# The interpreter is given away for each statement and must be had back after it: beside a thread that runs Python, a
# statement for every row may take ten times as long as these, and by itself it takes half as long again.
_ROWS_AT_ONCE = (256, 16, 1)


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]]) -> int:
    """Insert the rows, all of one length, in their order; how many the table took.

    `into` is the statement up to its VALUES.
    """
    if not rows:
        return 0
    columns = len(rows[0])
    rows_max = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // columns
    done = taken = 0
    for count in _ROWS_AT_ONCE:
        while len(rows) - done >= count and count <= max(1, rows_max):
            values = list(chain.from_iterable(rows[done : done + count]))
            taken += connection.execute(_statement(into, columns, count), values).rowcount
            done += count
    return taken


@cache
def _statement(into: str, columns: int, count: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{into} VALUES {', '.join([row] * count)}"
