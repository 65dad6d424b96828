"""Takes a mail's MIME apart for reading: headers, text, names and sizes of attachments. Never fails on bad input."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from html.parser import HTMLParser

# Longer bodies are cut for reading; the stored mail is whole.
BODY_CHARACTERS = 400_000
HEADERS = ("From", "To", "Cc", "Date", "Subject")

_BLANKS = re.compile(r"\s+")
_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
                     "blockquote", "pre", "section", "article", "header", "footer"})


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail as text: headers that are there, attachments as (name, bytes), the body."""

    headers: tuple[tuple[str, str], ...]
    attachments: tuple[tuple[str, int], ...]
    body: str


class _TextOfHtml(HTMLParser):
    """Collects the text of a document; markup only decides where lines break."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  the parser's
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.pieces.append("\n• " if tag == "li" else "\n")
        elif tag in {"td", "th"}:
            self.pieces.append("  ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BREAKS and tag != "li":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(_BLANKS.sub(" ", data))


def text_of_html(html: str) -> str:
    """The readable text of a document, at most one empty line in a row."""
    parser = _TextOfHtml()
    parser.feed(html[:BODY_CHARACTERS])
    # What stands open at the end is text, too: close() hands it out.
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.pieces).split("\n")]
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip()


def mail_text(mime: bytes) -> MailText:
    """The mail as text. Bytes that are no mail come out as a body without headers."""
    message: Message = message_from_bytes(mime, policy=policy.compat32)
    headers = tuple((name, _decoded(str(message[name]))) for name in HEADERS if message[name] is not None)
    attachments: list[tuple[str, int]] = []
    plain: list[str] = []
    html: list[str] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        name = _file_name(part)
        if name or part.get_content_maintype() != "text":
            attachments.append((name or part.get_content_type(), len(content)))
        else:
            (html if part.get_content_subtype() == "html" else plain).append(_text(content, part))
    body = "\n".join(plain) if any(text.strip() for text in plain) else "\n".join(map(text_of_html, html))
    return MailText(headers, tuple(attachments), body[:BODY_CHARACTERS])


def _file_name(part: Message) -> str:
    try:
        return _decoded(part.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        return "attachment"


def _decoded(value: str) -> str:
    """A header without its encoded words; as it stands where they are broken."""
    try:
        return " ".join(str(make_header(decode_header(value))).split())
    except (HeaderParseError, ValueError, LookupError):
        return " ".join(value.split())


def _text(content: bytes, part: Message) -> str:
    charset = part.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")
