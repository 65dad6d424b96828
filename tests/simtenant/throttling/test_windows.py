"""Windows never let more through than their limit, and say truly when there is room again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.simtenant.throttling.windows import Fixed, Sliding

STEPS = st.lists(st.tuples(st.floats(0, 8, allow_nan=False), st.integers(1, 7)), max_size=80)


@given(STEPS)
def test_no_ten_seconds_hold_more_than_the_limit(steps: list[tuple[float, int]]) -> None:
    """Whatever comes when: what a sliding window admits in any of its lengths stays within the limit."""
    window, now, admitted = Sliding(20, 10), 0.0, list[tuple[float, int]]()
    for pause, cost in steps:
        now += pause
        if not window.wait_seconds(now, cost):
            window.add(now, cost)
            admitted.append((now, cost))
    for start, _ in admitted:
        assert sum(cost for moment, cost in admitted if start <= moment < start + 10) <= 20


@pytest.mark.parametrize("make", [Sliding, Fixed])
@given(steps=STEPS)
def test_after_the_wait_there_is_room(make: type[Sliding | Fixed], steps: list[tuple[float, int]]) -> None:
    """Who comes back after the seconds that a refusal told is let in."""
    window, now = make(20, 10), 0.0
    for pause, cost in steps:
        now += pause
        now += window.wait_seconds(now, cost)
        assert window.wait_seconds(now + 1e-6, cost) == 0
        window.add(now + 1e-6, cost)


def test_a_fixed_window_begins_anew_as_a_whole() -> None:
    """What was used at its end is forgotten with it."""
    window = Fixed(10, 60)
    window.add(119, 10)
    assert window.wait_seconds(119.5, 1) == pytest.approx(0.5)
    assert window.wait_seconds(120, 10) == 0


def test_what_is_larger_than_the_limit_passes_an_empty_window() -> None:
    """One request that costs more than the limit is not refused for ever."""
    window = Sliding(10, 60)
    assert window.wait_seconds(0, 11) == 0
    window.add(0, 11)
    assert window.wait_seconds(1, 1) > 0
