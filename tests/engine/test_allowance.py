"""How much of Microsoft's allowance a backup uses, counted by the service's own clock in virtual time.

What is published: https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from tests.engine.test_fair_shares import LATENCY_SECONDS, PAGE, Office, account
from tests.graph.clocks import HandClock
from tuiback.engine.settings.limits import ACCOUNTS_DEFAULT
from tuiback.graph.gate import Cost
from tuiback.graph.throttle import Throttle
from tuiback.model import Account, RemoteItem

AT_ONCE = 4
REQUESTS, SECONDS = 10_000, 600
MAILBOXES = 20


class Counting:
    """A mail service that takes its time for each member of a batch, and writes down when which mailbox was asked."""

    def __init__(self, clock: HandClock, seconds_each: float) -> None:
        self._clock = clock
        self._seconds_each = seconds_each
        self.asked: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
        self.in_flight: defaultdict[str, int] = defaultdict(int)
        self.most_in_flight = 0

    async def carry_out(self, mailbox: str, members: int) -> None:
        """A chain of so many requests."""
        self.asked[mailbox].append((self._clock.monotonic(), members))
        self.in_flight[mailbox] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight[mailbox])
        await self._clock.sleep(members * self._seconds_each)
        self.in_flight[mailbox] -= 1

    def most_in_a_window(self) -> int:
        """The requests in the fullest ten minutes of any mailbox."""
        return max(_fullest(times) for times in self.asked.values())

    def total(self) -> int:
        """All requests."""
        return sum(members for times in self.asked.values() for _, members in times)


def _fullest(times: Sequence[tuple[float, int]]) -> int:
    fullest = used = first = 0
    for moment, members in times:
        used += members
        while times[first][0] <= moment - SECONDS:
            used -= times[first][1]
            first += 1
        fullest = max(fullest, used)
    return fullest


class Counted(Office):
    """The same office at a service that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Counting(self.clock, LATENCY_SECONDS)
        throttle = Throttle(clock=self.clock)

        async def contents(
            of: Account, items: Sequence[RemoteItem]
        ) -> AsyncGenerator[Mapping[int, Mapping[str, bytes]], None]:
            cost = Cost(units=len(items), requests=len(items))
            async with throttle.slot("outlook", of.owner_id, cost):
                await self.service.carry_out(of.owner_id, len(items))
            yield {place: {"mime": b"x"} for place in range(len(items))}

        answering: Any = self._cloud
        answering.contents = contents


    async def seconds_of(self, mailboxes: int, messages: int) -> float:
        """How long it takes to back these up."""
        begun = self.clock.monotonic()
        ends: list[float] = []

        async def back_up(number: int) -> None:
            await self.back_up(account(number), messages)
            ends.append(self.clock.monotonic())

        passes = [asyncio.ensure_future(back_up(number)) for number in range(mailboxes)]
        while not all(one.done() for one in passes):
            await self.clock.advance(60)
        await asyncio.gather(*passes)
        return max(ends) - begun


async def test_four_at_once_are_used_to_the_last() -> None:
    """Twenty mailboxes of a thousand: nine tenths of what four requests at once allow to those in work, never more."""
    office = Counted()
    seconds = await office.seconds_of(MAILBOXES, 1_000)
    allowed = AT_ONCE / LATENCY_SECONDS * ACCOUNTS_DEFAULT
    assert office.service.total() == MAILBOXES * 1_000
    assert office.service.total() / seconds >= 0.9 * allowed
    assert office.service.most_in_flight <= AT_ONCE


async def test_ten_thousand_in_ten_minutes_are_used_to_the_last() -> None:
    """Once that is what binds, nine tenths of its pace are kept, and no ten minutes of a mailbox see more."""
    office = Counted()
    messages = 38 * PAGE
    seconds = await office.seconds_of(1, messages)
    # Nobody can do better than this: all of one window, and the rest as soon as the next has room for it.
    least = SECONDS + (messages - REQUESTS) * LATENCY_SECONDS / AT_ONCE
    assert office.service.most_in_a_window() <= REQUESTS
    assert least / seconds >= 0.9
