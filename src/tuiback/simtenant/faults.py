"""Makes chosen requests fail in chosen ways, so that a client's recovery can be tested."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec

from tuiback.simtenant.api.call import Call, Fault, Reply

# What Graph says with these: facts gathered from its documentation and from other clients' issues.
_USUAL = {
    400: ("BadRequest", "The request is malformed."),
    401: ("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
    403: ("accessDenied", "Access denied"),
    404: ("itemNotFound", "The resource could not be found."),
    410: ("resyncRequired", "Resync required."),
    423: ("resourceLocked", "The resource is locked."),
    429: ("TooManyRequests", "Please retry again later."),
    503: ("serviceNotAvailable", "The service is not available."),
    507: ("quotaLimitReached", "The quota has been reached."),
}


@dataclass(slots=True)
class FaultRule:
    """Requests whose "METHOD path?query" matches, as sent or decoded, get `status` or are cut off after some bytes.

    `times` counts down; -1 stands for ever. `body` is a text or a JSON document, by default Graph's usual error for
    the status. Without `status` only `drop_after_bytes` works, on the true answer.
    """

    match: re.Pattern[str]
    status: int | None = None
    retry_after: int | None = None
    times: int = 1
    body: Any = None
    drop_after_bytes: int | None = None

    def reply(self) -> Reply | None:
        """The answer to give in place of the true one. Raises Fault where the rule has a status but no body."""
        if self.status is None:
            return None
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        if self.body is None and self.status >= 400:
            code, message = _USUAL.get(self.status, ("generalException", "An error occurred."))
            fault = Fault(self.status, code, message)
            fault.headers |= headers
            raise fault
        body = self.body.encode() if isinstance(self.body, str) else msgspec.json.encode(self.body)
        return Reply(self.status, body, headers=headers)


class Faults:
    """The rules in force, the earliest first."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> None:
        """Put a rule in force."""
        self._rules.append(rule)

    def clear(self) -> None:
        """Let everything succeed again."""
        self._rules.clear()

    def take(self, call: Call) -> FaultRule | None:
        """The rule that this request falls under, counted as used."""
        if not self._rules:
            return None
        request = f"{call.method} {call.path}" + (f"?{call.raw_query}" if call.raw_query else "")
        plain = unquote(request)
        for rule in self._rules:
            if rule.times and (rule.match.search(request) or rule.match.search(plain)):
                rule.times -= rule.times > 0
                return rule
        return None
