"""Limits: how many accounts and files of a service may be in work at once, changeable while work goes on."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

ACCOUNTS_DEFAULT = 10
FILES_DEFAULT = 20
GIB = 1024**3


def cap_for_ram(ram_bytes: int) -> int:
    """The most accounts or files at once that a machine may be set to: 20 below 2 GiB, 40 below 4 GiB, else 50."""
    if ram_bytes < 2 * GIB:
        return 20
    return 40 if ram_bytes < 4 * GIB else 50


# Of the places of a gate this part may be lent to others by those that take long.
_LENT_SHARE = 5


class Place:
    """A holder's place inside a gate."""

    def __init__(self, lend: Callable[[bool], bool]) -> None:
        self._lend = lend
        self.is_lent = False

    def lend(self) -> None:
        """Let somebody who waits in, and stay: for a holder that takes long, so that short ones don't wait for it."""
        self.is_lent = self.is_lent or self._lend(False)

    def lend_waiting(self) -> None:
        """The same for a holder that waits for its service: it uses next to nothing of what the limit protects."""
        self.is_lent = self.is_lent or self._lend(True)


class Gate:
    """Lets at most `limit` holders of each service in at once, first come first served within a service.

    Services have limits of their own at Microsoft, so that none should wait for another.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._eased: dict[str, int] = {}
        self._inside: Counter[str] = Counter()
        self._lent: Counter[str] = Counter()
        self._queues: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    @property
    def limit(self) -> int:
        """How many of each service may be inside."""
        return self._limit

    def set_limit(self, limit: int) -> None:
        """Change the limit; those inside stay, those waiting enter as room is made."""
        self._limit = limit
        for service in self._queues:
            self._let_in(service)

    def ease(self, service: str, limit: int) -> None:
        """Let only so many of one service in, while less than the limit."""
        self._eased[service] = limit
        self._let_in(service)

    def limit_for(self, service: str) -> int:
        """How many of this service may be inside now."""
        return min(self._limit, self._eased.get(service, self._limit))

    def used(self, service: str) -> int:
        """How many of this service are inside."""
        return self._inside[service]

    @asynccontextmanager
    async def hold(self, service: str) -> AsyncIterator[Place]:
        """Be inside for the length of the block."""
        await self._enter(service)
        place = Place(lambda waiting: self._lend(service, waiting=waiting))
        try:
            yield place
        finally:
            self._lent[service] -= place.is_lent
            self._leave(service)

    def _lend(self, service: str, *, waiting: bool) -> bool:
        """Whether one more may come in for a holder that stays; a limit of one is meant as it is set."""
        limit = self.limit_for(service)
        most = limit if waiting and limit > 1 else limit // _LENT_SHARE
        if not self._queues[service] or self._lent[service] >= most:
            return False
        self._lent[service] += 1
        self._let_in(service)
        return True

    def _has_room(self, service: str) -> bool:
        return self._inside[service] - self._lent[service] < self.limit_for(service)

    async def _enter(self, service: str) -> None:
        queue = self._queues[service]
        if not queue and self._has_room(service):
            self._inside[service] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # Let in and cancelled in the same moment: the place must go to the next.
            if turn.done() and not turn.cancelled():
                self._leave(service)
            raise

    def _leave(self, service: str) -> None:
        self._inside[service] -= 1
        self._let_in(service)

    def _let_in(self, service: str) -> None:
        queue = self._queues[service]
        while queue and self._has_room(service):
            turn = queue.popleft()
            if not turn.done():
                self._inside[service] += 1
                turn.set_result(None)


class SharedPlace:
    """One place inside a gate for all who are in this context at the same time."""

    def __init__(self, gate: Gate, service: str) -> None:
        self._gate = gate
        self._service = service
        self._coming = asyncio.Lock()
        self._inside = 0
        self._place = AsyncExitStack()

    async def __aenter__(self) -> None:
        async with self._coming:
            if not self._inside:
                await self._place.enter_async_context(self._gate.hold(self._service))
            self._inside += 1

    async def __aexit__(self, *_: object) -> None:
        self._inside -= 1
        if not self._inside:
            await self._place.aclose()
