"""Shows drives and their nodes as Graph's resources.

https://learn.microsoft.com/graph/api/resources/driveitem
"""

from dataclasses import dataclass
from mimetypes import guess_type
from typing import Any
from urllib.parse import quote

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.documents import CONTENT_TYPES
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.drive import Drive, Node, sharing_above

_REACHES = ("anonymous", "organization", "users")
QUOTA_BYTES = 1024**4
_URL_NAMES = frozenset({"content.downloadUrl", "@microsoft.graph.downloadUrl"})
_ON_REQUEST = frozenset({"publication", "sharepointIds"})
# What OneDrive for Business says instead of a hash once an item is deleted.
NO_HASH = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="


@dataclass(frozen=True, slots=True)
class DriveView:
    """How one request sees a drive: `root` is the scheme and host it came by.

    With `hierarchical_sharing` only what was shared itself shows it, not what lies below.
    """

    cloud: Cloud
    person: Person
    drive: Drive
    root: str
    app_id: str = ""
    hierarchical_sharing: bool = False

    def node_id(self, serial: int) -> str:
        """A driveItem id."""
        return self.cloud.tenant.ids.node_id(self.person.drive_guids[0].bytes, self.drive.owner, serial)

    def e_tag(self, node: Node) -> str:
        """A driveItem's eTag: the node's GUID and its version."""
        guid = str(self.cloud.tenant.ids.node_guid(self.drive.owner, node.serial)).upper()
        return f'"{{{guid}}},{node.version}"'

    def download_url(self, node: Node, *, paid: bool = False, version: int = 0) -> str:
        """A URL on the storage host that needs no Authorization; `paid` when the request for it was the charged one.

        `version` 0 stands for the file as it will be when it is downloaded.
        """
        guid = self.cloud.tenant.ids.node_guid(self.drive.owner, node.serial)
        payer = "" if paid else self.app_id
        permission = self.cloud.transfers.download_permission(self.drive.owner, node.serial, payer, version)
        place = f"{self.cloud.storage_root(self.root)}{self.person.site_path}/_layouts/15/download.aspx"
        return f"{place}?UniqueId={guid}&Translate=false&tempauth=v1.{permission}&ApiVersion=2.0"


def drive_json(view: DriveView) -> dict[str, Any]:
    """A drive with its owner and quota."""
    person = view.person
    used = view.drive.total_bytes()
    return {
        "id": person.drive_id,
        "name": person.drive_name,
        "description": "",
        "driveType": person.drive_type,
        "createdDateTime": stamp(person.created),
        "lastModifiedDateTime": stamp(max(node.modified for node in view.drive.nodes.values())),
        "webUrl": f"{person.host}{person.site_path}/{quote(person.library)}",
        "createdBy": {"user": {"displayName": "System Account"}},
        "lastModifiedBy": identity(person),
        "owner": identity(person),
        "quota": {
            "deleted": 0,
            "remaining": max(QUOTA_BYTES - used, 0),
            "state": "normal",
            "total": QUOTA_BYTES,
            "used": used,
        },
    }


def item_json(
    view: DriveView, node: Node, names: frozenset[str] | None = None, *, in_delta: bool = False
) -> dict[str, Any]:
    """A driveItem with the properties in `names`, or all. Delta gives neither cTag nor a path; folders have no cTag."""
    drive, person = view.drive, view.person
    tag = view.e_tag(node)
    document: dict[str, Any] = {
        "createdBy": identity(person),
        "createdDateTime": stamp(node.created),
        "eTag": tag,
        "id": view.node_id(node.serial),
        "lastModifiedBy": identity(person),
        "lastModifiedDateTime": stamp(node.modified),
        "name": node.name,
        "parentReference": _parent(view, node, in_delta=in_delta),
        "size": drive.size(node),
        "webUrl": _web_url(view, node),
        "fileSystemInfo": {"createdDateTime": stamp(node.created), "lastModifiedDateTime": stamp(node.modified)},
    }
    if node.parent is None:
        document["root"] = {}
    shared = _shared(view, node)
    if shared is not None:
        document["shared"] = shared
    if node.trouble == "malware":
        document["malware"] = {"description": "Virus:DOS/EICAR_Test_File"}
    if names is not None and names & _ON_REQUEST:
        document |= _told_on_request(view, node)
    if node.source is None:
        document["folder"] = {"childCount": drive.child_count(node.serial)}
        if node.package:
            document["package"] = {"type": "oneNote"}
        return narrowed(document, names)
    document["file"] = {"mimeType": content_type(node.name), "hashes": {"quickXorHash": node.source.quick_xor_hash}}
    if names is None or names & _URL_NAMES:
        document["@microsoft.graph.downloadUrl"] = view.download_url(node)
    if not in_delta:
        document["cTag"] = '"c:' + tag.strip('"') + '"'
    return narrowed(document, names)


def _told_on_request(view: DriveView, node: Node) -> dict[str, Any]:
    """What is shown only where it is selected: https://learn.microsoft.com/graph/api/resources/sharepointids."""
    site, web, library = view.person.drive_guids
    level = "checkout" if node.holder else "published"
    return {
        "publication": {"level": level, "versionId": f"{node.version_number}.0"},
        "sharepointIds": {
            "listId": str(library),
            "listItemId": str(node.serial),
            "listItemUniqueId": str(view.cloud.tenant.ids.node_guid(view.drive.owner, node.serial)),
            "siteId": str(site),
            "siteUrl": view.person.host + view.person.site_path,
            "tenantId": view.cloud.plan.tenant_id,
            "webId": str(web),
        },
    }


def deleted_json(view: DriveView, serial: int) -> dict[str, Any]:
    """What delta says of an item that is gone: no name, and a hash of nothing."""
    return {
        "id": view.node_id(serial),
        "deleted": {"state": "deleted"},
        "file": {"hashes": {"quickXorHash": NO_HASH}},
        "size": 0,
        "parentReference": {"driveId": view.person.drive_id, "driveType": view.person.drive_type},
    }


def narrowed(document: dict[str, Any], names: frozenset[str] | None) -> dict[str, Any]:
    """Only the properties in $select, and the id."""
    if names is None:
        return document
    wanted = names | {"id", "deleted"}
    if _URL_NAMES & names:
        wanted |= {"@microsoft.graph.downloadUrl"}
    return {name: value for name, value in document.items() if name in wanted}


def content_type(name: str) -> str:
    """The mimeType of a file of this name."""
    ending = name.rpartition(".")[2].lower()
    return CONTENT_TYPES.get(ending) or guess_type(name)[0] or "application/octet-stream"


def identity(person: Person) -> dict[str, Any]:
    """A person as an identitySet."""
    return {"user": {"email": person.address, "id": person.object_id, "displayName": person.name}}


def _shared(view: DriveView, node: Node) -> dict[str, Any] | None:
    """The facet of what was shared: by grants of its own, or by those above unless only roots are to be told."""
    grants = node.grants
    if not grants and not view.hierarchical_sharing:
        grants = next((above.grants for above in sharing_above(view.drive, node) if above.grants), [])
    if not grants:
        return None
    widest = min(grants, key=lambda grant: _REACHES.index(grant.reach))
    return {"scope": widest.reach, "sharedDateTime": stamp(grants[0].shared), "owner": identity(view.person)}


def _parent(view: DriveView, node: Node, *, in_delta: bool) -> dict[str, Any]:
    person = view.person
    found: dict[str, Any] = {
        "driveType": person.drive_type, "driveId": person.drive_id, "siteId": str(person.drive_guids[0]),
    }  # fmt: skip
    if node.parent is not None:
        parent = view.drive.nodes[node.parent]
        found["id"] = view.node_id(node.parent)
        found["name"] = parent.name if parent.parent is not None else "Documents"
        if not in_delta or view.cloud.behaviour.paths_in_delta:
            above = "/".join(quote(name, safe="") for name in view.drive.path(parent))
            found["path"] = f"/drives/{person.drive_id}/root:" + (f"/{above}" if above else "")
    return found


def _web_url(view: DriveView, node: Node) -> str:
    names = "".join("/" + quote(name, safe="") for name in view.drive.path(node))
    return f"{view.person.host}{view.person.site_path}/{quote(view.person.library)}{names}"
