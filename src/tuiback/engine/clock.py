"""The machine's own time, behind model.Clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall clock, monotonic clock and asyncio's sleep."""

    def now(self) -> datetime:
        """The wall clock, with zone UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Give the loop away for so long."""
        # Whoever only asks an engine how it is has no loop, and loading one takes as long as the question.
        import asyncio

        await asyncio.sleep(seconds)
