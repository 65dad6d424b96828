"""A mailbox of a million messages must not keep small ones waiting."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import cast

from tests.engine.cloud import Cloud
from tests.graph.clocks import HandClock
from tuiback.connectors.exchange.grouping import grouped
from tuiback.engine.backups.fetch import Fetcher
from tuiback.engine.monitor import RunMonitor
from tuiback.engine.settings.limits import ACCOUNTS_DEFAULT, FILES_DEFAULT, Gate
from tuiback.graph.gate import Cost
from tuiback.graph.throttle import Throttle
from tuiback.model import Account, AccountKind, Kind, RemoteItem, StoredPart
from tuiback.store import Writer

LATENCY_SECONDS = 0.05
PAGE = 500
SMALL, LARGE = 1_000, 40_000


class Distant(Cloud):
    """Answers groups of messages after the latency, under Microsoft's limits."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock
        self._throttle = Throttle(clock=clock)

    def groups(self, items: Sequence[RemoteItem]) -> Sequence[Sequence[RemoteItem]]:
        """See InGroups."""
        return grouped(items)

    async def contents(
        self, account: Account, items: Sequence[RemoteItem]
    ) -> AsyncGenerator[Mapping[int, Mapping[str, bytes]], None]:
        """See InGroups."""
        cost = Cost(units=len(items), requests=len(items))
        async with self._throttle.slot("outlook", account.owner_id, cost):
            await self._clock.sleep(LATENCY_SECONDS)
        yield {place: {"mime": b"x"} for place in range(len(items))}


class Nowhere:
    """A store that keeps nothing and takes no time."""

    async def put_all(self, _scope: str, _kind: str, name: str, contents: Iterable[bytes]) -> list[StoredPart]:
        """See Writer."""
        return [StoredPart(name, len(data), b"", (), "") for data in contents]


def account(number: int) -> Account:
    """One of the mailboxes."""
    name = f"u{number}"
    return Account(f"mailbox:{name}", AccountKind.MAILBOX, "t", "mail", name, name, f"{name}@x")


class Office:
    """Backs mailboxes up side by side, in virtual time."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self._monitor = RunMonitor(self.clock, lambda: (0, 0))
        self._accounts, self._files = Gate(ACCOUNTS_DEFAULT), Gate(FILES_DEFAULT)
        self._cloud = Distant(self.clock)

    async def back_up(self, of: Account, messages: int) -> None:
        """The pass over one mailbox, page by page."""
        async with self._accounts.hold("exchange") as place:
            self._monitor.begin(of.account_id, of.address)
            fetcher = Fetcher(
                self._cloud, cast("Writer", Nowhere()), self._files, self._monitor, self.clock, long_pass=place.lend
            )
            for start in range(0, messages, PAGE):
                page = [RemoteItem(f"m{start + n}", Kind.MESSAGE, "in", "s", 9_000, "", "e") for n in range(PAGE)]
                await fetcher.fetch_all(of, page, lambda _item, _outcome: None)

    async def seconds_until_done(self, passes: Sequence["asyncio.Task[None]"]) -> float:
        """How long these take."""
        begun = self.clock.monotonic()
        while not all(one.done() for one in passes):
            for _ in range(60):
                await asyncio.sleep(0)
            await self.clock.advance(LATENCY_SECONDS)
        return self.clock.monotonic() - begun


async def seconds_of_nineteen(*, beside_a_large_one: bool) -> float:
    """How long nineteen small mailboxes take."""
    office = Office()
    large = [asyncio.ensure_future(office.back_up(account(0), LARGE))] if beside_a_large_one else []
    small = [asyncio.ensure_future(office.back_up(account(number), SMALL)) for number in range(1, 20)]
    seconds = await office.seconds_until_done(small)
    assert not any(one.done() for one in large)
    for one in large:
        one.cancel()
    await asyncio.gather(*large, return_exceptions=True)
    return seconds


async def test_nineteen_small_mailboxes_beside_a_large_one() -> None:
    """They end within 1.25 times the time that they take without it, even though it came first."""
    alone = await seconds_of_nineteen(beside_a_large_one=False)
    beside = await seconds_of_nineteen(beside_a_large_one=True)
    assert beside <= 1.25 * alone
