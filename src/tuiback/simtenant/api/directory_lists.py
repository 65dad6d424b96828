"""Answers lists of directory objects page by page, filtered, sorted and counted."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_filters import check_advanced
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, find_token, page_size, sealed_token, selected

T = TypeVar("T")
_MOST = 999
Show = Callable[[T, frozenset[str] | None], dict[str, Any]]


def listed(
    cloud: Cloud, call: Call, context: str, entries: Sequence[T], show: Show[T], *, is_cast: bool = False
) -> Reply:
    """One page of `entries`; `show` makes an entry's document with the given properties, or with all for None.

    Raises Fault 400.
    """
    check_advanced(call, is_cast=is_cast)
    chosen = _sorted(call, _filtered(call, entries, show), show)
    size = page_size(call, cloud.plan.user_page, _MOST)
    start = _start(cloud, call)
    names = selected(call)
    shown = [narrowed(show(each, names), names) for each in chosen[start : start + size]]
    next_link = None
    if start + size < len(chosen):
        query = {**call.query, "$skiptoken": sealed_token(cloud.token_key, {"start": start + size})}
        next_link = f"{call.root}{call.path}?{urlencode(query, quote_via=quote, safe='$')}"
    document = collection(context, shown, next_link, call)
    if call.query.get("$count", "").lower() == "true":
        document["@odata.count"] = len(chosen)
    return json_reply(document)


def counted(call: Call, entries: Sequence[T], show: Show[T]) -> Reply:
    """How many pass $filter, as plain text. Raises Fault 400."""
    if call.headers.get("consistencylevel", "").lower() != "eventual":
        raise Fault(400, "Request_UnsupportedQuery", "$count needs the header ConsistencyLevel: eventual.")
    return Reply(200, str(len(_filtered(call, entries, show))).encode(), "text/plain")


def narrowed(document: dict[str, Any], names: frozenset[str] | None) -> dict[str, Any]:
    """Only the properties in $select, the id and what OData says about the object."""
    if names is None:
        return document
    return {key: value for key, value in document.items() if key in names or key == "id" or key.startswith("@")}


def _filtered(call: Call, entries: Sequence[T], show: Show[T]) -> Sequence[T]:
    if not call.query.get("$filter", "").strip():
        return entries
    test = filter_of(call)
    return [each for each in entries if test(show(each, _ALL))]


def _sorted(call: Call, entries: Sequence[T], show: Show[T]) -> Sequence[T]:
    text = call.query.get("$orderby", "").strip()
    if not text:
        return entries
    name, _, direction = text.partition(" ")
    if name not in ("displayName", "userPrincipalName", "createdDateTime"):
        raise Fault(400, "Request_UnsupportedQuery", f"Sorting by '{name}' is not supported.")
    return sorted(
        entries,
        key=lambda each: str(show(each, _ALL).get(name, "")).lower(),
        reverse=direction.strip().lower() == "desc",
    )


def _start(cloud: Cloud, call: Call) -> int:
    if "$skiptoken" not in call.query:
        return 0
    token = find_token(cloud.token_key, call.query["$skiptoken"])
    if token is None or "start" not in token:
        raise Fault(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    return int(token["start"])


# For filters and sorting an object shows everything.
_ALL = frozenset({"*"})
