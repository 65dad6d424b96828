"""Finds the spans of a mail that are worth storing apart: attachments and long bodies, wherever they are nested.

Only boundaries and two header fields (RFC 2045, https://www.rfc-editor.org/rfc/rfc2045, and RFC 2046) are looked at.
A mail that breaks their rules loses nothing by it: what is not understood belongs to no span and stays as it came.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tuiback.store.base64_lines import Base64Lines, find_layout

Mail = bytes | bytearray

DEPTH_MAX = 32
PARTS_MAX = 1000
# A chunk of its own costs some 70 stored bytes and a row of the catalog.
BASE64_CHARACTERS_MIN = 1024
AS_IT_IS_BYTES_MIN = 8 * 1024
_HEADERS_BYTES_MAX = 64 * 1024
_BLANKS_MAX = 64
_BLANKS = b"\r\n \t"

# Other ways to write it are not seen, and such parts stay as they came.
_BASE64_WORDS = (b"base64", b"BASE64", b"Base64")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_BOUNDARY = re.compile(rb"""boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,256})"|([^\s;"]{1,256}))""", re.IGNORECASE)
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_CONTENT_TYPE = b"\ncontent-type:"
_ENCODING = b"\ncontent-transfer-encoding:"


@dataclass(frozen=True, slots=True)
class Span:
    """mail[start:end], to be stored apart: the bytes that its layout stands for, or as it is without one."""

    start: int
    end: int
    layout: Base64Lines | None


@dataclass(frozen=True, slots=True)
class _Entity:
    start: int
    end: int
    depth: int


def find_spans(mail: Mail) -> tuple[Span, ...]:
    """The spans in their order, none empty, none over another.

    No span when there is nothing worth it, or more than DEPTH_MAX levels or PARTS_MAX parts.
    """
    if len(mail) < AS_IT_IS_BYTES_MIN and not any(word in mail for word in _BASE64_WORDS):
        return ()
    spans = []
    parts = 0
    entities = [_Entity(0, len(mail), 1)]
    while entities:
        entity = entities.pop()
        parts += 1
        if entity.depth > DEPTH_MAX or parts > PARTS_MAX:
            return ()
        head, body = _head(mail, entity)
        inner = _inner(mail, _Entity(body, entity.end, entity.depth + 1), head, entity.start)
        # One more than may be is enough to see that they are too many.
        inside = list(islice(inner, PARTS_MAX + 1))
        if inside:
            entities += reversed(inside)
        elif span := _leaf(mail, head, body, entity.end):
            spans.append(span)
    return tuple(spans)


def _head(mail: Mail, entity: _Entity) -> tuple[bytes, int]:
    """The header fields in small letters, a line end before the first, and where the body starts."""
    if mail.startswith((b"\n", b"\r\n"), entity.start, entity.end):
        return b"", mail.index(b"\n", entity.start) + 1
    blank = _BLANK_LINE.search(mail, entity.start, min(entity.end, entity.start + _HEADERS_BYTES_MAX))
    if blank is None:
        return b"", entity.end
    return b"\n" + bytes(mail[entity.start : blank.end()]).lower(), blank.end()


def _inner(mail: Mail, body: _Entity, head: bytes, head_start: int) -> Iterator[_Entity]:
    """The entities that this one's body consists of; none for a leaf."""
    place = head.find(_CONTENT_TYPE)
    if place < 0:
        return
    content_type = _field(head, place + len(_CONTENT_TYPE))
    if content_type.startswith(b"multipart/"):
        # The boundary as it was written: the head in small letters is one line end longer.
        value = place + len(_CONTENT_TYPE) - 1 + head_start
        boundary = _BOUNDARY.search(_field(mail, value))
        if boundary:
            yield from _between(mail, body, boundary[1] or boundary[2])
    elif content_type.startswith(b"message/rfc822") and not _is_base64(head):
        yield body


def _between(mail: Mail, body: _Entity, boundary: bytes) -> Iterator[_Entity]:
    """The entities between the delimiter lines; the line end before a delimiter belongs to it."""
    delimiter = b"\n--" + boundary
    begun: int | None = None
    place = mail.find(delimiter, max(0, body.start - 1), body.end)
    while place >= 0:
        line_end = _DELIMITER_END.match(mail, place + len(delimiter), body.end)
        if line_end is not None:
            if begun is not None and begun < place:
                yield _Entity(begun, place - (mail[place - 1] == 0x0D), body.depth)
            if line_end[1]:
                return
            begun = line_end.end()
        place = mail.find(delimiter, place + len(delimiter) if line_end is None else line_end.end() - 1, body.end)
    if begun is not None and begun < body.end:
        yield _Entity(begun, body.end, body.depth)


def _leaf(mail: Mail, head: bytes, start: int, end: int) -> Span | None:
    if _is_base64(head):
        text_start, text_end = _trimmed(mail, start, end)
        if text_end - text_start >= BASE64_CHARACTERS_MIN:
            layout = find_layout(mail, text_start, text_end)
            if layout is not None:
                return Span(text_start, text_end, layout)
    return Span(start, end, None) if end - start >= AS_IT_IS_BYTES_MIN else None


def _is_base64(head: bytes) -> bool:
    place = head.find(_ENCODING)
    return place >= 0 and _field(head, place + len(_ENCODING)) == b"base64"


def _field(head: Mail, start: int) -> bytes:
    """The value of a header field with its folded lines."""
    end = _FIELD_END.search(head, start, start + _HEADERS_BYTES_MAX)
    return bytes(head[start : end.start() if end else start + _HEADERS_BYTES_MAX]).strip()


def _trimmed(mail: Mail, start: int, end: int) -> tuple[int, int]:
    """The span without the blanks around it, as far as they are few."""
    for _ in range(_BLANKS_MAX):
        if start < end and mail[start] in _BLANKS:
            start += 1
    for _ in range(_BLANKS_MAX):
        if start < end and mail[end - 1] in _BLANKS:
            end -= 1
    return start, end
