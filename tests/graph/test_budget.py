"""Tests of the sliding window."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from tuiback.graph.budget import Budget
from tuiback.graph.limits import Window


def test_room_until_the_window_is_full() -> None:
    """So many units fit at once, and the next has to wait for the window to pass."""
    budget = Budget(Window(3, 60))
    for _ in range(3):
        assert budget.seconds_until_room(1, 100.0) == 0
        budget.spend(1, 100.0)

    wait = budget.seconds_until_room(1, 100.0)

    assert 60 <= wait <= 61
    assert budget.seconds_until_room(1, 100.0 + wait) == 0


def test_waits_only_for_as_many_as_are_needed() -> None:
    """One unit waits for the oldest to leave, three wait for the younger ones too."""
    budget = Budget(Window(4, 60))
    budget.spend(2, 0.0)
    budget.spend(2, 30.0)

    assert budget.seconds_until_room(1, 30.0) == 30
    assert budget.seconds_until_room(3, 30.0) == 60


def test_a_cost_above_the_window_waits_for_an_empty_one() -> None:
    """A request dearer than the whole window is not stuck for ever."""
    budget = Budget(Window(4, 60))
    budget.spend(1, 0.0)

    assert budget.seconds_until_room(5, 0.0) == 60
    assert budget.seconds_until_room(5, 60.0) == 0


def test_believes_the_service_about_what_others_spent() -> None:
    """What the service says is left counts, until its window starts anew."""
    budget = Budget(Window(100, 60))
    budget.spend(10, 0.0)
    budget.learn(1, 20.0, 0.0)

    assert budget.seconds_until_room(1, 0.0) == 0
    assert budget.seconds_until_room(2, 0.0) == 20
    assert budget.used(20.0) == 10


def test_a_generous_service_does_not_widen_the_budget() -> None:
    """More left than we think changes nothing."""
    budget = Budget(Window(10, 60))
    budget.spend(4, 0.0)
    budget.learn(9, 20.0, 0.0)

    assert budget.used(0.0) == 4


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 4)), min_size=1, max_size=60))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_no_stretch_of_time_ever_holds_more_than_the_limit(steps: list[tuple[float, int]]) -> None:
    """However requests come, those that waited as told never add up to more than the window allows."""
    window = Window(10, 60)
    budget = Budget(window)
    now = 0.0
    spent: deque[tuple[float, int]] = deque()
    for pause, units in steps:
        now += pause
        now += budget.seconds_until_room(units, now)
        budget.spend(units, now)
        spent.append((now, units))
        while spent[0][0] <= now - window.seconds:
            spent.popleft()
        assert sum(cost for _, cost in spent) <= window.units
