"""Reads a stream ahead of who takes it, so that fetching items never waits for a listing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Generic, TypeVar

import msgspec

# Changes of one container that may wait for the pass; a page of a mailbox is at most as long.
_MOST_WAITING = 500

T = TypeVar("T")


class _End(msgspec.Struct, frozen=True):
    """The stream's end, and what ended it."""

    error: BaseException | None = None


class Ahead(Generic[T]):
    """A stream that is read ahead of its consumer, up to a number of entries; `async for` it once, then close().

    `marks_waiting` counts the entries of the type `mark` that have been read and will surely come.
    """

    def __init__(self, source: AsyncIterator[T], most: int = _MOST_WAITING, mark: type[T] | None = None) -> None:
        self._source = source
        self._mark = mark
        self.marks_waiting = 0
        self._waiting: asyncio.Queue[T | _End] = asyncio.Queue(most)
        self._reading = asyncio.create_task(self._read())

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        """The next entry. Raises what the source raised, at its place in the stream."""
        entry = await self._waiting.get()
        if not isinstance(entry, _End):
            self.marks_waiting -= self._is_mark(entry)
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

    def _is_mark(self, entry: T) -> bool:
        return self._mark is not None and isinstance(entry, self._mark)

    async def _read(self) -> None:
        end = _End()
        try:
            async for entry in self._source:
                self.marks_waiting += self._is_mark(entry)
                await self._waiting.put(entry)
        except Exception as error:  # noqa: BLE001 - the consumer raises it
            end = _End(error)
        finally:
            if isinstance(self._source, AsyncGenerator):
                await self._source.aclose()
        await self._waiting.put(end)
