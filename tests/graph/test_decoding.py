"""Tests of reading Graph's JSON."""

import pytest

from tuiback.errors import GraphError
from tuiback.graph.decoding import read_object


def test_an_empty_body_is_an_empty_object() -> None:
    """204 and 202 have no body."""
    assert read_object(b"", "GET /x") == {}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"t":"a\x01\nb"}', "a\x01\nb"),
        (b'{"t":"\xff"}', "\ufffd"),
        (b'{"t":["\\ud83d"]}', ["\ufffd"]),
        (b'{"t":"\xff \\ud83d\\ude00"}', "\ufffd \U0001f600"),
        (b'{"t":"\xc3\xa9"}', "é"),
    ],
)
def test_broken_text_is_read_as_well_as_it_goes(body: bytes, text: object) -> None:
    """Control characters and broken UTF-8 in a mail must not stop its page."""
    assert read_object(body, "GET /x") == {"t": text}


@pytest.mark.parametrize("body", [b"<html>", b'{"value":[', b"[1]", b"null"])
def test_what_is_no_object_is_an_error_of_this_request(body: bytes) -> None:
    """A proxy's page or half a body is refused with a word about what was asked."""
    with pytest.raises(GraphError, match="GET /x"):
        read_object(body, "GET /x")
