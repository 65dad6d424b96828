"""A repository opened for writing: keys, catalog brought up to date, writer and group commits, as one thing."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec

from tuiback.catalog import CatalogReader, State
from tuiback.catalog.bases import open_bases
from tuiback.engine.archives.committer import Committer
from tuiback.engine.archives.databases import Databases
from tuiback.engine.archives.rebuilding import Said
from tuiback.engine.archives.under_way import UnderWay
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.ownership import refusal_of
from tuiback.errors import StorageFull, TuibackError, WriterCloned
from tuiback.model import Clock, ControlRow, Owner, PackTable
from tuiback.store import Reader, Repository, Savings, Secret, Writer, open_backend
from tuiback.store.side_process import available_cores

# Two cores are what a NAS has: one to compress, one to seal and write.
WORKERS = 2
# A process that helps pays when many more mails come at once than so many.
BESIDE_AFTER_PARTS = 512


def open_repository(ref: RepositoryRef, secret: Secret, clock: Clock, *, to_write: bool) -> Repository:
    """The repository behind `ref`; its id must be the one that the home remembers."""
    opened = partial(
        Repository.open, open_backend(ref.url), secret, clock=clock, expected_id=ref.repository_id
    )
    try:
        return opened(probe=to_write)
    except StorageFull:
        # On a full disk restores and exports go on, and what gives space back: whatever else writes is refused there.
        return opened(probe=False)


class Archive:
    """One repository of the home while an engine runs. Made by open(), ended by close()."""

    def __init__(
        self,
        ref: RepositoryRef,
        repository: Repository,
        databases: Databases,
        writer_id: str,
        generation: int,
        clock: Clock,
    ) -> None:
        self.ref = ref
        self.repository = repository
        # archive.with_state(State.new_job, ...) and archive.with_catalog(Catalog.heads) call methods on their thread.
        self.with_state = databases.with_state
        self.with_catalog = databases.with_catalog
        self.reader = CatalogReader(databases.path)
        self.content = Reader(repository, self.reader)
        self.under_way = UnderWay()
        # Called with what each commit added to the repository.
        self.on_commit: Callable[[tuple[PackTable, ...]], None] = lambda _: None
        # How many versions can't be searched yet: kept by who indexes them.
        self.search_lag = 0
        self._databases = databases
        self._clock = clock
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix=f"store-{ref.name}")
        self._writer = self._new_writer()
        self._saved = Savings()
        self._writer_id = writer_id
        self._home_id = ""
        self.committer = self._new_committer(generation)
        self._committing = asyncio.ensure_future(self.committer.run())

    @classmethod
    async def open(cls, home: Home, ref: RepositoryRef, secret: Secret, clock: Clock, say: Said) -> "Archive":
        """Open keys, catalog and state; the slow parts off the loop. Raises what keeps the repository closed."""
        repository = await asyncio.to_thread(open_repository, ref, secret, clock, to_write=True)
        databases = await Databases.open(home, ref.name, repository, clock, say)
        try:
            writer_id = await databases.with_state(State.writer_id)
            generation = await databases.settle_prunes(repository, writer_id)
            archive = cls(ref, repository, databases, writer_id, generation, clock)
        except BaseException:
            await databases.let_go()
            raise
        archive.belong_to(home.home_id)
        return archive

    def _new_writer(self) -> Writer:
        beside_after = BESIDE_AFTER_PARTS if available_cores() > 1 else None
        return Writer(self.repository, self.reader, self._workers, beside_after=beside_after)

    def _new_committer(self, generation: int) -> Committer:
        return Committer(
            self.repository,
            self._databases.catalog,
            self._writer,
            writer_id=self._writer_id,
            database=self._databases.thread,
            clock=self._clock,
            generation=generation,
            committed=self._tell_commit,
        )

    def _tell_commit(self, packs: tuple[PackTable, ...]) -> None:
        self.under_way.committed(packs)
        self.on_commit(packs)

    @property
    def writer_id(self) -> str:
        """Under which name this home commits; valid until the next mend()."""
        return self._writer_id

    @property
    def writer(self) -> Writer:
        """Stores parts; valid until the next mend()."""
        return self._writer

    def new_savings(self) -> Savings:
        """What was stored and saved since this was asked last."""
        before, self._saved = self._saved, self._writer.savings
        return self._saved.since(before)

    def belong_to(self, home_id: str) -> None:
        """Commit nothing where another home than this one has taken the repository over."""
        self._home_id = home_id
        if (refusal := self._refusal()) is not None:
            self.committer.refuse(refusal)

    async def mend(self) -> None:
        """After a failed commit: forget what never became durable, so that the next run can try again.

        Raises EnvironmentFault where another home has taken the repository over.
        """
        if self.committer.fault is not None:
            await self._forget_staged()
            if (refusal := self._refusal()) is not None:
                raise refusal
            await self._go_on()

    def _refusal(self) -> TuibackError | None:
        return refusal_of(self.reader.find_owner(), self._home_id, self.ref.url)

    async def take_over(self, owner: Owner) -> None:
        """Let the home of this archive be the only one that writes here from now on."""
        if self.committer.fault is not None:
            await self._forget_staged()
            await self._go_on()
        self.committer.stage_control(ControlRow("owner", "home", msgspec.json.encode(owner)))
        await self.committer.commit()
        self._home_id = owner.home_id

    async def _forget_staged(self) -> None:
        self._committing.cancel()
        await asyncio.wait([self._committing])
        self._writer.close()
        self._writer = self._new_writer()
        self._saved = Savings()
        await self._databases.replay(self.repository)

    async def _go_on(self) -> None:
        if isinstance(self.committer.fault, WriterCloned):
            self._writer_id = await self.with_state(State.new_writer_id)
        self.committer = self._new_committer(await self.settle_prunes())
        self._committing = asyncio.ensure_future(self.committer.run())

    async def catch_up(self) -> None:
        """Learn what other homes have committed and pruned since; the generation to commit under stays as it is.

        Raises EnvironmentFault where one of them has taken the repository over.
        """
        async with self.committer.alone():
            await self._databases.replay(self.repository)
            await self.settle_prunes()
        if (refusal := self._refusal()) is not None:
            self.committer.refuse(refusal)
            raise refusal

    @property
    def catalog_path(self) -> Path:
        """The catalog's file."""
        return self._databases.path

    def pack_ids(self) -> frozenset[str]:
        """The packs that the catalog knows."""
        with open_bases(self.catalog_path) as bases:
            return frozenset(bases.pack_ids())

    async def settle_prunes(self) -> int:
        """Make the catalog's packs those that count; the generation to commit under. Raises Damage, StorageFull."""
        return await self._databases.settle_prunes(self.repository, self._writer_id)

    async def close(self) -> None:
        """Commit what is staged and let go of everything."""
        self._committing.cancel()
        await asyncio.wait([self._committing])
        try:
            with contextlib.suppress(TuibackError):  # whoever staged it was told; nothing more can be done here
                await self.committer.commit()
        finally:
            self._writer.close()
            self.reader.close()
            await self._databases.close(cloned=isinstance(self.committer.fault, WriterCloned))
            await asyncio.to_thread(self._workers.shutdown)
