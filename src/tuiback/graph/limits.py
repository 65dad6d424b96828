"""What Microsoft allows one app, as one table, and what a request costs of it.

Public sources: https://learn.microsoft.com/graph/throttling-limits and
https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Measure(StrEnum):
    """What a window counts: units of the service's own, or bytes sent to it."""

    UNITS = "units"
    BYTES_UP = "bytes up"


class Window(msgspec.Struct, frozen=True):
    """At most so much in any stretch of so many seconds."""

    units: int
    seconds: float
    measure: Measure = Measure.UNITS


class Limits(msgspec.Struct, frozen=True):
    """At most `at_once` requests under way, and the windows that all must have room."""

    at_once: int
    windows: tuple[Window, ...] = ()


class ServiceLimits(msgspec.Struct, frozen=True):
    """The limits of one app at one service, and those of each account there when the service counts by account."""

    service: Limits
    account: Limits | None = None


_MB = 1_000_000
_DAY_SECONDS = 86_400

# Up to so many users an app may use so many resource units of the directory in 10 seconds.
_DIRECTORY_TIERS = ((49, 3_500), (500, 5_000), (None, 8_000))
# Up to so many licences an app may use so many resource units of SharePoint in a minute, and so many in a day.
_SHAREPOINT_TIERS = (
    (1_000, 1_250, 1_200_000),
    (5_000, 2_500, 2_400_000),
    (15_000, 3_750, 3_600_000),
    (50_000, 5_000, 4_800_000),
    (None, 6_250, 6_000_000),
)
# Windows stay a little below what is published, because Microsoft's clock and count are not ours.
_CAUTION = 0.96


def cautious(units: int) -> int:
    """What is used of a published figure."""
    return int(units * _CAUTION)


def published(users: int = 0) -> Mapping[str, ServiceLimits]:
    """Microsoft's limits for one app in a tenant of so many users; of fewer than are licensed they are too strict."""
    directory = next(units for most, units in _DIRECTORY_TIERS if most is None or users <= most)
    minute, day = next((minute, day) for most, minute, day in _SHAREPOINT_TIERS if most is None or users <= most)
    return {
        # An app may have 4 requests under way in a mailbox, send it 10,000 in 10 minutes and 150 MB in 5; mailboxes
        # don't add up, so the service's own figure only bounds the sockets: 20 mailboxes at full speed.
        "outlook": ServiceLimits(
            Limits(80),
            Limits(4, (Window(cautious(10_000), 600), Window(cautious(150 * _MB), 300, Measure.BYTES_UP))),
        ),
        # Nothing is published about requests at once; 50 files in work is the most that tuiback ever sets.
        "sharepoint": ServiceLimits(
            Limits(50, (Window(cautious(minute), 60), Window(cautious(day), _DAY_SECONDS)))
        ),
        "directory": ServiceLimits(Limits(8, (Window(cautious(directory), 10),))),
    }


_LISTINGS = ("/children", "/versions", "/drives", "/lists", "/items", "/sites")
_TOKENS = ("token=", "skiptoken", "%24skiptoken")


def request_units(service: str, method: str, url: str) -> int:
    """The units that one request costs in the service's windows."""
    path, _, query = url.lower().partition("?")
    if service == "sharepoint":
        return _sharepoint_units(method, path, query)
    if service == "directory":
        return _directory_units(method, path, query)
    return 1


def _sharepoint_units(method: str, path: str, query: str) -> int:
    """Permissions 5; lists, writes and delta without a token 2; one item, a download or delta with a token 1."""
    if path.endswith("/permissions") or "permissions" in query:
        return 5
    if method != "GET":
        return 2
    if path.endswith(("/delta", "/delta()")) and "delta(token" not in path:
        return 1 if any(token in query for token in _TOKENS) else 2
    return 2 if path.endswith(_LISTINGS) else 1


def _directory_units(method: str, path: str, query: str) -> int:
    """Identity's costs: transitive members 5, members 3, other lists 2, anything else 1; one less with $select."""
    if method != "GET":
        return 1
    if path.endswith("/transitivemembers"):
        units = 5
    elif path.endswith("/members"):
        units = 3
    elif path.endswith(("/users", "/groups", "/applications", "/delta")):
        units = 2
    else:
        units = 1
    select = "$select" in query or "%24select" in query
    expand = "$expand" in query or "%24expand" in query
    return max(1, units - select + expand)
