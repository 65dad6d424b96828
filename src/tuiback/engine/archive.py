"""A repository opened for writing: keys, catalog brought up to date, writer and group commits, as one thing."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tuiback.catalog import Catalog, CatalogReader, State
from tuiback.engine.committer import Committer
from tuiback.engine.home import Home, RepositoryRef
from tuiback.errors import EnvironmentFault, TuibackError
from tuiback.model import Clock, CommitHead, PackTable
from tuiback.store import Reader, Repository, Secret, Writer, open_backend

P = ParamSpec("P")
T = TypeVar("T")
Said = Callable[[str], None]
TableOf = Callable[[str], PackTable]
# Two cores are what a NAS has: one to compress, one to seal and write.
WORKERS = 2


def open_repository(ref: RepositoryRef, secret: Secret, clock: Clock, *, to_write: bool) -> Repository:
    """The repository behind `ref`; its id must be the one that the home remembers."""
    backend = open_backend(ref.url)
    return Repository.open(backend, secret, clock=clock, expected_id=ref.repository_id, probe=to_write)


def bring_up_to_date(catalog: Catalog, repository: Repository) -> int:
    """Apply the commits that the catalog has not seen; the number of them.

    Raises EnvironmentFault when the catalog knows commits that the repository lacks: a volume was rolled back,
    and deduplicating against what is no longer there would lose data.
    """
    in_repository = {h.writer: h for h in repository.heads()}
    in_catalog = catalog.heads()
    for head in in_catalog:
        there = in_repository.get(head.writer)
        if there is None or there.number < head.number or (there.number == head.number and there != head):
            raise EnvironmentFault(
                "the catalog knows commits that the repository does not have; was the volume rolled back?",
                repository.url,
                "bring the newer repository back, or run 'tuiback rebuild-catalog' to go on from this one",
            )
    if set(in_repository.values()) == set(in_catalog):
        return 0
    return replay(catalog, repository, in_catalog)


def replay(
    catalog: Catalog, repository: Repository, after: tuple[CommitHead, ...] = (), table_of: TableOf | None = None
) -> int:
    """Apply all commits newer than `after`, the same way that a live run applies them.

    `table_of` tells what lies in a pack; without it a pack that can't be read ends the replay.
    """
    table_of = table_of or repository.pack_table
    count = 0
    for commit in repository.commits(after):
        catalog.apply(commit, [table_of(pack_id) for pack_id in commit.packs])
        count += 1
    return count


def rebuild_catalog(path: Path, repository: Repository, table_of: TableOf | None = None) -> int:
    """Make the catalog anew from the repository and put it in the old one's place; the number of commits."""
    fresh = path.with_suffix(".rebuilding")
    remove_database(fresh)
    catalog = Catalog.create(fresh, repository.repository_id)
    try:
        count = replay(catalog, repository, table_of=table_of)
    finally:
        catalog.close()
    remove_database(path)
    fresh.replace(path)
    return count


def remove_database(path: Path) -> None:
    """Remove an SQLite file with its log."""
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()


def open_catalog(path: Path, repository: Repository, say: Said) -> Catalog:
    """The catalog at `path`, up to date; made from the repository where it is missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        catalog = Catalog.open(path)
        if catalog.repository_id != repository.repository_id:
            catalog.close()
            raise EnvironmentFault(
                "the catalog belongs to another repository", str(path), "run 'tuiback rebuild-catalog'"
            )
    else:
        catalog = Catalog.create(path, repository.repository_id)
    try:
        replayed = bring_up_to_date(catalog, repository)
    except BaseException:
        catalog.close()
        raise
    if replayed:
        say(f"{replayed} commits were read back into the catalog")
    return catalog


class Archive:
    """One repository of the home while an engine runs. Made by open(), ended by close()."""

    def __init__(
        self,
        ref: RepositoryRef,
        repository: Repository,
        catalog: Catalog,
        state: State,
        writer_id: str,
        database: Executor,
        clock: Clock,
    ) -> None:
        self.ref = ref
        self.repository = repository
        self.reader = CatalogReader(catalog.path)
        self.content = Reader(repository, self.reader)
        # Called with what each commit added to the repository.
        self.on_commit: Callable[[tuple[PackTable, ...]], None] = lambda _: None
        self._catalog = catalog
        self._state = state
        self._database = database
        self._clock = clock
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix=f"store-{ref.name}")
        self._writer = Writer(repository, self.reader, self._workers)
        self._writer_id = writer_id
        self.committer = self._new_committer()
        self._committing = asyncio.ensure_future(self.committer.run())

    @classmethod
    async def open(cls, home: Home, ref: RepositoryRef, secret: Secret, clock: Clock, say: Said) -> "Archive":
        """Open keys, catalog and state; the slow parts off the loop. Raises what keeps the repository closed."""
        # SQLite's one writer of each database lives on one thread.
        database = ThreadPoolExecutor(1, thread_name_prefix=f"catalog-{ref.name}")
        loop = asyncio.get_running_loop()
        try:
            repository = await asyncio.to_thread(open_repository, ref, secret, clock, to_write=True)
            catalog = await loop.run_in_executor(database, open_catalog, home.catalog_path(ref.name), repository, say)
            state = await loop.run_in_executor(database, State.open, home.state_path(ref.name))
            writer_id = await loop.run_in_executor(database, state.writer_id)
            return cls(ref, repository, catalog, state, writer_id, database, clock)
        except BaseException:
            database.shutdown(wait=False)
            raise

    def _new_committer(self) -> Committer:
        return Committer(
            self.repository,
            self._catalog,
            self._writer,
            writer_id=self._writer_id,
            database=self._database,
            clock=self._clock,
            committed=self._tell_commit,
        )

    def _tell_commit(self, packs: tuple[PackTable, ...]) -> None:
        self.on_commit(packs)

    @property
    def writer(self) -> Writer:
        """Stores parts; valid until the next mend()."""
        return self._writer

    async def mend(self) -> None:
        """After a failed commit: forget what never became durable, so that the next run can try again."""
        if self.committer.fault is None:
            return
        self._committing.cancel()
        await asyncio.wait([self._committing])
        self._writer.close()
        self._writer = Writer(self.repository, self.reader, self._workers)
        await self._on_database(bring_up_to_date, self._catalog, self.repository)
        self.committer = self._new_committer()
        self._committing = asyncio.ensure_future(self.committer.run())

    async def close(self) -> None:
        """Commit what is staged and let go of everything."""
        self._committing.cancel()
        await asyncio.wait([self._committing])
        try:
            with contextlib.suppress(TuibackError):  # whoever staged it was told; nothing more can be done here
                await self.committer.commit()
        finally:
            self._writer.close()
            await self._on_database(self._close_databases)
            await asyncio.to_thread(self._database.shutdown)
            await asyncio.to_thread(self._workers.shutdown)

    def _close_databases(self) -> None:
        self.reader.close()
        self._catalog.close()
        self._state.close()

    async def _on_database(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, partial(do, *args, **kwargs))

    async def with_state(self, do: Callable[Concatenate[State, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of the local state on its thread: archive.with_state(State.new_job, ...)."""
        return await self._on_database(partial(do, self._state), *args, **kwargs)
