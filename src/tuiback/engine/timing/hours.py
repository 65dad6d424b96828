"""Says when a task may run: a weekly grid of allowed hours, in the task's own time zone."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from tuiback.errors import UsageError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_SHAPE = "write it like 'mon-fri 20:00-06:00,sat-sun'"

Span = tuple[int, int]


class Hours(msgspec.Struct, frozen=True):
    """The allowed minutes of the week as (first, after last), Monday 00:00 being 0; sorted, apart from each other.

    Local time counts: an hour that a clock change leaves out is never open, one that comes twice is open twice.
    """

    spans: tuple[Span, ...]
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        """Whether a task may run now. `moment` has a zone."""
        return self._is_allowed(moment.astimezone(self.zone))

    def next_change(self, moment: datetime) -> datetime | None:
        """When the answer of is_open() changes next, in UTC; None when it never does."""
        now = self.is_open(moment)
        for edge in self._edges(moment):
            if self.is_open(edge) != now:
                return edge
        return None

    def next_open(self, moment: datetime) -> datetime | None:
        """The first moment from `moment` on at which a task may run; None when there is none."""
        return moment.astimezone(UTC) if self.is_open(moment) else self.next_change(moment)

    def _is_allowed(self, local: datetime) -> bool:
        minute = local.weekday() * _DAY_MINUTES + local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self.spans)

    def _edges(self, moment: datetime) -> Iterator[datetime]:
        """The moments after `moment` at which a span begins or ends, in the coming three weeks, in order."""
        local = moment.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        monday = midnight - timedelta(days=local.weekday())
        found = set()
        for week in range(3):
            for minute in {edge for span in self.spans for edge in span}:
                naive = monday + timedelta(weeks=week, minutes=minute)
                # A wall clock time may come twice, or not at all: both readings are looked at.
                found |= {naive.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        found |= _clock_changes(self.zone, midnight)
        yield from sorted(edge for edge in found if edge > moment)


def parse_hours(text: str, zone: ZoneInfo) -> Hours:
    """The grid that a text like 'mon-fri 20:00-06:00,sat-sun' draws; "" allows every hour. Raises UsageError."""
    spans: list[Span] = []
    for entry in filter(None, (each.strip().lower() for each in text.split(","))):
        days, _, times = entry.partition(" ")
        spans += _spans(_days(days, text), times.strip(), text)
    if not spans:
        if text.strip():
            raise UsageError("the window has no day in it", text, _SHAPE)
        spans = [(0, _WEEK_MINUTES)]
    return Hours(tuple(_merged(spans)), zone)


def show_hours(hours: Hours) -> str:
    """The grid in words, a line of days and times."""
    if hours.spans == ((0, _WEEK_MINUTES),):
        return "always"
    return ", ".join(f"{_show_minute(start)} to {_show_minute(end)}" for start, end in hours.spans)


# The answer is the same all day, and looking for it takes longer than all else about a timetable.
@lru_cache(maxsize=64)
def _clock_changes(zone: ZoneInfo, midnight: datetime) -> frozenset[datetime]:
    """The minutes of three weeks in which the zone's clocks go forward or back: windows may open or close there."""
    found = set()
    before = midnight.replace(tzinfo=zone).astimezone(UTC)
    for _ in range(22 * 24):
        after = before + timedelta(hours=1)
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            found |= {before + timedelta(minutes=step) for step in range(1, 61)}
        before = after
    return frozenset(found)


def _show_minute(minute: int) -> str:
    day, rest = divmod(minute % _WEEK_MINUTES, _DAY_MINUTES)
    return f"{_DAYS[day]} {rest // 60:02}:{rest % 60:02}"


def _days(text: str, window: str) -> Sequence[int]:
    first, _, last = text.partition("-")
    if first not in _DAYS or (last and last not in _DAYS):
        raise UsageError(f"'{text}' names no day of the week", window, _SHAPE)
    start = _DAYS.index(first)
    count = (_DAYS.index(last) - start) % 7 + 1 if last else 1
    return [(start + day) % 7 for day in range(count)]


def _spans(days: Iterable[int], times: str, window: str) -> Iterator[Span]:
    """A span that ends before it begins ends on the next day."""
    start, length = 0, _DAY_MINUTES
    if times:
        found = _SPAN.fullmatch(times)
        if found is None:
            raise UsageError(f"'{times}' is not a span of hours", window, _SHAPE)
        hour, minute, last_hour, last_minute = map(int, found.groups())
        if max(hour, last_hour) > 24 or max(minute, last_minute) > 59:
            raise UsageError(f"'{times}' is not a span of hours", window, _SHAPE)
        start, end = hour * 60 + minute, last_hour * 60 + last_minute
        if max(start, end) > _DAY_MINUTES:
            raise UsageError(f"'{times}' is not a span of hours", window, _SHAPE)
        length = end - start if end > start else end - start + _DAY_MINUTES
    for day in days:
        begin = day * _DAY_MINUTES + start
        yield begin, min(begin + length, _WEEK_MINUTES)
        if begin + length > _WEEK_MINUTES:
            yield 0, begin + length - _WEEK_MINUTES


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
