"""The header shows machine, limits and summary at any width."""

import re

import pytest
from msgspec.structs import replace

from tests.console.fakes import busy_status
from tuiback import __version__
from tuiback.console.header import TABS, HeaderFacts, meter_lines, tab_line
from tuiback.console.widgets.lines import Line, line_width


def text_of(spans: Line) -> str:
    """The line without its tones."""
    return "".join(span.text for span in spans)


@pytest.mark.parametrize("width", [60, 80, 99, 100, 130, 200])
@pytest.mark.parametrize("empty", [False, True])
def test_every_line_is_as_wide_as_the_screen(width: int, empty: bool) -> None:
    """With and without a picture, no line is longer or shorter."""
    status = None if empty else busy_status()
    lines = meter_lines(status, HeaderFacts(demo=True, states={"ok": 487, "late": 9, "failed": 4}), width)
    assert {line_width(line) for line in lines} == {width}
    assert line_width(tab_line("Main", status, HeaderFacts(hosted=True), width)) == width


@pytest.mark.parametrize("name", [*(name for _, name in TABS), "Task", "Owed"])
@pytest.mark.parametrize("width", [60, 80])
def test_where_one_is_stands_in_the_line_of_screens(name: str, width: int) -> None:
    """However long the engine's words are; beside short ones most screens are named."""
    for facts in (HeaderFacts(hosted=True), HeaderFacts()):
        shown = tab_line(name, busy_status(), facts, width)
        assert any(name in span.text for span in shown if span.tone == "tab-on")
        assert line_width(shown) == width
    assert "1 Main 2 Accounts 3 Restore" in text_of(tab_line("Main", busy_status(), HeaderFacts(), 80))


def test_a_silent_engine_is_told() -> None:
    """A picture that stands still because its engine ended must not look alive."""
    told = text_of(tab_line("Main", busy_status(), HeaderFacts(silent_seconds=75), 80))
    assert "no news for 01:15" in told


def test_an_engine_of_another_version_is_told() -> None:
    """So is what the person here may not do; an admin beside an engine of this version reads neither."""
    status = busy_status()
    other = replace(status, engine=replace(status.engine, version="0.0.9"))
    told = text_of(tab_line("Main", other, HeaderFacts(role="operator"), 120))
    assert f"0.0.9, not {__version__} you: operator" in told
    plain = text_of(tab_line("Main", status, HeaderFacts(), 120))
    assert "not " not in plain
    assert "you:" not in plain


def test_throttles_show_the_longest_wait() -> None:
    """Of three services the waiting one is among the two gauges, with its seconds."""
    rows = [text_of(line) for line in meter_lines(busy_status(wait_seconds=12), HeaderFacts(), 80)]
    assert any("SPO[" in row and "wait 12s !" in row for row in rows)
    assert any("ok 121/s" in row for row in rows)


def test_of_two_tenants_a_service_shows_the_one_that_waits_longest() -> None:
    """Two gauges of one service would look alike: the second gauge stays for the other service."""
    status = busy_status(wait_seconds=0)
    beside = [replace(one, tenant="beta", wait_seconds=7) for one in status.throttles if one.service == "outlook"]
    both = replace(status, throttles=(*status.throttles, *beside))
    rows = [text_of(line) for line in meter_lines(both, HeaderFacts(), 80)]
    (row,) = [row for row in rows if "Thr " in row]
    assert re.search(r"EXO\[.*wait 7s !.*SPO\[", row)


def test_bucket_has_no_disk_to_fill() -> None:
    """A repository in an object store shows a dash for its disk; beside a folder, the folder's disk is shown."""
    status = busy_status()
    (volume,) = status.storage
    bucket = replace(volume, url="s3://bucket/tuiback", disk_used=0, disk_total=0)
    alone = [text_of(row) for row in meter_lines(replace(status, storage=(bucket,)), HeaderFacts(), 80)]
    assert any(re.search(r"Disk\[ +-\]", row) for row in alone)
    beside = [text_of(row) for row in meter_lines(replace(status, storage=(bucket, volume)), HeaderFacts(), 80)]
    assert beside == [text_of(row) for row in meter_lines(status, HeaderFacts(), 80)]


def test_states_are_counted_in_words() -> None:
    """The summary needs no colour."""
    facts = HeaderFacts(states={"ok": 487, "late": 9, "failed": 4, "gone": 2})
    assert "487 ok  9 late  4 failed  2 gone  ! 2 alerts" in text_of(meter_lines(busy_status(), facts, 80)[-1])
