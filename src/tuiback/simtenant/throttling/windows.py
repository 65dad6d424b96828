"""Counts what was used in the last so many seconds, in bounded memory."""

import math
from collections import deque

# A sliding window forgets in steps of this part of its length.
_SLICES = 100


class Sliding:
    """What came in the last `seconds`; a slice of it is forgotten at a time, late rather than early."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self._seconds = seconds
        self._slice_seconds = seconds / _SLICES
        self._slices: deque[tuple[int, int]] = deque()
        self.used = 0

    def wait_seconds(self, now: float, cost: int) -> float:
        """How long until so much more fits; 0 when it fits now. More than the limit fits into an empty window."""
        self._forget(now)
        over = self.used + cost - self.limit
        if over <= 0 or not self.used:
            return 0.0
        for number, amount in self._slices:
            over -= amount
            if over <= 0:
                return self._gone_at(number) - now
        return self._gone_at(self._slices[-1][0]) - now

    def add(self, now: float, cost: int) -> None:
        """Count it."""
        self._forget(now)
        number = math.floor(now / self._slice_seconds)
        if self._slices and self._slices[-1][0] == number:
            cost_before = self._slices.pop()[1]
            self._slices.append((number, cost_before + cost))
        else:
            self._slices.append((number, cost))
        self.used += cost

    def reset_seconds(self, now: float) -> float:
        """How long until all that is counted now is forgotten."""
        return self._gone_at(self._slices[-1][0]) - now if self._slices else 0.0

    def _gone_at(self, number: int) -> float:
        return (number + 1) * self._slice_seconds + self._seconds

    def _forget(self, now: float) -> None:
        while self._slices and self._gone_at(self._slices[0][0]) <= now:
            self.used -= self._slices.popleft()[1]


class Fixed:
    """What came since the window began; after `seconds` a new one begins with nothing used."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self._seconds = seconds
        self._number = -1
        self.used = 0

    def wait_seconds(self, now: float, cost: int) -> float:
        """How long until so much more fits; 0 when it fits now. More than the limit fits into an empty window."""
        self._begin(now)
        return self.reset_seconds(now) if self.used and self.used + cost > self.limit else 0.0

    def add(self, now: float, cost: int) -> None:
        """Count it."""
        self._begin(now)
        self.used += cost

    def reset_seconds(self, now: float) -> float:
        """How long this window lasts."""
        return (math.floor(now / self._seconds) + 1) * self._seconds - now

    def _begin(self, now: float) -> None:
        number = math.floor(now / self._seconds)
        if number != self._number:
            self._number, self.used = number, 0


Window = Sliding | Fixed
