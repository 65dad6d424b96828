"""Says values in words that people read, and makes text that strangers wrote harmless to a terminal."""

import re
import unicodedata
from datetime import UTC, datetime

# Control characters start terminal sequences, bidi controls reorder what is read, and the two separators end a line
# for some readers of one-object-a-line output. Lone surrogates can't be written as UTF-8 at all.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_BYTE_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def safe_line(text: str) -> str:
    """The text on one line, with what a terminal could obey shown as U+FFFD."""
    return UNSAFE.sub("\ufffd", text)


def cell_width(text: str) -> int:
    """How many cells of a terminal the text takes: East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def bytes_text(size: int | None) -> str:
    """Bytes in the largest decimal unit that leaves a number of at least 1: 999 B, 1.5 KB, 12 MB."""
    if size is None:
        return "-"
    value = float(size)
    for unit in _BYTE_UNITS:
        # 999.5 would round to 1000 of the smaller unit.
        if value < 999.5 or unit == _BYTE_UNITS[-1]:
            break
        value /= 1000
    digits = 0 if unit == "B" or value >= 9.95 else 1
    return f"{value:.{digits}f} {unit}"


def time_text(time: datetime | None) -> str:
    """A moment in this machine's zone, to the minute; "-" for never."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M") if time else "-"


def stated_time_text(stated: str | None) -> str:
    """An RFC 3339 time that a service stated, in this zone; text that is no time stays, "-" stands for none."""
    if not stated:
        return "-"
    try:
        time = datetime.fromisoformat(stated)
    except ValueError:
        return stated
    return time_text(time if time.tzinfo else time.replace(tzinfo=UTC))


def count_text(count: int, one: str, many: str = "") -> str:
    """A number with its word: "1 account", "2,500 accounts"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
