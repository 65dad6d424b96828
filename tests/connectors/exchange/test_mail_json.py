"""The Graph message that brings a stored message back."""

from typing import Any

import msgspec
import pytest

from tuiback.connectors.exchange.mail_json import mail_json

MIME = (
    b"From: Ada <ada@contoso.com>\r\nTo: Bo <bo@contoso.com>\r\nReply-To: <re@contoso.com>\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@contoso.com>\r\nIn-Reply-To: <0@contoso.com>\r\n"
    b"References: <00@contoso.com>\r\n <0@contoso.com>\r\nDate: Tue, 03 Feb 2026 05:05:06 +0100\r\n\r\nbody\r\n"
)
PROPERTIES: dict[str, Any] = {
    "subject": "Grüße",
    "from": {"emailAddress": {"name": "Ada L.", "address": "ada@contoso.com"}},
    "toRecipients": [{"emailAddress": {"name": "Bo", "address": "bo@contoso.com"}}],
    "ccRecipients": [],
    "sentDateTime": "2026-02-03T04:05:06Z",
    "receivedDateTime": "2026-02-03T04:05:09Z",
    "internetMessageId": "<1@contoso.com>",
    "isRead": False,
    "isDraft": False,
    "importance": "high",
    "categories": ["Red"],
    "flag": {"flagStatus": "flagged", "@odata.type": "#x", "startDateTime": None},
}


def extended(message: dict[str, Any]) -> dict[str, str]:
    """The extended properties by id."""
    return {entry["id"]: entry["value"] for entry in message["singleValueExtendedProperties"]}


def test_properties_and_mime_together() -> None:
    """What Exchange stated comes back as stated, what only the MIME tells is taken from there."""
    mail = mail_json(MIME, PROPERTIES)
    assert mail.degraded == ()
    assert mail.message | {"singleValueExtendedProperties": []} == {
        "subject": "Grüße",
        "body": {"contentType": "text", "content": "body\r\n"},
        "isRead": False,
        "importance": "high",
        "categories": ["Red"],
        "from": {"emailAddress": {"name": "Ada L.", "address": "ada@contoso.com"}},
        "toRecipients": [{"emailAddress": {"name": "Bo", "address": "bo@contoso.com"}}],
        "replyTo": [{"emailAddress": {"name": "", "address": "re@contoso.com"}}],
        "internetMessageId": "<1@contoso.com>",
        "flag": {"flagStatus": "flagged"},
        "singleValueExtendedProperties": [],
    }
    assert extended(mail.message) == {
        "Integer 0x0E07": "4",
        "SystemTime 0x0039": "2026-02-03T04:05:06Z",
        "SystemTime 0x0E06": "2026-02-03T04:05:09Z",
        "String 0x1042": "<0@contoso.com>",
        "String 0x1039": "<00@contoso.com> <0@contoso.com>",
    }


def test_mime_alone() -> None:
    """Without properties the headers tell who, what and when."""
    message = mail_json(MIME, {}).message
    assert message["subject"] == "Grüße"
    assert message["from"]["emailAddress"] == {"name": "Ada", "address": "ada@contoso.com"}
    assert message["toRecipients"][0]["emailAddress"]["address"] == "bo@contoso.com"
    assert message["internetMessageId"] == "<1@contoso.com>"
    assert extended(message)["SystemTime 0x0039"] == "2026-02-03T04:05:06Z"
    assert extended(message)["SystemTime 0x0E06"] == "2026-02-03T04:05:06Z"


def test_a_draft_stays_a_draft() -> None:
    """A draft gets neither flags nor times, which would make it a sent message."""
    message = mail_json(MIME, PROPERTIES | {"isDraft": True}).message
    assert set(extended(message)) == {"String 0x1042", "String 0x1039"}


@pytest.mark.parametrize("nonsense", ["102-08-27T22:59:44Z", "0102-08-27T22:59:44Z", "yesterday", None])
def test_a_time_that_is_none(nonsense: str | None) -> None:
    """A time that Exchange can't hold gives way to the header's, and where that is none, to the other time."""
    from_header = extended(mail_json(MIME, PROPERTIES | {"sentDateTime": nonsense}).message)
    assert from_header["SystemTime 0x0039"] == "2026-02-03T04:05:06Z"
    undated = MIME.replace(b"2026", b"0102")
    from_receipt = extended(mail_json(undated, PROPERTIES | {"sentDateTime": nonsense}).message)
    assert from_receipt["SystemTime 0x0039"] == PROPERTIES["receivedDateTime"]
    neither = PROPERTIES | {"sentDateTime": nonsense, "receivedDateTime": nonsense}
    assert "SystemTime 0x0039" not in extended(mail_json(undated, neither).message)


def test_a_correspondent_without_address() -> None:
    """What is no address is left out, because Exchange would refuse the message, and that is told."""
    nobody = {"emailAddress": {"name": "Undisclosed", "address": ""}}
    mail = mail_json(MIME, PROPERTIES | {"toRecipients": [nobody, PROPERTIES["toRecipients"][0]], "from": nobody})
    assert [r["emailAddress"]["address"] for r in mail.message["toRecipients"]] == ["bo@contoso.com"]
    assert "from" not in mail.message
    assert mail.degraded == ("the correspondent 'Undisclosed' has no address and is left out",) * 2


def test_a_body_that_graph_refuses() -> None:
    """A body beyond Graph's request size becomes an attachment, and that is told."""
    mime = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + "ü".encode() * 2_000_000
    mail = mail_json(mime, PROPERTIES)
    assert len(msgspec.json.encode(mail.message)) < 10_000
    (body,) = mail.attachments
    assert (body.name, len(body.data)) == ("body.html", 4_000_000)
    assert "too long" in mail.degraded[0]


def test_hostile_text() -> None:
    """Bytes that are no text anywhere still make JSON."""
    mime = b"Subject: \xff\xfe\x00=?x?q?\r\nFrom: \xff <\xfe@x>\r\nDate: nonsense\r\n\r\nbody\x00\xff"
    message = mail_json(mime, {}).message
    assert msgspec.json.decode(msgspec.json.encode(message))["body"]["content"].startswith("body")
    assert "\x00" not in message["body"]["content"]
