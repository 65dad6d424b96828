"""Prunes one repository beside its backups: gives up what retention lets go, and the space that it took.

In this order: what an earlier prune has decided is deleted; versions expire by a commit; a checkpoint makes the
commits before it superfluous; worn packs are written anew; the intent says what is to leave; a commit of everything
staged proves its content; the accept decides. Whatever was cut off, the next start and the next prune go on from there.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, suppress

from tuiback.catalog import Catalog, Sieve
from tuiback.engine.archives.archive import Archive
from tuiback.engine.archives.checkpointing import write_checkpoint
from tuiback.engine.archives.generations import is_pruned_elsewhere
from tuiback.engine.archives.proving import ListLost, list_reader
from tuiback.engine.progress import Progress
from tuiback.engine.upkeep.deciding import Decision, Doomed
from tuiback.engine.upkeep.expiring import find_expired
from tuiback.engine.upkeep.prune_plan import DEAD_SHARE, PackUse, PrunePlan, plan_prune
from tuiback.engine.upkeep.prune_report import PruneReport
from tuiback.engine.workers import in_thread
from tuiback.errors import EnvironmentFault
from tuiback.model import Account, Clock, CommitHead, Expired, StoredPart
from tuiback.store import Repository, gc
from tuiback.store.backend import store_time
from tuiback.store.chunk_lists import all_chunks
from tuiback.store.repack import Repacker
from tuiback.store.sweep import Swept, sizes_of, standing_names, sweep

# A commit of so many expired versions is made at once.
_EXPIRED_AT_ONCE = 50_000
# So many packs are written anew between two commits: what a kill loses of that work.
_PACKS_AT_ONCE = 16


class Pruner:
    """Prunes an archive once. Nobody else may prune it or write checkpoints of it meanwhile.

    `is_held` tells the accounts that keep everything. `step` is called with the name of each step that has just become
    durable.
    """

    def __init__(
        self,
        archive: Archive,
        clock: Clock,
        *,
        is_held: Callable[[Account], bool],
        step: Callable[[str], None] | None = None,
    ) -> None:
        self._archive = archive
        self._repository = archive.repository
        # What is kept depends on when it was asked for, not on how long the first steps take.
        self._asked_at = clock.now()
        self._is_held = is_held
        self._step = step or _unobserved
        self._report = PruneReport()
        self._retained: set[str] = set()
        self._erased = False

    async def preview(self) -> PruneReport:
        """What a prune would give up, and the space that nothing would need then; changes nothing."""
        report = self._report
        plan = await in_thread(self._plan_alone)
        await in_thread(self._count_decided)
        report.reclaimable_bytes += plan.dead_bytes
        return report

    async def prune(self, progress: Progress) -> PruneReport:
        """Prune. Raises what makes it impossible; what was done by then stays done, and right."""
        await self._archive.mend()
        await self._refuse_company()
        # A pack that another home has written anew is known by its new place only when its commits are.
        await self._archive.catch_up()
        await self._delete(progress)
        await self._expire(progress)
        await self._write_checkpoint(progress)
        await self._drop_packs(progress)
        await self._tidy()
        await in_thread(self._count_decided)
        return self._report

    async def checkpoint(self, progress: Progress) -> None:
        """Only make the commits before now superfluous. Raises as prune() does."""
        await self._archive.mend()
        await self._refuse_company()
        await self._archive.catch_up()
        await self._write_checkpoint(progress)

    async def _refuse_company(self) -> None:
        rounds = await in_thread(gc.read_rounds, self._repository.objects)
        if await in_thread(is_pruned_elsewhere, self._repository, rounds, self._archive.writer_id):
            raise EnvironmentFault(
                "another engine prunes this repository", self._repository.url, "let it end, then prune again"
            )

    async def _delete(self, progress: Progress) -> None:
        """Delete what has been decided and whose grace is over."""
        progress.what = "deleting what was given up before"
        objects = self._repository.objects
        now = await in_thread(store_time, objects.backend)
        for told in await in_thread(gc.read_rounds, objects):
            if told.accept is None or now < told.since + gc.GRACE:
                continue
            if not gc.is_ripe(told, self._own_head(), self._archive.writer_id, now):
                async with self._archive.committer.alone() as commit:
                    await commit()
            swept = await in_thread(self._sweep, told.accept, progress)
            self._report.freed_bytes += swept.freed_bytes
            self._report.retained_bytes += swept.retained_bytes
            self._retained.update(swept.retained)
        self._step("deleted")

    def _own_head(self) -> tuple[CommitHead, ...]:
        head = self._archive.committer.head
        return (head,) if head is not None else ()

    def _sweep(self, accept: gc.Accept, progress: Progress) -> Swept:
        names = list(standing_names(self._repository.backend, accept))
        return sweep(self._repository.objects, names, progress.reach)

    async def _expire(self, progress: Progress) -> None:
        progress.what = "looking for what expires"
        rows = self._expired()
        while some := await in_thread(lambda: list(_some(rows))):
            async with self._archive.committer.alone() as commit:
                # What came under a hold since it was found stays after all: no hold is committed meanwhile.
                held = await in_thread(self._held)
                for row in some:
                    if row.account_id not in held:
                        self._archive.committer.stage_expired(row)
                await commit()
            progress.done = self._report.expired.versions
        self._step("expired")

    def _held(self) -> frozenset[str]:
        return frozenset(a.account_id for a in self._archive.reader.accounts() if self._is_held(a))

    def _expired(self) -> Iterator[Expired]:
        return find_expired(self._archive.reader, self._asked_at, self._is_held, self._report.expired)

    async def _write_checkpoint(self, progress: Progress) -> None:
        progress.what = "writing down what is kept"
        before = await in_thread(self._subjects)
        path = self._archive.catalog_path
        segment_id = await in_thread(write_checkpoint, self._repository, path, progress.reach)
        if segment_id is not None:
            self._step("checkpoint written")
            async with self._archive.committer.alone() as commit:
                await commit(checkpoint=segment_id)
        # Accounts are given up whole by retention, and where a task is removed with its data.
        self._erased = bool(self._report.expired.accounts or before - await in_thread(self._subjects))
        self._step("checkpointed")

    def _subjects(self) -> frozenset[str]:
        newest = self._repository.newest_checkpoint()
        return frozenset(newest[1].subjects) if newest else frozenset()

    async def _drop_packs(self, progress: Progress) -> None:
        progress.what = "looking for what is needed"
        with ExitStack() as stack:
            since = await self._archive.with_catalog(Catalog.heads)
            resting = self._archive.under_way.packs()
            sieve = await in_thread(stack.enter_context, self._sieve())
            plan = await in_thread(self._plan, sieve, resting | self._archive.under_way.packs())
            replaced = await self._repack(plan, sieve, progress)
        progress.what = "deciding what leaves"
        doomed = Doomed(frozenset((*plan.drop, *replaced)), since)
        await Decision(self._archive, doomed, self._step).make()

    def _sieve(self, expired: Iterable[Expired] = ()) -> Sieve:
        read_list = list_reader(self._repository, self._archive.reader)

        def inner_ids(part: StoredPart) -> Iterator[bytes]:
            # What is known to be lost must not keep everything else from being pruned.
            with suppress(ListLost):
                yield from all_chunks(part, read_list)

        return Sieve(self._archive.catalog_path, inner_ids, expired)

    def _plan(self, sieve: Sieve, resting: Collection[str] = ()) -> PrunePlan:
        """`resting` are packs that runs in progress may need more of than versions say yet."""
        packs = (pack for pack in sieve.packs() if pack.pack_id not in resting)
        uses = (PackUse(pack.pack_id, pack.stored_bytes, pack.live_bytes) for pack in packs)
        # Of an account that is given up whole, nothing is to stay in a corner of a pack.
        return plan_prune(uses, dead_share=0 if self._erased else DEAD_SHARE)

    def _plan_alone(self) -> PrunePlan:
        # The sieve takes all that expires before anything is counted as needed.
        with self._sieve(self._expired()) as sieve:
            self._erased = bool(self._report.expired.accounts)
            return self._plan(sieve)

    async def _repack(self, plan: PrunePlan, sieve: Sieve, progress: Progress) -> list[str]:
        """Write the worn packs anew; those that nothing is needed of any more."""
        replaced: list[str] = []
        for start in range(0, len(plan.rewritten), _PACKS_AT_ONCE):
            progress.what = "writing packs anew"
            progress.reach(start, len(plan.rewritten))
            repacker = Repacker(self._repository, sieve.live_entries)
            some = plan.rewritten[start : start + _PACKS_AT_ONCE]
            repacked = await in_thread(repacker.repack, some)
            self._step("packs written")
            async with self._archive.committer.alone() as commit:
                await commit(packs=repacked.tables)
            replaced += repacked.replaced
            self._report.unreadable += repacked.unreadable
        self._step("repacked")
        return replaced

    async def _tidy(self) -> None:
        """Let go of what old prunes have left, and of what expired rows have left in the catalog's file."""
        await in_thread(_forget_rounds, self._repository)
        self._step("rounds forgotten")
        if self._report.expired.versions or self._erased:
            try:
                await self._archive.with_catalog(Catalog.compact)
            except EnvironmentFault as fault:
                self._report.notes.append(f"the catalog was not written anew: {fault}")

    def _count_decided(self) -> None:
        """What has been given up and is still there."""
        backend, report = self._repository.backend, self._report
        standing: set[str] = set()
        for told in gc.read_rounds(self._repository.objects):
            names = set(standing_names(backend, told.accept)) if told.accept else set()
            if names - standing - self._retained:
                report.leaves_at = told.since + gc.GRACE
            standing |= names
        report.reclaimable_bytes = sizes_of(backend, standing - self._retained)


def _unobserved(_name: str) -> None:
    return None


def _forget_rounds(repository: Repository) -> None:
    rounds = gc.read_rounds(repository.objects)
    newest = repository.newest_checkpoint()
    # A checkpoint made before a prune still names the packs that it deletes.
    known = newest[0].generation if newest else 0
    unfinished = [
        told.generation
        for told in rounds
        if told.generation > known
        or (told.accept and any(True for _ in standing_names(repository.backend, told.accept)))
    ]
    for name in gc.forgettable(rounds, unfinished):
        repository.objects.delete(name)


def _some(rows: Iterator[Expired]) -> Iterator[Expired]:
    """The next rows that make up a commit."""
    versions = 0
    for row in rows:
        yield row
        versions += len(row.versions)
        if versions >= _EXPIRED_AT_ONCE:
            return
