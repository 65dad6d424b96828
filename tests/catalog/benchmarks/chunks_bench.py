"""Run by hand, never collected: python -m tests.catalog.benchmarks.chunks_bench FILE [CHUNKS] [COMMITS].

Fills a catalog with CHUNKS chunks (10,000,000 unless given), then applies COMMITS commits (40) of 2,000 new ones and
prints what a commit, a known and an unknown chunk cost, warm and with the file dropped from the system's cache. A
file that is there already is only measured.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.catalog.benchmarks.measuring import dropped, figures, say, since
from tests.catalog.build import Writer
from tuiback.catalog import Catalog, CatalogReader
from tuiback.catalog.chunks import with_marks
from tuiback.model import ChunkEntry, PackTable

_COMMIT = 2_000


def _pack(name: str, chance: random.Random, count: int) -> PackTable:
    entries = tuple(ChunkEntry(chance.randbytes(32), slot, slot * 100, 100, 0, 80) for slot in range(count))
    return PackTable(name, 100 * count, entries)


def _rows(chunks: int) -> Iterator[tuple[bytes, bytes, int, int, int, int, int, int]]:
    """Rows in the order of their ids, which are spread evenly and otherwise random."""
    chance, step = random.Random(1), 2**64 // chunks
    for number in range(chunks):
        head = (number * step + chance.randrange(step)).to_bytes(8) + chance.randbytes(8)
        yield head, chance.randbytes(16), 1, number % 500, 100, 100, 0, 80


def fill(path: Path, chunks: int) -> None:
    """The rows as a year of commits would leave them, with nothing waiting."""
    catalog = Catalog.create(path, "repo-1")
    Writer().apply(catalog, _pack("p1", random.Random(2), 1))
    catalog.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    for _, many in groupby(_rows(chunks), key=lambda row: row[0][:1]):
        connection.execute("BEGIN")
        for block, rows in groupby(many, key=lambda row: row[0][:2]):
            some = list(rows)
            connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", some)
            connection.execute(
                "INSERT INTO chunk_filter VALUES (?, ?)",
                (int.from_bytes(block), with_marks(b"", [row[0][2:4] for row in some])),
            )
        connection.execute("COMMIT")
    connection.close()


def measure(path: Path) -> None:
    """Questions of 500 ids each."""
    connection = sqlite3.connect(path)
    stored: list[bytes] = []
    chance = random.Random(7)
    while len(stored) < 20_000:
        row = connection.execute(
            "SELECT id_head, id_tail FROM chunks WHERE id_head > ? LIMIT 1", (chance.randbytes(16),)
        ).fetchone()
        stored += [row[0] + row[1]] if row else []
    connection.close()
    unknown = [chance.randbytes(32) for _ in range(20_000)]
    for name, ids in (("unknown", unknown), ("known", stored)):
        for state in ("cold", "warm"):
            times = []
            if state == "cold":
                dropped(path)
            reader = CatalogReader(path)
            for start in range(0, len(ids), 500):
                started = time.perf_counter()
                reader.find_chunks(ids[start : start + 500])
                times.append(since(started))
            reader.close()
            say(f"500 {name:8} chunks {state}: {figures(times)}")


def measure_commits(path: Path, commits: int) -> None:
    """What apply takes; the file is dropped from the cache before the first one only."""
    connection = sqlite3.connect(path)
    ((number,),) = connection.execute("SELECT number FROM writers")
    connection.close()
    writer = Writer()
    for _ in range(number):
        writer.commit()
    dropped(path)
    catalog, chance, times = Catalog.open(path), random.Random(time.time_ns()), []
    used = time.thread_time()
    for _ in range(commits):
        table = _pack(f"{chance.getrandbits(64):x}", chance, _COMMIT)
        started = time.perf_counter()
        writer.apply(catalog, table)
        times.append(since(started))
    catalog.close()
    say(f"commit of {_COMMIT:,} chunks    : {figures(times)}")
    say(f"mean {sum(times) / commits:.1f} ms, of it processor {(time.thread_time() - used) / commits * 1000:.1f} ms")


def main() -> None:
    """Fill, then measure."""
    path = Path(sys.argv[1])
    chunks, commits = [int(each) for each in sys.argv[2:]] or (10_000_000, 40)
    if not path.exists():
        started = time.perf_counter()
        fill(path, chunks)
        say(f"filled in {time.perf_counter() - started:.0f} s")
    say(f"{path.stat().st_size / 1e6:.0f} MB, {chunks:,} chunks")
    measure(path)
    measure_commits(path, commits)


if __name__ == "__main__":
    main()
