"""Run by hand, never collected: python -m tests.catalog.benchmarks.history_bench FILE [DEAD] [LIVE] [SNAPSHOTS].

Fills a catalog with one folder of DEAD ended and LIVE live messages over SNAPSHOTS snapshots (5,000,000, 1,000 and
10,000 unless given) and prints how long the first page of any snapshot takes, warm and with the file dropped from the
system's cache. A file that is there already is only measured.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from tests.catalog.benchmarks.measuring import dropped, figures, say, since
from tests.catalog.build import A, Writer, account, closed, folder, version
from tuiback.catalog import Catalog, CatalogReader
from tuiback.catalog.spans import Ended, add_spans
from tuiback.console.paging import PAGE_ROWS

_AT_ONCE = 250_000
_INSERT = """INSERT INTO versions (version_no, item_no, from_seq, until_seq, removed, container_no, parent_no, kind,
    sort_name, name, size, modified, etag, content_tag, attrs, part_bytes)
    VALUES (?, ?, ?, ?, ?, 1, ?, 'message', ?, ?, 9000, ?, 'W/"etag"', '', '{"from":"Someone <a@b.example>"}', 9000)"""


_Row = tuple[int, int, int, int | None, int, int, str, str, str]


def _versions(dead: int, live: int, snapshots: int, parent_no: int, first_no: int) -> Iterator[_Row]:
    """About dead / snapshots * 2 are there at any time, one in a thousand of them for long; the last ones live on."""
    chance = random.Random(3)
    for number in range(dead + live):
        no = first_no + number
        began = number * (snapshots - 2) // (dead + live) + 1
        length = chance.randint(1, 3) if chance.random() < 0.9999 else chance.randint(1, snapshots)
        until = min(began + length, snapshots) if number < dead else None
        name = f"subject {chance.getrandbits(40):010x} of a message"
        modified = f"20{began // 400:02}-{began % 12 + 1:02}-{began % 28 + 1:02}T08:{number % 60:02}:00Z"
        yield no, no, began, until, int(until is not None and number % 2), parent_no, name, name, modified


def fill(path: Path, dead: int, live: int, snapshots: int) -> None:
    """The rows as commits would leave them, written past Catalog.apply, which would take many minutes."""
    catalog, writer = Catalog.create(path, "repo-1"), Writer()
    points = tuple(closed(seq) for seq in range(1, snapshots))
    writer.apply(catalog, accounts=(account(A),), versions=(folder("f", 1), version("m", 1, parent_id="f")))
    for point in points:
        writer.apply(catalog, snapshots_closed=(point,))
    catalog.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    ((parent_no,),) = connection.execute("SELECT item_no FROM items WHERE item_id = 'f'")
    rows = _versions(dead, live, snapshots, parent_no, first_no=1000)
    while some := list(islice(rows, _AT_ONCE)):
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO items VALUES (?, 1, ?)", [(row[1], f"AAMkAD{row[1]:040}") for row in some]
        )
        connection.executemany(_INSERT, some)
        add_spans(connection, [Ended(no, at, "message", name, day, a, b) for no, _, a, b, _, at, name, _, day in some])
        connection.execute("COMMIT")
    connection.close()


def measure(path: Path, snapshots: int) -> None:
    """First pages, counts, deleted listings and parents at snapshots over the whole history."""
    chance = random.Random(5)
    seqs = [chance.randint(1, snapshots - 1) for _ in range(40)]
    questions: dict[str, Callable[[CatalogReader, int], object]] = {
        "first page by name": lambda reader, seq: reader.children(A, seq, "f", limit=PAGE_ROWS),
        "first page by modified": lambda reader, seq: reader.children(A, seq, "f", limit=PAGE_ROWS, order="modified"),
        "first page of deleted": lambda reader, seq: reader.children(A, seq, "f", limit=PAGE_ROWS, deleted=True),
        "count": lambda reader, seq: reader.count_children(A, seq, "f"),
        "parents (walk)": lambda reader, seq: reader._parent_ids(A, seq),
    }
    for name, ask in questions.items():
        for state in ("cold", "warm"):
            times = []
            for seq in seqs:
                if state == "cold":
                    dropped(path)
                reader = CatalogReader(path)
                if state == "warm":
                    ask(reader, seq)
                started = time.perf_counter()
                ask(reader, seq)
                times.append(since(started))
                reader.close()
            say(f"{name:24} {state}: {figures(times)}")


def main() -> None:
    """Fill, then measure."""
    path = Path(sys.argv[1])
    dead, live, snapshots = [int(each) for each in sys.argv[2:]] or (5_000_000, 1_000, 10_000)
    if not path.exists():
        started = time.perf_counter()
        fill(path, dead, live, snapshots)
        say(f"filled in {time.perf_counter() - started:.0f} s")
    say(f"{path.stat().st_size / 1e6:.0f} MB, {dead:,} dead, {live:,} live, {snapshots:,} snapshots")
    measure(path, snapshots)


if __name__ == "__main__":
    main()
