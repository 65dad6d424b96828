"""Answers for files that somebody holds to write them alone: taken, and given back.

https://learn.microsoft.com/graph/api/driveitem-checkout, .../driveitem-checkin
"""

from collections.abc import Iterable

from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView
from tuiback.simtenant.api.drive_lookup import DRIVES, check_holder, drive_of, node_of
from tuiback.simtenant.api.permissions import WRITE_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.drive import Node


def _file_of(cloud: Cloud, call: Call) -> tuple[DriveView, Node]:
    """The file that the URL names. Raises Fault 400, 404 and 423."""
    view = drive_of(cloud, call)
    node = node_of(view, call)
    if node.is_folder:
        raise Fault(400, "invalidRequest", "Only files can be checked out.")
    check_holder(view, node)
    return view, node


def _check_out(cloud: Cloud, call: Call) -> Reply:
    view, node = _file_of(cloud, call)
    if not node.holder:
        node.holder = view.app_id
        view.drive.touch(node)
    return no_content()


def _check_in(cloud: Cloud, call: Call) -> Reply:
    """Raises Fault 400 for a file that nobody holds."""
    call.json()
    view, node = _file_of(cloud, call)
    if not node.holder:
        raise Fault(400, "invalidRequest", "The file is not checked out.")
    node.holder = ""
    view.drive.touch(node)
    return no_content()


def _routes(drive: str) -> Iterable[Route]:
    for item in (drive + "/root", drive + "/items/{item}"):
        for node in (item, item + "/:/{path}"):
            yield Route("POST", node + "/checkout", _check_out, WRITE_FILES)
            yield Route("POST", node + "/checkin", _check_in, WRITE_FILES)


ROUTES = tuple(route for drive in DRIVES for route in _routes(drive))
