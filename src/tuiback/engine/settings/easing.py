"""Takes fewer accounts and files at once while a service throttles, and more again when it is quiet."""

from collections.abc import Mapping
from math import sqrt

import msgspec
from msgspec.structs import replace

# A reduction needs so long to be felt before the next one.
SETTLE_SECONDS = 30.0
# So long without a refusal, and again after each step: one step back up.
QUIET_SECONDS = 60.0
# Steps up to the full limit.
STEPS = 10
# A service throttles when it refuses this share of about so many requests; fewer refusals are each waited for, and
# taking less at once would only make all those waits follow one another.
REFUSED_SHARE = 0.15
_RECENT_REQUESTS = 100


class Ease(msgspec.Struct, frozen=True):
    """How much of its limits a service gets: `part` of 1, changed last at `changed_at` (monotonic seconds).

    `throttled` is the count of refusals seen up to now, `requests` that of all requests, None before the first look;
    of the `recent_requests` so many were refused. The newest refusal came, or its wait was last seen, at `refused_at`;
    `waits` while that wait goes on.
    """

    part: float = 1.0
    changed_at: float = float("-inf")
    throttled: int = 0
    requests: int | None = None
    recent_requests: float = 0.0
    recent_refusals: float = 0.0
    refused_at: float = float("-inf")
    waits: bool = False


def eased(before: Ease, throttled: int, *, waits: bool, now: float, requests: int = 0) -> Ease:
    """The next state, when the service has refused `throttled` of all `requests` and requests to it have to wait now.

    Waits that no refusal began are for our own budgets, which are kept without taking less at once.
    """
    is_news = throttled > before.throttled
    still_waits = waits and (is_news or before.waits)
    after = _counted(before, throttled, requests)
    refused_at = now if is_news or still_waits else before.refused_at
    part, changed_at = before.part, before.changed_at
    if is_news and _throttles(after) and now - changed_at >= SETTLE_SECONDS:
        part, changed_at = max(part / 2, 1 / 64), now
    elif part < 1 and now - max(changed_at, refused_at) >= QUIET_SECONDS:
        part, changed_at = min(part + 1 / STEPS, 1.0), now
    return replace(after, part=part, changed_at=changed_at, refused_at=refused_at, waits=still_waits)


def _throttles(state: Ease) -> bool:
    """Whether the share is too high for a few refusals that came in a bunch: by two standard deviations."""
    expected = REFUSED_SHARE * state.recent_requests
    return state.recent_refusals >= expected + 2 * sqrt(expected * (1 - REFUSED_SHARE))


def _counted(before: Ease, throttled: int, requests: int) -> Ease:
    """With what was sent since the last look; what went well before the first one may have been long ago."""
    refused = max(0, throttled - before.throttled)
    first_sent = requests if refused else 0
    sent = max(refused, first_sent if before.requests is None else requests - before.requests)
    keep = _RECENT_REQUESTS / (_RECENT_REQUESTS + sent)
    return replace(
        before,
        throttled=throttled,
        requests=requests,
        recent_requests=before.recent_requests * keep + sent,
        recent_refusals=before.recent_refusals * keep + refused,
    )


def eased_limit(limit: int, part: float) -> int:
    """What is left of a limit: at least one, so that work goes on."""
    return max(1, round(limit * part))


def parts_of(states: Mapping[str, Ease]) -> dict[str, float]:
    """The part of each service that has less than all."""
    return {service: state.part for service, state in states.items() if state.part < 1}
