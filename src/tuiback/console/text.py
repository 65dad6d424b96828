"""Makes any text harmless to a terminal and fits it to cells; the one width function of all widgets."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len

ELLIPSIS = "…"
REPLACEMENT = "·"

# Marks that follow a letter are kept up to this many: more only smear over the neighbouring lines.
MARKS_PER_LETTER = 2

# Variation selectors, zero-width joiners and skin tones make one picture out of several characters, which
# terminals measure differently; without them every character has one width everywhere.
_DROPPED = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200d\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
_REGIONAL_A = 0x1F1E6
_REGIONAL_Z = 0x1F1FF
_FORBIDDEN = frozenset({"Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_text(text: str) -> str:
    """The text as it may reach a terminal: no control, bidi or joining characters, no lone surrogates.

    Control characters become their Unicode pictures (ESC is ␛), tabs and line ends become blanks.
    """
    if text.isascii() and text.isprintable():
        return text
    return _made_safe(text)


@lru_cache(maxsize=4096)
def _made_safe(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", _DROPPED.sub("", text)):
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks <= MARKS_PER_LETTER:
            kept.append(_safe_character(character))
    return "".join(kept)


def _safe_character(character: str) -> str:
    code = ord(character)
    if character in "\t\n\r\v\f":
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if _REGIONAL_A <= code <= _REGIONAL_Z:
        return chr(ord("A") + code - _REGIONAL_A)
    category = unicodedata.category(character)
    if category == "Cc" or category in _FORBIDDEN:
        return REPLACEMENT
    return " " if category == "Zs" else character


def cell_width(text: str) -> int:
    """How many cells the text covers."""
    return len(text) if text.isascii() else cell_len(text)


def clip(text: str, width: int) -> str:
    """The safe text in at most `width` cells; an ellipsis ends it where something is missing."""
    safe = safe_text(text)
    if cell_width(safe) <= width:
        return safe
    if width <= 0:
        return ""
    return _head(safe, width - 1) + ELLIPSIS


def clip_left(text: str, width: int) -> str:
    """The end of the safe text in at most `width` cells: what matters most of a path."""
    safe = safe_text(text)
    if cell_width(safe) <= width:
        return safe
    if width <= 0:
        return ""
    return ELLIPSIS + _head(safe[::-1], width - 1)[::-1]


def _head(text: str, width: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:index]
    return text


def fit(text: str, width: int, align: str = "left") -> str:
    """The safe text in exactly `width` cells, aligned left or right."""
    clipped = clip(text, width)
    blanks = " " * (width - cell_width(clipped))
    return blanks + clipped if align == "right" else clipped + blanks


def shared_domain(addresses: Iterable[str]) -> str:
    """`@contoso.com` where all addresses end so, else ""."""
    domains = {address.partition("@")[2] for address in addresses}
    return f"@{domains.pop()}" if len(domains) == 1 else ""


def wrap(text: str, width: int, limit: int) -> list[str]:
    """The text's lines broken at blanks to at most `width` cells each, at most `limit` of them, made safe."""
    lines: list[str] = []
    for raw in text.splitlines():
        rest = safe_text(raw.expandtabs(4)).rstrip()
        while cell_width(rest) > width and len(lines) < limit:
            head = _head(rest, width)
            cut = head.rfind(" ")
            if cut <= 0:
                cut = max(1, len(head))
            lines.append(rest[:cut].rstrip())
            rest = rest[cut:].lstrip(" ")
        lines.append(rest)
        if len(lines) >= limit:
            break
    return lines[:limit]
