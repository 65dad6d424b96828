"""Search files are filled behind the backup, and what goes wrong with them stops nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from tests.engine.rig import Rig
from tuiback.catalog import Catalog, parse_query
from tuiback.catalog.search_files import group_path
from tuiback.engine.clock import SystemClock
from tuiback.engine.upkeep.indexing import Indexing


class RestlessClock:
    """Nobody waits."""

    def now(self) -> datetime:
        """A fixed day."""
        return datetime(2026, 11, 23, tzinfo=UTC)

    def monotonic(self) -> float:
        """Time stands still."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Let the others go on."""
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, at most half a minute."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.005)


def found(rig: Rig, text: str) -> list[str]:
    """The ids of what a search finds."""
    return sorted(hit.item_id for hit in rig.archive.reader.search(parse_query(text)))


async def test_what_a_run_commits_is_found(rig: Rig) -> None:
    """Without being asked, while the engine goes on."""
    indexing = Indexing(rig.archive, rig.activity, RestlessClock())
    await rig.run()
    await until(lambda: len(found(rig, "type:message")) == 8)
    assert rig.archive.search_lag == 0
    await indexing.close()


async def test_an_engine_that_ends_at_once_still_indexes_a_little(rig: Rig) -> None:
    """A run from cron leaves nothing for later, unless it was much."""
    await rig.run()
    await Indexing(rig.archive, rig.activity, SystemClock()).close()
    assert rig.archive.reader.search_lag() == 0
    assert len(found(rig, "type:message")) == 8


async def test_what_expired_is_followed_and_forgotten(rig: Rig) -> None:
    """The catalog keeps no list of it once no search file knows it any more."""
    await rig.run()
    await Indexing(rig.archive, rig.activity, SystemClock()).close()
    (known,) = rig.archive.reader.search(parse_query("m3"))
    assert known.item_id == "m3"
    await rig.archive.with_catalog(_expire, "m3")
    assert await rig.archive.with_catalog(_dropped) == 1
    indexing = Indexing(rig.archive, rig.activity, SystemClock())
    await indexing.forget_expired()
    files = rig.archive.catalog_path.parent.glob("search-*")
    assert all(known.name.encode() not in file.read_bytes() for file in files)
    await indexing.close()
    assert found(rig, "m3") == []
    assert await rig.archive.with_catalog(_dropped) == 0


async def test_catching_up(rig: Rig) -> None:
    """Whoever needs the index whole can wait for it."""
    indexing = Indexing(rig.archive, rig.activity, SystemClock())
    await rig.run()
    await indexing.catch_up()
    assert len(found(rig, "type:message")) == 8
    await indexing.close()


async def test_a_search_file_that_can_not_be_written(rig: Rig) -> None:
    """It is told once; when the obstacle is gone, everything is indexed."""
    await rig.run()
    place = group_path(rig.archive.catalog_path, 1)
    place.mkdir()
    indexing = Indexing(rig.archive, rig.activity, RestlessClock())
    await until(lambda: any("search lags behind" in line.text for line in rig.activity.recent()))
    await rig.run()
    assert sum("search lags behind" in line.text for line in rig.activity.recent()) == 1
    place.rmdir()
    await until(lambda: len(found(rig, "type:message")) == 8)
    await indexing.close()


def _expire(catalog: Catalog, name: str) -> None:
    catalog._connection.execute("DELETE FROM versions WHERE name LIKE ?", (f"%{name}",))


def _dropped(catalog: Catalog) -> int:
    (count,) = catalog._connection.execute("SELECT count(*) FROM dropped_versions").fetchone()
    return int(count)
