"""Finds the drive and the node that a URL names, or refuses as OneDrive does."""

from dataclasses import dataclass
from urllib.parse import unquote

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView
from tuiback.simtenant.api.user_lookup import account_of
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.drive import ROOT_NODE, Node

# The ways to a drive below which every route on drives lies.
DRIVES = ("/users/{user}/drive", "/drives/{drive}", "/sites/{site}/drive", "/groups/{group}/drive")


def drive_of(cloud: Cloud, call: Call) -> DriveView:
    """The drive named by its id, or by its owner. Raises Fault 404."""
    person = _owner_of(cloud, call)
    if person is None:
        raise not_found()
    hierarchical = "hierarchicalsharing" in call.preferences
    return DriveView(cloud, person, cloud.tenant.drive(person), call.root, call.app_id, hierarchical)


def _owner_of(cloud: Cloud, call: Call) -> Person | None:
    """Whose drive the URL names. Raises Fault 404."""
    where, tenant = call.where, cloud.tenant
    if "drive" in where:
        return tenant.find_drive(where["drive"])
    if "site" in where:
        return tenant.find_site(where["site"])
    if "group" in where:
        team = tenant.teams.find(where["group"])
        return tenant.sites.of_team(team) if team is not None else None
    account = account_of(cloud, call)
    if not account.has_drive:
        raise Fault(404, "ResourceNotFound", "User's mysite not found.")
    return account.person


def start_of(view: DriveView, call: Call) -> Node:
    """The node that the URL names before any address between colons. Raises Fault 404."""
    text = call.where.get("item", "root")
    serial = ROOT_NODE if text == "root" else view.cloud.tenant.ids.find_node(text, view.drive.owner)
    node = view.drive.nodes.get(serial) if serial is not None else None
    if node is None:
        raise not_found()
    return node


def node_of(view: DriveView, call: Call) -> Node:
    """The node that the URL names. Raises Fault 404."""
    node = view.drive.find_path(start_of(view, call), address_of(call))
    if node is None:
        raise not_found()
    return node


@dataclass(frozen=True, slots=True)
class Target:
    """Where a write goes: `node` is what lies there already."""

    parent: Node
    name: str
    node: Node | None


def target_of(view: DriveView, call: Call) -> Target:
    """The place that the URL names, existing or not. Raises Fault 404 and 400."""
    node, names = start_of(view, call), address_of(call)
    if not names:
        if node.parent is None:
            raise Fault(400, "invalidRequest", "The root can't be written to.")
        return Target(view.drive.nodes[node.parent], node.name, node)
    parent = view.drive.find_path(node, names[:-1])
    if parent is None or not parent.is_folder:
        raise not_found()
    return Target(parent, names[-1], view.drive.find_child(parent.serial, names[-1]))


def address_of(call: Call) -> list[str]:
    """The names in the address between colons; each segment was encoded alone."""
    return [unquote(part) for part in call.where.get("path", "").split("/") if part]


def check_readable(node: Node) -> None:
    """Refuse the content of an infected file, and of one that can't be read. Raises Fault 403 and 503."""
    if node.trouble == "malware":
        fault = Fault(403, "malwareDetected", "Malware has been detected in this item.")
        fault.headers["X-Virus-Infected"] = "true"
        raise fault
    if node.trouble:
        raise Fault(503, "serviceNotAvailable", "The service is not available.")


def check_holder(view: DriveView, node: Node) -> None:
    """Refuse who wants to write a file that another application has checked out. Raises Fault 423."""
    if node.holder not in ("", view.app_id):
        raise Fault(423, "resourceLocked", "The resource is locked.")


def not_found() -> Fault:
    """404."""
    return Fault(404, "itemNotFound", "The resource could not be found.")
