"""Backs one account up: follows its containers' changes, stores what is new, and closes a snapshot."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tuiback.catalog import CatalogReader
from tuiback.connectors.base import Change, Changed, Checkpoint, Connector, Relisting, Removed
from tuiback.engine.archives.committer import Committer
from tuiback.engine.backups.ahead import Ahead
from tuiback.engine.backups.fetch import Failure, Fetched, Fetcher, Vanished
from tuiback.engine.backups.fetch import Outcome as FetchOutcome
from tuiback.engine.backups.ground import ask, ground_of, held_on
from tuiback.engine.backups.owing import OwedItems
from tuiback.engine.backups.tally import Tally
from tuiback.engine.backups.totals import find_short
from tuiback.engine.backups.whereabouts import Whereabouts, moved_on
from tuiback.engine.monitor import RunMonitor
from tuiback.engine.settings.decide import Verdict, verdict
from tuiback.engine.settings.left_out import Exclusions
from tuiback.engine.workers import for_each
from tuiback.errors import AccountAbsent, GraphError, ItemGone, Unreachable
from tuiback.model import (
    FOLDER_KINDS,
    Account,
    Clock,
    Container,
    Kind,
    Known,
    Outcome,
    RemoteItem,
    Removal,
    SnapshotRow,
    StoredPart,
    VersionOpened,
)

Page = dict[str, RemoteItem | None]

# So many containers of an account are walked at once: while one waits for its service, others go on.
CONTAINERS_AT_ONCE = 4
# Beside them those that bring little, which takes no memory to speak of: up to so many items, or what changed.
SMALL_CONTAINERS_AT_ONCE = 28
MOST_OF_A_SMALL_CONTAINER = 100
# Pages that have come are taken together up to so many items.
MOST_TAKEN = 500


class PassResult(msgspec.Struct, frozen=True):
    """How an account pass ended; `trouble` holds a line for each thing that is not as it should be.

    `left_out` counts the items that were backed up before and are left out now.
    """

    outcome: Outcome
    owed: int = 0
    trouble: tuple[str, ...] = ()
    left_out: int = 0


class AccountPass:
    """One account within one run. Everything it learns is staged; nothing is true before the group commit."""

    def __init__(
        self,
        account: Account,
        connector: Connector,
        run: int,
        *,
        reader: CatalogReader,
        committer: Committer,
        fetcher: Fetcher,
        monitor: RunMonitor,
        clock: Clock,
    ) -> None:
        self._account = account
        self._id = account.account_id
        self._connector = connector
        self._run = run
        self._reader = reader
        self._committer = committer
        self._fetcher = fetcher
        self._monitor = monitor
        self._clock = clock
        self._seq = 0
        self._opened = False
        self._last: SnapshotRow | None = None
        self._owed = OwedItems((), committer, monitor, clock)
        self._containers: dict[str, Container] = {}
        self._tally = Tally()
        self._counted_ahead: set[str] = set()
        self._trouble: list[str] = []
        # Whether the pass before was not all well: then every container is counted, not those alone that changed.
        self._is_doubtful = False
        self._listed_whole: set[str] = set()
        self._whereabouts = Whereabouts()
        self._roots = connector.root_containers(account)
        # What of the account is left out; told before run().
        self.exclude_paths: Sequence[str] = ()
        self._exclusions = Exclusions((), lambda ids: ask(reader.known, account.account_id, ids))

    async def run(self) -> PassResult:
        """Walk all containers and close the snapshot. Raises what makes the account or the run impossible."""
        ground = await ask(ground_of, self._reader, self._id)
        self._seq, self._opened, self._last = ground.seq, ground.opened, ground.last
        self._is_doubtful = ground.is_doubtful
        self._owed = OwedItems(ground.owed, self._committer, self._monitor, self._clock)
        self._containers = {c.container_id: c for c in self._roots}
        self._containers |= {c.container_id: c for c in ground.containers}
        self._exclusions = Exclusions(self.exclude_paths, lambda ids: ask(self._reader.known, self._id, ids))
        if self._seq == 1:
            self._open()
        await self._retry_owed()
        await self._walk_containers()
        await self._compare_totals()
        return self._close()

    async def _walk_containers(self) -> None:
        # The roots first: what they tell is gone needs no walk. They make others known, and so may those.
        await for_each([self._containers[root.container_id] for root in self._roots], self._walk_or_tell, 1)
        while waiting := [c for c in self._containers.values() if not self._whereabouts.is_walked(c.container_id)]:
            small = [container for container in waiting if self._is_small(container)]
            large = [container for container in waiting if not self._is_small(container)]
            await for_each(
                [(small, SMALL_CONTAINERS_AT_ONCE), (large, CONTAINERS_AT_ONCE)],
                lambda some: for_each(some[0], self._walk_or_tell, some[1]),
                2,
            )
        for container_id in self._whereabouts.to_look_at_again():
            if container_id in self._containers:
                await self._walk_or_tell(self._containers[container_id])

    def _is_small(self, container: Container) -> bool:
        total = self._tally.find_total(container.container_id)
        return bool(container.cursor) if total is None else total <= MOST_OF_A_SMALL_CONTAINER

    async def _walk_or_tell(self, container: Container) -> None:
        self._whereabouts.walk(container.container_id)
        if await self._exclusions.covers_container(container):
            return
        self._monitor.at_work(self._id, "list", container.name)
        try:
            await self._walk(container)
        except (Unreachable, AccountAbsent):
            raise
        except GraphError as e:
            if not isinstance(e, ItemGone) and container.container_id in {root.container_id for root in self._roots}:
                raise
            gone = "gone while it was listed; the next run sees where it went"
            self._trouble.append(f"{container.name}: {gone if isinstance(e, ItemGone) else e}")
            self._tally.drop(container.container_id)

    async def _walk(self, container: Container) -> None:
        """Follow one container to its end. Without a cursor its ids are compared with what was live before."""
        if self._is_doubtful or self._tally.find_total(container.container_id) is not None:
            await self._start_tally(container.container_id)
        seen: set[str] | None = None if container.cursor or self._seq == 1 else set()
        stream = Ahead(self._connector.changes(self._account, container), mark=Checkpoint)
        try:
            await self._follow(container, stream, seen)
        finally:
            await stream.close()

    async def _follow(self, container: Container, stream: Ahead[Change], seen: set[str] | None) -> None:
        """Take the changes page by page; `seen` collects what a full listing shows."""
        page: Page = {}
        async for change in stream:
            match change:
                case Relisting():
                    page, seen = {}, set()
                    container = replace(container, cursor="", relisting=True)
                    self._committer.stage_container(container)
                case Changed(item):
                    page[item.item_id] = item
                case Removed(item_id):
                    page[item_id] = None
                case Checkpoint() if stream.marks_waiting and len(page) < MOST_TAKEN:
                    # A service that can't make large pages is read in small ones: they are taken together.
                    continue
                case Checkpoint(cursor, complete):
                    await self._take_page(container, page)
                    if seen is not None:
                        seen.update(item_id for item_id, item in page.items() if item is not None)
                    if complete and seen is not None:
                        await self._remove_unseen(container, seen)
                    if complete and (seen is not None or self._seq == 1):
                        self._listed_whole.add(container.container_id)
                    if complete or seen is None:
                        again = complete and self._exclusions.must_relist(container.container_id)
                        container = replace(container, cursor="" if again else cursor, relisting=False)
                        self._containers[container.container_id] = container
                        self._committer.stage_container(container)
                    page = {}

    async def _start_tally(self, container_id: str) -> None:
        if not self._tally.is_started(container_id):
            self._tally.start(container_id, await ask(self._reader.live_count, self._id, container_id))

    async def _take_page(self, container: Container, page: Page) -> None:
        """Settle all items of a page; returns when each is stored, carried over, owed or gone."""
        contested = self._whereabouts.contested(page, container.container_id)
        for item_id in await moved_on(self._connector, self._account, container, contested, self._clock.now()):
            del page[item_id]
        if not page:
            return
        if container.container_id not in self._counted_ahead:
            self._monitor.items_expected += sum(i is None or i.kind not in FOLDER_KINDS for i in page.values())
        # What is staged now may be committed while the catalog is asked, and would be in neither answer.
        known_before = {i: k for i in page if (k := self._committer.staged_known(self._id, i)) is not None}
        committed = await ask(self._reader.known, self._id, list(page)) | known_before
        await self._exclusions.learn(page.values())
        wanted: list[RemoteItem] = []
        knowns: dict[str, Known | None] = {}
        for item_id, item in page.items():
            known = self._committer.with_staged(self._id, container.container_id, committed, item_id)
            if item is None:
                await self._take_removal(container, item_id, known)
            elif self._settle(container, item, known):
                wanted.append(item)
                knowns[item_id] = known
        await self._fetcher.fetch_all(
            self._account, wanted, lambda item, outcome: self._take(container, item, knowns[item.item_id], outcome)
        )

    def _settle(self, container: Container, item: RemoteItem, known: Known | None) -> bool:
        """Deal with an item that needs no fetch; True when it needs one."""
        self._exclusions.note_move(container.container_id, item, known)
        covered = self._exclusions.covers(item, known)
        inner = self._connector.container_of(self._account, item)
        if inner is not None and not covered:
            self._take_container(inner, item)
        elif covered and item.has_content:
            # Folders stay in the tree: a later change tells only which folder it is in.
            return False
        match verdict(item, container.container_id, known, self._connector.same_content):
            case Verdict.UNCHANGED:
                self._count("items_unchanged", item.kind)
            case Verdict.STORE_FACTS:
                self._open_version(container, item, (), known)
            case Verdict.CARRY_OVER:
                self._open_version(container, item, known.parts if known else (), known)
            case Verdict.FETCH:
                self._whereabouts.come(item.item_id, container.container_id)
                return True
        return False

    def _take_container(self, inner: Container, item: RemoteItem) -> None:
        known = self._containers.get(inner.container_id)
        total = dict(item.attrs).get("total")
        if total is not None:
            self._tally.expect(inner.container_id, int(total))
            if inner.container_id not in self._containers:
                self._counted_ahead.add(inner.container_id)
                self._monitor.items_expected += int(total)
        if known is None or known.name != inner.name:
            self._containers[inner.container_id] = replace(known, name=inner.name) if known else inner
            self._committer.stage_container(self._containers[inner.container_id])

    async def _take_removal(self, container: Container, item_id: str, known: Known | None) -> None:
        """An item left the container; a container that left takes everything in it along."""
        self._owed.clear(item_id)
        if item_id in self._containers and item_id != container.container_id:
            for inner_id in await ask(self._reader.live_item_ids, self._id, item_id):
                self._stage_removal(item_id, inner_id, Kind.MESSAGE)
            del self._containers[item_id]
            self._committer.stage_container_removed(self._id, item_id)
        if known is None or not known.live or known.removal_pending or known.container_id != container.container_id:
            return
        self._tally.add(container.container_id, -1)
        self._stage_removal(container.container_id, item_id, known.kind)

    async def _remove_unseen(self, container: Container, seen: set[str]) -> None:
        live = self._reader.live_items(self._id, container.container_id)
        for item_id in await ask(lambda: sorted(item_id for item_id in live if item_id not in seen)):
            known = self._committer.staged_known(self._id, item_id)
            if known is None or known.container_id == container.container_id:
                committed = await ask(self._reader.known, self._id, [item_id])
                await self._take_removal(container, item_id, known or committed[item_id])

    def _stage_removal(self, container_id: str, item_id: str, kind: Kind) -> None:
        self._open()
        self._committer.stage_removal(Removal(self._id, self._seq, item_id, container_id))
        self._whereabouts.leave(item_id, container_id)
        self._count("items_removed", kind)

    def _take(self, container: Container, item: RemoteItem, known: Known | None, outcome: FetchOutcome) -> None:
        if self._whereabouts.is_elsewhere(item.item_id, container.container_id):
            return
        match outcome:
            case Fetched(parts, size):
                self._open_version(container, msgspec.structs.replace(item, size=size), parts, known)
                self._owed.clear(item.item_id)
            case Vanished():
                self._monitor.count("skipped")
                self._monitor.item_done(self._id)
                self._owed.clear(item.item_id)
            case Failure() as failure:
                self._owed.owe(self._id, container, item, failure)

    def _open_version(
        self, container: Container, item: RemoteItem, parts: tuple[StoredPart, ...], known: Known | None
    ) -> None:
        self._open()
        self._whereabouts.come(item.item_id, container.container_id)
        here = known is not None and known.live and not known.removal_pending
        if not (here and known is not None and known.container_id == container.container_id):
            self._tally.add(container.container_id, 1)
        size = item.size
        if known is not None and parts and parts is known.parts:
            size = max((p.size for p in parts if p.name != "properties"), default=item.size)
        self._committer.stage_version(
            VersionOpened(
                self._id, self._seq, item.item_id, container.container_id, item.kind, item.parent_id, item.name,
                size, item.modified, item.etag, item.content_tag, parts, item.attrs,
            )
        )
        moved = self._whereabouts.settle_move(item.item_id)
        self._monitor.count("items_removed", -moved)
        self._count("items_changed" if here or moved else "items_new", item.kind)

    async def _retry_owed(self) -> None:
        """Items that failed before come first, whether or not a listing shows them again."""
        for owed in self._owed:
            container = self._containers.get(owed.container_id)
            try:
                item = await self._connector.refresh(self._account, owed)
            except ItemGone:
                item = None
            except (Unreachable, AccountAbsent):
                raise
            except GraphError as e:
                self._owed.owe_again(owed, Failure(str(e), e.request_id, e.graph_code))
                continue
            await self._exclusions.learn([item])
            if item is None or container is None or await self._exclusions.covers_debt(item, container):
                self._owed.clear(owed.item_id)
                continue
            await self._start_tally(container.container_id)
            committed = await ask(self._reader.known, self._id, [item.item_id])
            fetched = await self._fetcher.fetch(self._account, item)
            self._take(container, item, committed.get(item.item_id), fetched)

    async def _compare_totals(self) -> None:
        """Nothing is green by default: what the service says a container holds must be there.

        A service counts a new item a moment before it lists it: what is missing is looked for in the next changes, and
        where it is missing for the first time by listing the container anew.
        """
        known = self._tally.counted() if self._is_doubtful else self._tally.short(self._owed.per_container())
        short = await self._find_short(known)
        for container_id in short:
            await self._walk_or_tell(self._containers[container_id])
        short = await self._find_short(short)
        anew = [each for each in short if not self._is_doubtful and each not in self._listed_whole]
        for container_id in anew:
            await self._walk_or_tell(replace(self._containers[container_id], cursor="", relisting=True))
        self._trouble += (await self._find_short(short) if anew else short).values()

    async def _find_short(self, container_ids: Iterable[str]) -> dict[str, str]:
        containers = [self._containers[each] for each in container_ids if each in self._containers]
        return await find_short(self._connector, self._account, containers, self._tally, self._owed.per_container())

    def _count(self, counter: str, kind: Kind) -> None:
        if kind not in FOLDER_KINDS:
            self._monitor.count(counter)
            self._monitor.item_done(self._id)

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._committer.stage_snapshot(SnapshotRow(self._id, self._seq, self._run, self._clock.now()))

    def _close(self) -> PassResult:
        outcome = Outcome.OK if self._owed.all_acknowledged() and not self._trouble else Outcome.PARTIAL
        now = self._clock.now()
        row = SnapshotRow(self._id, self._seq, self._run, now, now, outcome, now)
        self._committer.stage_snapshot(row if self._opened or self._last is None else held_on(self._last, row))
        return PassResult(outcome, len(self._owed), tuple(self._trouble), self._exclusions.kept_as_they_were)
