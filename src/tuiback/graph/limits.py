"""What Microsoft allows one app, as one table, and what a request costs of it.

Public sources: https://learn.microsoft.com/graph/throttling-limits and
https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many units in any stretch of so many seconds."""

    units: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """At most `at_once` requests under way, and the windows that all must have room."""

    at_once: int
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """The limits of one app at one service, and those of each account there when the service counts by account."""

    service: Limits
    account: Limits | None = None


# Windows stay a little below what is published, because Microsoft's clock and count are not ours.
PUBLISHED: Mapping[str, ServiceLimits] = {
    # An app may have 4 requests under way in a mailbox and send it 10,000 in 10 minutes; mailboxes don't add up,
    # so the service's own figure only bounds the sockets: 20 mailboxes at full speed.
    "outlook": ServiceLimits(Limits(80), Limits(4, (Window(9_800, 600),))),
    # 1,250 resource units a minute and 1.2 million a day are the smallest tier (up to 1,000 licences); nothing is
    # published about requests at once, and 50 files in work is the most that tuiback ever sets.
    "sharepoint": ServiceLimits(Limits(50, (Window(1_200, 60), Window(1_150_000, 86_400)))),
    # 3,500 resource units in 10 seconds are the smallest tier (fewer than 50 users).
    "directory": ServiceLimits(Limits(8, (Window(3_300, 10),))),
}

# For a tenant that sets no limits of its own, such as a simulated one: only the sockets are bounded.
UNLIMITED: Mapping[str, ServiceLimits] = {
    service: ServiceLimits(
        Limits(limits.service.at_once), None if limits.account is None else Limits(limits.account.at_once)
    )
    for service, limits in PUBLISHED.items()
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
