"""Tests of reading what went wrong."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tuiback.errors import (
    AccessDenied,
    CursorExpired,
    GraphError,
    ItemGone,
    MicrosoftRefuses,
    TuibackError,
    Unreachable,
)
from tuiback.graph.faults import Failure, error_of, failure_of

_NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def _failure(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Failure:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return failure_of(status, httpx.Headers(headers), raw, _NOW)


def _error(status: int, code: str = "", message: str = "", *, signed: bool = True) -> TuibackError:
    return error_of(_failure(status, {"error": {"code": code, "message": message}}), "GET /x", signed=signed)


def test_reads_the_envelope_and_its_inner_codes() -> None:
    """All codes count without case; the outermost is kept as written, the request id is found inside."""
    failure = _failure(
        416,
        {
            "error": {
                "code": "invalidRange",
                "message": "Bad range",
                "innererror": {"code": "fragmentOverlap", "request-id": "r-9", "innerError": {"code": "Deep"}},
            }
        },
    )
    assert failure.code == "invalidRange"
    assert failure.codes == {"invalidrange", "fragmentoverlap", "deep"}
    assert (failure.message, failure.request_id) == ("Bad range", "r-9")


@pytest.mark.parametrize(
    "body",
    [None, b"", b"<html>Gateway</html>", b"\xff\xfe", b"[1]", b'"text"', b'{"error": "text"}', b'{"error": null}'],
)
def test_an_unreadable_body_leaves_the_status(body: bytes | None) -> None:
    """A proxy's page or an empty body is no reason to fail differently."""
    failure = _failure(503, body)
    assert (failure.status, failure.code, failure.message) == (503, "", "")


def test_control_characters_in_the_message_are_read() -> None:
    """Graph is known to send raw control characters."""
    assert _failure(400, b'{"error":{"code":"X","message":"a\x01b"}}').message == "a\x01b"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "31"}, 31),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-4"}, 0),
        ({"Retry-After": "Mon, 23 Nov 2026 06:01:00 GMT"}, 60),
        ({"Retry-After": "soon"}, None),
        ({}, None),
        ({"Retry-After": "9", "RateLimit-Remaining": "0", "RateLimit-Reset": "31"}, 31),
        ({"Retry-After": "9", "RateLimit-Remaining": "12", "RateLimit-Reset": "31"}, 9),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds or a date, and the longer of the two headers that SharePoint sends."""
    assert _failure(429, headers=headers).retry_after == seconds


def test_an_unread_upload_is_recognised() -> None:
    """The service says itself when it did not get the whole request."""
    assert _failure(400, {"error": {"message": "IO error during request payload read."}}).unread


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "itemNotFound", ItemGone),
        (404, "", ItemGone),
        (404, "MailboxNotEnabledForRESTAPI", ItemGone),
        (410, "resyncRequired", CursorExpired),
        (410, "", CursorExpired),
        (410, "SyncStateNotFound", CursorExpired),
        (400, "SyncStateInvalid", CursorExpired),
        (400, "ResyncChangesApplyDifferences", CursorExpired),
        (400, "BadRequest", GraphError),
        (403, "ErrorAccessDenied", AccessDenied),
        (403, "accessDenied", AccessDenied),
        (403, "authorization_requestdenied", MicrosoftRefuses),
        (401, "InvalidAuthenticationToken", MicrosoftRefuses),
        (401, "AuthenticationError", AccessDenied),
        (409, "nameAlreadyExists", GraphError),
        (500, "generalException", GraphError),
    ],
)
def test_the_error_says_what_it_means(status: int, code: str, kind: type[TuibackError]) -> None:
    """Each status and code becomes the error that the layers above act on."""
    error = _error(status, code)
    assert type(error) is kind
    if isinstance(error, GraphError):
        assert (error.status, error.graph_code) == (status, code)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_link_never_means_that_nothing_can_go_on(status: int) -> None:
    """A pre-authenticated link has its own key: its end is not our token's."""
    assert type(_error(status, "Authorization_RequestDenied", signed=False)) is AccessDenied


def test_no_answer_names_the_reason() -> None:
    """Without a reply the text says why and what to check."""
    error = error_of(Failure(message="no connection (refused)", sent=False), "GET /x", signed=True)
    assert type(error) is Unreachable
    assert str(error) == "GET /x: no connection (refused); check the network, the proxy and the firewall"


def test_an_infected_file_is_named_as_such() -> None:
    """SharePoint marks a download that it refuses by a header."""
    failure = _failure(403, headers={"X-Virus-Infected": "true"})
    assert failure.code == "malwareDetected"
