"""Decides what to do after a try that failed: try again, renew the token, or give up. Pure: it only decides."""

import msgspec
from msgspec.structs import replace

from tuiback.graph.faults import Failure

# A request is sent at most so often ...
MOST_TRIES = 8
# ... only so often while nobody ever answered: a wrong address or a closed firewall stays what it is ...
MOST_TRIES_BEFORE_ANY_ANSWER = 4
# ... and no more after waiting so long because the service asked for it.
MOST_THROTTLED_SECONDS = 900.0
# What broke for the first time waits this part of the time that is usual after one failure.
FIRST_WAIT_SHARE = 0.25
# A connection that broke while others hold waits no longer for the next.
MOST_SECONDS_WHEN_REACHED = 1.0
# A server error that stays is one bad item more often than a bad hour: some six seconds tell which.
MOST_SERVER_ERROR_TRIES = 4
# Shorter waits while the service answers others take more tries for as many seconds.
MOST_SERVER_ERROR_TRIES_WHEN_WILLING = 6

_THROTTLED = frozenset({429, 503, 509})
_SERVER_ERRORS = frozenset({500, 502, 503, 504})
# Codes of a 500 that name a bad item: repeating gives the same answer.
_BAD_ITEM = frozenset({"errorcontentconversionfailed", "errorcorruptdata", "errorinvalidrecipients"})
# A token that was just issued may be refused for its age; others mean what they say.
_RENEWABLE = frozenset({401})
# A token may end again while a request waits for its turn ("Access token has expired or is not yet valid."), and does
# so for all that are under way with it. Where anything else is said, a second token changes nothing.
MOST_RENEWALS = 3
# So often where each token that ended had been good for others: then it was taken away, and the app is welcome.
MOST_RENEWALS_OF_GOOD = 30
# Verbs that may be repeated when nobody knows whether the first try arrived.
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})


class Attempts(msgspec.Struct, frozen=True):
    """What was tried so far for one request; `answered`: the service was there before, for any request.

    `most_server_errors` of a kind that may stay end it. Of the tries `refusals` were throttled and `faults` failed
    otherwise, some of these with `server_errors`: each kind waits longer for its own repetitions only.
    """

    tries: int = 0
    throttled_seconds: float = 0.0
    renewals: int = 0
    server_errors: int = 0
    answered: bool = True
    most_server_errors: int = MOST_SERVER_ERROR_TRIES
    refusals: int = 0
    faults: int = 0


class Again(msgspec.Struct, frozen=True):
    """Try again after so long. `fence`: the service refused for everybody, not just this request."""

    wait_seconds: float
    fence: bool = False


class Renew(msgspec.Struct, frozen=True):
    """Get a new token and try again at once."""


class GiveUp(msgspec.Struct, frozen=True):
    """Nothing more can be tried."""


Decision = Again | Renew | GiveUp


def decide(
    method: str,
    attempts: Attempts,
    failure: Failure,
    *,
    signed: bool,
    jitter: float,
    served: bool = False,
    reached: bool = False,
    willing: bool = False,
) -> Decision:
    """What to do after `failure`, when `attempts` counts this try too. `jitter` lies in [0, 1).

    `served`: the token of this try was good for another request before. `reached`: others were answered since the
    failure before this one, so that the way there is open. `willing`: so was most of what else was asked of the same
    account, so that the trouble is this request's own: https://learn.microsoft.com/graph/throttling asks for a backoff
    that grows, from which time on is left open.
    """
    if failure.hopeless:
        return GiveUp()
    if signed and failure.status in _RENEWABLE:
        most_renewals = 1
        if "expired" in failure.message.lower():
            most_renewals = MOST_RENEWALS_OF_GOOD if served else MOST_RENEWALS
        return Renew() if attempts.renewals < most_renewals else GiveUp()
    most = MOST_TRIES if attempts.answered else MOST_TRIES_BEFORE_ANY_ANSWER
    if attempts.tries - attempts.renewals >= most or attempts.throttled_seconds >= MOST_THROTTLED_SECONDS:
        return GiveUp()
    if was_throttled(failure):
        backoff = backoff_seconds(attempts.tries - attempts.faults - attempts.renewals, jitter) * 2
        backoff *= FIRST_WAIT_SHARE if willing else 1
        return Again(backoff if failure.retry_after is None else failure.retry_after, fence=True)
    if _may_repeat(method, failure) and _is_passing(attempts, failure, willing=willing):
        others = attempts.server_errors
        if failure.status in _SERVER_ERRORS:
            others = attempts.faults - attempts.server_errors
        number = attempts.tries - attempts.refusals - attempts.renewals - others
        # Most of what breaks once is whole at the next try, so the first one need not wait long.
        wait_seconds = backoff_seconds(number, jitter) * (FIRST_WAIT_SHARE if willing or number == 1 else 1)
        if failure.status == 0 and reached:
            wait_seconds = min(wait_seconds, MOST_SECONDS_WHEN_REACHED)
        return Again(wait_seconds if failure.retry_after is None else failure.retry_after)
    return GiveUp()


def was_throttled(failure: Failure) -> bool:
    """Whether the service refused for its own protection, without touching the request.

    A 503 without Retry-After may as well be one item that always fails, so it stops nobody else.
    """
    return failure.status == 429 or (failure.status in _THROTTLED and failure.retry_after is not None)


def after(attempts: Attempts, decision: Decision, failure: Failure) -> Attempts:
    """The attempts once `decision` about `failure` was carried out."""
    if failure.status in _SERVER_ERRORS and not (isinstance(decision, Again) and decision.fence):
        attempts = replace(attempts, server_errors=attempts.server_errors + 1)
    if isinstance(decision, Renew):
        return replace(attempts, renewals=attempts.renewals + 1)
    if isinstance(decision, Again) and decision.fence:
        throttled_seconds = attempts.throttled_seconds + decision.wait_seconds
        return replace(attempts, throttled_seconds=throttled_seconds, refusals=attempts.refusals + 1)
    return replace(attempts, faults=attempts.faults + 1)


def backoff_seconds(tries: int, jitter: float) -> float:
    """1, 2, 4 ... 60 seconds, less up to half, so that many that failed together don't come back together."""
    return float(min(60, 2 ** (tries - 1))) * (1 - jitter / 2)


def _may_repeat(method: str, failure: Failure) -> bool:
    return method in IDEMPOTENT or not failure.sent or failure.unread


def _is_passing(attempts: Attempts, failure: Failure, *, willing: bool) -> bool:
    """Whether the trouble is of a kind that passes."""
    if failure.status == 0 or failure.unread or failure.status == 408:
        return True
    if failure.status not in _SERVER_ERRORS or failure.codes & _BAD_ITEM:
        return False
    most = attempts.most_server_errors
    if willing and most == MOST_SERVER_ERROR_TRIES:
        most = MOST_SERVER_ERROR_TRIES_WHEN_WILLING
    return attempts.server_errors + 1 < most
