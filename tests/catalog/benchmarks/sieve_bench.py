"""Run by hand, never collected: python -m tests.catalog.benchmarks.sieve_bench FILE [CHUNKS] [PACKS].

Fills a catalog with CHUNKS chunks (1,000,000 unless given) in PACKS packs (CHUNKS / 500) and twice as many parts, a
tenth of the chunks needed by none, and prints what the sieve takes: seconds of the clock and of the processor, and
the peak of memory. Then one pack in a hundred is forgotten. A file that is there already is only measured; memory is
right only then.
"""

import random
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from itertools import groupby, islice
from pathlib import Path

from tests.catalog.benchmarks.measuring import say
from tests.catalog.build import Writer, part, version
from tuiback.catalog import Catalog, Sieve
from tuiback.catalog.chunks import fill_filter
from tuiback.model import ChunkEntry, PackTable, StoredPart

_AT_ONCE = 200_000
_PACK_CHUNKS = 500


def _ids(chunks: int) -> Iterator[bytes]:
    chance, step = random.Random(1), 2**64 // chunks
    for number in range(chunks):
        yield (number * step + chance.randrange(step)).to_bytes(8) + chance.randbytes(24)


def fill(path: Path, chunks: int, packs: int) -> None:
    """The rows as a year of commits would leave them, written past Catalog.apply, which would take many minutes."""
    catalog = Catalog.create(path, "repo-1")
    Writer().apply(catalog, versions=(version("m", 1, parts=(part("m"),)),))
    catalog.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO packs VALUES (?, ?, 20000000)", ((number, f"{number:064x}") for number in range(1, packs + 1))
    )
    chance = random.Random(2)
    rows = ((each[:16], each[16:], chance.randint(1, packs), 1, 100, 100, 0, 80) for each in _ids(chunks))
    while some := list(islice(rows, _AT_ONCE)):
        connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", some)
    fill_filter(connection)
    version_no, ids = 10, list(islice(_ids(chunks), chunks * 9 // 10))
    for _ in range(2):
        chance.shuffle(ids)
        parts = ((version_no + number, 0, "mime", 80, bytes(32), each, "") for number, each in enumerate(ids))
        connection.executemany("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", parts)
        version_no += len(ids)
    connection.execute("UPDATE stored SET chunks = ?, packs = ?", (chunks, packs))
    connection.execute("COMMIT")
    connection.close()


def _timed(name: str, work: Callable[[], object]) -> None:
    wall, used = time.perf_counter(), time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = time.perf_counter() - wall
    say(f"{name:28} {took:8.2f} s, processor {time.process_time() - used:8.2f} s, peak {peak:6.0f} MiB")


def _no_lists(listed: StoredPart) -> Iterator[bytes]:
    raise AssertionError(listed)


def _tables(path: Path, packs: list[int]) -> list[PackTable]:
    connection = sqlite3.connect(path)
    marks = ",".join("?" * len(packs))
    rows = connection.execute(
        f"SELECT pack_no, id_head, id_tail FROM chunks WHERE pack_no IN ({marks}) ORDER BY pack_no", packs
    ).fetchall()
    connection.close()
    return [
        PackTable(f"{number:064x}", 1, tuple(ChunkEntry(head + tail, 1, 100, 100, 0, 80) for _, head, tail in group))
        for number, group in groupby(rows, key=lambda row: row[0])
    ]


def measure(path: Path, packs: int) -> None:
    """One line for each step."""
    doomed = list(range(1, packs + 1, 100))
    tables = _tables(path, list(range(2, 22)))
    _timed("nothing", lambda: None)
    sieve = Sieve(path, _no_lists)
    _timed("enter", sieve.__enter__)
    _timed("packs", lambda: say(f"{sum(each.live_bytes for each in sieve.packs()):,} bytes live"))
    _timed(f"live_entries of {len(tables)}", lambda: [sieve.live_entries(table) for table in tables])
    sieve.close()
    catalog = Catalog.open(path)
    _timed(f"forget {len(doomed)} packs", lambda: catalog.forget_packs([f"{number:064x}" for number in doomed]))
    _timed("forget none", lambda: catalog.forget_packs([]))
    catalog.close()


def main() -> None:
    """Fill, then measure."""
    path = Path(sys.argv[1])
    chunks = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    packs = int(sys.argv[3]) if len(sys.argv) > 3 else chunks // _PACK_CHUNKS
    if not path.exists():
        fill(path, chunks, packs)
    say(f"{path.stat().st_size / 1e6:.0f} MB, {chunks:,} chunks, {packs:,} packs")
    measure(path, packs)


if __name__ == "__main__":
    main()
