"""Answers for the folders of mailboxes as import and export see them, and for the ids of mailboxes.

https://learn.microsoft.com/graph/api/resources/mailbox-import-export-api-overview
"""

from collections.abc import Mapping
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.delta_tokens import delta_link, next_state, opened_state
from tuiback.simtenant.api.mail_folders import changeable, check_free, delete_for_good, rename
from tuiback.simtenant.api.mail_lookup import honoured
from tuiback.simtenant.api.mailbox_lookup import Part, Store, mailbox_folder_of, mailbox_id, store_of
from tuiback.simtenant.api.message_json import item_count
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, passes, selected
from tuiback.simtenant.api.permissions import READ_MAILBOX_FOLDERS, READ_MAILBOX_IDS, WRITE_MAILBOX_FOLDERS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.state.mailbox import RECOVERABLE, ROOT, WELL_KNOWN, Folder

_PAGE = 10
_MOST = 1000
_WELL_KNOWN_NAMES = {serial: name for name, serial in WELL_KNOWN.items()}


def _get_ids(cloud: Cloud, call: Call) -> Reply:
    account = mailbox_owner_of(cloud, call)
    document: dict[str, Any] = {
        "@odata.context": context_url(call, f"users('{call.where['user']}')/settings/exchange/$entity"),
        "primaryMailboxId": mailbox_id(cloud, account, Part.PRIMARY),
    }
    if call.version == "/beta":
        has_archive = cloud.tenant.has_archive(account)
        document["inPlaceArchiveMailboxId"] = mailbox_id(cloud, account, Part.ARCHIVE) if has_archive else None
    return json_reply(document)


def _list(cloud: Cloud, call: Call) -> Reply:
    """The folders directly below the root, or below one; hidden ones too."""
    store = store_of(cloud, call)
    parent = mailbox_folder_of(store, call, call.where["folder"]).serial if "folder" in call.where else ROOT
    folders = [each for each in _children(store, parent) if passes(call, folder_json(store, each, call).get)]
    shown, next_link = page(folders, call, page_size(call, _PAGE, _MOST, preferred=True))
    value = [_narrowed(folder_json(store, each, call), selected(call)) for each in shown]
    document = collection(_context(call), value, next_link, call)
    if call.query.get("$count") == "true":
        document["@odata.count"] = len(folders)
    return json_reply(document)


def _children(store: Store, parent: int) -> list[Folder]:
    """Search folders too. What the other half of a grown archive holds is still listed here, and redirected from."""
    mailbox = store.mailbox
    if store.part is Part.AUXILIARY and parent == ROOT:
        return [each for each in mailbox.folders.values() if each.serial in mailbox.expanded]
    found = [each for each in mailbox.children(parent, hidden=True) if each.serial != RECOVERABLE]
    return [*found, *mailbox.searches.below(parent)]


def _get(cloud: Cloud, call: Call) -> Reply:
    store = store_of(cloud, call)
    return _shown(store, mailbox_folder_of(store, call, call.where["folder"]), call)


def _shown(store: Store, folder: Folder, call: Call, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, _context(call) + "/$entity")}
    return json_reply(context | _narrowed(folder_json(store, folder, call), selected(call)), status)


def folder_json(store: Store, folder: Folder, call: Call) -> dict[str, Any]:
    """A mailboxFolder; beta tells the well-known name too."""
    mailbox = store.mailbox
    below = len(mailbox.children(folder.serial, hidden=True)) + len(mailbox.searches.below(folder.serial))
    document: dict[str, Any] = {
        "id": store.view.folder_id(folder.serial),
        "displayName": folder.name,
        "parentFolderId": store.view.folder_id(folder.parent if folder.parent is not None else folder.serial),
        "childFolderCount": below,
        "totalItemCount": item_count(mailbox, folder),
        "type": folder.kind,
    }
    if call.version == "/beta":
        is_primary = store.part is Part.PRIMARY
        document["wellKnownName"] = _WELL_KNOWN_NAMES.get(folder.serial) if is_primary else None
    return document


def _delta(cloud: Cloud, call: Call) -> Reply:
    """All folders of the mailbox, or those directly below one, and then those that changed."""
    store = store_of(cloud, call)
    mailbox = store.mailbox
    parent = mailbox_folder_of(store, call, call.where["folder"]).serial if "folder" in call.where else None
    state = opened_state(cloud, call, f"mailbox folders {mailbox.owner} {parent}", mailbox.folder_changes.latest)
    if state.since is None:
        serials = [each for each in (*mailbox.folders, *mailbox.searches.held) if each not in (ROOT, RECOVERABLE)]
    else:
        log = mailbox.folder_changes.between(state.since, state.until)
        serials = list(dict.fromkeys(change.serial for change in log))
    if parent is not None:
        held: Mapping[int, Folder] = mailbox.folders | mailbox.searches.held
        serials = [each for each in serials if each not in held or held[each].parent == parent]
    size = page_size(call, _PAGE, _MOST, preferred=True)
    names = frozenset(state.select) if state.select is not None else None
    value = []
    for serial in serials[state.position : state.position + size]:
        folder = mailbox.folders.get(serial) or mailbox.searches.held.get(serial)
        gone = {"id": store.view.folder_id(serial), "@removed": {"reason": "deleted"}}
        value.append(gone if folder is None else _narrowed(folder_json(store, folder, call), names))
    link, name = delta_link(cloud, call, next_state(state, len(serials), size))
    document = collection("Collection(microsoft.graph.mailboxFolder)", value, None, call)
    return honoured(json_reply(document | {name: link}), call, "odata.maxpagesize")


def _create(cloud: Cloud, call: Call) -> Reply:
    store, given = store_of(cloud, call), call.json()
    parent = mailbox_folder_of(store, call, call.where["folder"]).serial if "folder" in call.where else ROOT
    name, kind = given.get("displayName"), given.get("type")
    if not (isinstance(name, str) and name and isinstance(kind, str) and kind):
        raise Fault(400, "ErrorInvalidRequest", "The properties displayName and type are required.")
    check_free(store.view, parent, name)
    folder = store.mailbox.add_folder(parent, name, hidden=False)
    folder.kind = kind
    return _shown(store, folder, call, 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    store = store_of(cloud, call)
    folder = _own(store, call)
    rename(store.view, folder, call.json().get("displayName"))
    return _shown(store, folder, call)


def _delete(cloud: Cloud, call: Call) -> Reply:
    store = store_of(cloud, call)
    return delete_for_good(store.mailbox, _own(store, call))


def _own(store: Store, call: Call) -> Folder:
    return changeable(mailbox_folder_of(store, call, call.where["folder"]))


def _narrowed(document: dict[str, Any], names: frozenset[str] | None) -> dict[str, Any]:
    return document if names is None else {k: v for k, v in document.items() if k in names or k == "id"}


def _context(call: Call) -> str:
    return f"admin/exchange/mailboxes('{call.where['mailbox']}')/folders"


_FOLDERS = "/admin/exchange/mailboxes/{mailbox}/folders"
_ONE = _FOLDERS + "/{folder}"
ROUTES = (
    Route("GET", "/users/{user}/settings/exchange", _get_ids, READ_MAILBOX_IDS),
    Route("GET", _FOLDERS, _list, READ_MAILBOX_FOLDERS, filtered=True),
    Route("POST", _FOLDERS, _create, WRITE_MAILBOX_FOLDERS),
    Route("GET", _FOLDERS + "/delta", _delta, READ_MAILBOX_FOLDERS),
    Route("GET", _ONE, _get, READ_MAILBOX_FOLDERS),
    Route("PATCH", _ONE, _change, WRITE_MAILBOX_FOLDERS),
    Route("DELETE", _ONE, _delete, WRITE_MAILBOX_FOLDERS),
    Route("GET", _ONE + "/childFolders", _list, READ_MAILBOX_FOLDERS, filtered=True),
    Route("POST", _ONE + "/childFolders", _create, WRITE_MAILBOX_FOLDERS),
    Route("GET", _ONE + "/childFolders/delta", _delta, READ_MAILBOX_FOLDERS),
)
