"""Reading real and broken mail never fails and never changes a byte."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuiback.simtenant.content.parsed import ParsedMail

FALLBACK = datetime(2026, 1, 2, tzinfo=UTC)
NASTY = [
    b"",
    b"\r\n\r\nno headers",
    b"Subject: =?utf-8?B?broken",
    b"Subject: =?no-such-charset?Q?=E4?=\r\nDate: Mon, 32 Foo 20026 99:99:99 +9999\r\n\r\n",
    b"Subject: \xff\xfe raw bytes\r\nFrom: \xe4 <x@y>\r\nTo: <<<>>>,,;;\r\n\r\n\xff",
    b"From: a\r\n b\r\n c <d@e>\r\nDate: Wed, 1 May 102 00:40:01 +0000\r\n\r\n",
    b'Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset="bogus"\r\n\r\nhi',
    b"Content-Type: multipart/mixed\r\n\r\nno boundary",
    b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n####",
    b"Content-Disposition: attachment; filename*=utf-8''%ff%fe\r\nContent-Id: \xff\r\n\r\nx",
]
FIELDS = ["Subject", "From", "To", "Date", "Content-Type", "Content-Disposition", "References", "Message-ID"]


def everything(mail: ParsedMail) -> bytes:
    """All that can be asked of a message, as JSON."""
    files = [(each.name, each.content_type, each.size, len(each.read()), each.content_id) for each in mail.attachments]
    return msgspec.json.encode([mail.head, mail.body, mail.headers, files])


@pytest.mark.parametrize(
    ("raw", "subject"),
    [(b"Subject: Gr\xfc\xdfe\r\n\r\nx", "Grüße"), ("Subject: Grüße\r\n\r\nx".encode(), "Grüße"),
     (b"Subject: \xd6\xd8\r\nContent-Type: text/plain; charset=iso-8859-5\r\n\r\nx", "жи"),
     (b"Subject: =?utf-8?Q?=C3=A4?= \xe4\r\n\r\nx", "ä ä")],
)  # fmt: skip
def test_bytes_that_are_not_ascii_in_a_head(raw: bytes, subject: str) -> None:
    """UTF-8 is read as such, the rest in the message's charset or that of Windows."""
    assert ParsedMail(lambda: raw, FALLBACK).head.subject == subject


def test_names_in_addresses_may_hold_any_bytes() -> None:
    """As in the subject."""
    author = ParsedMail(lambda: b"From: J\xf6rg <j@x.example>\r\n\r\nx", FALLBACK).head.author
    assert author is not None
    assert (author.name, author.address) == ("Jörg", "j@x.example")


@pytest.mark.parametrize("raw", NASTY)
def test_nasty_messages_can_be_shown(raw: bytes) -> None:
    """Every known kind of defect gives well-formed JSON, and the bytes stay as they are."""
    mail = ParsedMail(lambda: raw, FALLBACK)
    assert msgspec.json.decode(everything(mail))
    assert mail.mime() == raw
    assert mail.head.sent.year >= 1601


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    names=st.lists(st.sampled_from(FIELDS), max_size=5),
    values=st.lists(st.binary(max_size=40), max_size=5),
    body=st.binary(max_size=60),
)
def test_any_bytes_can_be_shown(names: list[str], values: list[bytes], body: bytes) -> None:
    """No header value and no body makes reading fail."""
    fields = b"".join(name.encode() + b": " + value + b"\n" for name, value in zip(names, values, strict=False))
    raw = fields + b"\n" + body
    assert msgspec.json.decode(everything(ParsedMail(lambda: raw, FALLBACK)))


def test_an_ordinary_message_is_understood() -> None:
    """Encoded headers, several parts and dates in another zone are read as people would."""
    raw = (
        b'From: =?utf-8?Q?J=C3=BCrgen?= <j@x.example>\r\nTo: a@b.example, "C, D" <c@d.example>\r\n'
        b"Subject: =?utf-8?B?zqnOvM6tzrPOsQ==?=\r\n =?utf-8?Q?_fold?=\r\nDate: Tue, 03 Mar 2020 10:00:00 +0200\r\n"
        b"References: <first@x> <second@x>\r\nMessage-ID: <third@x>\r\nImportance: High\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe4\r\n"
        b"--b\r\nContent-Type: image/png; name=p.png\r\nContent-Disposition: inline\r\nContent-ID: <cid1>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n"
    )
    mail = ParsedMail(lambda: raw, FALLBACK)
    head = mail.head
    assert head.author is not None
    assert (head.author.name, head.author.address) == ("Jürgen", "j@x.example")
    assert [each.address for each in head.to] == ["a@b.example", "c@d.example"]
    assert head.subject == "Ωμέγα fold"
    assert head.sent == datetime(2020, 3, 3, 8, tzinfo=UTC)
    assert head.importance == "high"
    assert mail.body.content.strip() == "ä"
    (picture,) = mail.attachments
    assert (picture.name, picture.read(), picture.is_inline, picture.content_id) == ("p.png", b"\0\1\2", True, "cid1")
