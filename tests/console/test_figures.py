"""Figures are short and right."""

from datetime import UTC, datetime, timedelta

import pytest

from tuiback.console import figures

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0K"), (1 << 30, "1.0G"), (16 << 30, "16.0G"), (1 << 50, "1.0P")],
)
def test_sizes(count: int, shown: str) -> None:
    """Sizes are 1024-based and short."""
    assert figures.size(count) == shown


@pytest.mark.parametrize("count", [10**power for power in range(18)])
def test_sizes_fit_a_column(count: int) -> None:
    """Whatever the size, five cells hold it."""
    assert len(figures.size(count)) <= 5


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (47, "00:47"), (4320, "1h12"), (3599, "59:59"), (2 * 86400 + 4 * 3600, "2d04h"), (12 * 86400, "12d")],
)
def test_durations(seconds: float | None, shown: str) -> None:
    """Durations take five cells."""
    assert figures.duration(seconds) == shown


def test_age() -> None:
    """Ages are told in the largest unit that says something."""
    assert figures.age(None, NOW) == "-"
    assert [figures.age(NOW - timedelta(**{unit: 3}), NOW) for unit in ("seconds", "minutes", "hours", "days")] == [
        "now", "3m", "3h", "3d",
    ]


def test_stamp_of_a_foreign_text_is_a_dash() -> None:
    """An item's time that is none does not break the list."""
    assert figures.stamp("yesterday\x1b[0m", NOW) == "-"
    assert figures.stamp("2024-02-03T01:02:03Z", NOW) == "2024"
    assert figures.stamp("2024-02-03T12:02:03Z", NOW, 10) == "2024-02-03"


def test_size_text_names_the_unit() -> None:
    """A sentence says bytes or KB."""
    assert figures.size_text(9) == "9 bytes"
    assert figures.size_text(71 * 1024) == "71.0 KiB"
