"""What has to be sent again of an account's batches, for whichever of them leaves next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Protocol

import msgspec

from tuiback.errors import TuibackError
from tuiback.graph.batch_format import MOST_MEMBERS, Answered, Member
from tuiback.graph.retry import Attempts

# So many chains of one account are carried out side by side: what is left is spread over those that are free.
# https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
_AT_ONCE = 4
# What stands behind a member that fails was asked for in vain and counts all the same: where chains break often they
# are kept short, but no shorter than this.
_FEWEST_MEMBERS = 4


class Owner(Protocol):
    """Who asked for members and waits for their answers, until it is `closed`."""

    closed: bool

    def settle(self, place: int, outcome: Answered | TuibackError) -> None:
        """This member needs no further try."""
        ...


class Pending(msgspec.Struct, frozen=True):
    """A member that has no final answer yet: the `place` is its owner's."""

    owner: Owner
    place: int
    member: Member
    attempts: Attempts

    @property
    def key(self) -> tuple[int, int]:
        """Tells it from all others, however often it was tried."""
        return id(self.owner), self.place


class Leftovers:
    """The members of one account that have been sent in vain, or had no room in a chain, as they may be sent."""

    def __init__(self) -> None:
        # How many go into one chain.
        self.members = MOST_MEMBERS
        self._ready: deque[Pending] = deque()
        # With the moment of the next try.
        self._later: list[tuple[float, Pending]] = []
        self._idle = 0
        self._changed = asyncio.Event()

    def put(self, pending: Pending, moment: float = 0.0) -> None:
        """To be sent again from a moment of the monotonic clock on; 0 stands for now."""
        if pending.owner.closed:
            return
        if moment:
            self._later.append((moment, pending))
        else:
            self._ready.append(pending)
        self._changed.set()

    def settle(self, pending: Pending, outcome: Answered | TuibackError) -> None:
        """Tell its owner how it ended."""
        pending.owner.settle(pending.place, outcome)
        self._changed.set()

    def learn(self, answered: int, sent: int) -> None:
        """So many of a chain were answered before it broke, or all."""
        if answered == sent:
            self.members = min(self.members * 2, MOST_MEMBERS)
        else:
            self.members = max((self.members + 2 * answered) // 2, _FEWEST_MEMBERS)

    def take(self, now: float) -> list[Pending]:
        """Some of those that may be sent now: others who wait for work get their share."""
        due = [pending for moment, pending in self._later if moment <= now]
        self._later = [(moment, pending) for moment, pending in self._later if moment > now]
        self._ready.extend(due)
        share = ceil(len(self._ready) / min(_AT_ONCE, 1 + self._idle))
        return [self._ready.popleft() for _ in range(min(share, self.members))]

    async def wait(self, owner: Owner, now: float, rest: Callable[[float], Awaitable[object]]) -> None:
        """Until something may be sent, or somebody has ended what `owner` waits for; `rest` sleeps for seconds."""
        if self._ready:
            return
        self._changed.clear()
        moments = [moment for moment, pending in self._later if pending.owner is owner]
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._changed.wait())]
        if moments:
            waits.append(asyncio.ensure_future(rest(max(0.0, min(moments) - now))))
        self._idle += 1
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._idle -= 1
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def forget(self, owner: Owner) -> None:
        """Nobody waits for these any more."""
        self._ready = deque(each for each in self._ready if each.owner is not owner)
        self._later = [(moment, each) for moment, each in self._later if each.owner is not owner]
