"""Fetches items' content into the repository, one by one or many small ones together, however often that takes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing

import msgspec

from tuiback.connectors.base import Connector, InGroups
from tuiback.engine.monitor import RunMonitor
from tuiback.engine.settings.bandwidth import Bandwidth
from tuiback.engine.settings.limits import Gate, SharedPlace
from tuiback.engine.workers import for_each
from tuiback.errors import AccountAbsent, GraphError, ItemGone, Unreachable
from tuiback.model import Account, Clock, RemoteItem, StoredPart
from tuiback.store import Writer

# An item is asked for so often before it is owed; single requests have retries of their own ...
TRIES = 3
# ... but a stream that breaks is begun anew by nobody else, and says less of the item than an answer does.
TRIES_OF_BREAKS = 6
PAUSE_SECONDS = 0.5
# What the service has decided for good, by its code, and why nobody has to be told of it twice.
DECIDED = {"malwareDetected": "Microsoft holds it for malware; reported before"}
# One account's groups in work, each held in memory: Exchange allows 4 requests at once per app and mailbox
# (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits); others are being stored meanwhile.
GROUPS_AT_ONCE = 6
# A group of which no more than this part waits for its next try keeps no other group out.
_STRAGGLERS = 4
# Items that are streamed by themselves may be more: what waits for its next try must keep no other from its first.
ALONE_AT_ONCE = 12
# From so many items on an account counts as large: others are let in beside it, so that twenty small mailboxes don't
# wait for one of a million messages.
LONG_PASS_ITEMS = 1000
# An account that did nothing but wait for so long in all, in gaps of at least so much, lets others in as well: its
# service keeps it waiting, which uses nothing of what the limit of accounts protects.
LONG_WAITS_SECONDS = 2.0
_GAP_SECONDS = 0.5


class Fetched(msgspec.Struct, frozen=True):
    """The parts as stored; `size` is that of the content without its properties."""

    parts: tuple[StoredPart, ...]
    size: int


class Vanished(msgspec.Struct, frozen=True):
    """The item was deleted between the listing and the fetch: nothing is lost that a snapshot could hold."""


class Failure(msgspec.Struct, frozen=True):
    """The item could not be fetched now and is owed; `code` is what the service called it."""

    error: str
    request_id: str
    code: str = ""


Outcome = Fetched | Vanished | Failure


class Fetcher:
    """Brings items of one service through the file limit into the store; all that come in groups count as one file.

    What may be under way in a mailbox is Microsoft's to say, and the throttle keeps to it: with a place for each
    message ten accounts would use half of that, and one that has to wait would keep places from the others.
    """

    def __init__(
        self,
        connector: Connector,
        writer: Writer,
        files: Gate,
        monitor: RunMonitor,
        clock: Clock,
        bandwidth: Bandwidth | None = None,
        long_pass: Callable[[], None] = lambda: None,
        long_wait: Callable[[], None] = lambda: None,
    ) -> None:
        """`long_pass` is called once the account counts as large, `long_wait` once it waited for long; both often."""
        self._connector = connector
        self._in_groups = connector if isinstance(connector, InGroups) else None
        self._writer = writer
        self._files = files
        self._monitor = monitor
        self._clock = clock
        self._bandwidth = bandwidth
        self._long_pass = long_pass
        self._long_wait = long_wait
        self._items = 0
        self._waited_seconds = 0.0
        self._counted_at = clock.monotonic()
        # Several containers of the account may be fetched at the same time.
        self._room_for_groups = asyncio.Semaphore(GROUPS_AT_ONCE)
        self._room_alone = asyncio.Semaphore(ALONE_AT_ONCE)
        self._group_place = SharedPlace(files, connector.service)

    async def fetch_all(
        self, account: Account, items: Sequence[RemoteItem], take: Callable[[RemoteItem, Outcome], None]
    ) -> None:
        """Give `take` every item with what became of it, in whatever order. Raises as fetch()."""

        async def fetch_group(group: Sequence[RemoteItem]) -> None:
            waiting, failed = dict(enumerate(group)), []
            async with AsyncExitStack() as room, aclosing(self._fetch_together(account, group)) as rounds:
                await room.enter_async_context(self._room_for_groups)
                async for outcomes in rounds:
                    for number, outcome in outcomes.items():
                        item = waiting.pop(number)
                        if outcome is None:
                            failed.append((item,))
                        else:
                            take(item, outcome)
                            self._count(1)
                    if len(waiting) <= len(group) // _STRAGGLERS:
                        await room.aclose()
            # What failed in company is tried alone, with all the patience that takes.
            await for_each([*failed, *((item,) for item in waiting.values())], fetch_alone, ALONE_AT_ONCE)

        async def fetch_alone(group: Sequence[RemoteItem]) -> None:
            async with self._room_alone:
                take(group[0], await self.fetch(account, group[0]))
            self._count(1)

        async def fetch_each(groups: Sequence[Sequence[RemoteItem]]) -> None:
            await for_each(groups, fetch_group if len(groups[0]) > 1 else fetch_alone, ALONE_AT_ONCE)

        groups: Sequence[Sequence[RemoteItem]] = [(item,) for item in items]
        if self._in_groups is not None:
            groups = self._in_groups.groups(items)
        alone = [group for group in groups if len(group) == 1]
        together = [group for group in groups if len(group) > 1]
        await for_each([part for part in (alone, together) if part], fetch_each, 2)

    def _count(self, items: int) -> None:
        self._items += items
        gap_seconds = self._clock.monotonic() - self._counted_at
        self._counted_at += gap_seconds
        self._waited_seconds += gap_seconds if gap_seconds >= _GAP_SECONDS else 0.0
        if self._waited_seconds >= LONG_WAITS_SECONDS:
            self._long_wait()
        elif self._items >= LONG_PASS_ITEMS:
            self._long_pass()

    async def fetch(self, account: Account, item: RemoteItem) -> Outcome:
        """Raises what makes the whole account impossible: no network, refused credentials, no account, a full disk."""
        answered = breaks = 0
        while True:
            try:
                self._monitor.at_work(account.account_id, "fetch", item.name)
                return await self._store(account, item)
            except ItemGone:
                return Vanished()
            except (Unreachable, AccountAbsent):
                raise
            except GraphError as e:
                answered += e.status != 0
                breaks += e.status == 0
                if e.graph_code in DECIDED or answered == TRIES or breaks == TRIES_OF_BREAKS:
                    return Failure(str(e), e.request_id, e.graph_code)
                await self._clock.sleep(PAUSE_SECONDS * (answered + breaks))

    async def _fetch_together(
        self, account: Account, items: Sequence[RemoteItem]
    ) -> AsyncGenerator[Mapping[int, Outcome | None], None]:
        """What became of them by their places, as they come; None of those that failed."""
        if self._in_groups is None:
            return
        self._monitor.at_work(account.account_id, "fetch", items[0].name)
        async with aclosing(self._in_groups.contents(account, items)) as rounds:
            while contents := await self._read_together(account, rounds):
                whole = {n: content for n, content in contents.items() if not isinstance(content, GraphError)}
                stored = await self._store_together(account, items, whole)
                yield {n: stored.get(n, Vanished() if isinstance(c, ItemGone) else None) for n, c in contents.items()}

    async def _read_together(
        self, account: Account, rounds: AsyncGenerator[Mapping[int, Mapping[str, bytes] | GraphError], None]
    ) -> Mapping[int, Mapping[str, bytes] | GraphError]:
        """The next contents, none at the end; a place under the file limit is held only while they come."""
        async with self._group_place:
            try:
                contents: Mapping[int, Mapping[str, bytes] | GraphError] = await anext(rounds, {})
            except Unreachable:
                raise
            except GraphError:
                return {}
            bytes_read = sum(
                len(part)
                for parts in contents.values()
                if not isinstance(parts, GraphError)
                for part in parts.values()
            )
            if self._bandwidth is not None:
                await self._bandwidth.take(bytes_read)
        self._monitor.read(account.account_id, bytes_read)
        return contents

    async def _store_together(
        self, account: Account, items: Sequence[RemoteItem], whole: Mapping[int, Mapping[str, bytes]]
    ) -> dict[int, Fetched]:
        """What of the items came whole, by their places."""
        parts: dict[int, list[StoredPart]] = {n: [] for n in whole}
        kinds = {(items[n].kind, name): None for n, content in whole.items() for name in content}
        for kind, name in kinds:
            places = [n for n, content in whole.items() if items[n].kind == kind and name in content]
            put = await self._writer.put_all(account.account_id, kind, name, [whole[n][name] for n in places])
            for n, part in zip(places, put, strict=True):
                parts[n].append(part)
        return {n: Fetched(tuple(found), _size(found, items[n])) for n, found in parts.items()}

    async def _store(self, account: Account, item: RemoteItem) -> Fetched:
        parts: list[StoredPart] = []
        async for source in self._connector.content(account, item):
            async with aclosing(self._streamed(account, source.data)) as data:
                parts.append(await self._writer.put(account.account_id, item.kind, source.name, data))
        return Fetched(tuple(parts), _size(parts, item))

    async def _streamed(self, account: Account, data: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The bytes, counted; a place under the file limit is held only while they come, not while they are stored."""
        async with self._group_place if self._in_groups else self._files.hold(self._connector.service):
            async for piece in data:
                if self._bandwidth is not None:
                    await self._bandwidth.take(len(piece))
                self._monitor.read(account.account_id, len(piece))
                yield piece


def _size(parts: Sequence[StoredPart], item: RemoteItem) -> int:
    return max((part.size for part in parts if part.name != "properties"), default=item.size)
