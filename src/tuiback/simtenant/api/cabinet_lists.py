"""Answers lists of contacts and tasks, filtered, sorted and counted, and what changed among them."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.delta_tokens import delta_link, next_state, opened_state
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.filters import filter_of, member
from tuiback.simtenant.api.mail_lookup import honoured
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.state.cabinet import Cabinet, Record
from tuiback.simtenant.state.changes import ChangeLog

Document = dict[str, Any]
_PAGE, _MOST = 10, 1000


@dataclass(frozen=True, slots=True)
class Walk:
    """What one delta looks at.

    `what` names the collection, `type_name` what it holds, `first` gives the serials of a first round, ascending.
    `show` makes the document of a thing that is still there, `gone_id` the id of one that is not.
    """

    what: str
    type_name: str
    log: ChangeLog
    first: Callable[[], Sequence[int]]
    show: Callable[[int], Document | None]
    gone_id: Callable[[int], str]
    container: int | None = None


def records_walk(
    cabinet: Cabinet, drawer: int, type_name: str, show: Callable[[Record], Document], gone_id: Callable[[int], str]
) -> Walk:
    """The walk over the records in one drawer."""

    def first() -> list[int]:
        return sorted(each.serial for each in cabinet.within(drawer))

    def show_serial(serial: int) -> Document | None:
        record = cabinet.records.get(serial)
        return show(record) if record is not None else None

    what = f"{type_name}s {cabinet.owner} {drawer}"
    return Walk(what, type_name, cabinet.record_changes, first, show_serial, gone_id, drawer)


def listed(call: Call, context: str, documents: Sequence[Document]) -> Reply:
    """One page of `documents` as the query options have it. Raises Fault 400."""
    chosen = _sorted(call, _passing(call, documents))
    shown, next_link = page(chosen, call, page_size(call, _PAGE, _MOST, preferred=True))
    names = _kept(call)
    document = collection(context, [narrowed(each, names) for each in shown], next_link, call)
    if call.query.get("$count", "").lower() == "true":
        document["@odata.count"] = len(chosen)
    return honoured(json_reply(document), call, "odata.maxpagesize", "idtype")


def counted(call: Call, documents: Sequence[Document]) -> Reply:
    """How many pass $filter, as plain text. Raises Fault 400."""
    return Reply(200, str(len(_passing(call, documents))).encode(), "text/plain")


def shown(call: Call, context: str, document: Document, status: int = 200) -> Reply:
    """One thing with the properties that were selected."""
    whole = {"@odata.context": context_url(call, f"{context}/$entity")} | narrowed(document, _kept(call))
    return honoured(json_reply(whole, status), call, "idtype")


def expanded(call: Call, name: str) -> bool:
    """Whether $expand names a collection."""
    return any(each.strip().partition("(")[0] == name for each in call.query.get("$expand", "").split(","))


def changed(cloud: Cloud, call: Call, walk: Walk) -> Reply:
    """What there is, and in later rounds what came, changed or went. Raises Fault 400 and 410."""
    state = opened_state(cloud, call, walk.what, walk.log.latest)
    size = page_size(call, _PAGE, _MOST, preferred=True)
    if state.since is None:
        serials = walk.first()
        start = bisect_right(serials, state.after)
        found = serials[start : start + size]
        is_last = start + size >= len(serials)
        following = replace(state, position=state.position + size, after=found[-1]) if not is_last else replace(
            state, since=state.until, position=0, after=-1)  # fmt: skip
    else:
        entries = walk.log.between(state.since, state.until)
        serials = list(dict.fromkeys(
            each.serial for each in entries if walk.container is None or each.container == walk.container
        ))  # fmt: skip
        found = serials[state.position : state.position + size]
        following = next_state(state, len(serials), size)
    names = frozenset(state.select) if state.select is not None else None
    value = [_entry(walk, each, names) for each in found]
    link, name = delta_link(cloud, call, following)
    document = collection(f"Collection({walk.type_name})", value, None, call)
    return honoured(json_reply(document | {name: link}), call, "odata.maxpagesize", "idtype")


def _entry(walk: Walk, serial: int, names: frozenset[str] | None) -> Document:
    document = walk.show(serial)
    kind = {"@odata.type": f"#microsoft.graph.{walk.type_name}"}
    if document is None:
        return kind | {"id": walk.gone_id(serial), "@removed": {"reason": "deleted"}}
    return kind | narrowed(document, names)


def _kept(call: Call) -> frozenset[str] | None:
    """What $select leaves; what was expanded stays."""
    names = selected(call)
    if names is None:
        return None
    expanded_names = (each.strip().partition("(")[0] for each in call.query.get("$expand", "").split(","))
    return names | frozenset(expanded_names)


def _passing(call: Call, documents: Sequence[Document]) -> Sequence[Document]:
    if not call.query.get("$filter", "").strip():
        return documents
    test = filter_of(call, "ErrorInvalidUrlQueryFilter")
    return [each for each in documents if test(each)]


def _sorted(call: Call, documents: Sequence[Document]) -> Sequence[Document]:
    """By $orderby, the last name first, so that the first one counts most. Raises Fault 400."""
    ordered = list(documents)
    for each in reversed([text.strip() for text in call.query.get("$orderby", "").split(",") if text.strip()]):
        name, _, direction = each.partition(" ")
        keys = [member(document, name) for document in ordered]
        if any(isinstance(key, list | dict) for key in keys) or not all(name.split("/")[0] in d for d in ordered):
            raise Fault(400, "ErrorInvalidUrlQuery", f"The order by '{name}' is not supported.")
        ordered.sort(key=lambda document: str(member(document, name) or "").lower(),
                     reverse=direction.strip().lower() == "desc")  # fmt: skip
    return ordered
