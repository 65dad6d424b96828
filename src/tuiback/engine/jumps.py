"""Notices that the wall clock was set, or stood still with a sleeping machine, and says so."""

from datetime import datetime, timedelta

from tuiback.model import Clock

# Less is what time servers correct, and what a busy machine is late by.
_NOTICED = timedelta(minutes=5)


class Jumps:
    """Compares the wall clock with the one that never jumps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked_at = clock.now(), clock.monotonic()

    def look(self) -> timedelta | None:
        """By how much the wall clock was moved since the last look, None where it was not."""
        then, ticks = self._looked_at
        now, ticks_now = self._looked_at = self._clock.now(), self._clock.monotonic()
        moved = now - then - timedelta(seconds=ticks_now - ticks)
        return moved if abs(moved) >= _NOTICED else None


def show_jump(moved: timedelta, now: datetime) -> str:
    """What the log says of it."""
    span = timedelta(seconds=round(abs(moved).total_seconds()))
    if moved > timedelta():
        cause = "it was set, or the machine slept; what was missed is made good now"
        return f"it jumped {span} ahead to {now:%Y-%m-%d %H:%M} UTC: {cause}"
    return f"it was put back by {span} to {now:%Y-%m-%d %H:%M} UTC; tasks go on by the time it shows"
