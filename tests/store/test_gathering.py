"""Mails are held in memory whole, but not many large ones, and none that is too large."""

import asyncio
from collections.abc import AsyncIterator

from tests.store.test_writer import content, stream
from tuiback.store.gathering import GATHERED_BYTES_MAX, Gatherer

LARGE = content(1, 5 * 1024 * 1024)


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    """The data in pieces of this size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def test_stream_is_gathered() -> None:
    """Bytes are handed on, a stream becomes bytes."""
    gatherer = Gatherer()
    for source in (b"mail", stream(b"ma", b"", b"il")):
        async with gatherer.gathered(source) as mail:
            assert mail == b"mail"
    async with gatherer.gathered(stream()) as mail:
        assert mail == b""


async def test_too_large_mail_stays_a_stream_of_all_its_bytes() -> None:
    """At the limit it is gathered, one byte more and it is not; nothing is lost on the way."""
    data = bytes(GATHERED_BYTES_MAX)
    async with Gatherer().gathered(pieces(data, 8 << 20)) as mail:
        assert mail == data
    data += content(1, 3_000_001)
    async with Gatherer().gathered(pieces(data, 1_000_000)) as mail:
        assert isinstance(mail, AsyncIterator)
        assert b"".join([piece async for piece in mail]) == data


async def test_large_mails_wait_for_each_other() -> None:
    """One is in; the second waits for it to leave, while small ones pass."""
    gatherer = Gatherer()
    inside = {name: asyncio.Event() for name in "ab"}
    leave = {name: asyncio.Event() for name in "ab"}

    async def hold(name: str) -> None:
        async with gatherer.gathered(stream(LARGE[:100], LARGE[100:])):
            inside[name].set()
            await leave[name].wait()

    holders = [asyncio.create_task(hold(name)) for name in "ab"]
    await inside["a"].wait()
    for _ in range(20):
        async with gatherer.gathered(stream(b"small")) as mail:
            assert mail == b"small"
    assert not inside["b"].is_set()
    leave["a"].set()
    await asyncio.wait_for(inside["b"].wait(), timeout=30)
    for event in leave.values():
        event.set()
    await asyncio.gather(*holders)


async def test_cancelled_mail_leaves_its_place() -> None:
    """Large mails that are cut off in mid-stream or cancelled while they wait hold up nobody."""
    gatherer = Gatherer()

    async def endless() -> AsyncIterator[bytes]:
        yield LARGE
        await asyncio.Event().wait()

    async def enter(source: AsyncIterator[bytes]) -> int:
        async with gatherer.gathered(source) as mail:
            return len(mail) if isinstance(mail, bytearray) else 0

    stuck = [asyncio.create_task(enter(endless())) for _ in range(4)]
    for _ in range(20):
        await asyncio.sleep(0)
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    assert await asyncio.wait_for(enter(stream(LARGE)), timeout=30) == len(LARGE)
