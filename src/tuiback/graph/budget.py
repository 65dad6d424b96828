"""Counts what was spent of one window, so that a request waits here instead of being refused there."""

from bisect import insort
from math import ceil

import msgspec

from tuiback.graph.limits import Window


class _Spent(msgspec.Struct, order=True):
    """Units that count until a moment of the monotonic clock."""

    until: float
    units: int


class Budget:
    """The units spent in a sliding window.

    Times are rounded up to a sixtieth of the window, in Microsoft's favour, so that ten thousand requests take
    sixty entries.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self._grain = window.seconds / 60
        self._spent: list[_Spent] = []
        self._used = 0

    def used(self, now: float) -> int:
        """Units that count at this moment."""
        self._drop(now)
        return self._used

    def seconds_until_room(self, units: int, now: float) -> float:
        """How long until `units` more fit; 0 when they fit now."""
        self._drop(now)
        excess = self._used + min(units, self.window.units) - self.window.units
        if excess <= 0 or not units:
            return 0.0
        for spent in self._spent:
            excess -= spent.units
            if excess <= 0:
                return spent.until - now
        return self.window.seconds

    def resize(self, window: Window) -> None:
        """From now on more or less fits into the same time."""
        self.window = window

    def spend(self, units: int, now: float) -> None:
        """Count units spent now."""
        if units:
            self._add(ceil(now / self._grain) * self._grain + self.window.seconds, units)

    def learn(self, remaining: int, reset_seconds: float, now: float) -> None:
        """Believe the service that only so many units are left until its window starts anew."""
        self._drop(now)
        unseen = self.window.units - self._used - remaining
        if unseen > 0:
            self._add(now + reset_seconds, unseen)

    def _add(self, until: float, units: int) -> None:
        self._used += units
        if self._spent and self._spent[-1].until == until:
            self._spent[-1].units += units
        else:
            insort(self._spent, _Spent(until, units))

    def _drop(self, now: float) -> None:
        while self._spent and self._spent[0].until <= now:
            self._used -= self._spent.pop(0).units
