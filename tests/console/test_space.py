"""Space, growth and upkeep in words, whatever there is to tell."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from tests.console import morning
from tests.console.fakes import GIB, NOW, busy_status
from tuiback.console.space import (
    chore_lines,
    forecast_line,
    growth_lines,
    read_chores,
    read_space,
    task_cells,
    totals_lines,
    volume_line,
)
from tuiback.console.widgets.lines import Line, line_width

VOLUME = busy_status().storage[0]


def text_of(spans: Line) -> str:
    """The line without its tones."""
    return "".join(span.text for span in spans)


def test_a_volume_says_where_runs_begin_to_wait() -> None:
    """Below the mark it says so in words; a bucket has no end, and its own name tells it from others."""
    assert "7.4T of 10.9T, 68%; runs wait below 46.6G free" in text_of(volume_line(VOLUME, 80, alone=True))
    low = structs.replace(VOLUME, disk_used=VOLUME.disk_total - 10 * GIB)
    assert "RUNS WAIT: less than 46.6G free" in text_of(volume_line(low, 80, alone=False))
    bucket = structs.replace(VOLUME, url="s3://bucket/x", disk_used=0, disk_total=0)
    assert "a store without an end" in text_of(volume_line(bucket, 80, alone=True))


@pytest.mark.parametrize("width", [60, 80, 140])
def test_growth_fits_and_shows_where_it_began(width: int) -> None:
    """A line for each row and the axis with its days; before the second day there is nothing to see."""
    (space,) = read_space(morning.view(), NOW)
    lines = growth_lines(space, NOW, width, 5)
    assert {line_width(one) for one in lines} == {width}
    assert len(lines) == 5
    assert "09-03" in text_of(lines[-1])
    assert "12-23" in text_of(lines[-1])
    assert growth_lines(replace(space, days=space.days[-1:]), NOW, width, 5) == []


def test_a_forecast_needs_a_week_and_an_end() -> None:
    """Too early, not in sight, or the day and how far it is."""
    (space,) = read_space(morning.view(), NOW)
    assert "too early to tell" in text_of(forecast_line(replace(space, daily=None), VOLUME, NOW))
    assert "not in sight   8.0 GiB a day" in text_of(forecast_line(space, VOLUME, NOW))
    soon = structs.replace(VOLUME, full_on=NOW + timedelta(days=9))
    assert "in 9 days" in text_of(forecast_line(space, soon, NOW))
    assert "saved 76.3 %" in text_of(totals_lines([space], 80)[0])


def test_tasks_tell_retention_and_holds() -> None:
    """The held accounts of a task are counted; a task that was removed says so."""
    (space,) = read_space(morning.view(), NOW)
    cells = task_cells(space.tasks[0])
    assert (cells["keep"], cells["held"][0][0]) == ("7d,4w,12m,3y", "1")
    assert task_cells(replace(space.tasks[0], plan=None))["keep"][0][0] == "task removed"


def test_upkeep_says_how_it_ended_and_when_it_is_due() -> None:
    """What failed says why; what was never done is due."""
    told = [text_of(one) for one in chore_lines(read_chores(morning.view(), NOW), NOW)]
    assert "ok " in told[0]
    assert "failed" in told[1]
    assert "pack 12ab is damaged" in told[1]
    assert "not yet" in told[2]
    assert "due now" in told[2]
