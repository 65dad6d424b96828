"""Run by hand, never collected: python -m tests.catalog.benchmarks.live_bench FILE [LIVE].

Fills a catalog with one container of LIVE messages (1,000,000 unless given) in one folder and prints what the engine
and the console ask of it: warm, in milliseconds of the clock and of the processor. A file that is there already is
only measured.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from tests.catalog.benchmarks.measuring import say, since
from tests.catalog.build import A, Writer, account, closed, container, folder, version
from tuiback.catalog import Catalog, CatalogReader

_AT_ONCE = 100_000
_INSERT = """INSERT INTO versions (version_no, item_no, from_seq, container_no, parent_no, kind, sort_name, name, size,
    modified, etag, content_tag, attrs, part_bytes)
    VALUES (?, ?, ?, ?, ?, 'message', ?, ?, 9000, ?, 'W/"etag"', '', '{"from":"Someone <a@b.example>"}', 9000)"""


def _item_id(number: int) -> str:
    return f"AAMkAGI2{number * 0x9E3779B97F4A7C15 % 2**64:0142x}="


def _rows(live: int, container_no: int, parent_no: int) -> Iterator[tuple[int | str, ...]]:
    chance = random.Random(3)
    for number in range(1000, live + 1000):
        name = f"subject {chance.getrandbits(40):010x} of a message"
        moment = f"20{number % 26:02}-{number % 12 + 1:02}-{number % 28 + 1:02}T08:{number % 60:02}:00Z"
        yield number, number, number * 100 // live + 1, container_no, parent_no, name, name, moment


def fill(path: Path, live: int) -> None:
    """The rows as commits would leave them; the folder grew over a hundred snapshots."""
    catalog, writer = Catalog.create(path, "repo-1"), Writer()
    first = (folder("f", 1), version("m", 1, parent_id="f"))
    writer.apply(catalog, accounts=(account(A),), containers=(container(),), versions=first)
    for seq in range(1, 103):
        writer.apply(catalog, snapshots_closed=(closed(seq),))
    catalog.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    ((parent_no,),) = connection.execute("SELECT item_no FROM items WHERE item_id = 'f'")
    ((container_no,),) = connection.execute("SELECT container_no FROM containers WHERE container_id = 'inbox'")
    rows = _rows(live, container_no, parent_no)
    while some := list(islice(rows, _AT_ONCE)):
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO items VALUES (?, 1, ?)", [(row[0], _item_id(int(row[0]))) for row in some])
        connection.executemany(_INSERT, some)
        connection.execute("COMMIT")
    connection.close()


def measure(path: Path, live: int) -> None:
    """Each question three times; the best, because other programs run beside it."""
    known = [_item_id(number) for number in random.Random(9).sample(range(1000, live + 1000), 500)]
    middle = [_item_id(number) for number in range(live // 2, live // 2 + 500)]
    questions: dict[str, Callable[[CatalogReader], object]] = {
        "live_item_ids": lambda reader: len(reader.live_item_ids(A, "inbox")),
        "live_count": lambda reader: reader.live_count(A, "inbox"),
        "known (500 anywhere)": lambda reader: len(reader.known(A, known)),
        "known (500 side by side)": lambda reader: len(reader.known(A, middle)),
        "count_children": lambda reader: reader.count_children(A, 101, "f"),
        "page_marks by name": lambda reader: len(reader.page_marks(A, 101, "f")),
        "page_marks by modified": lambda reader: len(reader.page_marks(A, 101, "f", order="modified")),
        "first page": lambda reader: len(reader.children(A, 101, "f")),
        "first page, oldest snapshot": lambda reader: len(reader.children(A, 1, "f")),
        "the same by modified": lambda reader: len(reader.children(A, 1, "f", order="modified")),
    }
    for name, ask in questions.items():
        reader, figures = CatalogReader(path), []
        for _ in range(3):
            used, started = time.thread_time(), time.perf_counter()
            answer = ask(reader)
            figures.append((since(started), (time.thread_time() - used) * 1000))
        reader.close()
        wall, processor = min(figures)
        say(f"{name:28} {wall:9.2f} ms, processor {processor:9.2f} ms: {answer:,}")


def main() -> None:
    """Fill, then measure."""
    path, live = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    if not path.exists():
        fill(path, live)
    say(f"{path.stat().st_size / 1e6:.0f} MB, {live:,} live")
    measure(path, live)


if __name__ == "__main__":
    main()
