"""Streams are read ahead, up to a bound, and end for their consumer as they would have without."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.graph.clocks import settle
from tuiback.engine.backups.ahead import Ahead


class Source:
    """Numbers that count how far they were read."""

    def __init__(self, length: int, error: Exception | None = None) -> None:
        self.length = length
        self.error = error
        self.read = 0
        self.closed = False

    async def numbers(self) -> AsyncIterator[int]:
        """0, 1, 2 ... and the error, if there is one."""
        try:
            for number in range(self.length):
                self.read += 1
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


async def test_everything_comes_in_its_order() -> None:
    """Nothing is lost or doubled, and the end stays the end."""
    stream = Ahead(Source(1000).numbers(), most=7)
    assert [number async for number in stream] == list(range(1000))
    assert [number async for number in stream] == []
    await stream.close()


async def test_it_reads_ahead_but_not_without_end() -> None:
    """Before anybody asks so many wait, and one that found no room."""
    source = Source(1000)
    stream = Ahead(source.numbers(), most=7)
    await settle()
    assert source.read == 8
    await stream.close()
    assert source.closed


async def test_an_error_comes_at_its_place() -> None:
    """What came before it is handed out first."""
    stream = Ahead(Source(3, ValueError("broken")).numbers())
    assert [await anext(stream) for _ in range(3)] == [0, 1, 2]
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            await anext(stream)
    await stream.close()


async def test_a_cancelled_consumer_leaves_nothing_running() -> None:
    """Closed in mid-stream, the source is closed too."""
    source = Source(10_000)
    stream = Ahead(source.numbers(), most=2)

    async def consume() -> None:
        try:
            async for _ in stream:
                await asyncio.sleep(0)
        finally:
            await stream.close()

    consuming = asyncio.create_task(consume())
    await settle()
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    assert source.closed
    assert source.read < 10_000
