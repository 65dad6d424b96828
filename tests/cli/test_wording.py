"""Tests of how values read."""

from datetime import UTC, datetime

import pytest

from tuiback.cli.wording import bytes_text, count_text, safe_line, stated_time_text, time_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "-"), (0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (9949, "9.9 KB"), (9951, "10 KB"),
        (999_499, "999 KB"), (999_500, "1.0 MB"), (3_200_000_000, "3.2 GB"), (5 * 10**18, "5000 PB"),
    ],
)  # fmt: skip
def test_bytes(size: int | None, text: str) -> None:
    """Sizes never need more than four digits below the largest unit, and never show 1000 of a smaller one."""
    assert bytes_text(size) == text


def test_hostile_text_is_one_harmless_line() -> None:
    """Escape sequences, line ends and bidi controls that a sender wrote don't reach the terminal."""
    assert safe_line("a\x1b[2Jb\r\nc\u202ed\u2066e\x9bf") == "a\ufffd[2Jb\ufffd\ufffdc\ufffdd\ufffde\ufffdf"
    assert safe_line("Grüße 日本 نص") == "Grüße 日本 نص"


def test_times() -> None:
    """Moments read in this machine's zone; none is a hyphen; what is no time stays as it was stated."""
    moment = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
    assert time_text(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M")
    assert time_text(None) == "-"
    assert stated_time_text("2026-11-21T22:05:00Z") == time_text(moment)
    assert stated_time_text("2026-11-21T22:05:00") == time_text(moment)
    assert stated_time_text("soon") == "soon"
    assert stated_time_text("") == "-"


def test_counts() -> None:
    """A number takes the word that fits it."""
    assert count_text(1, "item") == "1 item"
    assert count_text(2500, "item") == "2,500 items"
    assert count_text(0, "entry", "entries") == "0 entries"
