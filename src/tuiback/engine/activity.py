"""Keeps the last lines of what happened, for the screen and the log file."""

from collections import deque
from collections.abc import Callable

from tuiback.model import ActivityLine, Clock

LINES_KEPT = 500
LINES_SHOWN = 50


class Activity:
    """Numbered lines: level ok, info, warn, error or throttle; who; what."""

    def __init__(self, clock: Clock, log: Callable[[ActivityLine], None] = lambda _: None) -> None:
        self._clock = clock
        self._log = log
        self._lines: deque[ActivityLine] = deque(maxlen=LINES_KEPT)
        self._number = 0

    def add(self, level: str, subject: str, text: str) -> None:
        """Note a line."""
        self._number += 1
        line = ActivityLine(self._number, self._clock.now(), level, subject, text)
        self._lines.append(line)
        self._log(line)

    def recent(self, count: int = LINES_SHOWN) -> tuple[ActivityLine, ...]:
        """The newest lines, oldest of them first."""
        return tuple(self._lines)[-count:]
