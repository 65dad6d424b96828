"""Lets requests of one scope in under its limits: so many at once, so much in a window, none while a fence stands."""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from tuiback.graph.budget import Budget
from tuiback.graph.limits import Limits, Measure, Window
from tuiback.model import Clock

# A refusal that names no time keeps everybody away for so long, and twice as long with each further one on end.
_UNSTATED_SECONDS, _MOST_UNSTATED_SECONDS = 0.25, 60.0
# A wide gate opens again by fifths.
_STEPS = 5
# So many answers, and less than this part refused, of so many of late show that a service is willing.
_FEWEST_ANSWERS, _MOST_REFUSED, _OF_LATE = 5, 1 / 4, 16
_LATE_SECONDS = 10.0


class Cost(msgspec.Struct, frozen=True):
    """What a request takes: units of the service's own count, and the bytes that it sends.

    `requests` are those that the service counts: a batch is one on the wire and many to the service.
    """

    units: int = 1
    bytes_up: int = 0
    requests: int = 1

    def of(self, measure: Measure) -> int:
        """How much of that a window counts."""
        return self.units if measure is Measure.UNITS else self.bytes_up


class Gate:
    """Urgent requests go first, among equals who came first. `is_held_to` tells whether the windows bind at all."""

    def __init__(self, limits: Limits, clock: Clock, is_held_to: Callable[[], bool]) -> None:
        self._limits = limits
        self._clock = clock
        self._is_held_to = is_held_to
        self._budgets = [Budget(window) for window in limits.windows]
        self._at_the_door = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._room = asyncio.Event()
        self._fenced_until = 0.0
        self._blocked_until = 0.0
        self._reduced_at = float("-inf")
        self._successes = 0
        self._bursts_on_end = 0
        # Whether the latest were answered, not refused.
        self._of_late: deque[bool] = deque(maxlen=_OF_LATE)
        self._answered_at = float("-inf")
        # When the refused request had come in, while an answer may still open the fence that it set.
        self._doubted_since: float | None = None
        self._limit_before = limits.at_once
        self._opened = asyncio.Event()
        self.limit = limits.at_once
        self.in_flight = 0

    @property
    def waiting(self) -> int:
        """How many want in."""
        return self._at_the_door + len(self._urgent) + len(self._others)

    @property
    def busy(self) -> bool:
        """Whether somebody is in, wants in, or must stay out."""
        return self.in_flight > 0 or self.waiting > 0 or self.fence_seconds > 0

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

    def spent(self) -> list[tuple[Window, int]]:
        """Each window and how much of it is used up now."""
        now = self._clock.monotonic()
        return [(budget.window, budget.used(now)) for budget in self._budgets]

    async def enter(self, cost: Cost, *, urgent: bool = False) -> None:
        """Wait for a turn, for the fence to fall, for room in every window and for a place."""
        await self._take_turn(urgent=urgent)
        while not await self._pass_or_wait(cost):
            if self._urgent and not urgent:
                self._give_turn()
                await self._take_turn(urgent=False, again=True)

    def leave(self) -> None:
        """Give the place to the next."""
        self.in_flight -= 1
        self._room.set()

    @property
    def is_willing(self) -> bool:
        """Whether most of what came of late was answered, and something a moment ago."""
        if self._clock.monotonic() - self._answered_at > _LATE_SECONDS:
            return False
        refused = self._of_late.count(False)
        return len(self._of_late) >= _FEWEST_ANSWERS + refused and refused < len(self._of_late) * _MOST_REFUSED

    @property
    def unstated_fence_seconds(self) -> float:
        """For how long nobody should come in when the service does not say: longer while it refuses everything."""
        return float(min(_UNSTATED_SECONDS * 2 ** max(0, self._bursts_on_end - 1), _MOST_UNSTATED_SECONDS))

    def fence(self, seconds: float, entered_at: float | None = None) -> None:
        """Let nobody in for so long, because what came in at `entered_at` was refused.

        If that was the first after many answers it may have been meant for that request alone: an answer to what came
        in after it opens the fence again. Without `entered_at` nothing does.
        """
        stands_firm = self.fence_seconds > 0 and self._doubted_since is None
        is_first = self.is_willing and self._of_late[-1]
        self._of_late.append(False)
        self._doubted_since = entered_at if is_first and not stands_firm else None
        self._fenced_until = max(self._fenced_until, self._clock.monotonic() + seconds)

    def reduce(self, entered_at: float, *, halve: bool = True) -> bool:
        """Halve what is allowed at once; False when that happened since the refused request came in.

        One burst of refusals is one piece of news. One that asks nobody to wait takes nothing.
        """
        if entered_at < self._reduced_at:
            return False
        self._reduced_at = self._clock.monotonic()
        if halve:
            self._limit_before = self.limit
            self.limit = max(1, self.limit // 2)
            self._successes = 0
            self._bursts_on_end += 1
        return True

    def succeed(self, entered_at: float = float("-inf")) -> None:
        """Allow more at once after as many successes as are allowed at once."""
        self._bursts_on_end = 0
        self._of_late.append(True)
        self._answered_at = self._clock.monotonic()
        if self._doubted_since is not None and entered_at > self._doubted_since:
            self._doubted_since = None
            self._fenced_until = self._blocked_until = self._clock.monotonic()
            self.limit = max(self.limit, self._limit_before)
            self._opened.set()
        if self.limit == self._limits.at_once:
            return
        self._successes += 1
        if self._successes >= self.limit:
            self.limit = min(self.limit + max(1, self._limits.at_once // _STEPS), self._limits.at_once)
            self._successes = 0
            self._room.set()

    def learn(self, remaining: int, reset_seconds: float) -> None:
        """Believe the service about its shortest window."""
        if self._budgets:
            self._budgets[0].learn(remaining, reset_seconds, self._clock.monotonic())

    def resize(self, windows: tuple[Window, ...]) -> None:
        """The windows are larger or smaller than was thought; what is spent stays spent."""
        for budget, window in zip(self._budgets, windows, strict=True):
            budget.resize(window)
        self._limits = replace(self._limits, windows=windows)
        self._room.set()

    async def _pass_or_wait(self, cost: Cost) -> bool:
        """Go in and give the turn away; or, when there is no room, wait until there may be."""
        try:
            wait = self._seconds_until_free(cost)
            if wait > 0:
                self._blocked_until = self._clock.monotonic() + wait
                await (self._clock.sleep(wait) if self._doubted_since is None else self._wait_until_opened(wait))
                return False
            if self.in_flight >= self.limit:
                self._room.clear()
                await self._room.wait()
                return False
        except BaseException:
            self._give_turn()
            raise
        now = self._clock.monotonic()
        for budget in self._budgets:
            budget.spend(cost.of(budget.window.measure), now)
        self.in_flight += 1
        self._give_turn()
        return True

    async def _wait_until_opened(self, seconds: float) -> None:
        self._opened.clear()
        waits = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._opened.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _take_turn(self, *, urgent: bool, again: bool = False) -> None:
        """Come to the door. Who was there already and let somebody go first stands at the head of the queue."""
        if not self._at_the_door:
            self._at_the_door = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._urgent if urgent else self._others
        if again:
            queue.appendleft(turn)
        else:
            queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # Called to the door and cancelled in the same moment: the turn must go to the next.
            if turn.done() and not turn.cancelled():
                self._give_turn()
            raise

    def _give_turn(self) -> None:
        self._at_the_door = False
        for queue in (self._urgent, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    self._at_the_door = True
                    turn.set_result(None)
                    return

    def _seconds_until_free(self, cost: Cost) -> float:
        now = self._clock.monotonic()
        room = 0.0
        if self._is_held_to():
            spans = (budget.seconds_until_room(cost.of(budget.window.measure), now) for budget in self._budgets)
            room = max(spans, default=0.0)
        return max(room, self._fenced_until - now)
