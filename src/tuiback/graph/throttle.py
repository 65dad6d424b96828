"""Keeps one app's requests under Microsoft's limits, and waits when a service asks for it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tuiback.graph.budget import Budget
from tuiback.graph.limits import Limits, ServiceLimits
from tuiback.model import Clock

# Called once for every burst of refusals: service, seconds to wait, HTTP status.
Notice = Callable[[str, float, int], None]


@dataclass(frozen=True, slots=True)
class ThrottleFigures:
    """How hard one service throttles.

    `limit` is what is allowed at once now; `wait_seconds` is the longest wait that the service asked for or that
    our own budget imposes on somebody; `requests` counts what was sent, `throttled` the refusals among the replies.
    """

    service: str
    in_flight: int
    limit: int
    waiting: int
    wait_seconds: float
    requests: int
    throttled: int


class Gate:
    """One scope of limits: so many at once, so many units a window, none while a fence stands.

    First come, first served.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._budgets = tuple(Budget(window) for window in limits.windows)
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._fenced_until = 0.0
        self._blocked_until = 0.0
        self._reduced_at = float("-inf")
        self._successes = 0
        self.limit = limits.at_once
        self.in_flight = 0

    @property
    def busy(self) -> bool:
        """Whether somebody is in, wants in, or must stay out."""
        return self.in_flight > 0 or self._turn.locked() or self.fence_seconds > 0

    @property
    def idle(self) -> bool:
        """Whether nothing of any window is spent either: forgetting this gate then breaks no limit."""
        now = self._clock.monotonic()
        return not self.busy and not any(budget.used(now) for budget in self._budgets)

    @property
    def fence_seconds(self) -> float:
        """What is left of the wait that the service asked for."""
        return max(0.0, self._fenced_until - self._clock.monotonic())

    @property
    def wait_seconds(self) -> float:
        """What is left of the fence, or of the head of the queue's wait for room in a window."""
        return max(self.fence_seconds, self._blocked_until - self._clock.monotonic())

    async def enter(self, units: int) -> None:
        """Wait for a turn, for the fence to fall, for room in every window and for a place."""
        async with self._turn:
            while True:
                wait = self._seconds_until_free(units)
                if wait > 0:
                    self._blocked_until = self._clock.monotonic() + wait
                    await self._clock.sleep(wait)
                elif self.in_flight < self.limit:
                    break
                else:
                    self._room.clear()
                    await self._room.wait()
            now = self._clock.monotonic()
            for budget in self._budgets:
                budget.spend(units, now)
            self.in_flight += 1

    def leave(self) -> None:
        """Give the place to the next."""
        self.in_flight -= 1
        self._room.set()

    def fence(self, seconds: float) -> None:
        """Let nobody in for so long."""
        self._fenced_until = max(self._fenced_until, self._clock.monotonic() + seconds)

    def reduce(self, entered_at: float) -> bool:
        """Halve what is allowed at once; False when that happened since the refused request came in.

        One burst of refusals is one piece of news.
        """
        if entered_at < self._reduced_at:
            return False
        self.limit = max(1, self.limit // 2)
        self._reduced_at = self._clock.monotonic()
        self._successes = 0
        return True

    def succeed(self) -> None:
        """Allow one more at once after as many successes as are allowed at once."""
        if self.limit == self._limits.at_once:
            return
        self._successes += 1
        if self._successes >= self.limit:
            self.limit += 1
            self._successes = 0
            self._room.set()

    def learn(self, remaining: int, reset_seconds: float) -> None:
        """Believe the service about its shortest window."""
        if self._budgets:
            self._budgets[0].learn(remaining, reset_seconds, self._clock.monotonic())

    def _seconds_until_free(self, units: int) -> float:
        now = self._clock.monotonic()
        room = max((budget.seconds_until_room(units, now) for budget in self._budgets), default=0.0)
        return max(room, self._fenced_until - now)


class _Service:
    """One service: its own gate, its accounts' gates and its counters."""

    def __init__(self, name: str, limits: ServiceLimits, clock: Clock) -> None:
        self.name = name
        self._limits = limits
        self._clock = clock
        self.gate = Gate(limits.service, clock)
        self.accounts: dict[str, Gate] = {}
        self.waiting = 0
        self.requests = 0
        self.throttled = 0

    def account_gate(self, account: str) -> Gate | None:
        """The gate of one account, None when the service does not count by account."""
        if self._limits.account is None or not account:
            return None
        gate = self.accounts.get(account)
        if gate is None:
            self.accounts = {name: other for name, other in self.accounts.items() if not other.idle}
            gate = self.accounts[account] = Gate(self._limits.account, self._clock)
        return gate

    def figures(self) -> ThrottleFigures:
        """What the console shows of this service."""
        busy = [gate for gate in self.accounts.values() if gate.busy]
        limit = min(self.gate.limit, sum(gate.limit for gate in busy)) if busy else self.gate.limit
        return ThrottleFigures(
            service=self.name,
            in_flight=self.gate.in_flight,
            limit=limit,
            waiting=self.waiting,
            wait_seconds=max([self.gate.wait_seconds, *(gate.wait_seconds for gate in busy)]),
            requests=self.requests,
            throttled=self.throttled,
        )


class Slot:
    """One request's place under the limits, as a context: inside, the request may be sent."""

    def __init__(
        self, service: _Service, account: Gate | None, units: int, *, clock: Clock, notice: Notice | None
    ) -> None:
        self._service = service
        self._account = account
        self._units = units
        self._clock = clock
        self._notice = notice
        self._entered_at = 0.0

    async def __aenter__(self) -> Self:
        self._service.waiting += 1
        try:
            await self._enter()
        finally:
            self._service.waiting -= 1
        self._entered_at = self._clock.monotonic()
        self._service.requests += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.gate.leave()
        if self._account is not None:
            self._account.leave()

    def succeeded(self) -> None:
        """The service answered willingly."""
        for gate in self._gates():
            gate.succeed()

    def throttled(self, wait_seconds: float, status: int) -> None:
        """The service refused: whoever listens hears of it once a burst.

        The fence and the reduction fall on the account where the service counts by account, so that one busy
        mailbox does not stop all others.
        """
        self._service.throttled += 1
        narrowest = self._gates()[0]
        narrowest.fence(wait_seconds)
        if narrowest.reduce(self._entered_at) and self._notice is not None:
            self._notice(self._service.name, wait_seconds, status)

    def learn(self, remaining: int, reset_seconds: float) -> None:
        """The service told how much is left of its window."""
        self._service.gate.learn(remaining, reset_seconds)

    def _gates(self) -> tuple[Gate, ...]:
        """The gates this request passed, the narrowest first."""
        return (self._service.gate,) if self._account is None else (self._account, self._service.gate)

    async def _enter(self) -> None:
        """Pass the account's gate, then the service's. Whoever finds the account fenced after that starts anew."""
        account = self._account
        while True:
            if account is not None:
                await account.enter(self._units)
            try:
                await self._service.gate.enter(self._units)
            except BaseException:
                if account is not None:
                    account.leave()
                raise
            if account is None or account.fence_seconds <= 0:
                return
            self._service.gate.leave()
            account.leave()


class Throttle:
    """All limits of one app. Every wait for Microsoft happens in here, so that the figures show it."""

    def __init__(self, limits: Mapping[str, ServiceLimits], *, clock: Clock, notice: Notice | None = None) -> None:
        self._clock = clock
        self._notice = notice
        self._services = {name: _Service(name, service, clock) for name, service in limits.items()}

    def slot(self, service: str, account: str, units: int) -> Slot:
        """A place for one request; it waits when entered."""
        state = self._services[service]
        return Slot(state, state.account_gate(account), units, clock=self._clock, notice=self._notice)

    async def rest(self, service: str, seconds: float) -> None:
        """Wait before one request is repeated, without holding up others."""
        state = self._services[service]
        state.waiting += 1
        try:
            await self._clock.sleep(seconds)
        finally:
            state.waiting -= 1

    def figures(self) -> tuple[ThrottleFigures, ...]:
        """The figures of every service, in the order of the limits' table."""
        return tuple(state.figures() for state in self._services.values())
