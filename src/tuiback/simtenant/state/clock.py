"""Tells the tenant's time: the machine's, moved on by the control's /clock."""

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970; only ever moved forward by tests that want tokens and links to expire.

    From its start on it runs `scale` times as fast as the machine's.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.ahead_seconds = 0.0
        self._scale = scale
        self._start = time.time()

    def seconds(self) -> float:
        """Now, in seconds since 1970."""
        return self._start + (time.time() - self._start) * self._scale + self.ahead_seconds

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)


def stamp(moment: datetime) -> str:
    """A moment as Graph writes it: whole seconds, UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
