"""Keeps a second token ready while tokens end before their time, so that nobody waits for the next sign-in."""

import asyncio
from collections import deque

from tuiback.graph.identity import Tokens
from tuiback.model import Clock

# So many tokens rejected within so long end early: once in an hour is their nature.
_EARLY_ENDS, _WITHIN_SECONDS = 5, 60.0


class ReadyToken:
    """The tokens of `source`, as a Tokens: while they end early each is followed by one that was asked for ahead."""

    def __init__(self, source: Tokens, *, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._held = ""
        self._ends: deque[float] = deque(maxlen=_EARLY_ENDS)
        self._next: asyncio.Task[str] | None = None
        self._replacing: asyncio.Task[None] | None = None

    @property
    def skew_seconds(self) -> float:
        """How far Microsoft's clock is ahead of this machine's."""
        return self._source.skew_seconds

    async def token(self, rejected: str = "") -> str:
        """A token that is not the one that the service just `rejected`. Raises as the source does."""
        if rejected and rejected == self._held and (self._replacing is None or self._replacing.done()):
            self._replacing = asyncio.create_task(self._replace(rejected))
            # Whoever waited may be gone when it fails.
            self._replacing.add_done_callback(lambda task: task.cancelled() or task.exception())
        if self._replacing is not None and not self._replacing.done():
            # All who need a token share what comes of it, be it nothing.
            await asyncio.shield(self._replacing)
        elif self._next is None:
            self._held = await self._source.token(rejected)
        return self._held

    async def _replace(self, rejected: str) -> None:
        self._ends.append(self._clock.monotonic())
        if self._next is not None:
            await asyncio.wait([self._next])
            self._next = None
        held = self._held = await self._source.token(rejected)
        if self.ends_early:
            self._next = asyncio.create_task(self._source.token(held))
            # It may fail like any sign-in: then whoever needs the next token hears of it.
            self._next.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def close(self) -> None:
        """Wait for a sign-in under way."""
        await asyncio.gather(*(task for task in (self._replacing, self._next) if task), return_exceptions=True)
        await self._source.close()

    def forget_ends(self) -> None:
        """What was rejected so far says nothing of the tokens to come."""
        self._ends.clear()

    @property
    def ends_early(self) -> bool:
        """Whether the latest tokens were rejected one after another, long before their time."""
        return len(self._ends) == _EARLY_ENDS and self._clock.monotonic() - self._ends[0] <= _WITHIN_SECONDS
