"""Answers for files by their address, as messages and posts name them.

https://learn.microsoft.com/graph/api/shares-get
"""

from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import unquote

from tuiback.simtenant.api.call import Call, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView, identity
from tuiback.simtenant.api.drive_lookup import check_readable, not_found
from tuiback.simtenant.api.drives import shown_item
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import READ_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.drive import ROOT_NODE, Node

# The path of a file begins with two names of its site and that of the library.
_BEFORE_FILE = 3


def _found(cloud: Cloud, call: Call) -> tuple[DriveView, Node]:
    """The file behind `u!` and base64url of its address. Raises Fault 404."""
    kind, _, text = call.where["share"].partition("!")
    try:
        address = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() if kind == "u" else ""
    except ValueError:
        address = ""
    host, _, path = unquote(address).partition("://")[2].partition("/")
    names = path.split("/")
    owner = _owner(cloud, host, names) if len(names) > _BEFORE_FILE else None
    if owner is None:
        raise not_found()
    view = DriveView(cloud, owner, cloud.tenant.drive(owner), call.root, call.app_id)
    node = view.drive.find_path(view.drive.nodes[ROOT_NODE], names[_BEFORE_FILE:])
    if node is None:
        raise not_found()
    return view, node


def _owner(cloud: Cloud, host: str, names: list[str]) -> Person | None:
    *place, library = names[:_BEFORE_FILE]
    path = "/" + "/".join(place)
    site = cloud.tenant.sites.find(f"{host}:{path}")
    if site is not None:
        return next((each for each in cloud.tenant.sites.libraries(site) if each.library == library), None)
    people = (each.person for each in cloud.tenant.directory.users() if each.has_drive)
    return next((each for each in people if each.site_path == path and each.host.endswith(host)), None)


def _get(cloud: Cloud, call: Call) -> Reply:
    view, node = _found(cloud, call)
    document: dict[str, Any] = {"@odata.context": context_url(call, "shares/$entity"), "id": call.where["share"]}
    return json_reply(document | {"name": node.name, "owner": identity(view.person)})


def _get_item(cloud: Cloud, call: Call) -> Reply:
    return shown_item(*_found(cloud, call), call)


def _get_content(cloud: Cloud, call: Call) -> Reply:
    view, node = _found(cloud, call)
    if node.source is None:
        raise not_found()
    check_readable(node)
    return Reply(302, headers={"Location": view.download_url(node, paid=True)})


_SHARE = "/shares/{share}"
ROUTES = (
    Route("GET", _SHARE, _get, READ_FILES),
    Route("GET", _SHARE + "/driveItem", _get_item, READ_FILES),
    Route("GET", _SHARE + "/driveItem/content", _get_content, READ_FILES),
)
