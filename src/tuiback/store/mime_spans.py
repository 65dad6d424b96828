"""Finds the spans of a mail that are worth storing apart: attachments and long bodies, wherever they are nested.

Only boundaries and two header fields (RFC 2045, https://www.rfc-editor.org/rfc/rfc2045, and RFC 2046) are looked at.
A mail that breaks their rules loses nothing by it: what is not understood belongs to no span and stays as it came.
"""

import re
from typing import NamedTuple

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

# Of "base64", "Base64" and "BASE64"; other ways to write it are not seen, and such parts stay as they came.
_SMALL_LETTERS = b"ase64"
_LARGE_LETTERS = b"ASE64"
_BLANK_LINE = re.compile(rb"\n\r?\n")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_BOUNDARY = re.compile(rb"""boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,256})"|([^\s;"]{1,256}))""", re.IGNORECASE)
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_COMPOSITE = re.compile(rb"\s*(multipart/|message/rfc822)")
_CONTENT_TYPE = b"\ncontent-type:"
_ENCODING = b"\ncontent-transfer-encoding:"


class Span(NamedTuple):
    """mail[start:end], to be stored apart: the bytes that its layout stands for, or as it is without one.

    `data` are those bytes where finding the layout gave all of them.
    """

    start: int
    end: int
    layout: Base64Lines | None = None
    data: bytes | None = None


# (start, end) in the mail
_Entity = tuple[int, int]


def find_spans(mail: Mail) -> tuple[Span, ...]:
    """The spans in their order, none empty, none over another.

    No span when there is nothing worth it, or more than DEPTH_MAX levels or PARTS_MAX parts.
    """
    if len(mail) < AS_IT_IS_BYTES_MIN and _SMALL_LETTERS not in mail and _LARGE_LETTERS not in mail:
        return ()
    spans = []
    parts = 0
    waiting = [(0, len(mail), 1)]
    while waiting:
        start, end, depth = waiting.pop()
        parts += 1
        if depth > DEPTH_MAX or parts > PARTS_MAX:
            return ()
        if end - start < BASE64_CHARACTERS_MIN:
            continue
        head, body = _head(mail, start, end)
        inside = _inside(mail, head, start, (body, end))
        if inside:
            waiting += [(*entity, depth + 1) for entity in reversed(inside)]
        elif span := _leaf(mail, head, body, end):
            spans.append(span)
    return tuple(spans)


def _head(mail: Mail, start: int, end: int) -> tuple[bytes, int]:
    """The header fields in small letters, a line end before the first, and where the body starts."""
    if mail.startswith((b"\n", b"\r\n"), start, end):
        return b"", mail.index(b"\n", start) + 1
    blank = _BLANK_LINE.search(mail, start, min(end, start + _HEADERS_BYTES_MAX))
    if blank is None:
        return b"", end
    return b"\n" + bytes(mail[start : blank.end()]).lower(), blank.end()


def _inside(mail: Mail, head: bytes, head_start: int, body: _Entity) -> list[_Entity]:
    """The entities that this one's body consists of; none for a leaf."""
    place = head.find(_CONTENT_TYPE)
    if place < 0:
        return []
    place += len(_CONTENT_TYPE)
    what = _COMPOSITE.match(head, place)
    if what is None:
        return []
    if what[1] == b"message/rfc822":
        return [] if _is_base64(head) else [body]
    # The boundary as it was written: the head in small letters is one line end longer.
    place += head_start - 1
    boundary = _BOUNDARY.search(mail, place, _field_end(mail, place))
    return _between(mail, body, boundary[1] or boundary[2]) if boundary else []


def _between(mail: Mail, body: _Entity, boundary: bytes) -> list[_Entity]:
    """The entities between the delimiter lines; the line end before a delimiter belongs to it.

    No more than are needed to see that they are too many.
    """
    start, end = body
    delimiter = b"\n--" + boundary
    found: list[_Entity] = []
    begun: int | None = None
    place = mail.find(delimiter, max(0, start - 1), end)
    while place >= 0 and len(found) <= PARTS_MAX:
        behind = place + len(delimiter)
        line_end = _DELIMITER_END.match(mail, behind, end)
        if line_end is not None:
            if begun is not None and begun < place:
                found.append((begun, place - (mail[place - 1] == 0x0D)))
            if line_end[1]:
                return found
            begun = line_end.end()
            behind = begun - 1
        place = mail.find(delimiter, behind, end)
    if begun is not None and begun < end:
        found.append((begun, end))
    return found


def _leaf(mail: Mail, head: bytes, start: int, end: int) -> Span | None:
    if _is_base64(head):
        text_start, text_end = _trimmed(mail, start, end)
        if text_end - text_start >= BASE64_CHARACTERS_MIN:
            found = find_layout(mail, text_start, text_end)
            if found is not None:
                return Span(text_start, text_end, *found)
    return Span(start, end) if end - start >= AS_IT_IS_BYTES_MIN else None


def _is_base64(head: bytes) -> bool:
    place = head.find(_ENCODING)
    if place < 0:
        return False
    place += len(_ENCODING)
    return head[place : _field_end(head, place)].strip() == b"base64"


def _field_end(head: Mail, start: int) -> int:
    """Where the value of a header field ends, with its folded lines."""
    limit = start + _HEADERS_BYTES_MAX
    end = _FIELD_END.search(head, start, limit)
    return end.start() if end else limit


def _trimmed(mail: Mail, start: int, end: int) -> tuple[int, int]:
    """The span without the blanks around it, as far as they are few."""
    before = mail[start : min(end, start + _BLANKS_MAX)]
    start += len(before) - len(before.lstrip(_BLANKS))
    behind = mail[max(start, end - _BLANKS_MAX) : end]
    return start, end - len(behind) + len(behind.rstrip(_BLANKS))
