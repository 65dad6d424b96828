"""Keeps downloads under a rate, which may differ by the hours of the week."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from tuiback.engine.timing.hours import Hours, parse_hours
from tuiback.errors import UsageError
from tuiback.model import Clock

_BITS = {"kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}
_RATE = re.compile(r"(?:(.*)\s)?(?:(\d{1,6}(?:\.\d+)?)\s?(kbit|mbit|gbit)|(off))", re.IGNORECASE)
# People write 08-18 for 08:00-18:00.
_BARE_HOURS = re.compile(r"\b(\d{1,2})-(\d{1,2})(?![\d:])")
_SHAPE = "write it like 50mbit, or 'mon-fri 08-18 20mbit; 100mbit', or off"
# After a pause so much may come at once; small enough that no other traffic notices.
BURST_SECONDS = 0.5
# The hours and the rate may change while somebody waits.
LONGEST_WAIT_SECONDS = 1.0


class RatePlan(msgspec.Struct, frozen=True):
    """Rates in bytes a second (None: without limit) with their hours; the first that is open counts."""

    entries: tuple[tuple[Hours, float | None], ...] = ()

    def bytes_per_second(self, now: datetime) -> float | None:
        """What holds at this moment; None without limit."""
        return next((rate for hours, rate in self.entries if hours.is_open(now)), None)


def parse_rate(text: str, zone: ZoneInfo) -> RatePlan:
    """The plan that a text like 'mon-fri 08-18 20mbit; 100mbit' names; "" and off are none. Raises UsageError."""
    entries = []
    for entry in filter(None, (each.strip() for each in text.split(";"))):
        found = _RATE.fullmatch(entry)
        if found is None:
            raise UsageError(f"'{entry}' is no rate", text, _SHAPE)
        hours, number, unit, off = found.groups()
        rate = None if off else float(number) * _BITS[unit.lower()] / 8
        if rate is not None and rate <= 0:
            raise UsageError("a rate of nothing would never end", text, _SHAPE)
        entries.append((parse_hours(_BARE_HOURS.sub(r"\1:00-\2:00", hours or ""), zone), rate))
    return RatePlan(tuple(entries))


class Bandwidth:
    """take() before each piece that was read; all who share it share the rate. Belongs to one loop."""

    def __init__(self, clock: Clock, plan: RatePlan) -> None:
        self._clock = clock
        self._tokens = 0.0
        self._filled_at = clock.monotonic()
        self.plan = plan

    async def take(self, size: int) -> None:
        """Wait until so many bytes fit under the rate.

        A large piece passes at once when nothing is owed; those after it wait for its time to be over.
        """
        while (rate := self.plan.bytes_per_second(self._clock.now())) is not None:
            self._fill(rate)
            if self._tokens > 0:
                self._tokens -= size
                return
            await self._clock.sleep(min((1 - self._tokens) / rate, LONGEST_WAIT_SECONDS))
        self._tokens = 0.0
        self._filled_at = self._clock.monotonic()

    def _fill(self, rate: float) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._tokens + (now - self._filled_at) * rate, rate * BURST_SECONDS)
        self._filled_at = now


