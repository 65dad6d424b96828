"""Clocks that tests own."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class InstantClock:
    """Sleeping takes no time but moves the clock on; `slept` keeps how long each one asked for."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return _START + timedelta(seconds=self.seconds - 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


class HandClock(InstantClock):
    """Time passes only by advance(), which wakes the sleepers in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.seconds + seconds, len(self.slept), woken))
        await woken.wait()

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, and everything that is ready run between two wakings."""
        await settle()
        end = self.seconds + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            moment, _, woken = heapq.heappop(self._sleepers)
            # Whoever was overslept wakes late.
            self.seconds = max(self.seconds, moment)
            woken.set()
            await settle()
        self.seconds = end
        await settle()


async def settle() -> None:
    """Let everything run that is ready."""
    for _ in range(50):
        await asyncio.sleep(0)
