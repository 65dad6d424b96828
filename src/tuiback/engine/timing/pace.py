"""Sets the pace of continuous tasks: often where much changes, seldom where nothing does, never below the floor.

Microsoft asks not to poll: Teams once a day at most, files by change notifications where an app can have them, and a
NAS behind a firewall can't. See https://learn.microsoft.com/graph/api/resources/teams-api-overview and
https://learn.microsoft.com/onedrive/developer/rest-api/concepts/scan-guidance
"""

import msgspec

_MINUTE = 60.0
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

# The least time between two runs of one account's service.
FLOOR_SECONDS = {"exchange": 5 * _MINUTE, "onedrive": 15 * _MINUTE, "sharepoint": 15 * _MINUTE, "teams": _DAY}
_CEILING_SECONDS = {"exchange": 1 * _HOUR, "onedrive": 4 * _HOUR, "sharepoint": 4 * _HOUR, "teams": _DAY}
_SLOWER = 1.5
_FASTER = 0.5
# A run should not be under way for more than this part of the time.
_BUSY_SHARE = 0.25
# Above this part of the allowance used by all, continuous tasks leave room for others.
_SCARCE = 0.8


class LastRun(msgspec.Struct, frozen=True):
    """What the newest run of a continuous task was like."""

    interval_seconds: float
    run_seconds: float
    changes: int
    throttled: bool
    allowance_used: float


def least_pause_seconds(service: str) -> float:
    """How long a continuous task rests at least, however much changes: Microsoft's rules for polling."""
    return FLOOR_SECONDS.get(service, _HOUR)


def next_interval_seconds(service: str, last: LastRun | None) -> float:
    """How long after the end of the newest run the next one begins; `last` is None before the first."""
    floor = least_pause_seconds(service)
    ceiling = max(_CEILING_SECONDS.get(service, _DAY), floor)
    if last is None:
        return floor
    factor = _FASTER if last.changes else _SLOWER
    if last.throttled or last.allowance_used > _SCARCE:
        factor = max(factor, _SLOWER)
    wanted = max(last.interval_seconds, floor) * factor
    # A run that takes long says that there is much to ask for.
    enough_rest = last.run_seconds * (1 / _BUSY_SHARE - 1)
    return min(max(wanted, enough_rest, floor), max(ceiling, enough_rest))
