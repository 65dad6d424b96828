"""MIME messages taken apart."""

import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.connectors.exchange.mime_parts import Headers, take_apart

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def letter() -> EmailMessage:
    """A message without content yet."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = "Grüße"
    message["From"] = "Ada <ada@contoso.com>"
    message["To"] = "Bo <bo@contoso.com>, list: cy@contoso.com, dee@contoso.com;"
    return message


def test_a_plain_message() -> None:
    """A text message has a text body, decoded, and no attachments."""
    message = letter()
    message.set_content("naïve — 日本\n")
    parts = take_apart(bytes(message))
    assert (parts.body_type, parts.body, parts.attachments, parts.degraded) == ("text", "naïve — 日本\r\n", (), ())
    assert parts.headers.text("subject") == "Grüße"


def test_html_with_inline_image_and_attachment() -> None:
    """HTML is preferred to its text alternative; what it shows inline keeps its content id."""
    message = letter()
    message.set_content("plain")
    message.add_alternative('<p>rich <img src="cid:logo@x"></p>', subtype="html")
    html = message.get_payload(1)
    assert isinstance(html, EmailMessage)
    html.add_related(PNG, "image", "png", cid="<logo@x>", filename="logo.png")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Отчёт.pdf")
    parts = take_apart(bytes(message))
    assert parts.body_type == "html"
    assert parts.body.startswith("<p>rich")
    logo, report = parts.attachments
    assert (logo.name, logo.content_id, logo.inline, logo.data) == ("logo.png", "logo@x", True, PNG)
    assert (report.name, report.content_type, report.inline) == ("Отчёт.pdf", "application/pdf", False)
    assert report.data == b"%PDF-1.7"


def test_a_second_text_is_an_attachment() -> None:
    """Only the first text is the body: a footer that a mailing list added is kept beside it."""
    mime = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nbody\r\n--x\r\n\r\nfooter\r\n--x--\r\n"
    )
    parts = take_apart(mime)
    assert parts.body.strip() == "body"
    assert [a.data for a in parts.attachments] == [b"footer"]
    assert parts.attachments[0].name == "attachment-1.txt"


def test_an_attached_message() -> None:
    """A message within a message becomes an .eml file named by its subject, and the loss is told."""
    inner = letter()
    inner.set_content("inner")
    message = letter()
    message.set_content("outer")
    message.add_attachment(inner)
    parts = take_apart(bytes(message))
    (attached,) = parts.attachments
    assert (attached.name, attached.content_type) == ("Grüße.eml", "message/rfc822")
    assert b"inner" in attached.data
    assert parts.degraded == ("an attached message is restored as an .eml file",)


def test_a_delivery_report() -> None:
    """The machine-readable part of a report is kept as a file with all its fields."""
    mime = (
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\nUndeliverable\r\n--x\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\nAction: failed\r\n\r\n--x--\r\n"
    )
    parts = take_apart(mime)
    assert parts.body == "Undeliverable"
    (report,) = parts.attachments
    assert (report.name, report.content_type) == ("attachment-1.txt", "message/delivery-status")
    assert report.data.split() == b"Reporting-MTA: dns; a Action: failed".split()


def test_a_calendar_alternative_is_kept() -> None:
    """An alternative that is no text, such as an invitation, is attached."""
    message = letter()
    message.set_content("Come!")
    message.add_alternative(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar")
    parts = take_apart(bytes(message))
    assert parts.body.strip() == "Come!"
    assert [a.content_type for a in parts.attachments] == ["text/calendar"]


def test_a_signed_message() -> None:
    """A signature is kept as a file, and that it proves nothing any more is told."""
    mime = (
        b"Content-Type: multipart/signed; boundary=x; protocol=p\r\n\r\n--x\r\n\r\nbody\r\n"
        b"--x\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"AAEC\r\n--x--\r\n"
    )
    parts = take_apart(mime)
    assert parts.body == "body"
    assert [(a.name, a.data) for a in parts.attachments] == [("smime.p7s", b"\x00\x01\x02")]
    assert "signature" in parts.degraded[0]


@pytest.mark.parametrize(
    ("label", "data", "expected"),
    [
        (b"utf-8", "ü".encode(), "ü"),
        (b"iso-8859-1", b"\xfc", "ü"),
        (b"us-ascii", "ü".encode(), "ü"),
        (b"no-such-charset", b"\xfc", "ü"),
        (b"hex", b"\xfc", "ü"),
        (b"undefined", b"\xfc", "ü"),
        (b"iso-2022-jp", b"\xfcabc", "\ufffdabc"),
    ],
)
def test_wrong_charsets(label: bytes, data: bytes, expected: str) -> None:
    """Text is read by its label, by UTF-8 where the label lies, and in the end by replacement."""
    parts = take_apart(b"Content-Type: text/plain; charset=" + label + b"\r\n\r\n" + data)
    assert parts.body == expected


def test_broken_structures() -> None:
    """A multipart without a boundary or without parts shows its text, a forgotten semicolon changes nothing."""
    for header in (b"multipart/mixed", b"multipart/mixed; boundary=absent", b"TEXT/PLAIN charset=US-ASCII"):
        parts = take_apart(b"Content-Type: " + header + b"\r\n\r\nall there is")
        assert (parts.body, parts.attachments) == ("all there is", ())


def test_an_inline_named_message_body() -> None:
    """A message that is one named text part shows it as its body."""
    mime = b"Content-Type: text/html\r\nContent-Disposition: inline; filename=a.html\r\n\r\n<p>x"
    assert take_apart(mime).body == "<p>x"


def test_what_the_parser_cannot_do_is_attached_whole() -> None:
    """Thousands of nested parts exceed the parser: the MIME is attached as it is, and that is told."""
    mime = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(3000)
    )
    parts = take_apart(mime)
    assert parts.body == ""
    assert [(a.name, a.data) for a in parts.attachments] == [("message.eml", mime)]
    assert "could not be taken apart" in parts.degraded[0]


def test_a_hostile_header_costs_no_time() -> None:
    """A content type of thousands of empty parameters is read without work that grows with its square."""
    mime = b"Content-Type: text/html " + b"; " * 20_000 + b"\r\n\r\n<p>x"
    assert take_apart(mime).body == "<p>x"


@given(st.binary(max_size=400), st.sampled_from([b"", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"]))
def test_any_bytes_at_all(noise: bytes, start: bytes) -> None:
    """Whatever the bytes are, the answer can be encoded as JSON text."""
    parts = take_apart(start + noise)
    for text in (parts.body, *(a.name for a in parts.attachments), parts.headers.text("subject")):
        assert text.encode().decode() == text


def test_the_nasty_messages_of_cpython() -> None:
    """Every message of CPython's own test set is taken apart."""
    test_email = pytest.importorskip("test.test_email", reason="this Python came without its test suite")
    messages = sorted((Path(test_email.__file__).parent / "data").glob("msg_*.txt"))
    assert len(messages) > 40
    for path in messages:
        parts = take_apart(path.read_bytes())
        assert not any("taken apart" in note for note in parts.degraded), path.name


def test_headers() -> None:
    """Groups are resolved, words that are no address are left out, absent headers are empty."""
    message = letter()
    message.set_content("x")
    headers = take_apart(bytes(message)).headers
    addresses = [address for _, address in headers.mailboxes("to")]
    assert addresses == ["bo@contoso.com", "cy@contoso.com", "dee@contoso.com"]
    assert headers.mailboxes("from") == [("Ada", "ada@contoso.com")]
    assert headers.mailboxes("cc") == []
    assert Headers(None).text("subject") == ""
    undisclosed = take_apart(b"To: undisclosed-recipients:;\r\n\r\n").headers
    assert undisclosed.mailboxes("to") == []
