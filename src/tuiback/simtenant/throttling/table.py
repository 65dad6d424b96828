"""What Microsoft publishes of its limits, as one table: what each counts, for whom, how much, and in which time.

Outlook, identity, Teams, the whole of Graph: https://learn.microsoft.com/graph/throttling-limits
SharePoint and OneDrive: https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_MB = 1_000_000
_GB = 1000 * _MB
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


class Service(StrEnum):
    """Who answers a request; each has limits of its own."""

    OUTLOOK = "outlook"
    FILES = "files"
    IDENTITY = "identity"
    TEAMS = "teams"
    REPORTS = "reports"
    NOTES = "notes"
    OTHER = "other"


class Measure(StrEnum):
    """What of a request a budget counts."""

    REQUESTS = "requests"
    UNITS = "resource units"
    WRITES = "writes"
    BYTES_IN = "bytes in"


class Scope(StrEnum):
    """For whom it counts. There is one tenant here, so an application is always an application in that tenant."""

    APP = "app"
    APP_AND_MAILBOX = "app and mailbox"
    APP_AND_TEAM = "app and team"
    APP_AND_CHAT = "app and chat"
    APP_AND_OPERATION = "app and operation"
    APP_AND_PERSON = "app and person"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` in any `seconds`; `limit` depends on the number of licences where it is a function.

    `only` narrows it to the operations of that name (see charges). A `fixed` window begins anew as a whole, others
    slide.
    """

    service: Service | None
    scope: Scope
    measure: Measure
    limit: int | Callable[[int], int]
    seconds: int
    only: str = ""
    fixed: bool = False

    def limit_for(self, licences: int) -> int:
        """How much fits, in a tenant of that size."""
        return self.limit if isinstance(self.limit, int) else self.limit(licences)


def by_licences(upper_bounds: tuple[int, ...], limits: tuple[int, ...]) -> Callable[[int], int]:
    """A limit that grows with the tenant: limits[n] up to upper_bounds[n] licences, the last one above them all."""
    return lambda licences: limits[bisect_left(upper_bounds, licences)]


_IDENTITY_SIZES = (49, 500)
_FILES_SIZES = (1_000, 5_000, 15_000, 50_000)
# At most so many requests of one application may be at work in one mailbox (MailboxConcurrency).
OUTLOOK_AT_ONCE = 4

FILES_MINUTE = Budget(
    Service.FILES, Scope.APP, Measure.UNITS, by_licences(_FILES_SIZES, (1_250, 2_500, 3_750, 5_000, 6_250)), _MINUTE,
    fixed=True,
)  # fmt: skip
IDENTITY_UNITS = Budget(
    Service.IDENTITY, Scope.APP, Measure.UNITS, by_licences(_IDENTITY_SIZES, (3_500, 5_000, 8_000)), 10
)

BUDGETS = (
    Budget(None, Scope.APP, Measure.REQUESTS, 130_000, 10),
    Budget(Service.OUTLOOK, Scope.APP_AND_MAILBOX, Measure.REQUESTS, 10_000, 10 * _MINUTE),
    Budget(Service.OUTLOOK, Scope.APP_AND_MAILBOX, Measure.BYTES_IN, 150 * _MB, 5 * _MINUTE),
    IDENTITY_UNITS,
    Budget(Service.IDENTITY, Scope.APP, Measure.WRITES, 3_000, 150),
    Budget(Service.IDENTITY, Scope.TENANT, Measure.WRITES, 18_000, 5 * _MINUTE),
    # These two are an application's in all tenants together.
    Budget(Service.IDENTITY, Scope.APP, Measure.UNITS, 150_000, 20),
    Budget(Service.IDENTITY, Scope.APP, Measure.WRITES, 70_000, 5 * _MINUTE),
    Budget(Service.REPORTS, Scope.APP_AND_OPERATION, Measure.REQUESTS, 14, 10 * _MINUTE),
    Budget(Service.REPORTS, Scope.TENANT, Measure.REQUESTS, 40, 10 * _MINUTE),
    Budget(Service.NOTES, Scope.APP_AND_PERSON, Measure.REQUESTS, 120, _MINUTE),
    Budget(Service.NOTES, Scope.APP_AND_PERSON, Measure.REQUESTS, 400, _HOUR),
    FILES_MINUTE,
    Budget(
        Service.FILES, Scope.APP, Measure.UNITS,
        by_licences(_FILES_SIZES, (1_200_000, 2_400_000, 3_600_000, 4_800_000, 6_000_000)), _DAY,
    ),
    Budget(
        Service.FILES, Scope.TENANT, Measure.UNITS,
        by_licences(_FILES_SIZES, (18_750, 37_500, 56_250, 75_000, 93_750)), 5 * _MINUTE,
    ),
    Budget(Service.FILES, Scope.APP, Measure.BYTES_IN, 400 * _GB, _HOUR),
    Budget(Service.FILES, Scope.APP_AND_PERSON, Measure.REQUESTS, 3_000, 5 * _MINUTE),
    Budget(Service.FILES, Scope.APP, Measure.REQUESTS, 300, 5 * _MINUTE, only="share"),
    Budget(Service.FILES, Scope.APP, Measure.REQUESTS, 25, 1, only="search"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 30, 1, only="read"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 60, 1, only="read members or channels"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 20, 1, only="read message"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 200, 1, only="read all messages"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 30, 1, only="write"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 50, 1, only="write message"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 15, 1, only="delete"),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 10, 1, only="make team"),
    Budget(Service.TEAMS, Scope.APP_AND_TEAM, Measure.REQUESTS, 4, 1),
    Budget(Service.TEAMS, Scope.APP, Measure.REQUESTS, 20, 1, only="read chat message"),
    Budget(Service.TEAMS, Scope.APP_AND_CHAT, Measure.REQUESTS, 1, 1, only="read chat message"),
)  # fmt: skip
