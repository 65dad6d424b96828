"""Answers what changed among the messages of a folder: https://learn.microsoft.com/graph/delta-query-messages."""

from bisect import bisect_right
from dataclasses import replace
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.delta_tokens import DeltaState, delta_link, next_state, opened_state
from tuiback.simtenant.api.mail_lookup import honoured, place_of, view_of
from tuiback.simtenant.api.message_json import View
from tuiback.simtenant.api.messages import expanded_message
from tuiback.simtenant.api.odata import collection, page_size
from tuiback.simtenant.api.permissions import READ_MAIL
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.mailbox import Message, SearchFolder

_MOST_MESSAGES = 1000
_MESSAGE_TYPE = "#microsoft.graph.message"
Page = tuple[list[dict[str, Any]], DeltaState]


def _delta(cloud: Cloud, call: Call) -> Reply:
    """What a folder holds, and then what came, changed or left: the same walk page by page."""
    view = view_of(cloud, call)
    place = place_of(view, call.where["folder"])
    if isinstance(place, SearchFolder):
        return _refuse(cloud, call)
    folder = place.serial
    log = view.mailbox.message_changes
    state = opened_state(cloud, call, f"messages {view.mailbox.owner} {folder}", log.latest)
    size = page_size(call, cloud.plan.message_page, _MOST_MESSAGES, preferred=True)
    if state.since is not None:
        value, following = _later_round(view, folder, state, size)
    elif state.change_type in ("updated", "deleted"):
        value, following = [], replace(state, since=state.until)
    elif state.newest_first or state.received_after:
        value, following = _newest_first(view, folder, state, size, cloud.plan.filtered_messages)
    else:
        value, following = _first_round(view, folder, state, size)
    link, name = delta_link(cloud, call, following)
    document = collection("Collection(message)", value, None, call)
    return honoured(json_reply(document | {name: link}), call, "odata.maxpagesize", "idtype")


def _first_round(view: View, folder: int, state: DeltaState, size: int) -> Page:
    serials = view.mailbox.serials(folder)
    start = bisect_right(serials, state.after)
    shown = serials[start : start + size]
    found = (view.mailbox.find(serial) for serial in shown)
    value = [_entry(view, message, state) for message in found if message is not None]
    if start + size < len(serials):
        return value, replace(state, position=state.position + size, after=shown[-1])
    return value, replace(state, since=state.until, position=0, after=-1)


def _newest_first(view: View, folder: int, state: DeltaState, size: int, most_filtered: int) -> Page:
    """By the moment of receipt, and where a filter is given no more than so many of them."""
    places = view.mailbox.remembered(("received", folder), lambda: _by_receipt(view, folder))
    if state.received_after:
        places = [each for each in places if each[0] >= state.received_after]
    left = [each for each in places if not state.before or _mark(*each) < state.before]
    most = min(size, most_filtered - state.position) if state.received_after else size
    shown = left[:most]
    found = (view.mailbox.find(serial) for _, serial in shown)
    value = [_entry(view, message, state) for message in found if message is not None]
    is_over = len(left) <= most or (state.received_after and state.position + most >= most_filtered)
    if is_over:
        return value, replace(state, since=state.until, position=0, before="")
    return value, replace(state, position=state.position + len(shown), before=_mark(*shown[-1]))


def _by_receipt(view: View, folder: int) -> list[tuple[str, int]]:
    found = (view.mailbox.find(serial) for serial in view.mailbox.serials(folder))
    return sorted(((stamp(each.mail.head.received), each.serial) for each in found if each is not None), reverse=True)


def _mark(received: str, serial: int) -> str:
    return f"{received} {serial:010}"


def _later_round(view: View, folder: int, state: DeltaState, size: int) -> Page:
    changes = [
        each for each in view.mailbox.message_changes.between(state.since or 0, state.until) if each.container == folder
    ]
    # With regular ids each place a message had is a thing of its own, with immutable ids only the message is.
    new = {(each.serial, 0 if view.immutable else each.moves): False for each in changes}
    for each in changes:
        new[each.serial, 0 if view.immutable else each.moves] |= each.is_new
    keys = list(new)
    value: list[dict[str, Any]] = []
    for serial, moves in keys[state.position : state.position + size]:
        message = view.mailbox.find(serial)
        here = message is not None and message.folder == folder and (view.immutable or message.moves == moves)
        if message is not None and here:
            kind = "created" if new[serial, moves] else "updated"
            entry = _entry(view, message, state) if _is_followed(message, state) else None
        else:
            kind = "deleted"
            entry = {"@odata.type": _MESSAGE_TYPE, "id": view.id_of(serial, moves), "@removed": {"reason": "deleted"}}
        value += [entry] if entry is not None and state.change_type in ("", kind) else []
    return value, next_state(state, len(keys), size)


def _is_followed(message: Message, state: DeltaState) -> bool:
    return not state.received_after or stamp(message.mail.head.received) >= state.received_after


def _entry(view: View, message: Message, state: DeltaState) -> dict[str, Any]:
    names = frozenset(state.select) if state.select is not None else None
    return {"@odata.type": _MESSAGE_TYPE} | expanded_message(view, message, names, state.expand)


def _refuse(_cloud: Cloud, _call: Call) -> Reply:
    """Changes are followed in folders, one by one, and not where a search shows what lies elsewhere."""
    raise Fault(400, "ErrorInvalidRequest", "Change tracking is not supported against 'microsoft.graph.message'.")


ROUTES = (
    Route("GET", "/users/{user}/mailFolders/{folder}/messages/delta", _delta, READ_MAIL, filtered=True, typed=True),
    Route("GET", "/users/{user}/messages/delta", _refuse, READ_MAIL, filtered=True, typed=True),
)
