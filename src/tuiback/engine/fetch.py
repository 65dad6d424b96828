"""Fetches one item's content into the repository, however often that takes."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from tuiback.connectors.base import Connector
from tuiback.engine.limits import Gate
from tuiback.engine.monitor import RunMonitor
from tuiback.errors import GraphError, ItemGone, Unreachable
from tuiback.model import Account, Clock, RemoteItem, StoredPart
from tuiback.store import Writer

# A stream that breaks is begun anew so often before the item is owed; single requests have retries of their own.
TRIES = 3
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Fetched:
    """The parts as stored; `size` is that of the content without its properties."""

    parts: tuple[StoredPart, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Vanished:
    """The item was deleted between the listing and the fetch: nothing is lost that a snapshot could hold."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The item could not be fetched now and is owed."""

    error: str
    request_id: str


class Fetcher:
    """Streams items of one service through the file limit into the store."""

    def __init__(self, connector: Connector, writer: Writer, files: Gate, monitor: RunMonitor, clock: Clock) -> None:
        self._connector = connector
        self._writer = writer
        self._files = files
        self._monitor = monitor
        self._clock = clock

    async def fetch(self, account: Account, item: RemoteItem) -> Fetched | Vanished | Failure:
        """Raises what makes the whole account impossible: no network, refused credentials, a full disk."""
        failure = Failure("", "")
        for attempt in range(1, TRIES + 1):
            try:
                self._monitor.at_work(account.account_id, "fetch", item.name)
                return await self._store(account, item)
            except ItemGone:
                return Vanished()
            except Unreachable:
                raise
            except GraphError as e:
                failure = Failure(str(e), e.request_id)
                if attempt < TRIES:
                    await self._clock.sleep(PAUSE_SECONDS * attempt)
        return failure

    async def _store(self, account: Account, item: RemoteItem) -> Fetched:
        parts: list[StoredPart] = []
        async for source in self._connector.content(account, item):
            async with aclosing(self._streamed(account, source.data)) as data:
                parts.append(await self._writer.put(account.account_id, item.kind, source.name, data))
        size = max((p.size for p in parts if p.name != "properties"), default=item.size)
        return Fetched(tuple(parts), size)

    async def _streamed(self, account: Account, data: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The bytes, counted; a place under the file limit is held only while they come, not while they are stored."""
        async with self._files.hold(self._connector.service):
            async for piece in data:
                self._monitor.read(account.account_id, len(piece))
                yield piece
