"""A process that prunes and backs up, killed at any write or deletion."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engine.rig import SECRET, Rig, now_in
from tests.engine.upkeep.test_pruning import Killed, a_day_passes, change, end, grown, is_whole, keep, prune
from tuiback.catalog import State
from tuiback.engine.archives.archive import Archive
from tuiback.engine.archives.databases import Databases
from tuiback.engine.archives.generations import settle_prunes
from tuiback.engine.archives.rebuilding import open_catalog, rebuild_catalog
from tuiback.engine.clock import SystemClock
from tuiback.store import Backend, Repository
from tuiback.store.folder import FolderBackend

KILLS = 24


class DyingBackend(FolderBackend):
    """Ends the process before or after one of its writes and deletions; a dead process does nothing more.

    `left` are those that it still does, counted from when that is set.
    """

    left: int | None = None
    before = False

    def create(self, name: str, data: Sequence[bytes]) -> None:
        """See Backend."""
        self._live(self.before)
        super().create(name, data)
        self._live(not self.before)

    def delete(self, name: str) -> None:
        """See Backend."""
        self._live(self.before)
        super().delete(name)
        self._live(not self.before)

    def _live(self, counts: bool) -> None:
        if self.left is not None:
            self.left -= counts
            if self.left < 0:
                raise Killed


def opened_through(backend: Backend, rig: Rig) -> Rig:
    """The home opened by a process that sees its repository through this backend."""
    home, ref, clock = rig.home, rig.archive.ref, SystemClock()
    repository = Repository.open(backend, SECRET, clock=clock, probe=False)
    state = State.open(home.state_path("main"))
    catalog = open_catalog(home.catalog_path("main"), repository, state, clock, lambda *_: None)
    generation = settle_prunes(catalog, repository, state.writer_id())
    databases = Databases(catalog, state, ThreadPoolExecutor(1))
    archive = Archive(ref, repository, databases, state.writer_id(), generation, clock)
    return Rig(home, archive, rig.cloud, runs=archive.reader.last_run_number())


@pytest.mark.timeout(240)
async def test_killed_at_any_write_or_deletion(rig: Rig) -> None:
    """Nothing that was committed is ever lost, the check is clean, the next run and the next prune complete.

    Now and then the catalog is lost, too.
    """
    await grown(rig)
    await keep(rig, "1v")
    chance = random.Random(7)
    survived = 0
    for number in range(KILLS):
        backend = DyingBackend(rig.archive.ref.url)
        await end(rig)
        dying = opened_through(backend, rig)
        backend.left, backend.before = chance.randrange(40), chance.random() < 0.5
        try:
            await change(dying, number)
            await prune(dying)
            a_day_passes(rig)
            await prune(dying)
            survived += 1
        except Killed:
            a_day_passes(rig)
        await end(dying)
        if chance.random() < 0.2:
            rebuild_catalog(rig.home.catalog_path("main"), rig.archive.repository)
        rig = await Rig.open(rig.home, rig.cloud)
        assert is_whole(rig)
        assert (await rig.run()).error is None
        assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert survived < KILLS / 2
    for _ in range(3):
        await prune(rig)
        a_day_passes(rig)
        await rig.run()
    assert is_whole(rig)
    assert rig.archive.repository.stored_bytes() < 200_000
    await rig.archive.close()
