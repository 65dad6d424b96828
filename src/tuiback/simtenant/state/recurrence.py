"""Tells when a series takes place: https://learn.microsoft.com/graph/api/resources/patternedrecurrence."""

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEXES = ("first", "second", "third", "fourth", "last")
# A series without an end is shown so far.
_MOST = 730
_DAY = timedelta(days=1)
_MONTHS_OF_YEAR = 12


class WrongRecurrence(Exception):
    """This pattern, or this range, tells of no days."""


def beginnings(start: datetime, recurrence: Mapping[str, Any]) -> list[datetime]:
    """When each occurrence begins, at the time of day of `start`. Raises WrongRecurrence."""
    pattern, span = recurrence.get("pattern") or {}, recurrence.get("range") or {}
    first = _date(span.get("startDate") or start.date().isoformat())
    try:
        days = _PATTERNS[str(pattern.get("type"))](first, pattern)
        kind = span["type"]
    except (KeyError, TypeError, ValueError) as error:
        raise WrongRecurrence(f"{error} is missing or unknown") from error
    if kind == "endDate":
        last = _date(span.get("endDate"))
        days = takewhile(lambda day: day <= last, days)
    most = min(int(span.get("numberOfOccurrences") or _MOST), _MOST) if kind == "numbered" else _MOST
    return [datetime.combine(day, start.timetz()) for day, _ in zip(days, range(most), strict=False)]


def _date(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise WrongRecurrence(f"'{text}' is no date") from error


def _interval(pattern: Mapping[str, Any]) -> int:
    interval = pattern.get("interval", 1)
    if not isinstance(interval, int) or interval < 1:
        raise WrongRecurrence(f"'{interval}' is no interval")
    return interval


def _weekdays(pattern: Mapping[str, Any]) -> list[int]:
    try:
        found = [DAYS.index(str(each).lower()) for each in pattern.get("daysOfWeek") or []]
    except ValueError as error:
        raise WrongRecurrence("daysOfWeek names an unknown day") from error
    if not found:
        raise WrongRecurrence("daysOfWeek is missing")
    return found


def _daily(first: date, pattern: Mapping[str, Any]) -> Iterator[date]:
    step = _DAY * _interval(pattern)
    return (first + step * number for number in range(_MOST))


def _weekly(first: date, pattern: Mapping[str, Any]) -> Iterator[date]:
    """Weeks are counted from their first day, which is a Sunday unless the pattern names another."""
    opening = DAYS.index(str(pattern.get("firstDayOfWeek") or "sunday").lower())
    monday = first - _DAY * ((first.weekday() - opening) % len(DAYS))
    places = sorted((day - opening) % len(DAYS) for day in _weekdays(pattern))
    step = timedelta(weeks=_interval(pattern))
    days = (monday + step * number + _DAY * place for number in range(_MOST) for place in places)
    return (day for day in days if day >= first)


def _monthly(first: date, pattern: Mapping[str, Any]) -> Iterator[date]:
    """A month that is too short has its last day instead."""
    wanted = int(pattern.get("dayOfMonth") or first.day)
    return _of_months(first, _interval(pattern), lambda year, month: min(wanted, monthrange(year, month)[1]))


def _relative_monthly(first: date, pattern: Mapping[str, Any]) -> Iterator[date]:
    days, index = _weekdays(pattern), _index(pattern)
    return _of_months(first, _interval(pattern), lambda year, month: _nth(year, month, days, index))


def _yearly(first: date, pattern: Mapping[str, Any]) -> Iterator[date]:
    wanted, begun = int(pattern.get("dayOfMonth") or first.day), _in_month(first, pattern)
    step = _interval(pattern) * _MONTHS_OF_YEAR
    days = _of_months(begun, step, lambda year, month: min(wanted, monthrange(year, month)[1]))
    return (day for day in days if day >= first)


def _relative_yearly(first: date, pattern: Mapping[str, Any]) -> Iterator[date]:
    days, index, begun = _weekdays(pattern), _index(pattern), _in_month(first, pattern)
    step = _interval(pattern) * _MONTHS_OF_YEAR
    found = _of_months(begun, step, lambda year, month: _nth(year, month, days, index))
    return (day for day in found if day >= first)


def _in_month(first: date, pattern: Mapping[str, Any]) -> date:
    return date(first.year, int(pattern.get("month") or first.month), 1)


def _index(pattern: Mapping[str, Any]) -> int:
    try:
        return _INDEXES.index(str(pattern.get("index") or "first"))
    except ValueError as error:
        raise WrongRecurrence("the index is unknown") from error


def _of_months(first: date, step: int, day_of: Callable[[int, int], int]) -> Iterator[date]:
    for number in range(_MOST):
        year, month = divmod(first.year * _MONTHS_OF_YEAR + first.month - 1 + number * step, _MONTHS_OF_YEAR)
        if year >= date.max.year:
            return
        day = date(year, month + 1, day_of(year, month + 1))
        if day >= first:
            yield day


def _nth(year: int, month: int, weekdays: list[int], index: int) -> int:
    found = [day for day in range(1, monthrange(year, month)[1] + 1) if date(year, month, day).weekday() in weekdays]
    return found[-1] if index == len(_INDEXES) - 1 else found[index]


_PATTERNS: dict[str, Callable[[date, Mapping[str, Any]], Iterator[date]]] = {
    "daily": _daily, "weekly": _weekly, "absoluteMonthly": _monthly, "relativeMonthly": _relative_monthly,
    "absoluteYearly": _yearly, "relativeYearly": _relative_yearly,
}  # fmt: skip
