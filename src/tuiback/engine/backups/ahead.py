"""Lists containers ahead of the pass that walks them, so that fetching items never waits for a listing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tuiback.connectors.base import Change, Connector
from tuiback.model import Account, Container

# Changes of one container that may wait for the pass; a page of a mailbox is at most as long.
_MOST_WAITING = 500
# Containers whose listing is begun before their turn comes.
CONTAINERS_AHEAD = 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    """The stream's end, and what ended it."""

    error: BaseException | None = None


class Ahead(Generic[T]):
    """A stream that is read ahead of its consumer, up to a number of entries; `async for` it once, then close()."""

    def __init__(self, source: AsyncIterator[T], most: int = _MOST_WAITING) -> None:
        self._source = source
        self._waiting: asyncio.Queue[T | _End] = asyncio.Queue(most)
        self._reading = asyncio.create_task(self._read())

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        """The next entry. Raises what the source raised, at its place in the stream."""
        entry = await self._waiting.get()
        if not isinstance(entry, _End):
            return entry
        # Whoever asks once more after the end gets the same answer.
        self._waiting.put_nowait(entry)
        if entry.error is not None:
            raise entry.error
        raise StopAsyncIteration

    async def close(self) -> None:
        """Read no further."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        end = _End()
        try:
            async for entry in self._source:
                await self._waiting.put(entry)
        except Exception as error:  # noqa: BLE001 - the consumer raises it
            end = _End(error)
        finally:
            if isinstance(self._source, AsyncGenerator):
                await self._source.aclose()
        await self._waiting.put(end)


class Listings:
    """The listings of one account that are under way. close() them all in the end."""

    def __init__(self, connector: Connector, account: Account) -> None:
        self._connector = connector
        self._account = account
        self._begun: dict[str, tuple[str, Ahead[Change]]] = {}

    def begin(self, containers: Iterable[Container]) -> None:
        """Begin to list these, unless that is under way."""
        for container in containers:
            if container.container_id not in self._begun:
                stream = Ahead(self._connector.changes(self._account, container))
                self._begun[container.container_id] = (container.cursor, stream)

    async def take(self, container: Container) -> Ahead[Change]:
        """The container's changes since its cursor; the taker closes them."""
        cursor, stream = self._begun.pop(container.container_id, ("", None))
        if stream is not None and cursor == container.cursor:
            return stream
        if stream is not None:
            await stream.close()
        return Ahead(self._connector.changes(self._account, container))

    async def close(self) -> None:
        """Give up what nobody took."""
        for _, stream in self._begun.values():
            await stream.close()
        self._begun.clear()
