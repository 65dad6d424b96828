"""A check by a home: with the catalog where it can be trusted, packs in the order in which they were last seen."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.rig import SECRET, make_home
from tests.store.doubles import DictIndex, body, version
from tuiback.catalog import Catalog
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.engine.clock import SystemClock
from tuiback.engine.upkeep.checking import Checked, Extent, check_repository, coverage
from tuiback.engine.upkeep.repairing import repair_all
from tuiback.model import CommitHead
from tuiback.store import Repository, Writer

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class DayClock:
    """A wall clock that tests put forward."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody sleeps {seconds} s here")


class Checker:
    """A home whose repository has packs of one item each."""

    def __init__(self, path: Path, items: Sequence[str]) -> None:
        self.home = make_home(path)
        self.clock = DayClock()
        self.folder = Path(self.home.repository("main").catalog)
        self.folder.mkdir(parents=True)
        self.repository: Repository = open_repository(
            self.home.repository("main"), SECRET, SystemClock(), to_write=True
        )
        self.head: CommitHead | None = None
        asyncio.run(self.back_up(items))
        rebuild_catalog(self.folder / "catalog.db", self.repository)

    async def back_up(self, items: Sequence[str]) -> None:
        """One commit with a pack of its own for each item."""
        with ThreadPoolExecutor(1) as executor:
            writer = Writer(self.repository, DictIndex(), executor)
            for item_id in items:
                part = await writer.put("mailbox:ann", "message", "mime", item_id.encode() * 999)
                packs = [table.pack_id for table in await writer.flush()]
                self.head = self.repository.append("nas", self.head, packs, body(version(item_id, part))).head

    def check(self, extent: Extent) -> Checked:
        """A check at this moment, a second after the one before."""
        self.clock.time += timedelta(seconds=1)
        return check_repository(self.folder, self.repository, self.clock, extent)

    def packs(self) -> list[Path]:
        """The packs' files."""
        return sorted(Path(self.repository.url, "packs").glob("*/*"))


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    """Ten items in ten packs."""
    return Checker(tmp_path, [f"m{number}" for number in range(10)])


def test_samples_come_to_every_pack(checker: Checker) -> None:
    """Each takes the packs that were unseen for longest, and some items; after enough of them all are seen."""
    for number in range(1, 6):
        checked = checker.check(Extent(percent=20))
        assert (checked.report.ok, checked.report.looked_into) == (True, 2)
        assert checked.items_compared > 0
        assert coverage(checker.folder / "state.db", checker.clock.now(), 1, read=True).recent == 2 * number
        checker.clock.time += timedelta(hours=1)
    seen = coverage(checker.folder / "state.db", checker.clock.now(), 1, read=True)
    assert seen.oldest_at is not None
    assert START < seen.oldest_at < START + timedelta(minutes=1)


def test_a_scrub_that_was_cut_off_goes_on(checker: Checker) -> None:
    """What it saw is not looked into again; once it came to its end the next one sees all."""

    def cut_off(done: int, total: int) -> None:
        assert total == 10
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_repository(checker.folder, checker.repository, checker.clock, Extent(scrub=True), cut_off)
    assert checker.check(Extent(scrub=True)).report.looked_into == 6
    assert checker.check(Extent(scrub=True)).report.looked_into == 10


def test_a_damaged_pack_stays_due(checker: Checker) -> None:
    """It is named again each time, and never counts as seen."""
    pack = checker.packs()[3]
    data = bytearray(pack.read_bytes())
    data[200] ^= 1
    pack.write_bytes(data)
    for _ in range(2):
        report = checker.check(Extent(scrub=True)).report
        assert report.names_of("pack") == (pack.name,)
    assert coverage(checker.folder / "state.db", checker.clock.now(), 1, read=False).never == 1


def test_without_a_catalog_the_repository_alone_is_asked(checker: Checker) -> None:
    """The same is found with and without one."""
    checker.packs()[2].unlink()
    with_catalog = checker.check(Extent()).report
    for path in checker.folder.iterdir():
        path.unlink()
    alone = checker.check(Extent()).report
    assert set(with_catalog.damaged) == set(alone.damaged)
    assert {finding.kind for finding in alone.damaged} == {"pack", "item"}
    assert (alone.packs, alone.chunks) == (10, 9)
    checker.folder.rmdir()
    assert set(checker.check(Extent(read_data=True)).report.damaged) == set(alone.damaged)


def test_a_lost_newest_commit_is_missed_with_a_catalog(checker: Checker) -> None:
    """From within the repository nobody can tell; the catalog knows better."""
    newest = max(Path(checker.repository.url, "commits/nas").iterdir())
    newest.unlink()
    report = checker.check(Extent()).report
    assert [finding.name for finding in report.damaged] == [f"commits/nas/{newest.name}"]


def test_commits_that_the_catalog_has_not_seen_are_looked_at_too(checker: Checker) -> None:
    """An engine may go on meanwhile: their items count, and nothing of them is taken for damage."""
    asyncio.run(checker.back_up(["new"]))
    assert checker.check(Extent(read_data=True)).report.ok
    newest = max(checker.packs(), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    assert ("item", "mailbox:ann new") in {(f.kind, f.name) for f in checker.check(Extent()).report.damaged}


def test_an_index_that_does_not_find_what_is_there_is_named_and_made_anew(checker: Checker) -> None:
    """No pack is damaged, but restores would fail; samples bring items back as a restore does."""
    catalog = Catalog.open(checker.folder / "catalog.db")
    catalog.forget_packs([checker.packs()[0].name])
    catalog.close()
    report = checker.check(Extent()).report
    assert {finding.kind for finding in report.damaged} == {"index"}
    assert {finding.kind for finding in checker.check(Extent(percent=100)).report.damaged} == {"index", "item"}
    done = repair_all(checker.folder, checker.repository, report, Extent(), checker.clock, lambda *_: None)
    assert done.whole
    assert checker.check(Extent(percent=100)).report.ok


def test_a_chunk_that_another_pack_has_too_is_not_lost(checker: Checker) -> None:
    """The index knows one place of each; when that is damaged, a repair finds the other."""
    before = set(checker.packs())
    asyncio.run(checker.back_up(["m3"]))
    rebuild_catalog(checker.folder / "catalog.db", checker.repository)
    (newer,) = set(checker.packs()) - before
    newer.unlink()
    found = checker.check(Extent()).report
    assert {finding.kind for finding in found.damaged} >= {"pack"}
    done = repair_all(checker.folder, checker.repository, found, Extent(), checker.clock, lambda *_: None)
    assert (done.whole, done.owed) == (True, 0)
    assert checker.check(Extent(percent=100)).report.ok
