"""Tells which queries of directory objects are advanced ones, and refuses those that do not say so.

https://learn.microsoft.com/graph/aad-advanced-queries
"""

import re

from tuiback.simtenant.api.call import Call, Fault

_ADVANCED = re.compile(r"\b(ne|not)\b|\bendswith\(", re.IGNORECASE)
_CONTAINS = re.compile(r"\bcontains\(", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^']|'')*'")


def check_advanced(call: Call, *, is_cast: bool = False) -> None:
    """Refuse an advanced query without ConsistencyLevel: eventual and $count=true. Raises Fault 400."""
    query = call.query
    eventual = call.headers.get("consistencylevel", "").lower() == "eventual"
    counted = query.get("$count", "").lower() == "true"
    if counted and not eventual:
        raise _unsupported("$count needs the header ConsistencyLevel: eventual.")
    plain = _TEXT.sub("", query.get("$filter", ""))
    if _CONTAINS.search(plain):
        raise _unsupported("contains is not supported for objects of the directory.")
    advanced = is_cast or ("$filter" in query and "$orderby" in query)
    advanced = advanced or _ADVANCED.search(plain) is not None
    if advanced and not (eventual and counted):
        raise _unsupported("This query needs ConsistencyLevel: eventual and $count=true.")


def _unsupported(text: str) -> Fault:
    return Fault(400, "Request_UnsupportedQuery", text)
