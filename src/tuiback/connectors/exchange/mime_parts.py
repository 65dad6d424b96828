"""Takes a MIME message apart into one body and its attachments, whatever shape it is in."""

import email
import email.errors
import email.generator
import email.header
import email.policy
import email.utils
import io
import mimetypes
from collections.abc import Iterator
from email.message import Message

import msgspec
from msgspec.structs import replace

# What the standard library's parser raises for the mail of real mailboxes, beside its own errors.
PARSE_FAULTS = (
    email.errors.MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError,
)

_UNMODIFIED = email.policy.compat32.clone(linesep="\r\n", mangle_from_=False)


class Attachment(msgspec.Struct, frozen=True):
    """A file within a message. `content_id` (without angle brackets) is what an HTML body calls it by."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""
    inline: bool = False


class MimeParts(msgspec.Struct, frozen=True):
    """A message taken apart: `body_type` is "html" or "text"; `degraded` says what could not be kept."""

    body_type: str
    body: str
    attachments: tuple[Attachment, ...]
    headers: "Headers"
    degraded: tuple[str, ...]


class Headers:
    """The headers of a message, read as far as they can be."""

    def __init__(self, message: Message | None) -> None:
        self._message = message

    def text(self, name: str) -> str:
        """The header on one line and decoded, "" when it is absent or can't be read."""
        return _decoded(self._message.get(name)) if self._message is not None else ""

    def mailboxes(self, name: str) -> list[tuple[str, str]]:
        """Pairs of display name and address; groups and words that are no address are left out."""
        values = self._message.get_all(name, []) if self._message is not None else []
        try:
            found = email.utils.getaddresses([str(value) for value in values])
        except PARSE_FAULTS:
            return []
        return [(_decoded(display_name), clean(address)) for display_name, address in found if "@" in address]


def take_apart(mime: bytes) -> MimeParts:
    """Never fails: what can't be parsed becomes one attachment that holds the whole MIME."""
    try:
        # Not the newer policy: it takes quadratic time over a hostile header, 5 s over a real one of 4 KB.
        return _Collector().collect(email.message_from_bytes(mime, policy=email.policy.compat32))
    except PARSE_FAULTS as fault:
        whole = Attachment("message.eml", "message/rfc822", mime)
        note = f"its MIME could not be taken apart ({type(fault).__name__}) and is attached whole"
        return MimeParts("text", "", (whole,), Headers(None), (note,))


def clean(text: str) -> str:
    """The text without what JSON or Exchange can't hold: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


class _Collector:
    """Walks a message once and keeps the first body, preferring HTML among alternatives."""

    def __init__(self) -> None:
        self._body: tuple[str, str] | None = None
        self._attachments: list[Attachment] = []
        self._degraded: dict[str, None] = {}

    def collect(self, message: Message) -> MimeParts:
        if _is_text(message, named=True):
            self._take_body(message)
        else:
            self._take(message)
        body_type, body = self._body or ("text", "")
        # Mailers call a picture an attachment that the body shows nevertheless.
        attachments = tuple(
            replace(a, inline=True) if a.content_id and f"cid:{a.content_id}" in body else a for a in self._attachments
        )
        return MimeParts(body_type, body, attachments, Headers(message), tuple(self._degraded))

    def _take(self, part: Message) -> None:
        content_type = _content_type(part)
        if content_type in {"multipart/signed", "application/pkcs7-mime", "application/x-pkcs7-mime"}:
            self._degraded["its signature or encryption is kept as an attachment only"] = None
        if part.is_multipart() and content_type.startswith("message/"):
            self._take_message(part)
        elif part.is_multipart() and content_type == "multipart/alternative":
            self._take_alternatives(list(_inner_parts(part)))
        elif part.is_multipart():
            for inner in _inner_parts(part):
                self._take(inner)
        elif self._body is None and _is_text(part):
            self._take_body(part)
        else:
            self._attach(part)

    def _take_body(self, part: Message) -> None:
        self._body = ("html" if _content_type(part) == "text/html" else "text", _text_of(part))

    def _take_alternatives(self, parts: list[Message]) -> None:
        """The last alternative is the richest, but Exchange shows HTML or text: the other texts are left out."""
        chosen = next((p for p in parts if _holds(p, "text/html")), None)
        chosen = chosen or next((p for p in parts if _holds(p, "text/plain")), None)
        for part in parts:
            if part is chosen or not _is_text(part):
                self._take(part)

    def _take_message(self, part: Message) -> None:
        """A forwarded message, or a report about one: the parser has parsed what is a file here."""
        content_type = _content_type(part)
        name = _file_name(part) or f"attachment-{len(self._attachments) + 1}.txt"
        if content_type == "message/rfc822":
            subject = Headers(next(_inner_parts(part), None)).text("subject")
            name = _file_name(part) or f"{subject or 'message'}.eml"
            self._degraded["an attached message is restored as an .eml file"] = None
        buffer = io.BytesIO()
        email.generator.BytesGenerator(buffer, policy=_UNMODIFIED).flatten(part)
        _, _, content = buffer.getvalue().partition(b"\r\n\r\n")
        self._attachments.append(Attachment(name, content_type, content))

    def _attach(self, part: Message) -> None:
        payload = part.get_payload(decode=True)
        content_type = _content_type(part)
        content_id = Headers(part).text("content-id").strip("<> ")
        ending = mimetypes.guess_extension(content_type) or ".bin"
        self._attachments.append(
            Attachment(
                name=_file_name(part) or f"attachment-{len(self._attachments) + 1}{ending}",
                content_type=content_type,
                data=payload if isinstance(payload, bytes) else b"",
                content_id=content_id,
                inline=bool(content_id) and part.get_content_disposition() == "inline",
            )
        )


def _inner_parts(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (inner for inner in payload if isinstance(inner, Message))


def _holds(part: Message, content_type: str) -> bool:
    return any(_content_type(inner) == content_type for inner in part.walk())


def _is_text(part: Message, *, named: bool = False) -> bool:
    """Whether the part can be the body; a part with a file name only if `named` are taken too.

    A "multipart" that has no parts is the text of a broken message.
    """
    if part.get_content_disposition() == "attachment":
        return False
    content_type = _content_type(part)
    if content_type.startswith("multipart/"):
        return not part.is_multipart()
    return content_type in {"text/plain", "text/html"} and (named or not _file_name(part))


def _content_type(part: Message) -> str:
    # "text/plain charset=us-ascii", the semicolon forgotten, is common.
    return part.get_content_type().split()[0]


def _file_name(part: Message) -> str:
    return _decoded(part.get_filename())


def _decoded(value: object) -> str:
    """A header's value with its encoded words read (RFC 2047), on one line."""
    if value is None:
        return ""
    try:
        text = str(email.header.make_header(email.header.decode_header(str(value))))
    except PARSE_FAULTS:
        text = str(value)
    return clean(" ".join(text.split()))


def _text_of(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    # An unlabelled body is ASCII by the standard and UTF-8 in practice; labels are wrong, unknown or both.
    label = part.get_content_charset() or "utf-8"
    for charset, errors in ((label, "strict"), ("utf-8", "strict"), (label, "replace"), ("cp1252", "replace")):
        try:
            return clean(payload.decode(charset, errors))
        except (LookupError, ValueError):
            continue
    return ""
