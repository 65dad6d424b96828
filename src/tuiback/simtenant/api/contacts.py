"""Answers for contacts and their folders: lists, changes, writes and pictures.

https://learn.microsoft.com/graph/api/resources/contact and .../resources/contactfolder
"""

from typing import Any

from tuiback.simtenant.api.cabinet_lists import Walk, changed, counted, listed, records_walk, shown
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.contact_json import CONTACT_PROPERTIES
from tuiback.simtenant.api.contact_lookup import ContactView, contact_folder_of, contact_of, contact_view_of
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import READ_CONTACTS, WRITE_CONTACTS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.state.cabinet import Drawer, Record
from tuiback.simtenant.state.contacts import CONTACTS

# Pictures are shown in one size.
_PICTURE_PIXELS = 240
_MOST_PICTURE_BYTES = 4 * 1024 * 1024
# Microsoft's own SDK sends pictures as application/octet-stream, so it is the bytes that tell.
_PICTURE_MARKS = {b"\xff\xd8": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif", b"BM": "image/bmp"}


def _list_folders(cloud: Cloud, call: Call) -> Reply:
    """The folders directly in the one that everybody has, or in another."""
    view = contact_view_of(cloud, call)
    return listed(call, _context(call, "contactFolders"), _folders(view, call))


def _count_folders(cloud: Cloud, call: Call) -> Reply:
    return counted(call, _folders(contact_view_of(cloud, call), call))


def _folders(view: ContactView, call: Call) -> list[dict[str, Any]]:
    return [view.folder_json(each) for each in view.cabinet.children(contact_folder_of(view, call).serial)]


def _get_folder(cloud: Cloud, call: Call) -> Reply:
    view = contact_view_of(cloud, call)
    return _shown_folder(view, contact_folder_of(view, call), call)


def _shown_folder(view: ContactView, drawer: Drawer, call: Call, status: int = 200) -> Reply:
    return shown(call, _context(call, "contactFolders"), view.folder_json(drawer), status)


def _change_folders(cloud: Cloud, call: Call) -> Reply:
    """What changed among all folders, or directly in one."""
    view = contact_view_of(cloud, call)
    cabinet = view.cabinet
    parent = contact_folder_of(view, call).serial if "folder" in call.where else None

    def show(serial: int) -> dict[str, Any] | None:
        drawer = cabinet.drawers.get(serial)
        return view.folder_json(drawer) if drawer is not None else None

    def first() -> list[int]:
        found = cabinet.drawers.values() if parent is None else cabinet.children(parent)
        return sorted(each.serial for each in found if each.serial != CONTACTS)

    what = f"contact folders {cabinet.owner} {parent}"
    return changed(
        cloud, call, Walk(what, "contactFolder", cabinet.drawer_changes, first, show, view.folder_id, parent)
    )


def _create_folder(cloud: Cloud, call: Call) -> Reply:
    view = contact_view_of(cloud, call)
    parent = contact_folder_of(view, call).serial
    drawer = view.cabinet.add_drawer(parent, _free_name(view, parent, call))
    return _shown_folder(view, drawer, call, 201)


def _free_name(view: ContactView, parent: int, call: Call) -> str:
    """The displayName in the request. Raises Fault 400 and 409."""
    name = call.json().get("displayName")
    if not isinstance(name, str) or not name:
        raise Fault(400, "ErrorInvalidRequest", "The property displayName is required.")
    if any(each.name.casefold() == name.casefold() for each in view.cabinet.children(parent)):
        text = "A folder with the specified name already exists., Could not create folder "
        raise Fault(409, "ErrorFolderExists", f"{text}'{name}'.")
    return name


def _rename_folder(cloud: Cloud, call: Call) -> Reply:
    view = contact_view_of(cloud, call)
    drawer = _own_folder(view, call)
    if call.json().get("displayName") != drawer.name:
        drawer.name = _free_name(view, drawer.parent or CONTACTS, call)
        view.cabinet.touch_drawer(drawer)
    return _shown_folder(view, drawer, call)


def _delete_folder(cloud: Cloud, call: Call) -> Reply:
    view = contact_view_of(cloud, call)
    view.cabinet.delete_drawer(_own_folder(view, call))
    return no_content()


def _own_folder(view: ContactView, call: Call) -> Drawer:
    """A folder that may be changed: not the one that everybody has. Raises Fault 403."""
    drawer = contact_folder_of(view, call)
    if drawer.serial == CONTACTS:
        raise Fault(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be changed.")
    return drawer


def _list(cloud: Cloud, call: Call) -> Reply:
    return listed(call, _context(call, "contacts"), _contacts(contact_view_of(cloud, call), call))


def _count(cloud: Cloud, call: Call) -> Reply:
    return counted(call, _contacts(contact_view_of(cloud, call), call))


def _contacts(view: ContactView, call: Call) -> list[dict[str, Any]]:
    expand = call.query.get("$expand", "")
    return [view.contact_json(each, expand) for each in view.cabinet.within(contact_folder_of(view, call).serial)]


def _get(cloud: Cloud, call: Call) -> Reply:
    view = contact_view_of(cloud, call)
    return _shown(view, contact_of(view, call), call)


def _shown(view: ContactView, record: Record, call: Call, status: int = 200) -> Reply:
    return shown(call, _context(call, "contacts"), view.contact_json(record, call.query.get("$expand", "")), status)


def _change_contacts(cloud: Cloud, call: Call) -> Reply:
    """What changed in one folder."""
    view = contact_view_of(cloud, call)
    folder = contact_folder_of(view, call).serial
    return changed(cloud, call, records_walk(view.cabinet, folder, "contact", view.contact_json, view.contact_id))


def _create(cloud: Cloud, call: Call) -> Reply:
    view, given = contact_view_of(cloud, call), call.json()
    now = cloud.clock.now().replace(microsecond=0)
    record = view.cabinet.add(contact_folder_of(view, call).serial, now, _writable(given))
    return _shown(view, record, call, 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    view, given = contact_view_of(cloud, call), call.json()
    record = contact_of(view, call)
    record.properties |= _writable(given)
    view.cabinet.touch(record, cloud.clock.now())
    return _shown(view, record, call)


def _writable(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in CONTACT_PROPERTIES}


def _delete(cloud: Cloud, call: Call) -> Reply:
    view = contact_view_of(cloud, call)
    view.cabinet.delete(contact_of(view, call))
    return no_content()


def _get_picture(cloud: Cloud, call: Call) -> Reply:
    """How large the picture is, and in which format."""
    record = contact_of(contact_view_of(cloud, call), call)
    size = _PICTURE_PIXELS
    document = {
        "@odata.context": context_url(call, _context(call, "contacts") + "/photo/$entity"),
        "@odata.mediaContentType": _picture_of(record).content_type,
        "@odata.mediaEtag": f'"{record.version:08X}"',
        "id": f"{size}x{size}", "width": size, "height": size,
    }  # fmt: skip
    return json_reply(document)


def _read_picture(cloud: Cloud, call: Call) -> Reply:
    picture = _picture_of(contact_of(contact_view_of(cloud, call), call))
    return Reply(200, picture.read(), picture.content_type)


def _picture_of(record: Record) -> Attachment:
    """Raises Fault 404."""
    if record.picture is None:
        raise Fault(404, "ImageNotFound", "The photo wasn't found.")
    return record.picture


def _set_picture(cloud: Cloud, call: Call) -> Reply:
    view = contact_view_of(cloud, call)
    record, content = contact_of(view, call), call.body
    if not content.startswith(tuple(_PICTURE_MARKS)):
        raise Fault(400, "ErrorInvalidRequest", "The content of a photo must be an image.")
    if len(content) > _MOST_PICTURE_BYTES:
        raise Fault(413, "RequestEntityTooLarge", "The photo is larger than 4 MB.")
    kind = next(kind for mark, kind in _PICTURE_MARKS.items() if content.startswith(mark))
    record.picture = Attachment("photo", kind, len(content), lambda: content)
    view.cabinet.touch(record, cloud.clock.now())
    return Reply(200)


def _context(call: Call, collection_name: str) -> str:
    return f"users('{call.where['user']}')/{collection_name}"


_USER = "/users/{user}"
_FOLDERS = _USER + "/contactFolders"
_ONE = _FOLDERS + "/{folder}"
_CHILDREN = _ONE + "/childFolders"
_CHILD = _CHILDREN + "/{child}"
ROUTES = (
    *(
        route
        for many in (_FOLDERS, _CHILDREN)
        for route in (
            Route("GET", many, _list_folders, READ_CONTACTS, filtered=True),
            Route("POST", many, _create_folder, WRITE_CONTACTS),
            Route("GET", many + "/$count", _count_folders, READ_CONTACTS, filtered=True),
            Route("GET", many + "/delta", _change_folders, READ_CONTACTS),
        )
    ),
    *(
        route
        for one in (_ONE, _CHILD)
        for route in (
            Route("GET", one, _get_folder, READ_CONTACTS),
            Route("PATCH", one, _rename_folder, WRITE_CONTACTS),
            Route("DELETE", one, _delete_folder, WRITE_CONTACTS),
            Route("POST", one + "/permanentDelete", _delete_folder, WRITE_CONTACTS),
        )
    ),
    *(
        route
        for many in (_USER + "/contacts", _ONE + "/contacts", _CHILD + "/contacts")
        for route in (
            Route("GET", many, _list, READ_CONTACTS, filtered=True),
            Route("POST", many, _create, WRITE_CONTACTS),
            Route("GET", many + "/$count", _count, READ_CONTACTS, filtered=True),
            Route("GET", many + "/delta", _change_contacts, READ_CONTACTS),
            Route("GET", many + "/{contact}", _get, READ_CONTACTS),
            Route("PATCH", many + "/{contact}", _change, WRITE_CONTACTS),
            Route("DELETE", many + "/{contact}", _delete, WRITE_CONTACTS),
            Route("POST", many + "/{contact}/permanentDelete", _delete, WRITE_CONTACTS),
            Route("GET", many + "/{contact}/photo", _get_picture, READ_CONTACTS),
            Route("GET", many + "/{contact}/photo/$value", _read_picture, READ_CONTACTS),
            Route("PUT", many + "/{contact}/photo/$value", _set_picture, WRITE_CONTACTS),
            Route("PATCH", many + "/{contact}/photo/$value", _set_picture, WRITE_CONTACTS),
        )
    ),
)
