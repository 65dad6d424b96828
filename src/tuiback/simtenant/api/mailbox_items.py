"""Answers for the items of mailboxes as export sees them: lists, changes, one item, and up to twenty as streams.

https://learn.microsoft.com/graph/api/mailbox-exportitems
"""

from base64 import b64encode
from bisect import bisect_right
from dataclasses import replace
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.delta_tokens import DeltaState, delta_link, next_state, opened_state
from tuiback.simtenant.api.mail_lookup import honoured, shown_in
from tuiback.simtenant.api.mailbox_lookup import Store, mailbox_folder_of, moved_item, store_of
from tuiback.simtenant.api.message_json import change_key, extended_properties
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, passes, selected
from tuiback.simtenant.api.permissions import DELETE_MAILBOX_ITEMS, EXPORT_MAILBOX_ITEMS, READ_MAILBOX_ITEMS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.exported import Standing, exported
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.mailbox import Folder, Message, SearchFolder

_PAGE = 10
_MOST = 1000
_MOST_EXPORTED = 20
_ITEM_TYPE = "#microsoft.graph.mailboxItem"
_MESSAGE_CLASS = "IPM.Note"


def item_json(store: Store, message: Message, names: frozenset[str] | None, expand: str = "") -> dict[str, Any]:
    """A mailboxItem: neither subject nor sender, which only extended properties tell."""
    key = change_key(store.mailbox.owner, message.serial, message.version)
    document: dict[str, Any] = {
        "@odata.etag": f'W/"{key}"',
        "id": store.item_id(message),
        "createdDateTime": stamp(message.created),
        "lastModifiedDateTime": stamp(message.modified),
        "changeKey": key,
        "categories": message.properties.get("categories", []),
        "type": _MESSAGE_CLASS,
    }
    if names is None or "size" in names:
        document["size"] = message.mail.size
    if names is not None:
        document = {k: v for k, v in document.items() if k in names or k == "id" or k.startswith("@")}
    found = extended_properties(message, expand) if "singleValueExtendedProperties" in expand else []
    return document | ({"singleValueExtendedProperties": found} if found else {})


def _list(cloud: Cloud, call: Call) -> Reply:
    """A folder's items, the newest first."""
    store = store_of(cloud, call)
    mailbox = store.mailbox
    folder = mailbox_folder_of(store, call, call.where["folder"])
    serials = mailbox.remembered(("items", folder.serial), lambda: _newest_first(store, folder))
    if "$filter" in call.query:
        held = ((serial, mailbox.find(serial)) for serial in serials)
        serials = [serial for serial, each in held if each and passes(call, _filtered(store, each).get)]
    shown, next_link = page(serials, call, page_size(call, _PAGE, _MOST, preferred=True))
    names, expand = selected(call), call.query.get("$expand", "")
    found = (mailbox.find(serial) for serial in shown)
    value = [item_json(store, each, names, expand) for each in found if each is not None]
    document = collection(_context(call), value, next_link, call)
    if call.query.get("$count") == "true":
        document["@odata.count"] = len(serials)
    return honoured(json_reply(document), call, "odata.maxpagesize")


def _newest_first(store: Store, folder: Folder) -> list[int]:
    found = (store.mailbox.find(serial) for serial in shown_in(store.mailbox, folder))
    ordered = sorted(((each.created, each.serial) for each in found if each is not None), reverse=True)
    return [serial for _, serial in ordered]


def _filtered(store: Store, message: Message) -> dict[str, Any]:
    known = item_json(store, message, frozenset({"createdDateTime", "lastModifiedDateTime", "type"}))
    return known | {"receivedDateTime": stamp(message.mail.head.received)}


def _get(cloud: Cloud, call: Call) -> Reply:
    store = store_of(cloud, call)
    message = _item_of(store, call)
    context = {"@odata.context": context_url(call, _context(call) + "/$entity")}
    return json_reply(context | item_json(store, message, selected(call), call.query.get("$expand", "")))


def _delete(cloud: Cloud, call: Call) -> Reply:
    store = store_of(cloud, call)
    store.mailbox.delete(_item_of(store, call))
    return no_content()


def _item_of(store: Store, call: Call) -> Message:
    """The item that the URL names, in its folder. Raises Fault 308, 400 and 404."""
    folder = mailbox_folder_of(store, call, call.where["folder"])
    message = store.find_item(call.where["item"])
    if message is None or (message.folder != folder.serial and message.serial not in shown_in(store.mailbox, folder)):
        raise Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return message


def _delta(cloud: Cloud, call: Call) -> Reply:
    """What a folder holds, and then what came, changed or left."""
    store = store_of(cloud, call)
    mailbox = store.mailbox
    place = mailbox_folder_of(store, call, call.where["folder"])
    if isinstance(place, SearchFolder):
        raise Fault(400, "ErrorInvalidRequest", "Change tracking is not supported against a search folder.")
    folder = place.serial
    state = opened_state(cloud, call, f"items {mailbox.owner} {folder}", mailbox.message_changes.latest)
    size = page_size(call, _PAGE, _MOST, preferred=True)
    round_of = _first_round if state.since is None else _later_round
    value, following = round_of(store, folder, state, size)
    link, name = delta_link(cloud, call, following)
    document = collection("Collection(microsoft.graph.mailboxItem)", value, None, call)
    return honoured(json_reply(document | {name: link}), call, "odata.maxpagesize")


def _first_round(
    store: Store, folder: int, state: DeltaState, size: int
) -> tuple[list[dict[str, Any]], DeltaState]:
    serials = store.mailbox.serials(folder)
    start = bisect_right(serials, state.after)
    shown = serials[start : start + size]
    found = (store.mailbox.find(serial) for serial in shown)
    value = [_entry(store, each, state) for each in found if each is not None and _is_followed(each, state)]
    if start + size < len(serials):
        return value, replace(state, position=state.position + size, after=shown[-1])
    return value, replace(state, since=state.until, position=0, after=-1)


def _later_round(
    store: Store, folder: int, state: DeltaState, size: int
) -> tuple[list[dict[str, Any]], DeltaState]:
    log = store.mailbox.message_changes.between(state.since or 0, state.until)
    keys = list(dict.fromkeys((change.serial, change.moves) for change in log if change.container == folder))
    value: list[dict[str, Any]] = []
    for serial, moves in keys[state.position : state.position + size]:
        message = store.mailbox.find(serial)
        if message is None or message.folder != folder or message.moves != moves:
            gone = {"@odata.type": _ITEM_TYPE, "id": store.item_id_of(serial, moves), "@removed": {"reason": "deleted"}}
            value.append(gone)
        elif _is_followed(message, state):
            value.append(_entry(store, message, state))
    return value, next_state(state, len(keys), size)


def _is_followed(message: Message, state: DeltaState) -> bool:
    return not state.received_after or stamp(message.mail.head.received) >= state.received_after


def _entry(store: Store, message: Message, state: DeltaState) -> dict[str, Any]:
    names = frozenset(state.select) if state.select is not None else None
    return {"@odata.type": _ITEM_TYPE} | item_json(store, message, names)


def _export(cloud: Cloud, call: Call) -> Reply:
    """Each item as a stream, or why not: 200 either way."""
    store, given = store_of(cloud, call), call.json()
    ids = given.get("itemIds", given.get("ItemIds"))
    if not isinstance(ids, list) or not 1 <= len(ids) <= _MOST_EXPORTED:
        raise Fault(400, "ErrorInvalidRequest", f"itemIds must name 1 to {_MOST_EXPORTED} items.")
    value = [_exported(store, call, str(each)) for each in ids]
    return json_reply(collection("Collection(microsoft.graph.exportItemResponse)", value, None, call))


def _exported(store: Store, call: Call, item_id: str) -> dict[str, Any]:
    try:
        message = store.find_item(item_id)
    except Fault as fault:
        return {"itemId": item_id, "error": {"code": fault.code, "message": fault.message}}
    moved = moved_item(store, call, message) if message is not None else None
    if moved is not None:
        # Microsoft's page on archives spells it so: https://learn.microsoft.com/graph/handle-archive-mailbox-redirects
        return {"itemId": item_id, "Error": moved}
    if message is None or not store.holds(store.mailbox.folders[message.folder]):
        text = "The specified object was not found in the store."
        return {"itemId": item_id, "error": {"code": "ErrorItemNotFound", "message": text}}
    standing = Standing(
        message.created, message.is_draft, message.is_read, message.properties, message.extended
    )
    return {
        "itemId": item_id,
        "changeKey": change_key(store.mailbox.owner, message.serial, message.version),
        "data": b64encode(exported(message.mail, standing)).decode(),
    }


def _context(call: Call) -> str:
    where = call.where
    return f"admin/exchange/mailboxes('{where['mailbox']}')/folders('{where['folder']}')/items"


_MAILBOX = "/admin/exchange/mailboxes/{mailbox}"
_ITEMS = _MAILBOX + "/folders/{folder}/items"
ROUTES = (
    Route("GET", _ITEMS, _list, READ_MAILBOX_ITEMS, filtered=True),
    Route("GET", _ITEMS + "/delta", _delta, READ_MAILBOX_ITEMS, filtered=True),
    Route("GET", _ITEMS + "/{item}", _get, READ_MAILBOX_ITEMS),
    Route("DELETE", _ITEMS + "/{item}", _delete, DELETE_MAILBOX_ITEMS),
    Route("POST", _MAILBOX + "/exportItems", _export, EXPORT_MAILBOX_ITEMS),
)
