"""Turns what people wrote into what is searched: the same words for upper and lower case, accents and any Unicode form.

Scripts that are written without spaces are cut into pairs of characters, one for every place, so that any part of
such a text can be found.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec

from tuiback.model import Kind

# Thai, Lao, Burmese and Khmer; kana, ideographs and Hangul, whose words carry their particles.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# The accents of alphabets; the marks of kana and of Indic scripts tell letters apart.
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")
# A catalog has far fewer versions than 2 ** 32; the fewer bits a day takes, the smaller are the steps in the index.
_DAY_SHIFT = 32
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,12})$")


class Document(NamedTuple):
    """What is searched of one version; `place` is its row in the index, `facets` are words that nobody types."""

    version_no: int
    place: int
    name: str
    sender: str
    recipients: str
    facets: str


class SearchedAttrs(msgspec.Struct):
    """The display fields of an item that are searched beside its name."""

    sender: str = msgspec.field(name="from", default="")
    to: str = ""
    cc: str = ""


_decode_attrs = msgspec.json.Decoder(SearchedAttrs).decode


def fold(text: str) -> str:
    """The text as words with spaces between. ASCII stays: the index itself knows its case and what ends its words."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    # Kana and Hangul are put together again.
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", folded))
    return unspaced_run().sub(_pairs, _between_words().sub(" ", folded))


@cache
def unspaced_run() -> re.Pattern[str]:
    """What finds text that is written without spaces. Whoever searches nothing starts sooner without it."""
    return re.compile(f"[{_UNSPACED}]+")


@cache
def _between_words() -> re.Pattern[str]:
    return re.compile(f"(?:[^\\w{_UNSPACED}]|_)+")


def _pairs(run: re.Match[str]) -> str:
    text = run[0]
    return f" {' '.join(text[place : place + 2] for place in range(len(text)))} "


def document(row: Sequence[Any]) -> Document:
    """What is searched of (version_no, account_no, kind, name, size, modified, attrs) as the catalog has it."""
    version_no, account_no, kind, name, size, modified, attrs = row
    shown = _decode_attrs(attrs)
    recipients = f"{shown.to}, {shown.cc}" if shown.cc else shown.to
    # The facets below in one go: this is done for every version that there is.
    facets = f"a{account_no} k{kind} s{size.bit_length()}"
    if kind == Kind.FILE and (extension := _EXTENSION.search(name)):
        facets += f" {extension_facet(extension[1])}"
    place = place_of(day_of(modified), version_no)
    return Document(version_no, place, fold(name), fold(shown.sender), fold(recipients), facets)


def place_of(day: int, version_no: int) -> int:
    """The row of a version in the index: by day, so that the newest are found first without sorting."""
    return day << _DAY_SHIFT | version_no


def version_at(place: int) -> int:
    """The version_no that place_of was given."""
    return place & (1 << _DAY_SHIFT) - 1


def account_facet(account_no: int) -> str:
    """The word of all that belongs to the account."""
    return f"a{account_no}"


def kind_facet(kind: str) -> str:
    """The word of all items of a kind."""
    return f"k{kind}"


def extension_facet(extension: str) -> str:
    """The word of all files whose names end so."""
    return f"e{extension}"


def size_facet(size: int) -> str:
    """The word of all sizes with as many binary digits."""
    return f"s{size.bit_length()}"


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return 0


def day_of(modified: str) -> int:
    """The number of the day of an RFC 3339 time, 0 for a text that is none."""
    return _day(modified[:10])
