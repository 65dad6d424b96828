"""Keeps one app's requests under Microsoft's limits, and waits when a service asks for it."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import msgspec
from msgspec.structs import replace

from tuiback.graph.gate import Cost, Gate
from tuiback.graph.limits import Measure, ServiceLimits, cautious, published
from tuiback.model import Clock

# Called once for every burst of refusals: service, seconds to wait, HTTP status.
Notice = Callable[[str, float, int], None]


_TOO_MANY = 429

# Of the accounts at a service the ledger names those that have least left, or wait longest.
_ACCOUNTS_TOLD = 5


class Allowance(msgspec.Struct, frozen=True):
    """One window of the ledger: `used` of `units` in `seconds`, of the service, or of the `account` named."""

    account: str
    measure: Measure
    used: int
    units: int
    seconds: float
    wait_seconds: float


class ThrottleFigures(msgspec.Struct, frozen=True):
    """How hard one service throttles.

    `limit` is what is allowed at once now; `wait_seconds` is the longest wait that the service asked for or that
    our own budget imposes on somebody; `requests` counts what was sent as the service counts it, each member of a
    batch by itself, `throttled` the refusals among the replies.
    `ledger` has the service's windows, and those of the accounts with the least left.
    """

    service: str
    in_flight: int
    limit: int
    waiting: int
    wait_seconds: float
    requests: int
    throttled: int
    ledger: tuple[Allowance, ...] = ()


class _Service:
    """One service: its own gate, its accounts' gates and its counters."""

    def __init__(self, name: str, limits: ServiceLimits, clock: Clock, is_held_to: Callable[[], bool]) -> None:
        self.name = name
        self._limits = limits
        self._clock = clock
        self._is_held_to = is_held_to
        self.gate = Gate(limits.service, clock, is_held_to)
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
            gate = self.accounts[account] = Gate(self._limits.account, self._clock, self._is_held_to)
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
            ledger=self._ledger(),
        )

    def resize(self, limits: ServiceLimits) -> None:
        """The tenant turned out to be of another size."""
        self._limits = limits
        self.gate.resize(limits.service.windows)
        for gate in self.accounts.values():
            gate.resize(limits.account.windows if limits.account else ())

    def learn_limit(self, limit: int) -> None:
        """The service states what its shortest window holds."""
        first, *others = self._limits.service.windows
        if cautious(limit) != first.units:
            windows = (replace(first, units=cautious(limit)), *others)
            self.resize(replace(self._limits, service=replace(self._limits.service, windows=windows)))

    def _ledger(self) -> tuple[Allowance, ...]:
        if not self._is_held_to():
            return ()
        of_accounts = [entry for name, gate in self.accounts.items() for entry in _allowances(name, gate)]
        of_accounts.sort(key=lambda entry: (-entry.wait_seconds, -entry.used / entry.units))
        return (*_allowances("", self.gate), *of_accounts[:_ACCOUNTS_TOLD])


def _allowances(account: str, gate: Gate) -> list[Allowance]:
    wait_seconds = max(gate.wait_seconds, 0.0)
    return [
        Allowance(account, window.measure, used, window.units, window.seconds, wait_seconds)
        for window, used in gate.spent()
        if used or wait_seconds or not account
    ]


class Slot:
    """One request's place under the limits, as a context: inside, the request may be sent."""

    def __init__(
        self,
        service: _Service,
        account: Gate | None,
        cost: Cost,
        *,
        urgent: bool,
        clock: Clock,
        notice: Notice | None,
    ) -> None:
        self._service = service
        self._account = account
        self._cost = cost
        self._urgent = urgent
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
        self._service.requests += self._cost.requests
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.gate.leave()
        if self._account is not None:
            self._account.leave()

    @property
    def is_willing(self) -> bool:
        """Whether the service answers most of what it is asked, of this account where it counts by account."""
        return self._gates()[0].is_willing

    def succeeded(self, requests: int = 1) -> None:
        """The service answered so many requests willingly."""
        for gate in self._gates():
            for _ in range(requests):
                gate.succeed(self._entered_at)

    def throttled(self, wait_seconds: float | None, status: int, *, fence: bool = True) -> None:
        """The service refused, for so long if it said so: whoever listens hears of it once a burst.

        The fence and the reduction fall on the account where the service counts by account, so that one busy
        mailbox does not stop all others. Without `fence` the refused request alone has to wait. Where the service
        counts by app nothing opens a fence early: whoever goes on there may be blocked for hours.
        """
        self._service.throttled += 1
        narrowest = self._gates()[0]
        is_news = narrowest.reduce(self._entered_at, halve=status == _TOO_MANY or wait_seconds != 0)
        seconds = narrowest.unstated_fence_seconds if wait_seconds is None else wait_seconds
        if fence and seconds > 0:
            narrowest.fence(seconds, None if self._account is None else self._entered_at)
        if is_news and self._notice is not None:
            self._notice(self._service.name, seconds, status)

    def learn(self, limit: int | None, remaining: int, reset_seconds: float) -> None:
        """The service told what its window holds and how much is left of it."""
        if limit:
            self._service.learn_limit(limit)
        # What is left by its count is less by ours, which keeps away from the end.
        spare = 0 if limit is None else limit - cautious(limit)
        self._service.gate.learn(max(remaining - spare, 0), reset_seconds)

    def _gates(self) -> tuple[Gate, ...]:
        """The gates this request passed, the narrowest first."""
        return (self._service.gate,) if self._account is None else (self._account, self._service.gate)

    async def _enter(self) -> None:
        """Pass the account's gate, then the service's. Whoever finds the account fenced after that starts anew."""
        account = self._account
        while True:
            if account is not None:
                await account.enter(self._cost, urgent=self._urgent)
            try:
                await self._service.gate.enter(self._cost, urgent=self._urgent)
            except BaseException:
                if account is not None:
                    account.leave()
                raise
            if account is None or account.fence_seconds <= 0:
                return
            self._service.gate.leave()
            account.leave()


class Throttle:
    """All limits of one app. Every wait for Microsoft happens in here, so that the figures show it.

    With `lenient` the windows bind only once hold() was called: a simulated tenant may or may not keep Microsoft's
    limits, and its answers tell.
    """

    def __init__(
        self,
        limits: Mapping[str, ServiceLimits] | None = None,
        *,
        clock: Clock,
        notice: Notice | None = None,
        lenient: bool = False,
    ) -> None:
        self._clock = clock
        self._notice = notice
        self._is_held = not lenient
        made = published() if limits is None else limits
        self._services = {name: _Service(name, service, clock, lambda: self._is_held) for name, service in made.items()}

    def hold(self) -> None:
        """The service keeps to limits: so must we."""
        self._is_held = True

    def resize(self, limits: Mapping[str, ServiceLimits]) -> None:
        """The limits of a tenant of this size."""
        for name, service in limits.items():
            self._services[name].resize(service)

    def slot(self, service: str, account: str, cost: Cost, *, urgent: bool = False) -> Slot:
        """A place for one request; it waits when entered."""
        state = self._services[service]
        gate = state.account_gate(account)
        return Slot(state, gate, cost, urgent=urgent, clock=self._clock, notice=self._notice)

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
