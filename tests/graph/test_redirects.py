"""Tests of where a redirect leads."""

import pytest

from tuiback.graph.redirects import Next, next_address

_URL = "https://graph.microsoft.com/beta/admin/exchange/mailboxes/a/folders/f"
_AUX = "https://graph.microsoft.com/beta/admin/exchange/mailboxes/b/folders/f"
_HOST = "https://reports.example/file?key=k"


@pytest.mark.parametrize(
    ("method", "status", "location", "expected"),
    [
        ("GET", 308, _AUX, Next(_AUX, signed=True)),
        ("GET", 308, "/beta/x?q=%21", Next("https://graph.microsoft.com/beta/x?q=%21", signed=True)),
        ("GET", 302, _HOST, Next(_HOST, signed=False)),
        ("GET", 302, "http://reports.example/file", None),
        ("GET", 302, "", None),
        ("GET", 304, _AUX, None),
        ("POST", 307, _AUX, Next(_AUX, signed=True)),
        ("POST", 302, _AUX, None),
        ("POST", 308, _HOST, None),
        ("DELETE", 303, _AUX, None),
    ],
)
def test_where_a_redirect_leads(method: str, status: int, location: str, expected: Next | None) -> None:
    """Reads follow anywhere private, without the token where that is another host; writes stay what they are."""
    assert next_address(method, _URL, status, location) == expected
