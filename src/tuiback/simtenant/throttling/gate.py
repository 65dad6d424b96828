"""Lets requests in while their budgets last, and words the refusal when one is used up."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.throttling.charges import Charge
from tuiback.simtenant.throttling.table import (
    BUDGETS,
    FILES_MINUTE,
    IDENTITY_UNITS,
    OUTLOOK_AT_ONCE,
    Budget,
    Measure,
    Scope,
    Service,
)
from tuiback.simtenant.throttling.windows import Fixed, Sliding, Window

# Above this part of a budget its headers appear.
_TOLD_FROM = 0.8
_MOST_WINDOWS = 50_000
_OF_SERVICE = {service: [each for each in BUDGETS if each.service in (None, service)] for service in Service}


@dataclass(slots=True)
class Admission:
    """A request that was let in: `headers` go out with its answer, leave() must be called at its end."""

    headers: dict[str, str] = field(default_factory=dict)
    leave: Callable[[], None] = lambda: None


class Gate:
    """All budgets of one tenant.

    `now` tells the tenant's seconds, which run `time_scale` times as fast as those of its clients.
    """

    def __init__(
        self, now: Callable[[], float], licences: int, time_scale: float = 1.0, tenant_id: str = ""
    ) -> None:
        self._now = now
        self._licences = licences
        self._time_scale = time_scale
        self._tenant_id = tenant_id
        self._windows: dict[tuple[Budget, str], Window] = {}
        self._at_work: Counter[tuple[str, str]] = Counter()
        self._refused_at_work = 0

    def admit(self, charge: Charge) -> Admission:
        """Count the request. Raises Fault 429 when a budget is used up or too many are at work in the mailbox."""
        now = self._now()
        published = _OF_SERVICE[charge.service]
        budgets = [(budget, self._window(budget, charge)) for budget in published if _applies(budget, charge)]
        for budget, window in budgets:
            wait = window.wait_seconds(now, charge.amounts[budget.measure])
            if wait > 0:
                # Refused requests count too, where the documentation says so.
                if charge.service is Service.FILES:
                    self._add(budgets, charge, now)
                raise self._refusal(budget, window, charge, wait)
        leave = self._enter(charge)
        self._add(budgets, charge, now)
        return Admission(self._headers(budgets, charge), leave)

    def _add(self, budgets: list[tuple[Budget, Window]], charge: Charge, now: float) -> None:
        for budget, window in budgets:
            if charge.amounts[budget.measure]:
                window.add(now, charge.amounts[budget.measure])

    def _enter(self, charge: Charge) -> Callable[[], None]:
        if charge.service is not Service.OUTLOOK or not charge.mailbox:
            return lambda: None
        key = (charge.app_id, charge.mailbox)
        if self._at_work[key] >= OUTLOOK_AT_ONCE:
            self._refused_at_work += 1
            fault = Fault(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
            # Clients have met it with and without Retry-After, so every other one comes without.
            if self._refused_at_work % 2:
                fault.headers["Retry-After"] = "1"
            raise fault
        self._at_work[key] += 1

        def leave() -> None:
            self._at_work[key] -= 1
            if not self._at_work[key]:
                del self._at_work[key]

        return leave

    def _window(self, budget: Budget, charge: Charge) -> Window:
        whose = {
            Scope.APP: charge.app_id,
            Scope.APP_AND_MAILBOX: f"{charge.app_id} {charge.mailbox}",
            Scope.APP_AND_TEAM: f"{charge.app_id} {charge.team}",
            Scope.APP_AND_CHAT: f"{charge.app_id} {charge.chat}",
            Scope.APP_AND_PERSON: f"{charge.app_id} {charge.person}",
            Scope.APP_AND_OPERATION: f"{charge.app_id} {charge.operation}",
            Scope.TENANT: "",
        }[budget.scope]
        window = self._windows.get((budget, whose))
        if window is None:
            if len(self._windows) >= _MOST_WINDOWS:
                self._forget_unused()
            made = Fixed if budget.fixed else Sliding
            window = self._windows[budget, whose] = made(budget.limit_for(self._licences), budget.seconds)
        return window

    def _forget_unused(self) -> None:
        now = self._now()
        idle = [key for key, window in self._windows.items() if window.reset_seconds(now) <= 0]
        for key in idle:
            del self._windows[key]

    def _refusal(self, budget: Budget, window: Window, charge: Charge, wait_seconds: float) -> Fault:
        retry_after = self._told(wait_seconds)
        if charge.service is Service.NOTES:
            # Without a word of how long to wait: https://learn.microsoft.com/graph/throttling-limits
            return Fault(429, "20166", "The application has issued too many requests on behalf of a single user.")
        if charge.service is Service.FILES:
            fault = Fault(429, "activityLimitReached", "The app or user has been throttled.")
            if budget is FILES_MINUTE:
                fault.headers |= self._rate_limit(window)
        elif charge.service is Service.OUTLOOK:
            kind = "RequestsPerMailbox" if budget.measure is Measure.REQUESTS else "MailboxUpload"
            fault = Fault(429, "ApplicationThrottled", f"Application is over its {kind} limit.")
        else:
            fault = Fault(429, "TooManyRequests", "Please retry again later.", "429")
            if charge.service is Service.IDENTITY:
                fault.headers["x-ms-throttle-scope"] = f"Tenant_Application/ReadWrite/{charge.app_id}/{self._tenant_id}"
                over = "WriteLimitExceeded" if budget.measure is Measure.WRITES else "ResourceUnitLimitExceeded"
                fault.headers["x-ms-throttle-information"] = over
        fault.headers["Retry-After"] = str(retry_after)
        return fault

    def _headers(self, budgets: list[tuple[Budget, Window]], charge: Charge) -> dict[str, str]:
        """What the answer of an admitted request tells about its budgets."""
        headers: dict[str, str] = {}
        for budget, window in budgets:
            share = window.used / window.limit
            if budget is IDENTITY_UNITS:
                headers["x-ms-resource-unit"] = str(charge.amounts[Measure.UNITS])
                if share >= _TOLD_FROM:
                    headers["x-ms-throttle-limit-percentage"] = f"{share:.1f}"
            elif budget is FILES_MINUTE and share >= _TOLD_FROM:
                headers |= self._rate_limit(window)
        return headers

    def _rate_limit(self, window: Window) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(window.limit),
            "RateLimit-Remaining": str(max(window.limit - window.used, 0)),
            "RateLimit-Reset": str(self._told(window.reset_seconds(self._now()))),
        }

    def _told(self, seconds: float) -> int:
        """The tenant's seconds as whole ones of the client's clock, never too few."""
        return max(math.ceil(seconds / self._time_scale), 1)


def _applies(budget: Budget, charge: Charge) -> bool:
    if budget.only not in ("", charge.operation):
        return False
    if budget.scope is Scope.APP_AND_MAILBOX:
        return bool(charge.mailbox)
    if budget.scope is Scope.APP_AND_PERSON:
        return bool(charge.person)
    if budget.scope is Scope.APP_AND_CHAT:
        return bool(charge.chat)
    return budget.scope is not Scope.APP_AND_TEAM or bool(charge.team)
