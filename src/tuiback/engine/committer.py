"""Group commits: gathers what all accounts stage and makes it true together, in the order that survives a crash.

Packs first, then the commit object, then one SQLite transaction (format.md section 2). A cursor is staged only
behind everything it covers, so it can never get ahead of its items.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from tuiback.catalog import Catalog
from tuiback.errors import StorageFull, TuibackError
from tuiback.model import (
    Account,
    Clock,
    CommitBody,
    Container,
    ControlRow,
    Known,
    Owed,
    PackTable,
    Removal,
    RunRow,
    SnapshotRow,
    VersionOpened,
)
from tuiback.store import Repository, Writer

INTERVAL_SECONDS = 30.0
# What may wait for the next commit: sealed bytes in packs, and rows in memory.
UNFLUSHED_BYTES = 64 * 1024 * 1024
UNCOMMITTED_ROWS = 20_000

ItemKey = tuple[str, str]


@dataclass(slots=True)
class Staged:
    """The rows of the next commit. Later facts about the same thing replace earlier ones where only the last counts."""

    controls: list[ControlRow] = field(default_factory=list)
    runs: dict[int, RunRow] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    snapshots_opened: list[SnapshotRow] = field(default_factory=list)
    containers: dict[ItemKey, Container] = field(default_factory=dict)
    containers_removed: list[ItemKey] = field(default_factory=list)
    versions: dict[ItemKey, VersionOpened] = field(default_factory=dict)
    removals: dict[tuple[str, str, str], Removal] = field(default_factory=dict)
    owed: dict[ItemKey, Owed] = field(default_factory=dict)
    snapshots_closed: list[SnapshotRow] = field(default_factory=list)

    def rows(self) -> int:
        """How many rows wait."""
        return len(self.versions) + len(self.removals) + len(self.containers) + len(self.owed)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)

    def body(self, clock: Clock) -> CommitBody:
        """The commit that these rows make up."""
        return CommitBody(
            time=clock.now(),
            controls=tuple(self.controls),
            runs=tuple(self.runs.values()),
            accounts=tuple(self.accounts.values()),
            snapshots_opened=tuple(self.snapshots_opened),
            containers=tuple(self.containers.values()),
            containers_removed=tuple(self.containers_removed),
            versions=tuple(self.versions.values()),
            removals=tuple(self.removals.values()),
            owed=tuple(self.owed.values()),
            snapshots_closed=tuple(self.snapshots_closed),
        )


class Committer:
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
        committed: Callable[[tuple[PackTable, ...]], None] = lambda _: None,
    ) -> None:
        self._repository = repository
        self._catalog = catalog
        self._writer = writer
        self._writer_id = writer_id
        self._database = database
        self._clock = clock
        self._committed = committed
        heads = {h.writer: h for h in catalog.heads()}
        self._head = heads.get(writer_id)
        self._staged = Staged()
        self._in_flight = Staged()
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._fault: TuibackError | None = None

    @property
    def fault(self) -> TuibackError | None:
        """Why nothing can be committed any more, if so."""
        return self._fault

    async def run(self) -> None:
        """Commit when it is time, until cancelled."""
        while self._fault is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), INTERVAL_SECONDS)
            with contextlib.suppress(TuibackError):  # kept as the fault; everyone who stages meets it
                await self.commit()

    async def commit(self) -> None:
        """Make everything staged up to now durable and true. Raises what made that impossible."""
        async with self._lock:
            self._wake.clear()
            self._check()
            if not self._staged:
                return
            self._in_flight, self._staged = self._staged, Staged()
            writing = asyncio.ensure_future(self._write(self._in_flight))
            try:
                await asyncio.shield(writing)
            finally:
                # A commit once begun is finished, under the lock, even when the run that asked for it is cancelled.
                await asyncio.wait([writing])
                self._in_flight = Staged()

    async def _write(self, staged: Staged) -> None:
        loop = asyncio.get_running_loop()
        try:
            packs = await self._writer.flush()
            body = staged.body(self._clock)
            commit = await loop.run_in_executor(
                None, self._repository.append, self._writer_id, self._head, [p.pack_id for p in packs], body
            )
            await loop.run_in_executor(self._database, self._catalog.apply, commit, packs)
        except TuibackError as e:
            self._fault = e
            raise
        except OSError as e:
            self._fault = StorageFull(e.strerror or str(e), str(e.filename or ""), "make room and run again")
            raise self._fault from e
        self._head = commit.head
        self._writer.committed(packs)
        self._committed(packs)

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _grown(self) -> None:
        self._check()
        if self._staged.rows() >= UNCOMMITTED_ROWS or self._writer.unflushed_bytes >= UNFLUSHED_BYTES:
            self._wake.set()

    def stage_control(self, row: ControlRow) -> None:
        """Configuration was added, changed or removed."""
        self._staged.controls.append(row)

    def stage_run(self, row: RunRow) -> None:
        """A run began or ended."""
        self._staged.runs[row.run] = row

    def stage_account(self, row: Account) -> None:
        """An account is new or not what it was."""
        self._staged.accounts[row.account_id] = row

    def stage_snapshot(self, row: SnapshotRow) -> None:
        """A snapshot was opened, closed, or found to hold still."""
        if row.closed_at is None:
            self._staged.snapshots_opened.append(row)
        else:
            self._staged.snapshots_closed.append(row)

    def stage_container(self, row: Container) -> None:
        """A container is new, or its cursor moved over everything staged before."""
        self._staged.containers[row.account_id, row.container_id] = row
        self._grown()

    def stage_container_removed(self, account_id: str, container_id: str) -> None:
        """The container is no more."""
        self._staged.containers.pop((account_id, container_id), None)
        self._staged.containers_removed.append((account_id, container_id))

    def stage_version(self, row: VersionOpened) -> None:
        """An item has a new version; a removal staged before from the same container is void."""
        self._staged.removals.pop((row.account_id, row.item_id, row.container_id), None)
        self._staged.versions[row.account_id, row.item_id] = row
        self._grown()

    def stage_removal(self, row: Removal) -> None:
        """An item left its container."""
        self._staged.removals[row.account_id, row.item_id, row.container_id] = row
        self._grown()

    def stage_owed(self, row: Owed) -> None:
        """An item is owed, or no longer."""
        self._staged.owed[row.account_id, row.item_id] = row
        self._grown()

    def staged_known(self, account_id: str, item_id: str) -> Known | None:
        """What is staged of an item and not yet in the catalog."""
        for staged in (self._staged, self._in_flight):
            row = staged.versions.get((account_id, item_id))
            if row is not None:
                pending = (account_id, item_id, row.container_id) in staged.removals
                return known_from(row, removal_pending=pending)
        return None

    def staged_removal(self, account_id: str, item_id: str, container_id: str) -> bool:
        """Whether the item's leaving this container is staged and not yet in the catalog."""
        key = (account_id, item_id, container_id)
        return key in self._staged.removals or key in self._in_flight.removals

    def with_staged(self, account_id: str, container_id: str, known: dict[str, Known], item_id: str) -> Known | None:
        """The item as it will be once everything staged is committed."""
        found = self.staged_known(account_id, item_id) or known.get(item_id)
        if found is not None and self.staged_removal(account_id, item_id, container_id):
            return replace(found, removal_pending=True)
        return found


def known_from(row: VersionOpened, *, removal_pending: bool = False) -> Known:
    """A version just staged, as the catalog will know it."""
    return Known(
        item_id=row.item_id,
        kind=row.kind,
        container_id=row.container_id,
        parent_id=row.parent_id,
        name=row.name,
        etag=row.etag,
        content_tag=row.content_tag,
        parts=row.parts,
        live=True,
        removal_pending=removal_pending,
    )
