"""What a check found broken stays an alert until a check as thorough finds all whole."""

from pathlib import Path

import pytest

from tuiback.catalog import AlertBook
from tuiback.engine.clock import SystemClock
from tuiback.engine.signalling.damage import note_check
from tuiback.engine.upkeep.checking import Extent

STRUCTURE, SCRUB, READ, SAMPLE = Extent(), Extent(scrub=True), Extent(read_data=True), Extent(percent=5)


def reported(path: Path) -> list[str]:
    """The news of what stands."""
    book = AlertBook.open(path)
    try:
        return [f"{row.alert} {row.news}" for row in book.reported()]
    finally:
        book.close()


@pytest.mark.parametrize(
    ("found_by", "whole_by", "stands"),
    [
        (STRUCTURE, STRUCTURE, False),
        (SCRUB, STRUCTURE, True),
        (SCRUB, READ, False),
        (READ, SAMPLE, True),
        (READ, SCRUB, True),
        (READ, READ, False),
    ],
)
def test_a_lesser_check_proves_nothing(tmp_path: Path, found_by: Extent, whole_by: Extent, stands: bool) -> None:
    """A repair that made all whole does."""
    alerts, clock = tmp_path / "alerts.db", SystemClock()
    note_check(alerts, clock, "main", STRUCTURE, 0)
    assert reported(alerts) == []
    note_check(alerts, clock, "main", found_by, 2)
    note_check(alerts, clock, "main", whole_by, 0)
    assert bool(reported(alerts)) == stands
    note_check(alerts, clock, "main", STRUCTURE, 2, repaired=True)
    assert reported(alerts) == []


def test_more_damage_is_news(tmp_path: Path) -> None:
    """Found again by a lesser check, it still waits for the deeper one."""
    alerts, clock = tmp_path / "alerts.db", SystemClock()
    note_check(alerts, clock, "main", READ, 2)
    note_check(alerts, clock, "main", STRUCTURE, 3)
    assert reported(alerts) == ["damage:main 3000000003"]
