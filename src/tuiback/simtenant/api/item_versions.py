"""Answers for the versions of a file: the list, one, its content, and going back to it.

https://learn.microsoft.com/graph/api/driveitem-list-versions, .../driveitemversion-get-contents
"""

from collections.abc import Iterable
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView, identity
from tuiback.simtenant.api.drive_lookup import DRIVES, check_readable, drive_of, node_of, not_found
from tuiback.simtenant.api.odata import collection, context_url
from tuiback.simtenant.api.permissions import READ_FILES, WRITE_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.drive import Node


def _list(cloud: Cloud, call: Call) -> Reply:
    """The newest first."""
    view, node = _file(cloud, call)
    numbers = (number for number in range(node.version_number, 0, -1) if number not in node.forgotten)
    value = [_version_json(view, node, number) for number in numbers]
    return json_reply(collection("Collection(driveItemVersion)", value, None, call))


def _get(cloud: Cloud, call: Call) -> Reply:
    view, node = _file(cloud, call)
    context = {"@odata.context": context_url(call, "driveItemVersion")}
    return json_reply(context | _version_json(view, node, _number(node, call)))


def _get_content(cloud: Cloud, call: Call) -> Reply:
    """302 for a version of the past; the present one has to be asked for as the file's content."""
    view, node = _file(cloud, call)
    number = _number(node, call)
    if number == node.version_number:
        raise Fault(400, "invalidRequest", "You cannot get the content of the current version.")
    check_readable(node)
    return Reply(302, headers={"Location": view.download_url(node, paid=True, version=number)})


def _restore(cloud: Cloud, call: Call) -> Reply:
    """The content of an earlier version becomes the newest."""
    view, node = _file(cloud, call)
    source = node.source_of(_number(node, call))
    if source is None:
        raise not_found()
    view.drive.write(node, source, cloud.clock.now())
    return no_content()


def _delete(cloud: Cloud, call: Call) -> Reply:
    """A version of the past is gone; the others keep their numbers."""
    view, node = _file(cloud, call)
    number = _number(node, call)
    if number == node.version_number:
        raise Fault(400, "invalidRequest", "You cannot delete the current version.")
    node.forgotten.add(number)
    view.drive.touch(node)
    return no_content()


def _version_json(view: DriveView, node: Node, number: int) -> dict[str, Any]:
    source = node.source_of(number)
    is_present = number == node.version_number
    modified = node.modified if is_present else node.earlier[number - 1].modified
    return {
        "id": f"{number}.0",
        "lastModifiedBy": identity(view.person),
        "lastModifiedDateTime": stamp(modified),
        "size": source.size if source is not None else 0,
    }


def _file(cloud: Cloud, call: Call) -> tuple[DriveView, Node]:
    view = drive_of(cloud, call)
    node = node_of(view, call)
    if node.source is None:
        raise Fault(400, "invalidRequest", "Only files have versions.")
    return view, node


def _number(node: Node, call: Call) -> int:
    text = call.where["version"].removesuffix(".0")
    if not text.isdigit() or node.source_of(int(text)) is None or int(text) in (0, *node.forgotten):
        raise not_found()
    return int(text)


def _routes(drive: str) -> Iterable[Route]:
    for item in (drive + "/root", drive + "/items/{item}"):
        for node in (item, item + "/:/{path}"):
            one = node + "/versions/{version}"
            yield Route("GET", node + "/versions", _list, READ_FILES)
            yield Route("GET", one, _get, READ_FILES)
            yield Route("DELETE", one, _delete, WRITE_FILES)
            yield Route("GET", one + "/content", _get_content, READ_FILES)
            yield Route("POST", one + "/restoreVersion", _restore, WRITE_FILES)


ROUTES = tuple(route for drive in DRIVES for route in _routes(drive))
