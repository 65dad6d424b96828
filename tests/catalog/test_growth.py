from datetime import date

from tests.catalog.build import chunk_id, pack, run
from tests.catalog.conftest import Bench
from tuiback.catalog import Catalog, DayGrowth, RunSavings
from tuiback.model import ChunkEntry, PackTable, RunCounters


def test_unique_bytes(bench: Bench) -> None:
    """A chunk that lies in several packs counts once, whether it waits to be merged or not."""
    assert bench.reader.unique_bytes() == 0
    bench.apply(pack("p1", ["a", "b"]))
    assert bench.reader.unique_bytes() == 160
    bench.catalog.close()
    bench.catalog = Catalog.open(bench.path, merge_at=1)
    bench.apply(pack("p2", ["c"]))
    bench.catalog.close()
    bench.catalog = Catalog.open(bench.path)
    bench.apply(pack("p3", ["a"]), PackTable("p4", 9, (ChunkEntry(chunk_id("d"), 0, 0, 9, 0, 5),)))
    assert bench.reader.unique_bytes() == 245


def test_growth(bench: Bench) -> None:
    """Runs are added up by the day they started on."""
    assert bench.reader.growth() == ()
    counters = RunCounters(bytes_read=100, bytes_stored=7)
    bench.apply(runs=tuple(run(number, counters=counters) for number in (1, 2, 24 * 60)))
    assert bench.reader.growth() == (
        DayGrowth(date(2026, 11, 23), 2, 200, 14), DayGrowth(date(2026, 11, 24), 1, 100, 7),
    )  # fmt: skip


def test_run_savings(bench: Bench) -> None:
    """All runs together, by the reason why bytes took no room; nothing before the first run."""
    assert bench.reader.run_savings() == RunSavings(0, 0, 0, 0, 0)
    counters = RunCounters(
        bytes_read=100, bytes_stored=7, bytes_decoded=20, bytes_single_instance=50, bytes_blocks=10
    )  # fmt: skip
    bench.apply(runs=tuple(run(number, counters=counters) for number in (1, 2)))
    assert bench.reader.run_savings() == RunSavings(200, 40, 100, 20, 14)


def test_search_bytes(bench: Bench) -> None:
    """Only search files count."""
    assert bench.reader.search_bytes() == 0
    bench.path.with_name("search-07.db").write_bytes(b"x" * 100)
    assert bench.reader.search_bytes() == 100
