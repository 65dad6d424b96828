"""Makes the Graph message, in JSON, that brings a stored message back; and the attachments to add to it."""

import email.utils
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tuiback.connectors.exchange.mime_parts import PARSE_FAULTS, Attachment, Headers, MimeParts, clean, take_apart

# Extended properties of a new message (https://learn.microsoft.com/graph/api/resources/extended-properties-overview).
# Message flags without "unsent" (8) make it no draft; they can be set at creation only (alcionai/corso, consts.go).
_MESSAGE_FLAGS = "Integer 0x0E07"
_SENT = "SystemTime 0x0039"
_RECEIVED = "SystemTime 0x0E06"
# Threading headers have properties of their own, because Graph accepts no internet headers but x-*
# (https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail).
_IN_REPLY_TO = "String 0x1042"
_REFERENCES = "String 0x1039"

# A plain JSON request may be about 4 MB (https://learn.microsoft.com/graph/api/user-post-messages).
_BODY_BYTES = 3_000_000

_RECIPIENTS = {"toRecipients": "to", "ccRecipients": "cc", "bccRecipients": "bcc", "replyTo": "reply-to"}


class MailJson(msgspec.Struct, frozen=True):
    """What to POST, what to attach afterwards, and what of the original this loses."""

    message: dict[str, Any]
    attachments: tuple[Attachment, ...]
    degraded: tuple[str, ...]


def mail_json(mime: bytes, properties: Mapping[str, Any]) -> MailJson:
    """The message that says what `mime` and the properties say, as Graph listed them with it.

    Properties win where both tell the same, because they are what Exchange itself made of the headers.
    Never fails: a message that can't be taken apart carries its MIME as an attachment.
    """
    parts = take_apart(mime)
    degraded = list(parts.degraded)
    attachments = list(parts.attachments)
    message: dict[str, Any] = {
        "subject": _text(properties, "subject", parts.headers),
        "body": {"contentType": parts.body_type, "content": parts.body},
        "isRead": bool(properties.get("isRead", True)),
        "importance": properties.get("importance") or "normal",
        "categories": list(properties.get("categories") or ()),
    }
    if len(msgspec.json.encode(parts.body)) > _BODY_BYTES:
        message["body"] = {"contentType": "text", "content": ""}
        attachments.insert(0, _body_file(parts))
        degraded.append("its body is too long for Graph and is attached as a file")
    message |= _correspondents(properties, parts.headers, degraded)
    message_id = _text(properties, "internetMessageId", parts.headers, "message-id")
    if message_id:
        message["internetMessageId"] = message_id
    flag = properties.get("flag") or {}
    if flag.get("flagStatus") not in {None, "notFlagged"}:
        message["flag"] = {name: value for name, value in flag.items() if not name.startswith("@") and value}
    message["singleValueExtendedProperties"] = _extended(properties, parts.headers)
    return MailJson(message, tuple(attachments), tuple(degraded))


def _text(properties: Mapping[str, Any], field: str, headers: Headers, header: str = "") -> str:
    known = properties.get(field)
    return clean(known) if isinstance(known, str) and known else headers.text(header or field)


def _correspondents(properties: Mapping[str, Any], headers: Headers, degraded: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in ("from", "sender"):
        people = _usable([properties[field]] if properties.get(field) else _of_header(headers, field), degraded)
        if people:
            found[field] = people[0]
    for field, header in _RECIPIENTS.items():
        people = _usable(properties[field] if field in properties else _of_header(headers, header), degraded)
        if people:
            found[field] = people
    return found


def _of_header(headers: Headers, header: str) -> list[dict[str, Any]]:
    return [{"emailAddress": {"name": name, "address": address}} for name, address in headers.mailboxes(header)]


def _usable(recipients: Sequence[Mapping[str, Any]], degraded: list[str]) -> list[dict[str, Any]]:
    """The recipients that Exchange accepts: it refuses the whole message for one that is no address."""
    usable = []
    for recipient in recipients:
        mailbox = recipient.get("emailAddress") or {}
        name, address = clean(mailbox.get("name") or ""), clean(mailbox.get("address") or "")
        if "@" in address:
            usable.append({"emailAddress": {"name": name, "address": address}})
        elif name or address:
            degraded.append(f"the correspondent {name or address!r} has no address and is left out")
    return usable


def _extended(properties: Mapping[str, Any], headers: Headers) -> list[dict[str, str]]:
    extended = {}
    if not properties.get("isDraft"):
        sent = _usable_time(properties.get("sentDateTime")) or _header_time(headers)
        received = _usable_time(properties.get("receivedDateTime"))
        extended = {_MESSAGE_FLAGS: "4", _SENT: sent or received, _RECEIVED: received or sent}
    extended[_IN_REPLY_TO] = headers.text("in-reply-to")
    extended[_REFERENCES] = headers.text("references")
    return [{"id": name, "value": value} for name, value in extended.items() if value]


def _header_time(headers: Headers) -> str:
    try:
        sent = email.utils.parsedate_to_datetime(headers.text("date")).astimezone(UTC)
    except (*PARSE_FAULTS, OverflowError):
        return ""
    return _usable_time(sent.isoformat(timespec="seconds").replace("+00:00", "Z"))


def _usable_time(text: object) -> str:
    """The time itself if Exchange can hold it, which it does as a FILETIME (since 1601), else ""."""
    try:
        return text if isinstance(text, str) and datetime.fromisoformat(text).year >= 1601 else ""
    except ValueError:
        return ""


def _body_file(parts: MimeParts) -> Attachment:
    ending = "html" if parts.body_type == "html" else "txt"
    content_type = "text/html; charset=utf-8" if parts.body_type == "html" else "text/plain; charset=utf-8"
    return Attachment(f"body.{ending}", content_type, parts.body.encode())
