"""Turns what went wrong with one request into a Failure to decide on, and in the end into tuiback's own error.

The envelope is read as it comes: "innerError" or "innererror", nested or not, codes compared without case; see
https://learn.microsoft.com/graph/errors and
https://learn.microsoft.com/onedrive/developer/rest-api/concepts/errors
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from tuiback.errors import (
    AccessDenied,
    CursorExpired,
    GraphError,
    ItemGone,
    MicrosoftRefuses,
    TuibackError,
    Unreachable,
)

# The sign-in holds but the app is not allowed: no account of this tenant can be read.
_UNCONSENTED = "authorization_requestdenied"
# Unlicensed mailboxes answer 401 to a token that is good everywhere else.
_UNLICENSED = "authenticationerror"
_LOST_CURSOR = ("syncstate", "resync")
_REMEDIES: Mapping[type[GraphError], str] = {
    GraphError: "retry later",
    CursorExpired: "list again",
    AccessDenied: "check the app's permissions for this account",
}
_UNREAD_BODY = "io error during request payload read"


class BodyBroke(GraphError):
    """The connection broke while a body was read: what came before is good.

    Not Unreachable: an answer had begun, so the trouble may lie with this one body.
    """


class Failure(msgspec.Struct, frozen=True):
    """One try that failed. `status` 0: no answer came; `sent` False: Microsoft never saw the request.

    `codes` are the error codes of all levels in lower case, `code` the outermost as it was written. `unread`: the
    service says itself that it did not get the whole request. `hopeless`: repeating can't help. `location` is where
    a redirect leads.
    """

    status: int = 0
    code: str = ""
    codes: frozenset[str] = msgspec.field(default=frozenset())
    message: str = ""
    request_id: str = ""
    retry_after: float | None = None
    sent: bool = True
    unread: bool = False
    hopeless: bool = False
    location: str = ""


def failure_of(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
    """Read a reply that is not a success. Header names are expected in any case-insensitive mapping."""
    levels = list(_levels(_parse(body)))
    codes = [str(level["code"]) for level in levels if level.get("code")]
    if headers.get("x-virus-infected", "").lower() == "true":
        codes.append("malwareDetected")
    message = next((str(level["message"]) for level in levels if level.get("message")), "")
    request_id = headers.get("request-id") or next(
        (str(level["request-id"]) for level in levels if level.get("request-id")), ""
    )
    return Failure(
        status=status,
        code=codes[0] if codes else "",
        codes=frozenset(code.lower() for code in codes),
        message=message,
        request_id=request_id,
        retry_after=retry_after_seconds(headers, now),
        unread=_UNREAD_BODY in body[:65_536].decode("utf-8", "replace").lower(),
        location=headers.get("location", ""),
    )


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """The longer of Retry-After (seconds or a date) and, on SharePoint, RateLimit-Reset; None when neither is there."""
    waits = [_seconds(headers.get("retry-after", ""), now)]
    if headers.get("ratelimit-remaining", "").strip() == "0":
        waits.append(_seconds(headers.get("ratelimit-reset", ""), now))
    known = [wait for wait in waits if wait is not None]
    return max(known) if known else None


def error_of(failure: Failure, subject: str, *, signed: bool) -> TuibackError:
    """The error that says what happened to `subject`. `signed`: the request carried our token."""
    if failure.status == 0:
        return Unreachable(failure.message or "no answer", subject, "check the network, the proxy and the firewall")
    detail = _detail(failure)
    refusal = _refusal(failure) if signed else ""
    if refusal:
        return MicrosoftRefuses(f"{refusal}{detail}", subject, "check its permissions and consent in Entra")
    if failure.status == 410 or (failure.status in {400, 404} and _lost_cursor(failure)):
        return _graph_error(CursorExpired, f"Microsoft no longer knows this change token{detail}", subject, failure)
    if failure.status == 404:
        return _graph_error(ItemGone, f"not found{detail}", subject, failure)
    if failure.status in {401, 403}:
        return _graph_error(AccessDenied, f"Microsoft denies access{detail}", subject, failure)
    what = "it changed meanwhile" if failure.status == 412 else f"Microsoft answered {failure.status}"
    return _graph_error(GraphError, f"{what}{detail}", subject, failure)


def _refusal(failure: Failure) -> str:
    """Why nothing of this tenant can be read, "" when only this request is concerned."""
    if failure.status == 403 and _UNCONSENTED in failure.codes:
        return "the app lacks the permission for this"
    if failure.status == 401 and _UNLICENSED not in failure.codes:
        return "Microsoft rejects the app's token"
    return ""


def _lost_cursor(failure: Failure) -> bool:
    return any(code.startswith(_LOST_CURSOR) for code in failure.codes)


def _graph_error(kind: type[GraphError], what: str, subject: str, failure: Failure) -> GraphError:
    ids = {"graph_code": failure.code, "request_id": failure.request_id}
    return kind(what, subject, _REMEDIES.get(kind, ""), status=failure.status, **ids)


def _detail(failure: Failure) -> str:
    """The service's own words and the id under which its support finds the request."""
    words = " ".join(part for part in (failure.code, failure.message.strip()) if part)
    detail = f" ({words[:300]})" if words else ""
    return f"{detail} [request {failure.request_id}]" if failure.request_id else detail


def _parse(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8", "replace"), strict=False) if body else None
    except ValueError:
        return None


def _levels(value: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The error objects from the outermost in, wherever the envelope nests them."""
    if not isinstance(value, dict) or depth > 8:
        return
    inner = {str(key).lower(): child for key, child in value.items()}
    if "error" in inner and isinstance(inner["error"], dict):
        yield from _levels(inner["error"], depth + 1)
        return
    yield inner
    yield from _levels(inner.get("innererror"), depth + 1)


def _seconds(text: str, now: datetime) -> float | None:
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None
