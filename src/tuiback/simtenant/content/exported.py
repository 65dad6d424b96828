"""Writes a message as the opaque stream of an export, and reads it back unless a byte of it was altered.

The real format is Exchange's own and documented as opaque; clients must give it back as they got it:
https://learn.microsoft.com/graph/import-exchange-mailbox-item
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any

import msgspec

from tuiback.simtenant.content.mail import Attachment, Body, Head, Mail
from tuiback.simtenant.content.parsed import ParsedMail

_MAGIC = b"\x03\x00\x05FTS\x00\x01"
_SEAL_BYTES = 16


class _Part(msgspec.Struct, frozen=True):
    """What MIME does not tell of an attachment."""

    name: str
    content_type: str
    is_inline: bool
    content_id: str | None
    thing: dict[str, Any] | None = None
    link: dict[str, Any] | None = None
    link_bytes: int = 0


class Exported(msgspec.Struct, frozen=True):
    """A message with everything that its mailbox knows of it."""

    mime: bytes
    head: Head
    body: Body
    parts: tuple[_Part, ...]
    created: datetime
    is_draft: bool
    is_read: bool
    properties: dict[str, Any]
    extended: list[dict[str, str]]

    @property
    def mail(self) -> "CarriedMail":
        """The message's content."""
        return CarriedMail(self)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a message stands in its mailbox."""

    created: datetime
    is_draft: bool
    is_read: bool
    properties: dict[str, Any]
    extended: list[dict[str, str]]


class Altered(Exception):
    """These bytes are no export, or not all of one."""


def exported(mail: Mail, standing: Standing) -> bytes:
    """The stream; the same message in the same state gives the same bytes."""
    content = msgspec.msgpack.encode(
        Exported(
            mail.mime(), mail.head, mail.body,
            tuple(_part(each) for each in mail.attachments),
            standing.created, standing.is_draft, standing.is_read, standing.properties, standing.extended,
        )
    )  # fmt: skip
    return _MAGIC + blake2b(content, digest_size=_SEAL_BYTES).digest() + content


def _part(attachment: Attachment) -> _Part:
    size = attachment.size if attachment.link is not None else 0
    return _Part(
        attachment.name, attachment.content_type, attachment.is_inline, attachment.content_id, attachment.thing,
        attachment.link, size,
    )  # fmt: skip


def read_export(stream: bytes) -> Exported:
    """The message in a stream. Raises Altered."""
    start = len(_MAGIC) + _SEAL_BYTES
    content = stream[start:]
    if stream[:start] != _MAGIC + blake2b(content, digest_size=_SEAL_BYTES).digest():
        raise Altered
    return msgspec.msgpack.decode(content, type=Exported)


class CarriedMail:
    """A message that was exported and imported again (see Mail)."""

    def __init__(self, carried: Exported) -> None:
        self._carried = carried
        self._parsed = ParsedMail(lambda: carried.mime, carried.head.sent)

    @property
    def head(self) -> Head:
        """Who wrote what to whom, and when."""
        return self._carried.head

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The header fields as they stand in the MIME."""
        return self._parsed.headers

    @property
    def body(self) -> Body:
        """The text."""
        return self._carried.body

    @cached_property
    def attachments(self) -> Sequence[Attachment]:
        """The files, as they were known before."""
        found, parts = self._parsed.attachments, self._carried.parts
        if len(found) != sum(part.link is None for part in parts):
            return found
        held = iter(found)
        return tuple(_carried(part, held) for part in parts)

    @property
    def size(self) -> int:
        """How many bytes its MIME has."""
        return len(self._carried.mime)

    def mime(self) -> bytes:
        """The message as RFC 822 bytes."""
        return self._carried.mime


def _carried(part: _Part, held: Iterator[Attachment]) -> Attachment:
    """An attachment as it was known before; links are in no MIME."""
    if part.link is not None:
        return Attachment(
            part.name, part.content_type, part.link_bytes, lambda: b"", part.is_inline, part.content_id, link=part.link
        )
    return replace(
        next(held), name=part.name, content_type=part.content_type, is_inline=part.is_inline,
        content_id=part.content_id, thing=part.thing,
    )  # fmt: skip
