"""The ways in which an answer is given but is not quite what a client expects."""

import copy
from collections.abc import Callable
from typing import Any

from tuiback.simtenant.api.call import Fault, Reply
from tuiback.simtenant.api.contact_lookup import contact_of, contact_view_of
from tuiback.simtenant.api.mail_lookup import folder_of, message_of, view_of
from tuiback.simtenant.api.mailbox_lookup import Part, store_of
from tuiback.simtenant.api.task_lookup import task_of, task_view_of
from tuiback.simtenant.content.sources import HeldSource
from tuiback.simtenant.faulting.scene import Scene

Strike = Callable[[Scene], Reply]
OFFICE_ENDINGS = (".docx", ".xlsx", ".pptx", ".pdf", ".html")


def repeat_entry(scene: Scene) -> Reply:
    """An entry comes twice in one page; of a file the earlier one shows an older state, so the last one counts."""

    def edit(document: dict[str, Any]) -> None:
        value = document["value"]
        if not value:
            return
        place = scene.luck.randrange(len(value))
        again = copy.deepcopy(value[place])
        if "file" in again and "name" in again:
            again["name"] = "~" + again["name"]
        value.insert(scene.luck.randrange(place + 1), again)

    return scene.edited(edit)


def turn_round(scene: Scene) -> Reply:
    """A page's entries come in the opposite order: children before their parents."""
    return scene.edited(lambda document: document["value"].reverse())


def empty_page(scene: Scene) -> Reply:
    """A page without entries, whose nextLink leads to the page that was asked for."""

    def edit(document: dict[str, Any]) -> None:
        call = scene.call
        document["value"] = []
        document.pop("@odata.deltaLink", None)
        document["@odata.nextLink"] = f"{call.root}{call.path}" + (f"?{call.raw_query}" if call.raw_query else "")

    return scene.edited(edit)


def malform_link(scene: Scene) -> Reply:
    """The nextLink, if there is one, names no user."""

    def edit(document: dict[str, Any]) -> None:
        link = document.get("@odata.nextLink")
        if link is not None:
            document["@odata.nextLink"] = link.replace(f"/users/{scene.call.where['user']}/", "/users//", 1)

    return scene.edited(edit)


def wrong_size(scene: Scene) -> Reply:
    """A file's size is not the number of bytes that a download gives."""

    def change(file: dict[str, Any]) -> None:
        file["size"] += 97

    return scene.edited(lambda document: _change_file(scene, document, change))


def missing_hash(scene: Scene) -> Reply:
    """A file comes without a hash."""
    return scene.edited(lambda document: _change_file(scene, document, lambda file: file["file"].pop("hashes", None)))


def control_character(scene: Scene) -> Reply:
    """A message's preview, else somebody's name, holds a control character that JSON does not allow."""
    reply = scene.answer()
    begins = b'"bodyPreview":"' if b'"bodyPreview":"' in reply.body else b'"emailAddress":{"name":"'
    reply.body = reply.body.replace(begins, begins + b"\x0b", 1)
    return reply


def ignore_range(scene: Scene) -> Reply:
    """The whole file comes, whatever part was asked for."""
    scene.call.headers = {name: value for name, value in scene.call.headers.items() if name != "range"}
    return scene.answer()


def vanish(*, empty_body: bool) -> Strike:
    """Somebody deletes the item for good just before it is asked for."""

    def strike(scene: Scene) -> Reply:
        if "message" in scene.call.where:
            view = view_of(scene.cloud, scene.call)
            view.mailbox.delete(message_of(view, scene.call))
        elif "contact" in scene.call.where:
            contacts = contact_view_of(scene.cloud, scene.call)
            contacts.cabinet.delete(contact_of(contacts, scene.call))
        elif "task" in scene.call.where:
            tasks = task_view_of(scene.cloud, scene.call)
            tasks.cabinet.delete(task_of(tasks, scene.call))
        else:
            found = scene.find_node()
            if found is not None and found[1].parent is not None:
                found[0].drive.delete(found[1])
        return Reply(404) if empty_body else scene.answer()

    return strike


def vanish_from_export(scene: Scene) -> Reply:
    """Somebody deletes one of the items for good just before they are exported."""
    store = store_of(scene.cloud, scene.call)
    names = scene.call.json()
    ids = names.get("itemIds") or names.get("ItemIds") or [""]
    try:
        message = store.find_item(str(scene.luck.choice(ids)))
    except Fault:
        message = None
    if message is not None:
        store.mailbox.delete(message)
    return scene.answer()


def grow_archive(scene: Scene) -> Reply:
    """The folder that is asked for, or that holds what is exported, has moved to an auxiliary archive."""
    store = store_of(scene.cloud, scene.call)
    if store.part is Part.ARCHIVE:
        if "folder" in scene.call.where:
            moved = {folder_of(store.view, scene.call.where["folder"]).serial}
        else:
            ids = scene.call.json().get("itemIds") or scene.call.json().get("ItemIds") or [""]
            message = store.find_item(str(ids[0]))
            moved = {message.folder} if message is not None else set[int]()
        store.mailbox.expanded |= moved
    return scene.answer()


def enrich(scene: Scene) -> Reply:
    """SharePoint writes into an uploaded Office file: its size and hash are others from then on."""
    return scene.edited(lambda document: _enrich(scene, document))


def mark_node(trouble: str) -> Strike:
    """The file asked for is infected, or can't be read, from now on."""

    def strike(scene: Scene) -> Reply:
        found = scene.find_node()
        if found is not None:
            found[1].trouble = trouble
            found[0].drive.touch(found[1])
        return scene.answer()

    return strike


def _change_file(scene: Scene, document: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> None:
    files = [each for each in document.get("value", [document]) if "hashes" in each.get("file", {}) and "size" in each]
    if files:
        change(scene.luck.choice(files))


def _enrich(scene: Scene, document: dict[str, Any]) -> None:
    drive_id = document.get("parentReference", {}).get("driveId", "")
    owner = scene.cloud.tenant.find_drive(drive_id)
    if owner is None or not str(document.get("name", "")).lower().endswith(OFFICE_ENDINGS):
        return
    drive = scene.cloud.tenant.drive(owner)
    serial = scene.cloud.tenant.ids.find_node(document["id"], drive.owner)
    node = drive.nodes.get(serial) if serial is not None else None
    if node is not None and node.source is not None:
        before = b"".join(node.source.pieces(0, node.source.size))
        drive.write(node, HeldSource(before + b"\0" * 22 + b"docProps/custom.xml"), node.modified)
