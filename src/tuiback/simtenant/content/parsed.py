"""Reads any bytes as a message, however broken, without changing them."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.header import Header, decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from functools import cached_property, lru_cache
from hashlib import blake2b

from tuiback.simtenant.content.mail import Address, Attachment, Body, Head
from tuiback.simtenant.content.orderly import Fields, find_fields, read_message

_MESSAGE_TYPE = "message/rfc822"
_PREVIEW_CHARACTERS = 255
_PEOPLE_REMEMBERED = 4096
# Real mail says "102" and means 2002; Windows time begins here.
_FIRST_YEAR = 1601
# What nearly all mailboxes look like, up to the comma behind them: they need no parser of comments and routes.
_ADDRESS = r"[\w.+=-]+@[\w-]+(?:\.[\w-]+)*"
_WORDS = r"[\w'=?+.-]+(?: [\w'=?+.-]+)*"
_MAILBOX = re.compile(
    rf"""\s*(?:({_ADDRESS})|(?:"([^"\\\r\n()]*)"|({_WORDS}))\s*<({_ADDRESS})>)\s*(?:,|\Z)""", re.ASCII
)


class ParsedMail:
    """A message behind its raw bytes (see Mail). `fallback` is its date where it carries no readable one."""

    def __init__(self, read: Callable[[], bytes], fallback: datetime) -> None:
        self._read = read
        self._fallback = fallback

    def mime(self) -> bytes:
        """The bytes exactly as they are."""
        return self._raw

    @property
    def size(self) -> int:
        """How many bytes its MIME has."""
        return len(self._raw)

    @cached_property
    def _raw(self) -> bytes:
        return self._read()

    @cached_property
    def _message(self) -> "Message[str, str]":
        return read_message(self._raw)

    @cached_property
    def _fields(self) -> "Fields | Message[str, str]":
        """Those of its head: a list of messages needs no more of most."""
        return find_fields(self._raw) or self._message

    def _field(self, name: str) -> str:
        """The first field of this name, decoded; "" without one."""
        return decoded(self._legible(self._fields.get(name, "")))

    def _legible(self, value: object) -> str:
        """A field as text; one with bytes that are not ASCII, as old mail has it, in the charset of the message.

        Exchange tries UTF-8, among others: https://learn.microsoft.com/previous-versions/office/developer/
        exchange-server-2010/aa566930(v=exchg.140); a charset that nobody names is that of Windows.
        """
        if not isinstance(value, Header):
            return str(value)
        raw = b"".join(piece for piece, _ in decode_header(value) if isinstance(piece, bytes))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return _decoded(raw, self._message.get_content_charset() or "windows-1252")

    @cached_property
    def head(self) -> Head:
        """The header fields, decoded as far as they can be."""
        sent = readable_date(self._fields.get("Date")) or self._fallback
        authors = self._addresses("From")
        importance = self._field("Importance").strip().lower()
        message_id = self._field("Message-ID").strip() or self._own_id()
        return Head(
            subject=self._field("Subject"),
            author=authors[0] if authors else None,
            to=self._addresses("To"),
            cc=self._addresses("Cc"),
            bcc=self._addresses("Bcc"),
            reply_to=self._addresses("Reply-To"),
            sent=sent,
            received=sent,
            message_id=message_id,
            conversation=self._conversation(message_id),
            importance=importance if importance in ("low", "normal", "high") else "normal",
        )

    @cached_property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The header fields as they are written."""
        return tuple((clean(name), clean(str(value))) for name, value in self._fields.items())

    @cached_property
    def _text_part(self) -> "Message[str, str] | None":
        parts = _parts(self._message)
        leaves = [part for part in parts if not part.is_multipart() and part.get_filename() is None]
        for wanted in ("text/html", "text/plain"):
            for part in leaves:
                if part.get_content_type() == wanted:
                    return part
        return None

    @cached_property
    def body(self) -> Body:
        """The first HTML part, else the first plain one."""
        part = self._text_part
        text = _text(part) if part is not None else ""
        is_html = part is not None and part.get_content_type() == "text/html"
        return Body(is_html, text, text[:_PREVIEW_CHARACTERS])

    @cached_property
    def attachments(self) -> Sequence[Attachment]:
        """The parts that have a file name or call themselves attachments, and whole messages."""
        if _is_text(self._fields) or not self._message.is_multipart():
            return ()
        parts = [
            part
            for part in _parts(self._message)
            if _is_message(part)
            or (not part.is_multipart() and (part.get_filename() or part.get_content_disposition() == "attachment"))
        ]
        return tuple(
            _attached_message(part, self._fallback) if _is_message(part) else _attachment(part, place)
            for place, part in enumerate(parts)
            if part is not self._message
        )

    def _own_id(self) -> str:
        return f"<{blake2b(self._raw, digest_size=12).hexdigest()}@missing.invalid>"

    def _conversation(self, message_id: str) -> bytes:
        references = self._field("References").split()
        answered = self._field("In-Reply-To").split()
        root = (references or answered or [message_id])[0]
        return blake2b(root.encode(), digest_size=16).digest()

    def _addresses(self, name: str) -> Sequence[Address]:
        return _people(tuple(self._legible(value) for value in self._fields.get_all(name, ())))


@lru_cache(maxsize=_PEOPLE_REMEMBERED)
def _people(values: tuple[str, ...]) -> Sequence[Address]:
    """Whom the values of fields name: in a mailbox the same ones again and again."""
    if not values:
        return ()
    found = mailboxes(values[0]) if len(values) == 1 else None
    try:
        found = getaddresses(values) if found is None else found
    except (ValueError, IndexError, TypeError):
        return ()
    return tuple(Address(decoded(who), clean(address)) for who, address in found if address)


def mailboxes(text: str) -> list[tuple[str, str]] | None:
    """Names and addresses as email.utils.getaddresses() tells them; None when one of them is out of the ordinary."""
    found = []
    place = 0
    while place < len(text):
        each = _MAILBOX.match(text, place)
        if each is None:
            return None
        found.append((each[2] or each[3] or "", each[1] or each[4]))
        place = each.end()
    return found


def decoded(value: object) -> str:
    """A header as text: encoded words decoded where they can be, line folds removed, nothing unprintable in UTF-8."""
    raw = str(value)
    if "=?" not in raw:
        return clean(raw)
    try:
        pieces = decode_header(raw)
    except (ValueError, LookupError):
        return clean(raw)
    # What stands between encoded words comes back as raw-unicode-escape where it is not ASCII.
    between = "us-ascii" if raw.isascii() else "raw-unicode-escape"
    texts = (piece if isinstance(piece, str) else _decoded(piece, charset or between) for piece, charset in pieces)
    return clean("".join(texts))


def clean(text: str) -> str:
    """The text on one line, with lone surrogates replaced so that it can be written as UTF-8."""
    if text.isascii() and text.isprintable():
        return text
    return " ".join(text.splitlines()).encode("utf-8", "replace").decode()


def readable_date(value: object) -> datetime | None:
    """The moment a Date header names, in UTC, or None where nobody can tell."""
    try:
        found = parsedate_to_datetime(str(value))
        moment = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.year >= _FIRST_YEAR else None


def _decoded(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def _payload(part: "Message[str, str]") -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(part: "Message[str, str]") -> str:
    text = _decoded(_payload(part), part.get_content_charset())
    return text.encode("utf-8", "replace").decode()


def _parts(part: "Message[str, str]") -> "Iterator[Message[str, str]]":
    """A part and all below it, but not what an attached message holds."""
    yield part
    if part.is_multipart() and not _is_message(part):
        for each in part.get_payload():
            yield from _parts(each)  # type: ignore[arg-type]


def _is_text(fields: "Fields | Message[str, str]") -> bool:
    """Whether its type says so at once; others say it only to who looks closer."""
    return str(fields.get("Content-Type", "text/plain")).lstrip().lower().startswith("text/")


def _is_message(part: "Message[str, str]") -> bool:
    return part.is_multipart() and part.get_content_type() == _MESSAGE_TYPE


def _attached_message(part: "Message[str, str]", fallback: datetime) -> Attachment:
    inner = part.get_payload(0)
    try:
        content = inner.as_bytes()  # type: ignore[union-attr]
    except (UnicodeError, LookupError, KeyError):
        content = str(inner).encode("utf-8", "replace")
    item = ParsedMail(lambda: content, fallback)
    name = decoded(part.get_filename() or "") or item.head.subject or "message"
    return Attachment(name, _MESSAGE_TYPE, len(content), lambda: content, item=item)


def _attachment(part: "Message[str, str]", place: int) -> Attachment:
    content = _payload(part)
    content_id = clean(str(part["Content-ID"])).strip("<> ") if part["Content-ID"] else None
    name = decoded(part.get_filename() or f"part{place + 1}")
    inline = part.get_content_disposition() == "inline"
    return Attachment(name, part.get_content_type(), len(content), lambda: content, inline, content_id)
