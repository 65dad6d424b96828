"""Answers for mail folders: lists, changes, and writes."""

from collections.abc import Callable

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.delta_tokens import DeltaState, delta_link, next_state, opened_state
from tuiback.simtenant.api.mail_lookup import folder_of, honoured, place_of, view_of
from tuiback.simtenant.api.message_json import View, folder_json
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, passes, selected
from tuiback.simtenant.api.permissions import READ_MAIL, WRITE_MAIL
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.search_folders import change_search, search_maker
from tuiback.simtenant.state.mailbox import DELETED, ROOT, WELL_KNOWN, Folder, Mailbox, SearchFolder

_MOST_FOLDERS = 1000


def _list_top(cloud: Cloud, call: Call) -> Reply:
    """The folders directly below the root; in beta all of them."""
    return _list(cloud, call, view_of(cloud, call), None if call.version == "/beta" else ROOT)


def _list_children(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return _list(cloud, call, view, place_of(view, call.where["folder"]).serial)


def _list(cloud: Cloud, call: Call, view: View, parent: int | None) -> Reply:
    hidden = call.query.get("includeHiddenFolders", "").lower() == "true"
    parents = [parent] if parent is not None else list(view.mailbox.folders)
    mailbox = view.mailbox
    found = (child for each in parents for child in (*mailbox.children(each, hidden), *mailbox.searches.below(each)))
    folders = [each for each in found if passes(call, _filtered(each))]
    shown, next_link = page(folders, call, page_size(call, cloud.plan.folder_page, _MOST_FOLDERS, preferred=True))
    names = selected(call)
    context = f"users('{call.where['user']}')/mailFolders"
    rows = [folder_json(view, each, names) | _children(view, each, call) for each in shown]
    return json_reply(collection(context, rows, next_link, call))


def _children(view: View, folder: Folder, call: Call) -> dict[str, object]:
    """With $expand the folders directly below, and no further."""
    if not call.query.get("$expand", "").startswith("childFolders"):
        return {}
    return {"childFolders": [folder_json(view, each) for each in view.mailbox.children(folder.serial, hidden=False)]}


def _filtered(folder: Folder) -> Callable[[str], object]:
    return {"displayName": folder.name, "isHidden": folder.hidden}.get


def _get(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return _shown(call, view, place_of(view, call.where["folder"]))


def _shown(call: Call, view: View, folder: Folder, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, f"users('{call.where['user']}')/mailFolders/$entity")}
    return json_reply(context | folder_json(view, folder, selected(call)) | _children(view, folder, call), status)


def _delta(cloud: Cloud, call: Call) -> Reply:
    """All folders but the root, or those that changed; removed ones by id alone."""
    view = view_of(cloud, call)
    mailbox = view.mailbox
    state = opened_state(cloud, call, f"folders {mailbox.owner}", mailbox.folder_changes.latest)
    if state.since is None:
        serials = [serial for serial in (*mailbox.folders, *mailbox.searches.held) if serial != ROOT]
    else:
        changes = mailbox.folder_changes.between(state.since, state.until)
        serials = list(dict.fromkeys(change.serial for change in changes))
    size = page_size(call, cloud.plan.folder_page, _MOST_FOLDERS, preferred=True)
    shown = [_changed(view, serial, state) for serial in serials[state.position : state.position + size]]
    following = next_state(state, len(serials), size)
    document = collection("Collection(mailFolder)", shown, None, call)
    link, name = delta_link(cloud, call, following)
    return honoured(json_reply(document | {name: link}), call, "odata.maxpagesize")


def _changed(view: View, serial: int, state: DeltaState) -> dict[str, object]:
    folder = view.mailbox.folders.get(serial) or view.mailbox.searches.held.get(serial)
    if folder is None:
        return {"id": view.folder_id(serial), "@removed": {"reason": "deleted"}}
    names = frozenset(state.select) if state.select is not None else None
    return folder_json(view, folder, names)


def _create_top(cloud: Cloud, call: Call) -> Reply:
    return _create(call, view_of(cloud, call), ROOT)


def _create_child(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return _create(call, view, folder_of(view, call.where["folder"]).serial)


def _create(call: Call, view: View, parent: int) -> Reply:
    given = call.json()
    name = given.get("displayName")
    if not isinstance(name, str) or not name:
        raise Fault(400, "ErrorInvalidRequest", "The property displayName is required.")
    check_free(view, parent, name)
    if str(given.get("@odata.type", "")).endswith("mailSearchFolder"):
        return _shown(call, view, view.mailbox.searches.add(search_maker(view, parent, given)), 201)
    return _shown(call, view, view.mailbox.add_folder(parent, name, bool(given.get("isHidden"))), 201)


def check_free(view: View, parent: int, name: str) -> None:
    """Refuse a name that a folder below `parent` has, in any case of letters. Raises Fault 409."""
    mailbox = view.mailbox
    beside = (*mailbox.children(parent, hidden=True), *mailbox.searches.below(parent))
    if any(each.name.casefold() == name.casefold() for each in beside):
        text = "A folder with the specified name already exists., Could not create folder "
        raise Fault(409, "ErrorFolderExists", f"{text}'{name}'.")


def _rename(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    folder = _own(view, call)
    if isinstance(folder, SearchFolder):
        change_search(view, folder, call.json())
    rename(view, folder, call.json().get("displayName"))
    return _shown(call, view, folder)


def rename(view: View, folder: Folder, name: object) -> None:
    """Give the folder that name, if it is one and another one. Raises Fault 409 where a sibling has it."""
    if isinstance(name, str) and name and name != folder.name:
        if name.casefold() != folder.name.casefold():
            check_free(view, folder.parent or ROOT, name)
        folder.name = name
        view.mailbox.touch_folder(folder)


def _move(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    folder = _own(view, call)
    target = folder_of(view, str(call.arguments().get("destinationId", "")))
    check_free(view, target.serial, folder.name)
    folder.parent = target.serial
    view.mailbox.touch_folder(folder)
    return _shown(call, view, folder, 201)


def _delete(cloud: Cloud, call: Call) -> Reply:
    """A folder goes to Deleted Items; from there it is gone."""
    view = view_of(cloud, call)
    folder = _own(view, call)
    if isinstance(folder, SearchFolder):
        view.mailbox.searches.delete(folder)
        return no_content()
    taken = {each.name.casefold() for each in view.mailbox.children(DELETED, hidden=True)}
    if folder.parent == DELETED or folder.name.casefold() in taken:
        view.mailbox.delete_folder(folder)
    else:
        folder.parent = DELETED
        view.mailbox.touch_folder(folder)
    return no_content()


def _delete_for_good(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return delete_for_good(view.mailbox, _own(view, call))


def delete_for_good(mailbox: Mailbox, folder: Folder) -> Reply:
    """Take a folder away without a stop in Deleted Items."""
    if isinstance(folder, SearchFolder):
        mailbox.searches.delete(folder)
    else:
        mailbox.delete_folder(folder)
    return no_content()


def _own(view: View, call: Call) -> Folder:
    return changeable(place_of(view, call.where["folder"]))


def changeable(folder: Folder) -> Folder:
    """The folder, if it may be changed: not a well-known one. Raises Fault 403."""
    if folder.serial in WELL_KNOWN.values():
        raise Fault(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be changed.")
    return folder


_TOP = "/users/{user}/mailFolders"
_ONE = _TOP + "/{folder}"
ROUTES = (
    Route("GET", _TOP, _list_top, READ_MAIL, filtered=True),
    Route("POST", _TOP, _create_top, WRITE_MAIL),
    Route("GET", _TOP + "/delta", _delta, READ_MAIL),
    Route("GET", _ONE, _get, READ_MAIL),
    Route("PATCH", _ONE, _rename, WRITE_MAIL),
    Route("DELETE", _ONE, _delete, WRITE_MAIL),
    Route("POST", _ONE + "/move", _move, WRITE_MAIL),
    Route("POST", _ONE + "/permanentDelete", _delete_for_good, WRITE_MAIL),
    Route("GET", _ONE + "/childFolders", _list_children, READ_MAIL, filtered=True),
    Route("POST", _ONE + "/childFolders", _create_child, WRITE_MAIL),
)
