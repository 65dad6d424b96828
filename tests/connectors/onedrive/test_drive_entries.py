"""Drive items read from Graph's JSON."""

from typing import Any

import msgspec

from tuiback.connectors.onedrive.entries import content_tag, drive_item, hash_of_tag
from tuiback.model import Kind

FILE: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.driveItem",
    "@microsoft.graph.downloadUrl": "https://contoso.sharepoint.com/download?tempauth=secret",
    "id": "01FILE",
    "name": "plan.docx",
    "size": 12,
    "eTag": '"{GUID},3"',
    "lastModifiedDateTime": "2026-01-02T00:00:00Z",
    "fileSystemInfo": {"lastModifiedDateTime": "2025-12-31T10:00:00Z"},
    "parentReference": {"driveId": "b!x", "id": "01ROOT"},
    "file": {"mimeType": "text/plain", "hashes": {"quickXorHash": "aCgDG9jwBhDc4Q1yawMZAAAAAAA="}},
}


def test_a_file() -> None:
    """A file at the root has parent "", its own time, and a tag of hash and size."""
    item = drive_item(FILE, "01ROOT")
    assert (item.kind, item.parent_id, item.name, item.size) == (Kind.FILE, "", "plan.docx", 12)
    assert item.modified == "2025-12-31T10:00:00Z"
    assert item.etag == '"{GUID},3"'
    assert hash_of_tag(item.content_tag) == "aCgDG9jwBhDc4Q1yawMZAAAAAAA="
    assert dict(item.attrs)["mime_type"] == "text/plain"
    assert item.has_content


def test_a_download_link_is_not_kept() -> None:
    """The pre-authenticated link is a key to the file and does not go into the backup."""
    assert b"tempauth" not in drive_item(FILE, "01ROOT").properties
    assert msgspec.json.decode(drive_item(FILE, "01ROOT").properties)["name"] == "plan.docx"


def test_folders_and_notebooks() -> None:
    """A package is a notebook whether or not it shows a folder facet; neither has content of its own."""
    folder = FILE | {"id": "01F", "folder": {"childCount": 1}, "parentReference": {"id": "01OTHER"}}
    del folder["file"]
    notebook = folder | {"package": {"type": "oneNote"}}
    bare = {name: value for name, value in notebook.items() if name != "folder"}
    assert drive_item(folder, "01ROOT").kind is Kind.FOLDER
    assert drive_item(folder, "01ROOT").parent_id == "01OTHER"
    for package in (notebook, bare):
        assert drive_item(package, "01ROOT").kind is Kind.NOTEBOOK
        assert not drive_item(package, "01ROOT").has_content


def test_no_hash_no_tag() -> None:
    """A file without a hash has an empty tag, because its size alone proves nothing."""
    assert content_tag(FILE | {"file": {"mimeType": "application/msonenote"}}) == ""


def test_a_shortcut_has_no_content() -> None:
    """A shortcut to a folder of somebody else's drive is kept as facts only."""
    shortcut = {name: value for name, value in FILE.items() if name != "file"} | {"remoteItem": {"id": "01X"}}
    assert not drive_item(shortcut, "01ROOT").has_content
