"""Takes streamed mails into memory whole, so that they can be taken apart, without holding many large ones."""

import asyncio
from collections.abc import AsyncIterator

from tuiback.store.chunker import WINDOW_BYTES
from tuiback.store.mime_spans import Mail

# What a mail may take of memory; rare larger ones are stored whole, like files.
GATHERED_BYTES_MAX = 40 * 1024 * 1024
_LARGE_BYTES = 4 * 1024 * 1024
# Two at once took the process over the 250 MB that a backup may use.
_LARGE_AT_ONCE = 1


class Gatherer:
    """Lets so many large mails in at once; others wait in mid-stream. Belongs to one event loop."""

    def __init__(self) -> None:
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    def gathered(self, data: Mail | AsyncIterator[bytes]) -> "Gathering":
        """`async with` it to have the mail; at the end of the block another large one may come in."""
        return Gathering(data, self._large)


class Gathering:
    """One mail; what `async with` gives is its bytes, or a stream of them when they are more than GATHERED_BYTES_MAX.

    Entering raises whatever the stream raises.
    """

    def __init__(self, data: Mail | AsyncIterator[bytes], large: asyncio.Semaphore) -> None:
        self._data = data
        self._large = large
        self._is_in = False

    async def __aenter__(self) -> Mail | AsyncIterator[bytes]:
        if isinstance(self._data, Mail):
            return self._data
        try:
            return await self._gather(self._data)
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def _gather(self, data: AsyncIterator[bytes]) -> Mail | AsyncIterator[bytes]:
        held = bytearray()
        async for piece in data:
            held += piece
            if len(held) > _LARGE_BYTES and not self._is_in:
                await self._large.acquire()
                self._is_in = True
            if len(held) > GATHERED_BYTES_MAX:
                return _joined(held, data)
        return held

    def _leave(self) -> None:
        if self._is_in:
            self._is_in = False
            self._large.release()


async def _joined(held: bytearray, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for offset in range(0, len(held), WINDOW_BYTES):
        yield bytes(held[offset : offset + WINDOW_BYTES])
    held.clear()
    async for piece in rest:
        yield piece
