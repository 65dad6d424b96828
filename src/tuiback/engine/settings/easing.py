"""Takes fewer accounts and files at once while a service throttles, and more again when it is quiet."""

from collections.abc import Mapping
from dataclasses import dataclass

# A reduction needs so long to be felt before the next one.
SETTLE_SECONDS = 30.0
# So long without a refusal, and again after each step: one step back up.
QUIET_SECONDS = 60.0
# Steps up to the full limit.
STEPS = 10


@dataclass(frozen=True, slots=True)
class Ease:
    """How much of its limits a service gets: `part` of 1, changed last at `changed_at` (monotonic seconds).

    `throttled` is the count of refusals seen up to now. The newest came, or its wait was last seen, at `refused_at`;
    `waits` while that wait goes on.
    """

    part: float = 1.0
    changed_at: float = float("-inf")
    throttled: int = 0
    refused_at: float = float("-inf")
    waits: bool = False


def eased(before: Ease, throttled: int, *, waits: bool, now: float) -> Ease:
    """The next state, when the service has refused `throttled` requests in all and requests to it have to wait now.

    Waits that no refusal began are for our own budgets, which are kept without taking less at once.
    """
    is_news = throttled > before.throttled
    still_waits = waits and (is_news or before.waits)
    refused_at = now if is_news or still_waits else before.refused_at
    part, changed_at = before.part, before.changed_at
    if is_news and now - changed_at >= SETTLE_SECONDS:
        part, changed_at = max(part / 2, 1 / 64), now
    elif part < 1 and now - max(changed_at, refused_at) >= QUIET_SECONDS:
        part, changed_at = min(part + 1 / STEPS, 1.0), now
    return Ease(part, changed_at, throttled, refused_at, still_waits)


def eased_limit(limit: int, part: float) -> int:
    """What is left of a limit: at least one, so that work goes on."""
    return max(1, round(limit * part))


def parts_of(states: Mapping[str, Ease]) -> dict[str, float]:
    """The part of each service that has less than all."""
    return {service: state.part for service, state in states.items() if state.part < 1}
