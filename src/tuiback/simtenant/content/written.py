"""Makes a message out of the JSON that Graph was given, its MIME by the standard library's email package."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any

from tuiback.simtenant.content.mail import Address, Attachment, Body, Head
from tuiback.simtenant.content.parsed import clean


@dataclass
class WrittenMail:
    """A message made from Graph properties (see Mail). `sent` and `received` were decided at creation.

    `answers` is the Message-ID of the message it replies to, if any. Without a `conversation` the subject decides.
    """

    properties: dict[str, Any]
    sent: datetime
    received: datetime
    attachments: list[Attachment] = field(default_factory=list)
    answers: str = ""
    conversation: bytes = b""

    @cached_property
    def head(self) -> Head:
        """The properties as they were given."""
        given = self.properties
        subject = str(given.get("subject") or "")
        author = given.get("from") or given.get("sender")
        thread = subject.rpartition(": ")[2].encode("utf-8", "replace")
        return Head(
            subject=subject,
            author=_address(author) if author else None,
            to=self._people("toRecipients"),
            cc=self._people("ccRecipients"),
            bcc=self._people("bccRecipients"),
            reply_to=self._people("replyTo"),
            sent=self.sent,
            received=self.received,
            message_id=str(given.get("internetMessageId") or self._own_id()),
            conversation=self.conversation or blake2b(thread, digest_size=16).digest(),
            importance=str(given.get("importance") or "normal"),
        )

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The internetMessageHeaders that were given."""
        given = self.properties.get("internetMessageHeaders") or []
        return tuple((str(each["name"]), str(each["value"])) for each in given)

    @property
    def body(self) -> Body:
        """The body that was given."""
        given = self.properties.get("body") or {}
        content = str(given.get("content") or "")
        return Body(str(given.get("contentType", "text")).lower() == "html", content, content[:255])

    @property
    def size(self) -> int:
        """How many bytes its MIME has."""
        return len(self.mime())

    def mime(self) -> bytes:
        """The message as RFC 822 bytes; the same content gives the same bytes."""
        made = EmailMessage(policy=SMTP)
        self._write_headers(made)
        made.set_content(_printable(self.body.content), subtype="html" if self.body.is_html else "plain")
        for each in self.attachments:
            if each.link is not None:
                continue
            if each.item is not None:
                inner = message_from_bytes(each.read(), EmailMessage, policy=SMTP)
                made.add_attachment(inner, filename=clean(each.name))
                continue
            main, _, sub = each.content_type.partition("/")
            made.add_attachment(
                each.read(), maintype=main or "application", subtype=sub or "octet-stream", filename=clean(each.name)
            )
        if made.is_multipart():
            made.set_boundary(blake2b(self.head.message_id.encode(), digest_size=12).hexdigest())
        return made.as_bytes()

    def _write_headers(self, made: EmailMessage) -> None:
        head = self.head
        people = {"From": [head.author] if head.author else [], "To": head.to, "Cc": head.cc, "Reply-To": head.reply_to}
        for name, each in people.items():
            if each:
                made[name] = ", ".join(f'"{_quoted(who.name)}" <{clean(who.address)}>' for who in each)
        made["Subject"] = clean(head.subject)
        made["Date"] = format_datetime(head.sent)
        made["Message-ID"] = clean(head.message_id)
        if self.answers:
            made["In-Reply-To"] = made["References"] = clean(self.answers)
        for name, value in self.headers:
            if name.lower().startswith("x-"):
                made[name] = clean(value)

    def _own_id(self) -> str:
        content = repr(sorted(self.properties.items())).encode("utf-8", "replace")
        return f"<{blake2b(content, digest_size=12).hexdigest()}@northwind.example>"

    def _people(self, name: str) -> Sequence[Address]:
        return tuple(_address(each) for each in self.properties.get(name) or ())


def _address(given: dict[str, Any]) -> Address:
    inner = given.get("emailAddress") or {}
    address = str(inner.get("address") or "")
    return Address(str(inner.get("name") or address), address)


def _quoted(name: str) -> str:
    return clean(name).replace("\\", "\\\\").replace('"', '\\"')


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
