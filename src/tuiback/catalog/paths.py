"""The PATH rules of the command line: how item names become one line of text and how it is taken apart again.

Segments stand between `/`; `/` and `%` within a name are `%2F` and `%25`. Two items of one name in one folder are
told apart by `name#shortid`. A name that would itself be read as one of these forms has its telling character
escaped, so that every item has exactly one path and every such path leads back to it.
"""

import hashlib
import re

import msgspec

# What Microsoft Graph calls the folders that exist in every mailbox in the mailbox's own language:
# https://learn.microsoft.com/graph/api/resources/mailfolder
WELL_KNOWN = {"@inbox": "inbox", "@sent": "sentitems", "@deleted": "deleteditems", "@drafts": "drafts"}

_SHORT_ID_CHARACTERS = 8
_WITH_SHORT_ID = re.compile(rf"(?s:(.*))#([0-9a-f]{{{_SHORT_ID_CHARACTERS}}})")
_ESCAPED = re.compile("%(25|2[Ff]|23|40)")


class Segment(msgspec.Struct, frozen=True):
    """One step of a path: a name as the service knows it; `short_id` is "" when the text names none."""

    name: str
    short_id: str = ""


def short_id(item_id: str) -> str:
    """Eight hexadecimal characters that tell items of one name apart."""
    return hashlib.blake2b(item_id.encode(), digest_size=_SHORT_ID_CHARACTERS // 2).hexdigest()


def write_segment(name: str, item_id: str, *, alone: bool) -> str:
    """The text for an item, `alone` when no other in its folder has the same name."""
    text = name.replace("%", "%25").replace("/", "%2F")
    if text in WELL_KNOWN:
        text = "%40" + text[1:]
    if not alone or not name:
        return f"{text}#{short_id(item_id)}"
    if ends_like_short_id(text):
        head, _, tail = text.rpartition("#")
        return f"{head}%23{tail}"
    return text


def read_segment(text: str) -> Segment:
    """The name that the text stands for. A literal name may end like a short id: see ends_like_short_id."""
    match = _WITH_SHORT_ID.fullmatch(text)
    return Segment(unescape(match[1]), match[2]) if match else Segment(unescape(text))


def ends_like_short_id(text: str) -> bool:
    """Whether the end of the text could be a short id, although it may belong to the name."""
    return _WITH_SHORT_ID.fullmatch(text) is not None


def unescape(text: str) -> str:
    """`%25`, `%2F`, `%23` and `%40` become `%`, `/`, `#` and `@`; any other `%` stays, as people type it."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def split(path: str) -> tuple[list[str], bool]:
    """The path's segments as written, and whether it names a folder by a trailing `/`. The root has none."""
    return [segment for segment in path.split("/") if segment], path.endswith("/")
