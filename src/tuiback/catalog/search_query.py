"""Reads what people type to search: words, "phrases", beginnings*, and from: to: subject: name: size: type:."""

import re
import unicodedata

import msgspec

from tuiback.catalog.search_text import extension_facet, fold, kind_facet, size_facet, unspaced_run
from tuiback.errors import UsageError
from tuiback.model import Kind

_HOW = "give words, \"a phrase\", begin*, from: to: subject: name: type:pdf or size:>1mb"

# field:"phrase", "phrase", or anything up to the next space.
_TERM = re.compile(r'(?:(?P<field>[A-Za-z]+):)?(?:"(?P<phrase>[^"]*)"(?=\s|$)|(?P<word>[^\s"]*)(?=\s|$))')
_COLUMNS = {"from": "sender", "to": "recipients", "subject": "name", "name": "name"}
_ANYWHERE = "{name sender recipients}"
_FIELDS = frozenset(_COLUMNS) | {"size", "type"}

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_LARGEST = 2**62
_FILE_TYPE = re.compile(r"\.?[A-Za-z0-9]{1,12}")


class SearchQuery(msgspec.Struct, frozen=True):
    """What to find: an FTS5 expression (https://www.sqlite.org/fts5.html#full_text_query_syntax), and exact sizes."""

    expression: str
    min_bytes: int = 0
    max_bytes: int = _LARGEST

    def fits(self, size: int) -> bool:
        """Whether an item of this size is wanted."""
        return self.min_bytes <= size <= self.max_bytes


def parse_query(text: str) -> SearchQuery:
    """Read a QUERY; all its terms must hold. Raises UsageError when it can't be understood or finds everything."""
    conditions: list[str] = []
    low, high = 0, _LARGEST
    for field, value, quoted in _terms(text):
        if field == "size":
            least, most = _size_range(value)
            low, high = max(low, least), min(high, most)
        elif field == "type":
            conditions.append(_of_type(value))
        else:
            conditions.append(_words(_COLUMNS.get(field, _ANYWHERE), value, quoted=quoted))
    if (low, high) != (0, _LARGEST):
        conditions.append(_of_sizes(low, high))
    if not conditions:
        raise UsageError("the query is empty", text, _HOW)
    return SearchQuery(" AND ".join(conditions), low, high)


def _terms(text: str) -> list[tuple[str, str, bool]]:
    """(field or "", value, whether it stood in quotes) of each term."""
    terms: list[tuple[str, str, bool]] = []
    rest = text.strip()
    while rest:
        match = _TERM.match(rest)
        if match is None:
            raise UsageError("a quotation mark is not closed or stands within a word", text, _HOW)
        field = match["field"] or ""
        value = match["phrase"] if match["phrase"] is not None else match["word"]
        if field and field.lower() not in _FIELDS:
            # "Re:invoice" is a text like any other.
            field, value = "", f"{field} {value}"
        if field and not value.strip():
            raise UsageError(f"nothing follows {field}:", text, _HOW)
        terms.append((field.lower(), value, match["phrase"] is not None))
        rest = rest[match.end() :].lstrip()
    return terms


def _words(column: str, value: str, *, quoted: bool) -> str:
    begins = not quoted and value.endswith("*")
    if not quoted and "*" in value[:-1]:
        raise UsageError("a * may only stand at the end of a word", value, _HOW)
    phrases = _phrases(value, begins=begins)
    if not phrases:
        raise UsageError("there is no letter or digit to search for", value, _HOW)
    return " AND ".join(f"{column} : {phrase}" for phrase in phrases)


def _phrases(value: str, *, begins: bool) -> list[str]:
    """What FTS5 is to find. All that people wrote stands in quotes and holds letters, digits and spaces only."""
    phrases: list[str] = []
    value = unicodedata.normalize("NFKC", value)
    spaced = unspaced_run().sub(" ", value)
    for run in unspaced_run().findall(value):
        # The last pair of a run is one character, which in the text need not end the run.
        pairs = fold(run).split()
        phrases.append(f'"{pairs[0]}" *' if len(pairs) == 1 else f'"{" ".join(pairs[:-1])}"')
    words = re.findall(r"[^\W_]+", fold(spaced))
    if words:
        # Only a beginning that ends the value is one.
        last = begins and not unspaced_run().match(value[-2:-1])
        phrases.append(f'"{" ".join(words)}"{" *" if last else ""}')
    return phrases


def _of_type(value: str) -> str:
    if value.lower() in set(Kind):
        return f'facets : "{kind_facet(value.lower())}"'
    if not _FILE_TYPE.fullmatch(value):
        raise UsageError("is no type", value, f"give a kind ({', '.join(Kind)}) or what file names end with: pdf")
    return f'facets : "{extension_facet(value.lstrip("."))}"'


def _size_range(value: str) -> tuple[int, int]:
    """The least and the most bytes that `>1mb`, `>=1mb`, `<10k`, `<=10k` or `1mb..5mb` allow."""
    low, dots, high = value.partition("..")
    if dots:
        return _bytes(low, value), _bytes(high, value)
    for sign, at_least, beyond in ((">=", True, 0), ("<=", False, 0), (">", True, 1), ("<", False, 1)):
        if value.startswith(sign):
            size = _bytes(value[len(sign) :], value)
            return (size + beyond, _LARGEST) if at_least else (0, size - beyond)
    raise UsageError("is no range of sizes", value, "give size:>1mb, size:<10k or size:1mb..5mb")


def _bytes(text: str, value: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError("is no range of sizes", value, "give size:>1mb, size:<10k or size:1mb..5mb")
    return min(int(float(match[1]) * _UNITS[match[2].lower()]), _LARGEST)


def _of_sizes(low: int, high: int) -> str:
    facets = [size_facet(1 << digits >> 1) for digits in range(low.bit_length(), max(high, 0).bit_length() + 1)]
    return "(" + " OR ".join(f'facets : "{facet}"' for facet in facets) + ")" if facets else 'facets : "s"'
