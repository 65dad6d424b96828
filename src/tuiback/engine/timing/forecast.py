"""Foretells when a volume will be full, from what came on each of the last days."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import accumulate, combinations

# Growth of last year says little about the next month.
DAYS_LOOKED_AT = 90
# A week has all its days in it.
DAYS_NEEDED = 7
# Further away nobody plans, and disks are replaced before.
DAYS_FORETOLD = 3650


def daily_growth(stored: Iterable[tuple[date, int]], now: datetime) -> float | None:
    """How many bytes a day come as a rule; `stored` are bytes by day. None with too little history to tell.

    It is the median of the growth between any two days (Theil and Sen), so that neither the first backup nor a few
    wild days count for much, and a rhythm of weeks makes no difference.
    """
    by_day: dict[date, int] = {}
    first_looked_at = now.date() - timedelta(days=DAYS_LOOKED_AT)
    for day, size in stored:
        if day >= first_looked_at:
            by_day[day] = by_day.get(day, 0) + size
    # The present day has not ended.
    count = (now.date() - min(by_day)).days if by_day else 0
    if count < DAYS_NEEDED:
        return None
    # What statistics brings takes longer to load than this takes; a young repository does without.
    from statistics import median

    first = now.date() - timedelta(days=count)
    totals = list(accumulate(by_day.get(first + timedelta(days=number), 0) for number in range(count)))
    return median((later - earlier) / (j - i) for (i, earlier), (j, later) in combinations(enumerate(totals), 2))


def full_on(stored: Iterable[tuple[date, int]], free_bytes: int | None, now: datetime) -> datetime | None:
    """When the volume will be full if it goes on like that.

    None without enough history, where there is no end (`free_bytes` None), and where it is too far away.
    """
    growth = daily_growth(stored, now)
    if growth is None or growth <= 0 or free_bytes is None:
        return None
    days = max(free_bytes, 0) / growth
    return now + timedelta(days=days) if days <= DAYS_FORETOLD else None
