"""Answers that read messages: lists, changes, one message and its MIME."""

from bisect import bisect_right
from dataclasses import replace
from typing import Any

from tuiback.simtenant.api.attachments import attachment_json
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.delta_tokens import DeltaState, delta_link, next_state, opened_state
from tuiback.simtenant.api.mail_lookup import folder_of, honoured, message_of, view_of
from tuiback.simtenant.api.message_json import View, extended_properties, message_json
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, passes, selected
from tuiback.simtenant.api.permissions import READ_MAIL
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.mailbox import Message

_MOST_MESSAGES = 1000
_MOMENTS = frozenset({"receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime"})
_FILTERED = _MOMENTS | {"internetMessageId", "subject", "isRead", "isDraft", "hasAttachments", "importance"}
_MESSAGE_TYPE = "#microsoft.graph.message"


def shown_message(view: View, message: Message, call: Call, status: int = 200) -> Reply:
    """One message as the answer to `call`, with what $select and $expand ask for."""
    document: dict[str, Any] = {"@odata.context": context_url(call, f"users('{call.where['user']}')/messages/$entity")}
    document |= _expanded(view, message, selected(call), call.query.get("$expand", ""))
    return honoured(json_reply(document, status), call, "idtype", "outlook.body-content-type")


def _expanded(view: View, message: Message, names: frozenset[str] | None, expand: str) -> dict[str, Any]:
    document = message_json(view, message, names)
    if "singleValueExtendedProperties" in expand:
        found = extended_properties(message, expand)
        if found:
            document["singleValueExtendedProperties"] = found
    if "attachments" in expand:
        document["attachments"] = [
            attachment_json(view, message, place, whole=True) for place in range(len(message.mail.attachments))
        ]
    return document


def _list(cloud: Cloud, call: Call) -> Reply:
    """A folder's messages, the newest first unless $orderby says otherwise."""
    view = view_of(cloud, call)
    mailbox = view.mailbox
    folder = folder_of(view, call.where["folder"]).serial if "folder" in call.where else None
    if "$filter" in call.query:
        serials = _sorted(view, [each for each in _serials(view, folder) if _passes(view, each, call)], call)
    else:
        what = (folder, call.query.get("$orderby"))
        serials = mailbox.remembered(what, lambda: _sorted(view, _serials(view, folder), call))
    size = page_size(call, cloud.plan.message_page, _MOST_MESSAGES, preferred=True)
    shown, next_link = page(serials, call, size)
    names, expand = selected(call), call.query.get("$expand", "")
    found = (mailbox.find(serial) for serial in shown)
    value = [_expanded(view, message, names, expand) for message in found if message is not None]
    document = collection(f"users('{call.where['user']}')/messages", value, next_link, call)
    if call.query.get("$count") == "true":
        document["@odata.count"] = len(serials)
    return honoured(json_reply(document), call, "odata.maxpagesize", "idtype")


def _passes(view: View, serial: int, call: Call) -> bool:
    message = view.mailbox.find(serial)
    return message is not None and passes(
        call, lambda name: message_json(view, message, frozenset({name}))[name] if name in _FILTERED else None
    )


def _serials(view: View, folder: int | None) -> list[int]:
    """Those of one folder, or of all."""
    mailbox = view.mailbox
    if folder is not None:
        return mailbox.serials(folder)
    return sorted(serial for each in mailbox.folders for serial in mailbox.serials(each))


def _sorted(view: View, serials: list[int], call: Call) -> list[int]:
    text = call.query.get("$orderby", "receivedDateTime desc")
    name, _, direction = text.strip().partition(" ")
    if name not in _MOMENTS:
        raise Fault(400, "ErrorInvalidUrlQueryFilter", f"The order by '{name}' is not supported.")

    def moment(serial: int) -> str:
        message = view.mailbox.find(serial)
        return str(message_json(view, message, frozenset({name}))[name]) if message is not None else ""

    return sorted(serials, key=moment, reverse=direction.strip().lower() == "desc")


def _delta(cloud: Cloud, call: Call) -> Reply:
    """What a folder holds, and then what came, changed or left: the same walk page by page."""
    view = view_of(cloud, call)
    folder = folder_of(view, call.where["folder"]).serial
    log = view.mailbox.message_changes
    state = opened_state(cloud, call, f"messages {view.mailbox.owner} {folder}", log.latest)
    size = page_size(call, cloud.plan.message_page, _MOST_MESSAGES, preferred=True)
    if state.since is None:
        value, following = _first_round(view, folder, state, size)
    else:
        value, following = _later_round(view, folder, state, size)
    link, name = delta_link(cloud, call, following)
    document = collection("Collection(message)", value, None, call)
    return honoured(json_reply(document | {name: link}), call, "odata.maxpagesize", "idtype")


def _first_round(view: View, folder: int, state: DeltaState, size: int) -> tuple[list[dict[str, Any]], DeltaState]:
    serials = view.mailbox.serials(folder)
    start = bisect_right(serials, state.after)
    shown = serials[start : start + size]
    found = (view.mailbox.find(serial) for serial in shown)
    entries = [_entry(view, message, state) for message in found if message is not None]
    value = [each for each in entries if each is not None]
    if start + size < len(serials):
        return value, replace(state, position=state.position + size, after=shown[-1])
    return value, replace(state, since=state.until, position=0, after=-1)


def _later_round(view: View, folder: int, state: DeltaState, size: int) -> tuple[list[dict[str, Any]], DeltaState]:
    changes = view.mailbox.message_changes.between(state.since or 0, state.until)
    # With regular ids each place a message had is a thing of its own, with immutable ids only the message is.
    keys = list(
        dict.fromkeys(
            (change.serial, 0 if view.immutable else change.moves) for change in changes if change.container == folder
        )
    )
    value: list[dict[str, Any]] = []
    for serial, moves in keys[state.position : state.position + size]:
        message = view.mailbox.find(serial)
        here = message is not None and message.folder == folder and (view.immutable or message.moves == moves)
        if message is not None and here:
            entry = _entry(view, message, state)
        else:
            entry = {"@odata.type": _MESSAGE_TYPE, "id": view.id_of(serial, moves), "@removed": {"reason": "deleted"}}
        value += [entry] if entry is not None else []
    return value, next_state(state, len(keys), size)


def _entry(view: View, message: Message, state: DeltaState) -> dict[str, Any] | None:
    if state.received_after and stamp(message.mail.head.received) < state.received_after:
        return None
    names = frozenset(state.select) if state.select is not None else None
    return {"@odata.type": _MESSAGE_TYPE} | _expanded(view, message, names, state.expand)


def _get(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return shown_message(view, message_of(view, call), call)


def _get_mime(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return Reply(200, message_of(view, call).mail.mime(), "text/plain")


_MESSAGES = "/users/{user}/messages"
_IN_FOLDER = "/users/{user}/mailFolders/{folder}/messages"
ROUTES = (
    Route("GET", _MESSAGES, _list, READ_MAIL, filtered=True),
    Route("GET", _IN_FOLDER, _list, READ_MAIL, filtered=True),
    Route("GET", _IN_FOLDER + "/delta", _delta, READ_MAIL, filtered=True),
    *(
        route
        for one in (_MESSAGES + "/{message}", _IN_FOLDER + "/{message}")
        for route in (
            Route("GET", one, _get, READ_MAIL),
            Route("GET", one + "/$value", _get_mime, READ_MAIL),
        )
    ),
)
