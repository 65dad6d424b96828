"""Finds the snapshot that a POINT means, as people write it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Protocol, TypeVar

from tuiback.errors import NoSuchThing, UsageError

_FORMS = "give #118, latest, 2026-11-21, 2026-11-21T22:00 or '2 days ago'"
_SEQ = re.compile(r"#?([0-9]{1,18})")
_AGO = re.compile(r"([0-9]{1,6}) +(minute|hour|day|week|month|year)s? +ago")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SPANS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


class Pointlike(Protocol):
    """What choosing needs of a recovery point: its snapshot number and when it was taken."""

    @property
    def seq(self) -> int:
        """The snapshot's number within its account."""
        ...

    @property
    def taken_at(self) -> datetime:
        """When the snapshot closed."""
        ...


PointT = TypeVar("PointT", bound=Pointlike)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest snapshot there is."""

    def __str__(self) -> str:
        return "latest"


@dataclass(frozen=True, slots=True)
class Numbered:
    """The snapshot of this number."""

    seq: int

    def __str__(self) -> str:
        return f"#{self.seq}"


@dataclass(frozen=True, slots=True)
class AtOrBefore:
    """The newest snapshot taken at or before this moment."""

    moment: datetime

    def __str__(self) -> str:
        return self.moment.isoformat()


Wanted = Latest | Numbered | AtOrBefore


def parse_point(text: str, now: datetime, zone: tzinfo | None = None) -> Wanted:
    """What the POINT `text` asks for, seen from `now`; times that name no zone are in `zone`, None: this machine's.

    A date alone means its last moment: the snapshots of that day count. Raises UsageError for anything else.
    """
    text = text.strip()
    if text == "latest":
        return Latest()
    if match := _SEQ.fullmatch(text):
        return Numbered(int(match[1]))
    try:
        if match := _AGO.fullmatch(text):
            return AtOrBefore(now - int(match[1]) * _SPANS[match[2]])
        stated = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError("not a point in time", text, _FORMS) from None
    if _DATE.fullmatch(text):
        stated = datetime.combine(stated, time.max)
    if stated.tzinfo is None:
        # Without a zone, astimezone() takes the offset that this machine has at that moment, summer time included.
        stated = stated.replace(tzinfo=zone) if zone else stated.astimezone()
    return AtOrBefore(stated)


def choose_point(points: Sequence[PointT], wanted: Wanted, account: str) -> PointT:
    """The recovery point of `account` that is wanted. Raises NoSuchThing when there is none."""
    if not points:
        raise NoSuchThing("has no recovery point yet", account, "run its task first")
    if isinstance(wanted, Latest):
        return max(points, key=lambda point: point.seq)
    if isinstance(wanted, Numbered):
        for point in points:
            if point.seq == wanted.seq:
                return point
        raise NoSuchThing(f"has no snapshot #{wanted.seq}", account, "see tuiback points")
    before = [point for point in points if point.taken_at <= wanted.moment]
    if not before:
        moment = wanted.moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise NoSuchThing(f"has no recovery point at or before {moment}", account, "see tuiback points")
    return max(before, key=lambda point: (point.taken_at, point.seq))

