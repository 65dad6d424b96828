"""Reads the query options that the tenant understands, and writes the opaque tokens in its links."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.filters import filter_of, parsed

T = TypeVar("T")
_SEAL_BYTES = 6


def selected(call: Call) -> frozenset[str] | None:
    """The names in $select, or None for the default properties."""
    text = call.query.get("$select", "")
    return frozenset(name.strip() for name in text.split(",") if name.strip()) or None


def page_size(call: Call, default: int, most: int, *, preferred: bool = False) -> int:
    """How many entries a page holds: $top or the default; where `preferred`, Prefer odata.maxpagesize comes first.

    Raises Fault 400.
    """
    text = (call.preferences.get("odata.maxpagesize") if preferred else None) or call.query.get("$top")
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise Fault(400, "BadRequest", f"Invalid value '{text}' for the page size.")
    return min(int(text), most)


def skipped(call: Call) -> int:
    """The value of $skip. Raises Fault 400."""
    text = call.query.get("$skip", "0")
    if not text.isdigit():
        raise Fault(400, "BadRequest", f"Invalid value '{text}' for $skip.")
    return int(text)


class _Read(Mapping[str, Any]):
    """What a filter may look at; `read` gives None for a property that can't be filtered by."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever the property holds
        value = self._read(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def passes(call: Call, read: Callable[[str], Any]) -> bool:
    """Whether a thing passes $filter.

    `read` gives a text, a number or a truth, and None for a property that can't be filtered by. Raises Fault 400.
    """
    return filter_of(call, "ErrorInvalidUrlQueryFilter")(_Read(read))


def holds(text: str, read: Callable[[str], Any]) -> bool:
    """Whether a thing, of which `read` tells as for `passes`, passes the filter in `text`. Raises Fault 400."""
    return parsed(text, "ErrorInvalidUrlQueryFilter")(_Read(read))


def page(entries: Sequence[T], call: Call, size: int) -> tuple[Sequence[T], str | None]:
    """One page of `entries`, and the nextLink (the same query with another $skip) unless it is the last."""
    start = skipped(call)
    shown = entries[start : start + size]
    if start + size >= len(entries):
        return shown, None
    query = {**call.query, "$skip": str(start + size)}
    return shown, f"{call.root}{call.path}?{urlencode(query, quote_via=quote, safe='$')}"


def collection(context: str, value: Sequence[Any], next_link: str | None, call: Call) -> dict[str, Any]:
    """The envelope of a collection."""
    document: dict[str, Any] = {"@odata.context": context_url(call, context)}
    document["value"] = value
    if next_link is not None:
        document["@odata.nextLink"] = next_link
    return document


def context_url(call: Call, context: str) -> str:
    """The @odata.context of an answer."""
    return f"{call.root}{call.version}/$metadata#{context}"


def sealed_token(key: bytes, content: dict[str, Any]) -> str:
    """`content` as an opaque URL-safe token."""
    raw = msgspec.json.encode(content)
    seal = blake2b(raw, digest_size=_SEAL_BYTES, key=key).digest()
    return urlsafe_b64encode(seal + raw).decode().rstrip("=")


def find_token(key: bytes, text: str) -> dict[str, Any] | None:
    """What a token made by `sealed_token` holds, or None for any other text."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    seal, content = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if blake2b(content, digest_size=_SEAL_BYTES, key=key).digest() != seal:
        return None
    found = msgspec.json.decode(content)
    return found if isinstance(found, dict) else None
