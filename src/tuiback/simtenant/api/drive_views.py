"""Answers for other ways to a person's files: special folders, what was used lately, what others share, and previews.

https://learn.microsoft.com/graph/api/drive-get-specialfolder, .../drive-recent, .../drive-sharedwithme
https://learn.microsoft.com/graph/api/driveitem-list-thumbnails
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView, identity, item_json
from tuiback.simtenant.api.drive_lookup import drive_of, node_of, not_found
from tuiback.simtenant.api.drives import shown_item
from tuiback.simtenant.api.odata import collection, page, page_size
from tuiback.simtenant.api.permissions import READ_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.drive import ROOT_NODE, Node

# Where each special folder lies; that of an application is its own.
_SPECIAL = {"documents": "Documents", "photos": "Pictures", "cameraroll": "Camera Roll", "music": "Music"}
_APP_FOLDERS = "Apps"
_RECENT = 50
# What others share is looked for in the drives of so many people only: there is no index of it.
_LOOKED_THROUGH = 64
_PICTURES = (".png", ".jpg")
_SIZES = {"small": 96, "medium": 176, "large": 800}


def _special_node(view: DriveView, call: Call) -> Node:
    """The special folder, which is made when somebody first asks for it. Raises Fault 404."""
    name = call.where["special"].lower()
    if name == "approot":
        return _child(view, _child(view, view.drive.nodes[ROOT_NODE], _APP_FOLDERS), f"app {call.app_id[:8]}")
    if name not in _SPECIAL:
        raise not_found()
    return _child(view, view.drive.nodes[ROOT_NODE], _SPECIAL[name])


def _child(view: DriveView, parent: Node, name: str) -> Node:
    now = view.cloud.clock.now().replace(microsecond=0)
    return view.drive.find_child(parent.serial, name) or view.drive.add(parent, name, None, now, now)


def _get_special(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    return shown_item(view, _special_node(view, call), call)


def _list_special(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    nodes = view.drive.children(_special_node(view, call).serial)
    shown, next_link = page(nodes, call, page_size(call, cloud.plan.file_page, cloud.plan.file_page))
    return json_reply(collection("Collection(driveItem)", [item_json(view, each) for each in shown], next_link, call))


def _recent(cloud: Cloud, call: Call) -> Reply:
    """The files that were changed last."""
    view = drive_of(cloud, call)
    files = sorted((each for each in view.drive.nodes.values() if each.source), key=_modified, reverse=True)[:_RECENT]
    return json_reply(collection("Collection(driveItem)", [item_json(view, each) for each in files], None, call))


def _modified(node: Node) -> tuple[float, int]:
    return node.modified.timestamp(), -node.serial


def _shared_with(cloud: Cloud, call: Call) -> Reply:
    """Files of others that were shared with the owner of the drive, each as a remoteItem."""
    view = drive_of(cloud, call)
    rows = [_remote_json(other, node) for other, node in _shared(cloud, view)]
    shown, next_link = page(rows, call, page_size(call, cloud.plan.file_page, cloud.plan.file_page))
    return json_reply(collection("Collection(driveItem)", shown, next_link, call))


def _shared(cloud: Cloud, view: DriveView) -> Iterator[tuple[DriveView, Node]]:
    people = [each.person for each in cloud.tenant.directory.people() if each.has_drive][:_LOOKED_THROUGH]
    for person in people:
        if person.index != view.person.index:
            other = DriveView(cloud, person, cloud.tenant.drive(person), view.root, view.app_id)
            for node in other.drive.nodes.values():
                if any(view.person.index in (grant.person, *grant.people) for grant in node.grants):
                    yield other, node


def _remote_json(view: DriveView, node: Node) -> dict[str, Any]:
    whole = item_json(view, node)
    names = ("id", "name", "size", "webUrl", "parentReference", "fileSystemInfo", "file", "folder", "createdBy",
             "createdDateTime", "lastModifiedBy", "lastModifiedDateTime")  # fmt: skip
    remote = {name: whole[name] for name in names if name in whole}
    told = {name: whole[name] for name in ("id", "name", "size", "webUrl", "createdDateTime", "lastModifiedDateTime")}
    sharing = {"scope": "users", "owner": identity(view.person), "sharedDateTime": stamp(node.grants[0].shared)}
    return told | {"remoteItem": remote | {"shared": sharing}}


def _thumbnails(cloud: Cloud, call: Call) -> Reply:
    """Of pictures only; each size leads to the picture itself."""
    view = drive_of(cloud, call)
    node = node_of(view, call)
    sets: list[dict[str, Any]] = []
    if node.source is not None and node.name.lower().endswith(_PICTURES):
        url = view.download_url(node)
        sizes = {name: {"height": side, "width": side, "url": url} for name, side in _SIZES.items()}
        sets.append({"id": "0", **sizes})
    return json_reply(collection("Collection(thumbnailSet)", sets, None, call))


def _routes(drive: str) -> Iterable[Route]:
    special = drive + "/special/{special}"
    yield Route("GET", special, _get_special, READ_FILES)
    yield Route("GET", special + "/children", _list_special, READ_FILES)
    yield Route("GET", drive + "/recent", _recent, READ_FILES)
    yield Route("GET", drive + "/sharedWithMe", _shared_with, READ_FILES)
    for item in (drive + "/root", drive + "/items/{item}"):
        for node in (item, item + "/:/{path}"):
            yield Route("GET", node + "/thumbnails", _thumbnails, READ_FILES)


ROUTES = (*_routes("/users/{user}/drive"), *_routes("/drives/{drive}"))
