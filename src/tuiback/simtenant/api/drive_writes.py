"""Answers that write drives: files in one request or in a session, folders, changes of place and name, deletion.

https://learn.microsoft.com/graph/api/driveitem-put-content, .../driveitem-createuploadsession and neighbours
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import QUOTA_BYTES, DriveView
from tuiback.simtenant.api.drive_lookup import DRIVES, Target, check_holder, drive_of, node_of, not_found, target_of
from tuiback.simtenant.api.drives import shown_item
from tuiback.simtenant.api.item_names import check_name, free_name
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import WRITE_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.storage import session_at, upload_url
from tuiback.simtenant.content.sources import HeldSource
from tuiback.simtenant.state.drive import ROOT_NODE, Drive, NameTaken, Node

_MOST_FILE_BYTES = 250 * 1024**3
_MOST_DIRECT_BYTES = 250 * 1024 * 1024
_MOST_FRAGMENT_BYTES = 60 * 1024 * 1024 - 1
_FRAGMENT_MULTIPLE = 320 * 1024
_CONFLICT = "@microsoft.graph.conflictBehavior"
_SOURCE = "@microsoft.graph.sourceUrl"


@dataclass(frozen=True, slots=True)
class _Times:
    """When a file was made and changed, as its fileSystemInfo says."""

    created: datetime
    modified: datetime


def _put_content(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    target = target_of(view, call)
    if len(call.body) > _MOST_DIRECT_BYTES:
        raise Fault(413, "invalidRequest", "The request message is too big.")
    _check_current(view, target.node, call)
    now = cloud.clock.now()
    conflict = call.query.get(_CONFLICT, "replace")
    status, node = _write_file(view.drive, target, call.body, conflict, _Times(now, now))
    return shown_item(view, node, call, status)


def _write_file(drive: Drive, target: Target, content: bytes, conflict: str, times: _Times) -> tuple[int, Node]:
    """Create or replace a file: 201 or 200, and the file. Raises Fault 400 and 409."""
    node = target.node if target.node is not None else drive.find_child(target.parent.serial, target.name)
    name = target.name
    if node is not None and conflict == "rename":
        node, name = None, free_name(drive, target.parent, name)
    if node is not None and (conflict == "fail" or node.is_folder):
        raise _name_taken()
    if node is not None:
        drive.write(node, HeldSource(content), times.modified)
        return 200, node
    check_name(drive, target.parent, name, folder=False)
    return 201, drive.add(target.parent, name, HeldSource(content), times.created, times.modified)


def _open_session(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    target = target_of(view, call)
    item = call.json().get("item") or {}
    _check_current(view, target.node, call)
    if target.node is None:
        check_name(view.drive, target.parent, target.name, folder=False)
    _check_size(view, item.get("fileSize"))
    conflict = str(item.get(_CONFLICT, "replace" if cloud.behaviour.sessions_replace else "fail"))
    now = cloud.clock.now()
    times = _times(item, _Times(now, now))

    def finish(content: bytes) -> Reply:
        # The drive may have been put away and made again between the requests.
        now_view = drive_of(cloud, call)
        status, node = _write_file(now_view.drive, target_of(now_view, call), content, conflict, times)
        return shown_item(now_view, node, call, status)

    session = cloud.transfers.open_session(finish, _MOST_FRAGMENT_BYTES, _FRAGMENT_MULTIPLE)
    session.deferred = bool(call.json().get("deferCommit"))
    return json_reply(
        {
            "@odata.context": context_url(call, "microsoft.graph.uploadSession"),
            "uploadUrl": upload_url(cloud, call, session),
            "expirationDateTime": session.expiration,
            "nextExpectedRanges": ["0-"],
        }
    )


def _commit(cloud: Cloud, call: Call) -> Reply:
    """An upload that has come to its end, under the name that is given now: into the folder that the URL names."""
    view, given = drive_of(cloud, call), call.json()
    parent, name = node_of(view, call), given.get("name")
    session = session_at(cloud, str(given.get(_SOURCE, "")))
    if session is None or session.finished is not None:
        raise Fault(404, "itemNotFound", "The upload session was not found")
    if not isinstance(name, str) or not parent.is_folder or not session.is_whole:
        raise Fault(400, "invalidRequest", "A folder, a name and a complete upload are required.")
    now = cloud.clock.now()
    target = Target(parent, name, view.drive.find_child(parent.serial, name))
    conflict = str(given.get(_CONFLICT, "fail"))
    status, node = _write_file(view.drive, target, bytes(session.received), conflict, _Times(now, now))
    cloud.transfers.close_session(session)
    return shown_item(view, node, call, status)


def _check_size(view: DriveView, size: object) -> None:
    """Refuse a file that is larger than any may be, or than the quota leaves room for. Raises Fault 413 and 507."""
    if not isinstance(size, int):
        return
    if size > _MOST_FILE_BYTES:
        raise Fault(413, "invalidRequest", "The file is larger than 250 GB.")
    if size > QUOTA_BYTES - view.drive.total_bytes():
        raise Fault(507, "quotaLimitReached", "The quota has been reached.")


def _create_folder(cloud: Cloud, call: Call) -> Reply:
    """A folder; with conflictBehavior replace an existing one is given back as it is."""
    view = drive_of(cloud, call)
    parent, given = node_of(view, call), call.json()
    name = given.get("name")
    if not isinstance(name, str) or "folder" not in given or not parent.is_folder:
        raise Fault(400, "invalidRequest", "A name and a folder facet are required.")
    conflict = call.query.get(_CONFLICT) or given.get(_CONFLICT, "fail")
    existing = view.drive.find_child(parent.serial, name)
    if existing is not None and conflict == "rename":
        existing, name = None, free_name(view.drive, parent, name)
    if existing is not None:
        if conflict != "replace" or not existing.is_folder:
            raise _name_taken()
        return shown_item(view, existing, call)
    check_name(view.drive, parent, name, folder=True)
    now = cloud.clock.now()
    times = _times(given, _Times(now, now))
    return shown_item(view, view.drive.add(parent, name, None, times.created, times.modified), call, 201)


def _change(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    drive, node, given = view.drive, _writable(view, call), call.json()
    parent = _new_parent(view, node, given.get("parentReference") or {})
    name = str(given.get("name", node.name))
    times = _times(given, _Times(node.created, node.modified))
    if (parent.serial, name) != (node.parent, node.name):
        check_name(drive, parent, name, folder=node.is_folder)
        try:
            drive.place(node, parent.serial, name)
        except NameTaken as taken:
            raise _name_taken() from taken
    elif node.source is not None and times.modified != node.modified:
        # A change of the time alone makes a version too: https://github.com/rclone/rclone/issues/1716
        drive.write(node, node.source, times.modified)
    else:
        drive.touch(node)
    node.created = times.created
    node.modified = times.modified if "fileSystemInfo" in given else cloud.clock.now()
    return shown_item(view, node, call)


def _new_parent(view: DriveView, node: Node, reference: dict[str, Any]) -> Node:
    """The folder that a parentReference names, else the present one. Raises Fault 400 and 404."""
    drive = view.drive
    parent: Node | None
    if "id" in reference:
        text = str(reference["id"])
        serial = ROOT_NODE if text == "root" else view.cloud.tenant.ids.find_node(text, drive.owner)
        parent = drive.nodes.get(serial) if serial is not None else None
    elif "path" in reference:
        names = [unquote(part) for part in str(reference["path"]).partition("root:")[2].split("/") if part]
        parent = drive.find_path(drive.nodes[ROOT_NODE], names)
    else:
        parent = drive.nodes[node.parent] if node.parent is not None else None
    if parent is None or not parent.is_folder:
        raise not_found()
    if parent is node or node in drive.ancestors(parent):
        raise Fault(400, "invalidRequest", "An item can't be moved into itself.")
    return parent


def _delete(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    view.drive.delete(_writable(view, call))
    return no_content()


def _writable(view: DriveView, call: Call) -> Node:
    """The URL's node, which may be changed or deleted. Raises Fault 400, 404 and 412."""
    node = node_of(view, call)
    if node.parent is None:
        raise Fault(400, "invalidRequest", "The root can't be changed.")
    _check_current(view, node, call)
    return node


def _check_current(view: DriveView, node: Node | None, call: Call) -> None:
    """Refuse a write whose If-Match or If-None-Match does not hold, or to another's file. Raises Fault 412 and 423."""
    if node is not None:
        check_holder(view, node)
    wanted, unwanted = call.headers.get("if-match"), call.headers.get("if-none-match")
    tag = view.e_tag(node) if node is not None else None
    if (wanted is not None and wanted != tag and (wanted != "*" or tag is None)) or (
        unwanted is not None and tag is not None and unwanted in ("*", tag)
    ):
        raise Fault(412, "resourceModified", "ETag does not match current item's value.")


def _times(given: dict[str, Any], default: _Times) -> _Times:
    """The times in fileSystemInfo. Raises Fault 400."""
    info = given.get("fileSystemInfo") or {}
    created = _moment(info.get("createdDateTime"), default.created)
    return _Times(created, _moment(info.get("lastModifiedDateTime"), default.modified))


def _moment(text: object, default: datetime) -> datetime:
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Fault(400, "invalidRequest", f"'{text}' is not a time.") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _name_taken() -> Fault:
    return Fault(409, "nameAlreadyExists", "An item with the same name already exists under the parent")


def _routes(drive: str) -> Iterable[Route]:
    for item in (drive + "/root", drive + "/items/{item}"):
        for node in (item, item + "/:/{path}"):
            yield Route("PATCH", node, _change, WRITE_FILES)
            yield Route("PUT", node, _commit, WRITE_FILES)
            yield Route("DELETE", node, _delete, WRITE_FILES)
            yield Route("POST", node + "/permanentDelete", _delete, WRITE_FILES)
            yield Route("PUT", node + "/content", _put_content, WRITE_FILES)
            yield Route("POST", node + "/children", _create_folder, WRITE_FILES)
            yield Route("POST", node + "/createUploadSession", _open_session, WRITE_FILES)


ROUTES = tuple(route for drive in DRIVES for route in _routes(drive))
