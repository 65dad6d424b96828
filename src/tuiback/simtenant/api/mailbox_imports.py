"""Answers for imports: a session for one mailbox, and one item after another to the session's own URL.

https://learn.microsoft.com/graph/import-exchange-mailbox-item
"""

import re
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mail_lookup import folder_of
from tuiback.simtenant.api.mailbox_lookup import Part, Store, find_store, mailbox_id, store_of
from tuiback.simtenant.api.message_json import change_key
from tuiback.simtenant.api.odata import context_url, find_token, sealed_token
from tuiback.simtenant.api.permissions import IMPORT_MAILBOX_ITEMS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.exported import Altered, Exported, read_export
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.mailbox import Message

IMPORT_TEMPLATE = "/api/gv1.0/Mailboxes('{mailbox}')/importItem"
_HOST = "outlook.office365.com"
_PATH = re.compile(r"/api/(?:gv1\.0|gbeta)/Mailboxes\('([^']+)'\)/importItem$", re.IGNORECASE)
# How long a session lives is not documented; its answer tells it.
_SESSION_SECONDS = 8 * 3600
_INVALID = "ErrorInvalidRequest"


def _open_session(cloud: Cloud, call: Call) -> Reply:
    store = store_of(cloud, call)
    until = cloud.clock.seconds() + _SESSION_SECONDS
    token = sealed_token(cloud.token_key, {"import": store.mailbox_id, "until": until, "app": call.app_id})
    place = f"/api/g{call.version[1:]}/Mailboxes('{store.mailbox_id}')/importItem"
    return json_reply(
        {
            "@odata.context": context_url(call, "microsoft.graph.mailboxItemImportSession"),
            "importUrl": f"{cloud.storage_root(call.root, _HOST)}{place}?authtoken={quote(token)}",
            "expirationDateTime": stamp(datetime.fromtimestamp(until, UTC)),
        }
    )


def is_import(call: Call) -> bool:
    """Whether an item comes to a session's URL."""
    return call.method == "POST" and _PATH.match(unquote(call.path)) is not None


def import_payer(cloud: Cloud, call: Call) -> str:
    """The application that opened the session; "" where there is none."""
    return str((find_token(cloud.token_key, call.query.get("authtoken", "")) or {}).get("app", ""))


def import_item(cloud: Cloud, call: Call) -> Reply:
    """Put one item into a folder, or in place of another. Raises Fault 400, 401, 404 and 412."""
    store = _session_store(cloud, call)
    given = {name.lower(): value for name, value in call.json().items()}
    carried = _carried(given)
    mode = str(given.get("mode", "")).lower()
    if mode == "update":
        return _updated(cloud, store, given, carried)
    if mode != "create":
        raise Fault(400, _INVALID, "Mode must be create or update.")
    if "itemid" in given or "changekey" in given:
        raise Fault(400, _INVALID, "ItemId and ChangeKey are for updates only.")
    folder = folder_of(store.view, str(given.get("folderid", "")))
    if not store.holds(folder):
        other = Part.AUXILIARY if store.part is Part.ARCHIVE else Part.ARCHIVE
        expected = mailbox_id(cloud, store.account, other)
        text = f"Invalid import session. The target session is expected in mailbox {expected}"
        return json_reply({"Message": text}, 409)
    now = cloud.clock.now().replace(microsecond=0)
    message = store.mailbox.add(
        lambda serial: Message(
            serial, folder.serial, carried.mail, carried.created, now, is_draft=carried.is_draft,
            is_read=carried.is_read, properties=dict(carried.properties), extended=list(carried.extended),
        )
    )  # fmt: skip
    return _told(store, message)


def _session_store(cloud: Cloud, call: Call) -> Store:
    token = find_token(cloud.token_key, call.query.get("authtoken", "")) or {}
    found = _PATH.match(unquote(call.path))
    asked = found.group(1) if found is not None else ""
    if token.get("until", 0) <= cloud.clock.seconds() or token.get("import") != asked:
        raise Fault(401, "ErrorAccessDenied", "The import session has expired or is not valid.")
    store = find_store(cloud, asked)
    if store is None:
        raise Fault(404, "ResourceNotFound", "Resource could not be discovered.")
    return store


def _carried(given: dict[str, Any]) -> Exported:
    try:
        return read_export(b64decode(str(given.get("data", "")), validate=True))
    except (ValueError, Altered) as error:
        raise Fault(400, "ErrorCorruptData", "Data is corrupt., The stream is not one that was exported.") from error


def _updated(cloud: Cloud, store: Store, given: dict[str, Any], carried: Exported) -> Reply:
    message = store.find_item(str(given.get("itemid", "")))
    if message is None:
        raise Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    if given.get("changekey") != change_key(store.mailbox.owner, message.serial, message.version):
        raise Fault(412, "ErrorIrresolvableConflict", "The change key does not match that of the item.")
    message.mail, message.is_draft, message.is_read = carried.mail, carried.is_draft, carried.is_read
    message.properties, message.extended = dict(carried.properties), list(carried.extended)
    store.mailbox.touch(message, cloud.clock.now().replace(microsecond=0))
    return _told(store, message)


def _told(store: Store, message: Message) -> Reply:
    key = change_key(store.mailbox.owner, message.serial, message.version)
    return json_reply({"itemId": store.item_id(message), "changeKey": key})


ROUTES = (
    Route("POST", "/admin/exchange/mailboxes/{mailbox}/createImportSession", _open_session, IMPORT_MAILBOX_ITEMS),
)
