"""Reads spans of time as people write them."""

import re
from datetime import timedelta

from tuiback.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_SECONDS = 10**9
_DURATION = re.compile(r"(?:\d{1,9}[smhd])+")


def parse_duration(text: str) -> timedelta:
    """A span like 90s, 30m, 26h, 2d, or several in a row: 1h30m. Raises UsageError."""
    wanted = text.strip().lower()
    seconds = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"\d+[smhd]", wanted))
    if not _DURATION.fullmatch(wanted) or not 0 < seconds < _LONGEST_SECONDS:
        raise UsageError("is no span of time", text, "write it like 90m, 26h or 2d")
    return timedelta(seconds=seconds)
