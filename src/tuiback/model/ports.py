"""The effects that are handed in from above: time, counting, and the chunk index that catalog keeps for store."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tuiback.model.commit import Location


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> datetime:
        """The wall clock, with zone UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Give the loop away for so long."""
        ...


class Monitor(Protocol):
    """Where work reports what it does; touched on the engine loop only."""

    def count(self, counter: str, by: int = 1) -> None:
        """Add to a counter: the field names of RunCounters."""
        ...

    def at_work(self, account_id: str, phase: str, what: str = "") -> None:
        """Say what an account is busy with: phase list, fetch, wait or write."""
        ...


class ChunkIndex(Protocol):
    """Finds the chunks of committed packs. Called from any thread."""

    def find_chunks(self, chunk_ids: Sequence[bytes]) -> Mapping[bytes, Location]:
        """The location of each id that is committed; ids that are not known are left out."""
        ...
