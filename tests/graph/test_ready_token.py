"""A token that is ready before it is needed."""

import asyncio

from tuiback.errors import Unreachable
from tuiback.graph.ready_token import ReadyToken

from .clocks import InstantClock


class Signed:
    """Numbered tokens, each after a sign-in that lasts until it is let through; `broken` ones fail."""

    skew_seconds = 0.0

    def __init__(self) -> None:
        self.sign_ins = 0
        self.broken = False
        self.closed = False
        self.let_through = asyncio.Event()
        self.let_through.set()
        self._token = ""

    async def token(self, rejected: str = "") -> str:
        """See Tokens."""
        if not self._token or rejected == self._token:
            await self.let_through.wait()
            if self.broken:
                raise Unreachable("no answer", "sign-in")
            self.sign_ins += 1
            self._token = f"t{self.sign_ins}"
        return self._token

    async def close(self) -> None:
        """See Tokens."""
        self.closed = True


async def ending_early(source: Signed, clock: InstantClock, *, every_seconds: float = 1.0) -> tuple[ReadyToken, str]:
    """A source whose first five tokens were rejected after so long each, and the token held now."""
    ready = ReadyToken(source, clock=clock)
    held = await ready.token()
    for _ in range(5):
        clock.seconds += every_seconds
        held = await ready.token(held)
    await asyncio.sleep(0)
    return ready, held


async def test_tokens_that_last_are_asked_for_when_needed(clock: InstantClock) -> None:
    """A token an hour is what an hour takes."""
    source = Signed()
    _, held = await ending_early(source, clock, every_seconds=3600)
    assert held == "t6"
    assert source.sign_ins == 6


async def test_while_tokens_end_early_the_next_is_there_at_once(clock: InstantClock) -> None:
    """Nobody waits for a sign-in, and each token is used until it is rejected."""
    source = Signed()
    ready, held = await ending_early(source, clock)
    assert source.sign_ins == 7
    source.let_through.clear()
    assert await ready.token() == held
    assert await asyncio.gather(*(ready.token(held) for _ in range(3))) == ["t7"] * 3
    assert await ready.token(held) == await ready.token() == "t7"
    source.let_through.set()
    await ready.close()
    assert source.sign_ins == 8


async def test_one_rejected_token_counts_once(clock: InstantClock) -> None:
    """Many requests carry the same token and are all refused for it."""
    source = Signed()
    ready = ReadyToken(source, clock=clock)
    held = await ready.token()
    assert await asyncio.gather(*(ready.token(held) for _ in range(9))) == ["t2"] * 9
    await ready.close()
    assert source.sign_ins == 2


async def test_a_sign_in_that_failed_ahead_is_tried_again_when_needed(clock: InstantClock) -> None:
    """What went wrong meanwhile is nobody's trouble until then."""
    source = Signed()
    ready, held = await ending_early(source, clock)
    source.broken = True
    held = await ready.token(held)
    await asyncio.sleep(0)
    source.broken = False
    assert await ready.token(held) == "t8"


async def test_closing_waits_for_the_sign_in(clock: InstantClock) -> None:
    """Its thread can't be stopped."""
    source = Signed()
    ready, held = await ending_early(source, clock)
    source.let_through.clear()
    await ready.token(held)
    closing = asyncio.ensure_future(ready.close())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not source.closed
    source.let_through.set()
    await closing
    assert source.closed
