"""Writes numbers, sizes, times and durations as short as a column of the console needs them."""

from datetime import UTC, datetime

_UNITS = "BKMGTPE"
MINUTE, HOUR, DAY = 60, 3600, 86400


def size(count: float) -> str:
    """Bytes in at most five characters, 1024-based as htop writes them: 84K, 1.1M, 16.0G."""
    value = float(count)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1024
    if unit == "B":
        return f"{value:.0f}"
    return f"{value:.1f}{unit}" if value < 99.95 else f"{value:.0f}{unit}"


def size_text(count: float) -> str:
    """Bytes as a sentence writes them: 9 bytes, 84.0 KiB. The command line's KB are of 1000 bytes."""
    short = size(count)
    return f"{short} bytes" if short.isdigit() else f"{short[:-1]} {short[-1]}iB"


def number(count: int) -> str:
    """A whole number with thousands apart."""
    return f"{count:,}".replace(",", " ")


def short_number(count: float) -> str:
    """A count in at most five characters: 84203, 210k, 14.2m."""
    if count < 100_000:
        return f"{count:.0f}"
    return f"{count / 1000:.0f}k" if count < 10_000_000 else f"{count / 1_000_000:.1f}m"


def rate(per_second: float) -> str:
    """A rate in at most five characters; a dash when nothing moves."""
    if per_second < 0.05:
        return "-"
    return f"{per_second:.1f}" if per_second < 100 else short_number(per_second)


def megabytes_rate(bytes_per_second: float) -> str:
    """Megabytes a second in at most five characters; a dash when nothing moves."""
    return rate(bytes_per_second / 1_000_000)


def duration(seconds: float | None) -> str:
    """A duration in five characters: 00:47, 01:12 (minutes), 3h20, 2d04h; a dash when unknown."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    if whole < HOUR:
        return f"{whole // MINUTE:02}:{whole % MINUTE:02}"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02}"
    return f"{whole // DAY}d{whole % DAY // HOUR:02}h" if whole < 10 * DAY else f"{whole // DAY}d"


def age(then: datetime | None, now: datetime) -> str:
    """How long ago, in at most four characters: now, 12m, 3h, 5d; a dash for never."""
    if then is None:
        return "-"
    seconds = (now - then).total_seconds()
    if seconds < MINUTE:
        return "now"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f}m"
    return f"{seconds // HOUR:.0f}h" if seconds < 2 * DAY else f"{seconds // DAY:.0f}d"


def local(moment: datetime) -> datetime:
    """The moment in the zone of this machine."""
    return moment.astimezone()


def clock_time(moment: datetime) -> str:
    """The local time of day with seconds."""
    return f"{local(moment):%H:%M:%S}"


def date_time(moment: datetime) -> str:
    """The local date and time to the minute."""
    return f"{local(moment):%Y-%m-%d %H:%M}"


def stamp(text: str, today: datetime, width: int = 5) -> str:
    """An item's own RFC 3339 time as a column shows it: 14:02 today, 11-20 this year, else 2024.

    Where the column has 10 cells it is the whole date. What is no time comes back as a dash.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return "-"
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    there, here = moment.astimezone(), today.astimezone()
    if there.date() == here.date():
        return f"{there:%H:%M}"
    if width >= 10:
        return f"{there:%Y-%m-%d}"
    return f"{there:%m-%d}" if there.year == here.year else f"{there:%Y}"


def zone_name(moment: datetime) -> str:
    """The name of the local zone, shown once."""
    return local(moment).tzname() or "local"


def moment(then: datetime | None, now: datetime) -> str:
    """A moment in eleven characters: `today 22:00`, 11-20 22:00, 2025-11-20 of another year; a dash for never."""
    if then is None:
        return "-"
    there, here = local(then), local(now)
    if there.date() == here.date():
        return f"today {there:%H:%M}"
    return f"{there:%m-%d %H:%M}" if there.year == here.year else f"{there:%Y-%m-%d}"


def coming(then: datetime, now: datetime) -> str:
    """A moment to come: `today 22:00`, `tomorrow 03:00`, `Fri 11-27 20:00`."""
    there = local(then)
    days = (there.date() - local(now).date()).days
    return f"{('today', 'tomorrow')[days] if days in {0, 1} else f'{there:%a %m-%d}'} {there:%H:%M}"


def ahead(then: datetime | None, now: datetime) -> str:
    """When something comes, in five characters: 21:00 within a day, `in 3d`, 12-31; a dash for never."""
    if then is None:
        return "-"
    seconds = (then - now).total_seconds()
    if seconds <= 0:
        return "now"
    there = local(then)
    if seconds < 20 * HOUR:
        return f"{there:%H:%M}"
    days = (there.date() - local(now).date()).days
    if days < 10:
        return f"in {days}d"
    return f"{there:%m-%d}" if seconds < 300 * DAY else f"{there:%Y}"
