"""Messages in order are read quickly, and every message as the standard library reads it."""

from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuiback.simtenant.content import orderly
from tuiback.simtenant.content.orderly import find_fields, read_message
from tuiback.simtenant.content.parsed import mailboxes

ALTERNATIVE = (
    b'From someone@x.example Mon Jan  1 00:00:00 2001\nSubject: folded\n once\n\ttwice\nSUBJECT: again\nX-Empty:\n'
    b'Content-Type: multipart/mixed;\n boundary="out er"\n\nbefore\n--out er\n'
    b'Content-Type: multipart/alternative; boundary=inner\n\n--inner \n\nplain \xe4\n\n--inner\n'
    b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>=C3=A4</p>\n"
    b"--inner--\n\n--out er\nContent-Disposition: attachment; filename=a.bin\nContent-Transfer-Encoding: base64\n"
    b"\nAAEC\n--out er--\nafter\n"
)
BITS = [
    b"\n", b"\r\n", b"\r", b" ", b"\t", b":", b"--", b"a", b"\xe4", b"From ", b"--b\n", b"--b--\n", b"To: x\n",
    b"Content-Type: text/plain\n", b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: message/rfc822\n",
    b"Content-Type: multipart/digest; boundary=b\n", b"Content-Type: multipart/mixed; boundary=\n",
]  # fmt: skip
NAMES = ['"A, B" <', "A. O'B =?utf-8?Q?=C3=A4?= <", "A  B <", "<", '"" <', '"a(b" <', "a (b) <", "ä <", ""]
ADDRESSES = ["a.b+c@d-e.example", "a@b>", "a@b.c>", "a@[1.2]>", "a@b@c>", "", " a@b >", "a..b@c", "a@b.", "@c:a@b>"]


def shape(part: "Message[str, str]") -> list[Any]:
    """All that is told of a message and of its parts."""
    held = part.get_payload()
    content = [shape(each) for each in held] if isinstance(held, list) else [held, part.get_payload(decode=True)]  # type: ignore[arg-type]
    fields = [(name, str(value)) for name, value in part.items()]
    asked = [(str(part.get(name.upper())), [str(each) for each in part.get_all(name, [])]) for name, _ in fields]
    return [part.get_unixfrom(), part.get_content_type(), part.get_filename(), fields, asked, content]


def count_of_standard(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What will be left to the standard parser."""
    left: list[bytes] = []

    class Watched(BytesParser):
        def parsebytes(self, text: Any, headersonly: bool = False) -> "Message[str, str]":
            left.append(text)
            return super().parsebytes(text, headersonly)

    monkeypatch.setattr(orderly, "BytesParser", Watched)
    return left


@pytest.mark.parametrize("raw", [ALTERNATIVE, ALTERNATIVE.replace(b"\n", b"\r\n"), b"Subject: s\n\ntext\n", b"\n"])
def test_messages_in_order_need_no_standard_parser(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folds, nested parts, raw bytes and either line end are read quickly, to the same parts."""
    expected = shape(BytesParser().parsebytes(raw))
    left = count_of_standard(monkeypatch)
    assert shape(read_message(raw)) == expected
    assert left == []


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(BITS), max_size=12), st.integers(0, len(ALTERNATIVE)), st.integers(0, 40))
@example([b"Content-Type: multipart/mixed; boundary=b\n", b"\n", b"--b\n", b"--b\n", b"\n", b"--b--\n"], 0, 0)
def test_any_message_is_read_as_the_standard_library_does(bits: list[bytes], place: int, less: int) -> None:
    """Whatever is put into an ordinary message or taken out of it, and whatever stands alone, has the same parts."""
    scrap = b"".join(bits)
    for raw in (scrap, ALTERNATIVE[:place] + scrap + ALTERNATIVE[place + less :]):
        assert shape(read_message(raw)) == shape(BytesParser().parsebytes(raw))


def told(fields: Any) -> list[Any]:
    """All that fields tell of themselves."""
    asked = [
        (str(fields.get(name.upper())), [str(each) for each in fields.get_all(name, [])])
        for name in ("subject", "X-Empty", "To", "missing")
    ]
    return [[(name, str(value)) for name, value in fields.items()], asked]


@pytest.mark.parametrize("raw", [ALTERNATIVE, ALTERNATIVE.replace(b"\n", b"\r\n"), b"Subject: s\n\n"])
def test_heads_in_order_are_read_alone(raw: bytes) -> None:
    """Folds, empty fields, raw bytes, either line end and a mailbox's From line."""
    found = find_fields(raw)
    assert found is not None
    assert told(found) == told(BytesParser().parsebytes(raw))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(BITS), max_size=12), st.integers(0, 260), st.integers(0, 40))
def test_any_head_is_read_as_the_standard_library_does(bits: list[bytes], place: int, less: int) -> None:
    """Whatever stands in it, the fields are the same, or are left to the standard library."""
    scrap = b"".join(bits)
    for raw in (scrap, ALTERNATIVE[:place] + scrap + ALTERNATIVE[place + less :]):
        found = find_fields(raw)
        assert found is None or told(found) == told(BytesParser().parsebytes(raw))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(ADDRESSES)), max_size=3),
    st.sampled_from([", ", ",\r\n\t"]),
)
def test_mailboxes_are_those_that_the_standard_library_finds(named: list[tuple[str, str]], between: str) -> None:
    """Names, quotes, encoded words and bare addresses give the same people, or are left to the standard library."""
    text = between.join(name + address for name, address in named)
    found = mailboxes(text)
    if found is not None:
        assert found == [(name, address) for name, address in getaddresses([text]) if address]


def test_ordinary_mailboxes_need_no_standard_library() -> None:
    """The common ways to write people are understood at once."""
    text = 'a@b.example, "C, D" <c@d.example>,\r\n\tE F. <e.f@g.example>'
    assert mailboxes(text) == [("", "a@b.example"), ("C, D", "c@d.example"), ("E F.", "e.f@g.example")]
