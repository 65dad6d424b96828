"""Makes a preview of an item out of its stored bytes: a mail as text, a text file as it is, anything else as hex."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuiback.console import figures
from tuiback.console.text import clip, wrap
from tuiback.console.widgets.lines import Line, Span, line, line_width
from tuiback.model import Kind, StoredPart

if TYPE_CHECKING:
    from tuiback.catalog import Entry
    from tuiback.console.ports import CatalogPages, PartReader

MAIL_BYTES = 8 << 20
FILE_BYTES = 64 << 10
HEX_BYTES = 4 << 10
SHOWN_LINES = 2000
# More control characters than this share, and it is no text.
CONTROL_SHARE = 0.02
# A fact that does not fit on its line is cut, where so many cells of it can still be read.
_CUT_AT = 30
_IN_LIST = frozenset({"Subject", "Name"})
_TEXT_CONTROLS = frozenset("\t\n\r\f\x1b")


@dataclass(frozen=True, slots=True)
class PreviewText:
    """What a preview shows: named facts, then text that wraps; `hexadecimal` text must not wrap."""

    facts: tuple[tuple[str, str], ...]
    body: str
    hexadecimal: bool = False


def read_preview(entry: "Entry", pages: "CatalogPages", content: "PartReader") -> PreviewText:
    """Read what the preview needs and no more. Raises Damage where stored bytes are not what was written."""
    parts = {part.name: part for part in pages.parts(entry.account_id, entry.item_id, entry.from_seq)}
    if entry.kind is Kind.MESSAGE and "mime" in parts:
        return _mail(entry, read_head(content, parts["mime"], MAIL_BYTES))
    part = parts.get("file") or next((part for name, part in parts.items() if name != "properties"), None)
    if part is None:
        return PreviewText(_facts(entry), "No content is kept of this item.")
    return _file(entry, part, read_head(content, part, FILE_BYTES))


def read_head(content: "PartReader", part: StoredPart, limit: int) -> bytes:
    """At most `limit` bytes from the start of a part."""
    pieces: list[bytes] = []
    size = 0
    for piece in content.read(part):
        pieces.append(piece)
        size += len(piece)
        if size >= limit:
            break
    return b"".join(pieces)[:limit]


def _mail(entry: "Entry", mime: bytes) -> PreviewText:
    # The mail parser is loaded with the first mail, in the reading thread.
    from tuiback.console.mail_text import mail_text

    mail = mail_text(mime)
    facts = [*mail.headers]
    if mail.attachments:
        told = ", ".join(f"{name} ({figures.size_text(size)})" for name, size in mail.attachments)
        facts.append(("Attached", told))
    return PreviewText((*facts, *_version_facts(entry)), mail.body)


def _file(entry: "Entry", part: StoredPart, head: bytes) -> PreviewText:
    facts = (*_facts(entry), *_version_facts(entry))
    text = text_of(head)
    if text is None:
        return PreviewText(facts, hex_lines(head[:HEX_BYTES]), hexadecimal=True)
    if part.size > len(head):
        text += f"\n... ({figures.size_text(part.size)} in all)"
    return PreviewText(facts, text)


def _facts(entry: "Entry") -> tuple[tuple[str, str], ...]:
    kind = entry.attrs.get("mime_type", "")
    facts = (("Name", entry.name), ("Size", f"{figures.number(entry.size)} bytes"), ("Changed", entry.modified))
    return (*facts, ("Type", kind)) if kind else facts


def _version_facts(entry: "Entry") -> tuple[tuple[str, str], ...]:
    until = f"until #{entry.until_seq - 1}" if entry.until_seq is not None else "until now"
    count = f"{entry.versions} versions (V)" if entry.versions > 1 else "1 version"
    return (("Kept", f"{count}; this one from #{entry.from_seq} {until}"),)


def text_of(head: bytes) -> str | None:
    """The bytes as text, None where they are none. A character cut at the end does not count against it."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        if fault.start < len(head) - 3:
            return None
        text = head[: fault.start].decode("utf-8-sig")
    controls = sum(1 for character in text if character < " " and character not in _TEXT_CONTROLS)
    return None if controls > CONTROL_SHARE * max(1, len(text)) else text


def hex_lines(data: bytes) -> str:
    """Offset, 16 bytes in hex, and what of them is printable ASCII."""
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        left = " ".join(f"{byte:02x}" for byte in row)
        right = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:06x}  {left:<47}  {right}")
    return "\n".join(lines)


def preview_lines(preview: PreviewText, width: int, *, flat: bool = False) -> list[Line]:
    """The preview as lines of at most `width` cells; a flat pane gets its facts on two lines."""
    lines = flat_fact_lines(preview.facts, width) if flat else [*fact_lines(preview.facts, width), ()]
    if preview.hexadecimal:
        return lines + [line(text) for text in preview.body.splitlines()]
    return lines + [line(text) for text in wrap(preview.body, max(8, width), SHOWN_LINES)]


def flat_fact_lines(facts: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """The facts side by side, as far as they fit on two lines; what the list beside it shows is left out."""
    lines: list[Line] = [()]
    for name, value in facts:
        if name in _IN_LIST:
            continue
        label = Span(f"{name} ", "label")
        if lines[-1] and width - line_width(lines[-1]) - 2 < min(_CUT_AT, line_width((label, Span(value)))):
            lines.append(())
        gap = (Span("  "),) if lines[-1] else ()
        room = width - line_width((*lines[-1], *gap, label))
        lines[-1] += (*gap, label, Span(clip(value, room)))
    return lines[:2]


def fact_lines(facts: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """Named facts, each on at most two lines."""
    label = 9
    lines: list[Line] = []
    for name, value in facts:
        for index, text in enumerate(wrap(value, max(8, width - label), 2)):
            lines.append((Span(f"{name if not index else '':<{label}}", "label"), Span(text)))
    return lines
