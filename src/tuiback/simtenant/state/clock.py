"""Tells the tenant's time: the machine's, moved on by the control's /clock."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Seconds since 1970; only ever moved forward by tests that want tokens and links to expire."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def seconds(self) -> float:
        """Now, in seconds since 1970."""
        return time.time() + self.ahead_seconds

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_seconds)


def stamp(moment: datetime) -> str:
    """A moment as Graph writes it: whole seconds, UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
