"""Makes mails for tests: entities put together by hand, so that every byte is known."""

import base64
from collections.abc import Sequence

CRLF = b"\r\n"


def base64_text(data: bytes, line_characters: int = 76, line_end: bytes = CRLF) -> bytes:
    """Base64 as mail programs write it, without a line end at the end."""
    text = base64.b64encode(data)
    step = line_characters or max(1, len(text))
    return line_end.join(text[start : start + step] for start in range(0, len(text), step))


def attachment(data: bytes, *, text: bytes | None = None, line_end: bytes = CRLF) -> bytes:
    """An entity whose body is base64; `text` replaces what it is written as."""
    head = (b"Content-Type: application/pdf; name=plan.pdf", b"Content-Transfer-Encoding: base64", b"", b"")
    return line_end.join(head) + (base64_text(data, line_end=line_end) if text is None else text)


def plain(text: bytes = b"See the plan.", line_end: bytes = CRLF) -> bytes:
    """An entity of plain text."""
    return b"Content-Type: text/plain" + 2 * line_end + text


def multipart(
    *entities: bytes, boundary: bytes = b"=_b", line_end: bytes = CRLF, fields: Sequence[bytes] = ()
) -> bytes:
    """An entity of entities."""
    delimiter = b"--" + boundary
    head = (*fields, b'Content-Type: multipart/mixed;' + line_end + b'\tboundary="' + boundary + b'"', b"", b"")
    body = b"".join(delimiter + line_end + entity + line_end for entity in entities)
    return line_end.join(head) + body + delimiter + b"--" + line_end


def forwarded(entity: bytes, line_end: bytes = CRLF) -> bytes:
    """An entity that is a mail itself."""
    return b"Content-Type: message/rfc822" + 2 * line_end + entity


def letter(number: int, *attached: bytes) -> bytes:
    """A mail to someone else each time, with these files."""
    fields = (b"From: ann@example.com", b"To: reader%d@example.com" % number, b"Message-ID: <%d@example.com>" % number)
    return multipart(plain(), *map(attachment, attached), boundary=b"=_%d" % number, fields=fields)
