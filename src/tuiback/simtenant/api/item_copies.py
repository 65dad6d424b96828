"""Answers for copies of files and folders, which are made behind a URL that tells when they are done.

https://learn.microsoft.com/graph/api/driveitem-copy
"""

from collections.abc import Iterable

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_lookup import DRIVES, drive_of, node_of, not_found
from tuiback.simtenant.api.item_names import check_name, free_name
from tuiback.simtenant.api.odata import find_token, sealed_token
from tuiback.simtenant.api.permissions import WRITE_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.drive import ROOT_NODE, Drive, Node

MONITOR_TEMPLATE = "/_api/v2.0/monitor/{copy}"
_MONITOR = "/_api/v2.0/monitor/"
_CONFLICT = "@microsoft.graph.conflictBehavior"


def _copy(cloud: Cloud, call: Call) -> Reply:
    """202 and where to ask; within one drive, which is all that this tenant copies."""
    view = drive_of(cloud, call)
    drive, node, given = view.drive, node_of(view, call), call.json()
    reference = given.get("parentReference") or {}
    if reference.get("driveId", view.person.drive_id) != view.person.drive_id:
        raise Fault(501, "NotImplemented", "The simulated tenant copies within one drive only.")
    serial = cloud.tenant.ids.find_node(str(reference["id"]), drive.owner) if "id" in reference else node.parent
    parent = drive.nodes.get(ROOT_NODE if reference.get("id") == "root" else serial if serial is not None else -1)
    if parent is None or not parent.is_folder:
        raise not_found()
    name = str(given.get("name") or node.name)
    if drive.find_child(parent.serial, name) is not None:
        if call.query.get(_CONFLICT, "fail") != "rename":
            raise Fault(409, "nameAlreadyExists", "An item with the same name already exists under the parent")
        name = free_name(drive, parent, name)
    check_name(drive, parent, name, folder=node.is_folder)
    made = _made(cloud, drive, node, parent, name)
    token = sealed_token(cloud.token_key, {"copy": view.node_id(made.serial)})
    return Reply(202, headers={"Location": f"{cloud.storage_root(call.root)}{_MONITOR}{token}"})


def _made(cloud: Cloud, drive: Drive, node: Node, parent: Node, name: str) -> Node:
    children = drive.children(node.serial)
    made = drive.add(parent, name, node.source, cloud.clock.now(), node.modified)
    for child in children:
        if child is not made:
            _made(cloud, drive, child, made, child.name)
    return made


def is_monitor(call: Call) -> bool:
    """Whether somebody asks how a copy goes."""
    return call.method == "GET" and call.path.startswith(_MONITOR)


def copy_status(cloud: Cloud, call: Call) -> Reply:
    """Copies are done at once. Raises Fault 404."""
    token = find_token(cloud.token_key, call.path.removeprefix(_MONITOR))
    if token is None or "copy" not in token:
        raise not_found()
    return json_reply({"percentageComplete": 100.0, "resourceId": token["copy"], "status": "completed"})


def _routes(drive: str) -> Iterable[Route]:
    for item in (drive + "/root", drive + "/items/{item}"):
        for node in (item, item + "/:/{path}"):
            yield Route("POST", node + "/copy", _copy, WRITE_FILES)


ROUTES = tuple(route for drive in DRIVES for route in _routes(drive))
