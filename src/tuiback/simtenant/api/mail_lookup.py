"""Finds the mailbox, folder or message that a URL names, or refuses as Exchange does."""

from tuiback.simtenant.api.call import Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.message_json import View, change_key
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.state.mailbox import WELL_KNOWN, Folder, Mailbox, Message, SearchFolder

# Folders that have such a name where they exist, which they don't here.
_OTHER_NAMES = frozenset({
    "clutter", "conflicts", "conversationhistory", "localfailures", "scheduled", "searchfolders", "serverfailures",
    "syncissues",
})  # fmt: skip


def view_of(cloud: Cloud, call: Call) -> View:
    """The mailbox of the URL's user, seen as the request's Prefer header asks. Raises Fault 404."""
    wanted = call.preferences
    return View(
        cloud.tenant.ids,
        cloud.tenant.mailbox(mailbox_owner_of(cloud, call).person),
        immutable=wanted.get("idtype", "").lower() == "immutableid",
        text_body=wanted.get("outlook.body-content-type", "").lower() == "text",
    )


def folder_of(view: View, name: str) -> Folder:
    """The folder with this id or well-known name, in which messages can lie. Raises Fault 400 and 404."""
    folder = place_of(view, name)
    if isinstance(folder, SearchFolder):
        raise Fault(400, "ErrorInvalidRequest", "The operation is not supported for a search folder.")
    return folder


def place_of(view: View, name: str) -> Folder:
    """The folder with this id or well-known name, be it a search folder. Raises Fault 400 and 404."""
    known = WELL_KNOWN.get(name.lower())
    if known is not None and known in view.mailbox.folders:
        return view.mailbox.folders[known]
    if known is not None or name.lower() in _OTHER_NAMES:
        raise _not_found()
    reference = view.ids.find(name)
    if reference is None or reference.kind != "folder":
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    folder = view.mailbox.folders.get(reference.serial) or view.mailbox.searches.held.get(reference.serial)
    if folder is None or reference.owner != view.mailbox.owner:
        raise _not_found()
    return folder


def shown_in(mailbox: Mailbox, folder: Folder) -> list[int]:
    """The serials of what lies in a folder, or is shown by a search folder. Nobody may change them."""
    return mailbox.searches.found(folder) if isinstance(folder, SearchFolder) else mailbox.serials(folder.serial)


def message_of(view: View, call: Call) -> Message:
    """The message with the URL's id, regular or immutable, in the URL's folder where that names one.

    Raises Fault 400 and 404.
    """
    reference = view.ids.find(call.where["message"])
    if reference is None or reference.kind not in ("message", "immutable"):
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    message = view.mailbox.find(reference.serial) if reference.owner == view.mailbox.owner else None
    # A regular id names a message at one place; after a move it leads nowhere.
    if message is None or (reference.kind == "message" and reference.place != message.moves):
        raise _not_found()
    if "folder" in call.where:
        folder = place_of(view, call.where["folder"])
        if folder.serial != message.folder and message.serial not in shown_in(view.mailbox, folder):
            raise _not_found()
    return message


def check_current(view: View, message: Message, call: Call) -> None:
    """Refuse a write whose If-Match names an older state. Raises Fault 412."""
    wanted = call.headers.get("if-match", "*")
    key = change_key(view.mailbox.owner, message.serial, message.version)
    if wanted != "*" and wanted.removeprefix("W/").strip('"') != key:
        text = "The send or update operation could not be performed because the change key passed in the request does "
        raise Fault(412, "ErrorIrresolvableConflict", text + "not match the current change key for the item.")


def _not_found() -> Fault:
    return Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")


_SPELLED = {
    "idtype": "IdType",
    "odata.maxpagesize": "odata.maxpagesize",
    "outlook.body-content-type": "outlook.body-content-type",
    "outlook.timezone": "outlook.timezone",
}


def honoured(reply: Reply, call: Call, *names: str) -> Reply:
    """Say in Preference-Applied which of the named preferences were followed, too."""
    said = reply.headers.get("Preference-Applied")
    followed = [said] if said else []
    for name in names:
        if name in call.preferences:
            value = call.preferences[name]
            followed.append(f"{_SPELLED[name]}={value}" if value.isdigit() else f'{_SPELLED[name]}="{value}"')
    if followed:
        reply.headers["Preference-Applied"] = ", ".join(followed)
    return reply
