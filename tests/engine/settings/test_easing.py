"""Less is taken at once while a service throttles, and all again when it is quiet."""

from hypothesis import given
from hypothesis import strategies as st

from tuiback.engine.settings.easing import QUIET_SECONDS, SETTLE_SECONDS, Ease, eased, eased_limit


def passed(state: Ease, seconds: int, now: int, *, refusals: int = 0, waits: bool = False) -> tuple[Ease, int]:
    """The state after so many seconds, with so many refusals in each, looked at each second."""
    for _ in range(seconds):
        now += 1
        state = eased(state, state.throttled + refusals, waits=waits, now=now)
    return state, now


def test_refusals_halve_and_quiet_restores() -> None:
    """Each half minute of refusals takes half; every quiet minute gives a tenth back."""
    state, now = passed(Ease(), 1, 0, refusals=1)
    assert state.part == 0.5
    state, now = passed(state, int(SETTLE_SECONDS), now, refusals=1)
    assert state.part == 0.25
    state, now = passed(state, int(QUIET_SECONDS) - 1, now)
    assert state.part == 0.25
    state, now = passed(state, 1, now)
    assert state.part == 0.35
    state, now = passed(state, 7 * int(QUIET_SECONDS), now)
    assert state.part == 1.0


def test_a_wait_that_was_asked_for_is_not_quiet() -> None:
    """Nothing is given back until it is over; a wait for our own budget takes nothing away."""
    state, now = passed(Ease(), 1, 0, refusals=1, waits=True)
    state, now = passed(state, 600, now, waits=True)
    assert state.part == 0.5
    state, now = passed(state, int(QUIET_SECONDS), now)
    assert state.part > 0.5
    state, _ = passed(Ease(), 600, 0, waits=True)
    assert state.part == 1.0


@given(st.integers(1, 50), st.floats(0, 1))
def test_something_always_goes_on(limit: int, part: float) -> None:
    """At least one, at most the limit."""
    assert 1 <= eased_limit(limit, part) <= limit


def test_few_refusals_among_many_requests_take_nothing() -> None:
    """One in twenty is waited for and no more; when one in three is refused, less is taken at once."""
    state, now, requests = Ease(), 0.0, 0
    for share, part in ((20, 1.0), (3, 0.5)):
        for _ in range(30):
            now, requests = now + 1, requests + 60
            state = eased(state, state.throttled + 60 // share, waits=False, now=now, requests=requests)
        assert state.part == part
