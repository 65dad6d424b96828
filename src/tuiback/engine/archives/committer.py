"""Group commits: gathers what all accounts stage and makes it true together, in the order that survives a crash.

Packs first, then the commit object, then one SQLite transaction (format.md section 2). A cursor is staged only
behind everything it covers, so it can never get ahead of its items.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import Executor
from typing import Protocol

from tuiback.catalog import Catalog
from tuiback.engine.archives.generations import overtaken
from tuiback.engine.archives.staged import Staged, Staging, owed_instead
from tuiback.errors import StorageFull, TuibackError
from tuiback.model import Clock, Commit, CommitBody, CommitHead, PackTable, VersionOpened
from tuiback.store import Repository, Writer, newest_generation

INTERVAL_SECONDS = 30.0
# What may wait for the next commit: sealed bytes in packs, and rows in memory (staged.UNCOMMITTED_ROWS).
UNFLUSHED_BYTES = 64 * 1024 * 1024


class CommitNow(Protocol):
    """Commits what is staged, be it nothing, with packs that are durable already and a checkpoint's segment."""

    async def __call__(self, packs: Sequence[PackTable] = (), checkpoint: str = "") -> None:
        """Raises what made it impossible."""


class Proof(Protocol):
    """Looks, while packs leave, whether what is about to be committed still has its content."""

    def is_over(self) -> bool:
        """Whether nobody can rest on a pack that left any more."""
        ...

    async def lacking(self, versions: Collection[VersionOpened], packs: Sequence[PackTable]) -> list[VersionOpened]:
        """Those that need a chunk which neither the catalog nor these new packs have."""
        ...


class Committer(Staging):
    """Stages rows on the engine's loop and commits them every 30 s, after 64 MiB, or when asked.

    After a failure nothing more is taken: what was staged is lost with this object, and the next run finds the
    repository and the catalog as of the last commit.
    """

    def __init__(
        self,
        repository: Repository,
        catalog: Catalog,
        writer: Writer,
        *,
        writer_id: str,
        database: Executor,
        clock: Clock,
        generation: int = 0,
        committed: Callable[[tuple[PackTable, ...]], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self._repository = repository
        self._catalog = catalog
        self._writer = writer
        self._writer_id = writer_id
        self._database = database
        self._clock = clock
        self._committed = committed
        heads = {h.writer: h for h in catalog.heads()}
        self._head = heads.get(writer_id)
        self._lock = asyncio.Lock()
        self._fault: TuibackError | None = None
        # The newest prune that this writer has taken note of, and what proves versions while its packs leave.
        self.generation = generation
        self.proof: Proof | None = None

    @property
    def head(self) -> CommitHead | None:
        """The newest commit of this writer."""
        return self._head

    @property
    def fault(self) -> TuibackError | None:
        """Why nothing can be committed any more, if so."""
        return self._fault

    def refuse(self, fault: TuibackError) -> None:
        """Commit nothing at all, for this reason."""
        self._fault = fault

    async def run(self) -> None:
        """Commit when it is time, until cancelled."""
        while self._fault is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), INTERVAL_SECONDS)
            with contextlib.suppress(TuibackError):  # kept as the fault; everyone who stages meets it
                await self.commit()

    async def commit(self) -> None:
        """Make everything staged up to now durable and true. Raises what made that impossible."""
        async with self.alone() as commit:
            self._wake.clear()
            if self._staged:
                await commit()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[CommitNow]:
        """Within, nothing is committed but by what this gives out. Raises what makes committing impossible."""
        async with self._lock:
            self._check()
            yield self._commit_now

    async def _commit_now(self, packs: Sequence[PackTable] = (), checkpoint: str = "") -> None:
        self._wake.clear()
        self._in_flight, self._staged = self._staged, Staged()
        writing = asyncio.ensure_future(self._write(self._in_flight, packs, checkpoint))
        try:
            await asyncio.shield(writing)
        finally:
            # A commit once begun is finished, under the lock, even when the run that asked for it is cancelled.
            await asyncio.wait([writing])
            self._in_flight = Staged()

    async def _write(self, staged: Staged, more_packs: Sequence[PackTable], checkpoint: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            new_packs = await self._writer.flush()
            packs = (*more_packs, *new_packs)
            await self._prove(staged, packs)
            body = staged.body(self._clock)
            commit = await loop.run_in_executor(None, self._append, packs, body, checkpoint)
            await loop.run_in_executor(self._database, self._catalog.apply, commit, packs)
        except TuibackError as e:
            self._fault = e
            raise
        except OSError as e:
            self._fault = StorageFull(e.strerror or str(e), str(e.filename or ""), "make room and run again")
            raise self._fault from e
        self._head = commit.head
        self._writer.committed(new_packs)
        self._committed(new_packs)

    def _append(self, packs: Sequence[PackTable], body: CommitBody, checkpoint: str) -> Commit:
        pack_ids = [pack.pack_id for pack in packs]
        commit = self._repository.append(
            self._writer_id, self._head, pack_ids, body, generation=self.generation, checkpoint=checkpoint
        )
        if newest_generation(self._repository.backend) > self.generation:
            # It may rest on packs that leave: whether it counts, only the prune's decision will tell.
            raise overtaken(self._repository, self._writer_id)
        return commit

    async def _prove(self, staged: Staged, packs: Sequence[PackTable]) -> None:
        """Owe what a prune has taken the content of."""
        if self.proof is not None and self.proof.is_over():
            self.proof = None
        if self.proof is None or not staged.versions:
            return
        versions = tuple(staged.versions.values())
        for row in await self.proof.lacking(versions, packs):
            del staged.versions[row.account_id, row.item_id]
            staged.owed[row.account_id, row.item_id] = owed_instead(row, self._clock)

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _is_full(self) -> bool:
        return super()._is_full() or self._writer.unflushed_bytes >= UNFLUSHED_BYTES
