"""Tests of the decision after a failed try."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tuiback.graph.faults import Failure
from tuiback.graph.retry import (
    MOST_RENEWALS_OF_GOOD,
    MOST_THROTTLED_SECONDS,
    MOST_TRIES,
    MOST_TRIES_BEFORE_ANY_ANSWER,
    Again,
    Attempts,
    Decision,
    GiveUp,
    Renew,
    after,
    backoff_seconds,
    decide,
)

_REFUSED = Failure(429, retry_after=7.0)
_BROKEN = Failure(sent=True)


def _decide(method: str, failure: Failure, tries: int = 1, *, signed: bool = True) -> Decision:
    return decide(method, Attempts(tries), failure, signed=signed, jitter=0.0)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "POST"])
def test_every_verb_waits_as_long_as_a_refusal_asks(method: str) -> None:
    """A refused request was not carried out: even a POST goes again, after everybody waited."""
    assert _decide(method, _REFUSED) == Again(7.0, fence=True)
    assert _decide(method, Failure(503, retry_after=9.0)) == Again(9.0, fence=True)


def test_a_refusal_without_a_time_backs_off_longer_each_time() -> None:
    """Without Retry-After the fence doubles."""
    waits = [_decide("GET", Failure(429), tries) for tries in (1, 2, 3)]
    assert waits == [Again(2.0, fence=True), Again(4.0, fence=True), Again(8.0, fence=True)]


def test_a_503_without_a_time_stops_nobody_else() -> None:
    """It may be one item that always fails."""
    assert _decide("GET", Failure(503)) == Again(0.25)


@pytest.mark.parametrize(
    ("method", "failure", "expected"),
    [
        ("GET", _BROKEN, Again(0.25)),
        ("PUT", _BROKEN, Again(0.25)),
        ("POST", _BROKEN, GiveUp()),
        ("POST", Failure(sent=False), Again(0.25)),
        ("POST", Failure(503), GiveUp()),
        ("POST", Failure(500), GiveUp()),
        ("POST", Failure(504), GiveUp()),
        ("POST", Failure(400, unread=True), Again(0.25)),
        ("GET", Failure(500), Again(0.25)),
        ("GET", Failure(504), Again(0.25)),
        ("GET", Failure(408), Again(0.25)),
        ("GET", Failure(400), GiveUp()),
        ("GET", Failure(404), GiveUp()),
        ("GET", Failure(403), GiveUp()),
        ("GET", Failure(410), GiveUp()),
        ("GET", Failure(507), GiveUp()),
        ("GET", Failure(500, codes=frozenset({"errorcorruptdata"})), GiveUp()),
        ("GET", Failure(sent=False, hopeless=True), GiveUp()),
    ],
)
def test_what_is_repeated(method: str, failure: Failure, expected: Decision) -> None:
    """Only trouble that passes is repeated, and a POST only if it surely was not carried out."""
    assert _decide(method, failure) == expected


def test_a_rejected_token_is_renewed_once() -> None:
    """The second 401 in a row is meant."""
    attempts = after(Attempts(1), Renew(), Failure(401))
    assert _decide("POST", Failure(401)) == Renew()
    assert decide("POST", attempts, Failure(401), signed=True, jitter=0.0) == GiveUp()


def test_a_link_that_needs_no_token_renews_none() -> None:
    """401 from a pre-authenticated link says nothing about our token."""
    assert _decide("GET", Failure(401), signed=False) == GiveUp()


def test_server_errors_end_sooner_than_broken_connections() -> None:
    """One bad item must not hold its account up for minutes."""
    attempts = Attempts(1)
    waits = []
    while isinstance(decision := decide("GET", attempts, Failure(500), signed=True, jitter=0.0), Again):
        waits.append(decision.wait_seconds)
        attempts = after(replace(attempts, tries=attempts.tries + 1), decision, Failure(500))
    assert waits == [0.25, 2.0, 4.0]
    assert isinstance(_decide("GET", _BROKEN, MOST_TRIES - 1), Again)
    assert _decide("GET", _BROKEN, MOST_TRIES) == GiveUp()
    unanswered = Attempts(MOST_TRIES_BEFORE_ANY_ANSWER, answered=False)
    assert decide("GET", unanswered, _BROKEN, signed=True, jitter=0.0) == GiveUp()


def test_throttling_ends_after_enough_waiting() -> None:
    """A quarter of an hour of asked-for waiting is enough for one request."""
    attempts = Attempts(1)
    waited = 0.0
    refused = Failure(429, retry_after=300)
    while isinstance(decision := decide("GET", attempts, refused, signed=True, jitter=0.0), Again):
        waited += decision.wait_seconds
        attempts = after(attempts, decision, refused)
    assert waited == MOST_THROTTLED_SECONDS


@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
@settings(derandomize=True, deadline=None)
def test_backoff_stays_between_half_and_all_of_its_step(tries: int, jitter: float) -> None:
    """Jitter only ever shortens, and never by more than half; a minute is the most."""
    step = min(60, 2 ** (tries - 1))
    assert step / 2 <= backoff_seconds(tries, jitter) <= step


def test_the_first_wait_is_short() -> None:
    """Most trouble is over at once; what stays is waited for longer each time."""
    assert [_decide("GET", _BROKEN, tries) for tries in (1, 2, 3)] == [Again(0.25), Again(2.0), Again(4.0)]


def test_a_token_may_end_more_than_once_for_one_request() -> None:
    """While it waits for its turn, the next one may end as well; what is refused for another reason stays refused."""
    ended = Failure(401, message="Lifetime validation failed, the token is expired.")

    def decided(renewals: int, failure: Failure) -> Decision:
        return decide("GET", Attempts(1, renewals=renewals), failure, signed=True, jitter=0.0)

    assert [decided(renewals, ended) for renewals in range(4)] == [Renew(), Renew(), Renew(), GiveUp()]
    assert decided(1, Failure(401, message="Invalid audience.")) == GiveUp()


def test_only_server_errors_count_for_a_bad_item() -> None:
    """Broken connections in between say nothing about the item."""
    attempts = Attempts(5, server_errors=0)
    assert isinstance(decide("GET", attempts, Failure(500), signed=True, jitter=0.0), Again)
    for _ in range(3):
        attempts = after(attempts, Again(1.0), Failure(500))
    assert decide("GET", attempts, Failure(500), signed=True, jitter=0.0) == GiveUp()


def test_each_kind_of_trouble_waits_for_its_own_repetitions() -> None:
    """A refusal after three server errors is the first refusal: its fence would keep all of the mailbox waiting."""
    attempts = Attempts(1)
    for failure in (Failure(500), Failure(502), Failure(504)):
        decision = decide("GET", attempts, failure, signed=True, jitter=0.0)
        attempts = after(attempts, decision, failure)
        attempts = replace(attempts, tries=attempts.tries + 1)
    assert decide("GET", attempts, Failure(429), signed=True, jitter=0.0) == Again(2.0, fence=True)

    refused = after(Attempts(1), Again(7.0, fence=True), _REFUSED)
    refused = after(replace(refused, tries=2), Renew(), Failure(401))
    assert decide("GET", replace(refused, tries=3), _BROKEN, signed=True, jitter=0.0) == Again(0.25)


def test_a_token_that_was_good_is_renewed_as_often_as_it_ends() -> None:
    """Of many requests under way each may meet the end of several; one that never was good is not tried for ever."""
    ended = Failure(401, message="Lifetime validation failed, the token is expired.")

    def decided(renewals: int, *, served: bool) -> Decision:
        return decide("GET", Attempts(1, renewals=renewals), ended, signed=True, jitter=0.0, served=served)

    assert [decided(renewals, served=True) for renewals in (3, MOST_RENEWALS_OF_GOOD - 1, MOST_RENEWALS_OF_GOOD)] == [
        Renew(), Renew(), GiveUp(),
    ]  # fmt: skip
    assert decided(3, served=False) == GiveUp()


def test_breaks_and_server_errors_are_waited_for_apart() -> None:
    """Connections that broke say nothing of how long a server error lasts, and the other way round."""
    attempts = Attempts()
    for failure in (_BROKEN, _BROKEN, Failure(500), Failure(502), _BROKEN):
        attempts = replace(attempts, tries=attempts.tries + 1)
        decision = decide("GET", attempts, failure, signed=True, jitter=0.0)
        attempts = after(attempts, decision, failure)
    attempts = replace(attempts, tries=attempts.tries + 1)
    assert (attempts.faults, attempts.server_errors) == (5, 2)
    assert decide("GET", attempts, _BROKEN, signed=True, jitter=0.0) == Again(8.0)
    assert decide("GET", attempts, Failure(504), signed=True, jitter=0.0) == Again(4.0)


def test_a_broken_connection_waits_little_while_others_hold() -> None:
    """The network is there then; a server error may be the item's or the mailbox's and keeps its patience."""

    def waited(failure: Failure, *, reached: bool) -> list[Decision]:
        return [
            decide("GET", Attempts(tries), failure, signed=True, jitter=0.0, reached=reached) for tries in (1, 2, 5)
        ]

    assert waited(_BROKEN, reached=True) == [Again(0.25), Again(1.0), Again(1.0)]
    assert waited(_BROKEN, reached=False) == [Again(0.25), Again(2.0), Again(16.0)]
    assert waited(Failure(500), reached=True) == waited(Failure(500), reached=False)


def test_waits_grow_from_a_quarter_while_others_are_answered() -> None:
    """The trouble is that request's own: it is tried more often within the same patience."""
    for failure, waits in ((Failure(500), [0.25, 0.5, 1.0, 2.0, 4.0]), (Failure(429), [0.5, 1.0, 2.0, 4.0, 8.0])):
        attempts = Attempts(1)
        for seconds in waits:
            decision = decide("GET", attempts, failure, signed=True, jitter=0.0, willing=True)
            assert isinstance(decision, Again)
            assert decision.wait_seconds == seconds
            attempts = after(replace(attempts, tries=attempts.tries + 1), decision, failure)
    assert decide("GET", Attempts(1), _REFUSED, signed=True, jitter=0.0, willing=True) == Again(7.0, fence=True)


def test_what_has_another_way_stays_as_impatient_while_others_are_answered() -> None:
    """A page that can't be made is asked for in a smaller size after as many tries as ever."""
    attempts = Attempts(2, most_server_errors=2, server_errors=1)
    assert decide("GET", attempts, Failure(500), signed=True, jitter=0.0, willing=True) == GiveUp()
