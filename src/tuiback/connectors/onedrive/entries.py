"""Reads drive items as Graph's JSON shows them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tuiback.model import Kind, RemoteItem


def drive_item(item: Mapping[str, Any], root_id: str) -> RemoteItem:
    """The item of a file or folder; what lies at the root of the drive has parent_id "".

    A OneNote notebook is a package and shows a folder facet as well or none at all; either way its sections are
    files in it (https://learn.microsoft.com/graph/api/resources/package).
    """
    parent_id = (item.get("parentReference") or {}).get("id") or ""
    is_folder = "folder" in item or "package" in item
    kind = Kind.NOTEBOOK if "package" in item else Kind.FOLDER if is_folder else Kind.FILE
    attrs = {
        "mime_type": (item.get("file") or {}).get("mimeType") or "",
        "hash": stated_hash(item),
    }
    times = item.get("fileSystemInfo") or {}
    return RemoteItem(
        item_id=item["id"],
        kind=kind,
        parent_id="" if parent_id == root_id else parent_id,
        name=item.get("name") or "",
        size=0 if is_folder else int(item.get("size") or 0),
        modified=times.get("lastModifiedDateTime") or item.get("lastModifiedDateTime") or "",
        etag=item.get("eTag") or "",
        content_tag=content_tag(item),
        properties=msgspec.json.encode(
            {name: value for name, value in item.items() if not name.startswith(("@odata.", "@microsoft.graph.down"))},
            order="deterministic",
        ),
        attrs=tuple((name, text) for name, text in attrs.items() if text),
        # A shortcut to another drive (remoteItem) has neither facet and no bytes of its own.
        has_content="file" in item and not is_folder,
        link=item.get("@microsoft.graph.downloadUrl") or "",
    )


def content_tag(item: Mapping[str, Any]) -> str:
    """The file's quickXorHash and size; "" where no hash is stated, as for some OneNote files.

    Deltas of OneDrive for Business carry no cTag (https://learn.microsoft.com/graph/api/driveitem-delta).
    """
    stated = stated_hash(item)
    return f"{stated}:{item.get('size')}" if stated else ""


def stated_hash(item: Mapping[str, Any]) -> str:
    """The file's quickXorHash in base64, "" when none is stated."""
    hashes = (item.get("file") or {}).get("hashes") or {}
    return hashes.get("quickXorHash") or ""


def hash_of_tag(tag: str) -> str:
    """The quickXorHash in a content tag."""
    return tag.rpartition(":")[0]
