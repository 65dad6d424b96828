"""Writes folders and files back into a drive."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from tuiback.connectors.base import Existing, ItemSource, Written
from tuiback.connectors.onedrive.drive import DriveAccess, drive_path
from tuiback.connectors.onedrive.entries import content_tag, stated_hash
from tuiback.connectors.onedrive.names import acceptable_name
from tuiback.connectors.onedrive.quickxor import QuickXor
from tuiback.connectors.paths import named_child
from tuiback.errors import GraphError, ItemGone, NoSuchThing
from tuiback.model import Account

# https://learn.microsoft.com/graph/api/driveitem-createuploadsession: 5 to 10 MiB are recommended, in multiples
# of 320 KiB.
_FRAGMENT_BYTES = 10 * 1024 * 1024

_MODIFIED = "lastModifiedDateTime"
_BEHAVIOUR = "@microsoft.graph.conflictBehavior"
_BEHAVIOURS = {"skip": "fail", "keep-both": "rename", "overwrite": "replace"}

# SharePoint writes its own properties into these after the upload, so that size and hash differ
# (https://github.com/OneDrive/onedrive-api-docs/issues/935).
_REWRITTEN = (
    ".doc", ".docm", ".docx", ".dot", ".dotm", ".dotx", ".htm", ".html", ".mht", ".msg", ".one", ".pdf", ".pot",
    ".potm", ".potx", ".pps", ".ppsm", ".ppsx", ".ppt", ".pptm", ".pptx", ".vsd", ".vsdx", ".xls", ".xlsb", ".xlsm",
    ".xlsx", ".xlt", ".xltm", ".xltx",
)


class OneDriveRestore(DriveAccess):
    """The half of the OneDrive connector that writes."""

    async def restore_root(self, account: Account, label: str | None) -> str:
        """The drive's root, or the folder `label` in it."""
        root_id = await self._root_id(account)
        return root_id if label is None else await self._get_or_make_folder(account, root_id, label)

    async def find_restore_root(self, account: Account, label: str | None) -> str | None:
        """The same, making nothing."""
        root_id = await self._root_id(account)
        return root_id if label is None else await self._find_folder(account, root_id, label)

    async def restore_folder(
        self, account: Account, parent_id: str, folder: ItemSource, *, make: bool = True
    ) -> str | None:
        """Notebooks come back as plain folders with their sections: no request makes a notebook."""
        if make:
            return await self._get_or_make_folder(account, parent_id, folder.name)
        return await self._find_folder(account, parent_id, folder.name)

    async def _find_folder(self, account: Account, parent_id: str, name: str) -> str | None:
        found = await self._find(account, parent_id, name)
        return str(found["id"]) if found and ("folder" in found or "package" in found) else None

    async def existing(self, account: Account, parent_id: str, item: ItemSource) -> Existing | None:
        """What bears the item's name in that folder, in capitals or not."""
        found = await self._find(account, parent_id, item.name)
        if found is None:
            return None
        return Existing(found["id"], bool(item.content_tag) and item.content_tag == content_tag(found))

    async def restore_item(
        self, account: Account, parent_id: str, item: ItemSource, *, on_conflict: str, replaces: str | None  # noqa: ARG002
    ) -> Written:
        """Uploads under the item's name, with its times; overwriting makes a new version of what bears the name."""
        if item.part_size("file") is None:
            raise NoSuchThing("the backup holds no content of this file", item.name)
        name = acceptable_name(item.name)
        degraded = () if name == item.name else (f"its name is not accepted there: it is called {name!r} now",)
        target = named_child(drive_path(account, "items", parent_id), name)
        times = _times(await _stored_properties(item))
        hashed = QuickXor()
        if item.part_size("file"):
            written = await self._upload(account, target, item, hashed, _described(name, on_conflict, times))
        else:
            written = await self._put_empty(account, target, on_conflict, times)
        return replace(await self._compare(account, written, hashed), degraded=degraded)

    async def take_back(self, account: Account, written_id: str, item: ItemSource) -> bool:
        """A file that SharePoint has rewritten by itself counts as unchanged while it bears the time it was given."""
        place = drive_path(account, "items", written_id)
        found = await self._lane(account).get(place, params={"$select": "id,name,size,file,fileSystemInfo"})
        if not (bool(item.content_tag) and item.content_tag == content_tag(found)):
            given = _times(await _stored_properties(item)).get("fileSystemInfo", {}).get(_MODIFIED)
            now = (found.get("fileSystemInfo") or {}).get(_MODIFIED)
            if given is None or now != given or not item.name.casefold().endswith(_REWRITTEN):
                return False
        await self._lane(account).delete(place)
        return True

    async def _find(self, account: Account, parent_id: str, name: str) -> dict[str, Any] | None:
        target = named_child(drive_path(account, "items", parent_id), acceptable_name(name))
        try:
            return await self._lane(account).get(target, params={"$select": "id,name,size,file,folder,package"})
        except ItemGone:
            return None

    async def _get_or_make_folder(self, account: Account, parent_id: str, name: str) -> str:
        """With "replace" an existing folder is answered as it is (alcionai/corso, restore.go)."""
        children = drive_path(account, "items", parent_id, "children")
        body = {"name": acceptable_name(name), "folder": {}}
        try:
            made = await self._lane(account).post(f"{children}?{_BEHAVIOUR}=replace", body)
        except GraphError as fault:
            if fault.status != 409:
                raise
            # A file bears the name.
            made = await self._lane(account).post(f"{children}?{_BEHAVIOUR}=rename", body)
        return str(made["id"])

    async def _upload(
        self, account: Account, target: str, item: ItemSource, hashed: QuickXor, described: dict[str, Any]
    ) -> dict[str, Any]:
        """By a session whatever the size: only there the times come along, a PATCH would add a version."""
        size = item.part_size("file") or 0
        return await self._lane(account).upload(
            f"{target}:/createUploadSession",
            {"item": described | {"fileSize": size}},
            _hashing(item.part("file"), hashed),
            size,
            fragment_bytes=_FRAGMENT_BYTES,
        )

    async def _put_empty(
        self, account: Account, target: str, on_conflict: str, times: dict[str, Any]
    ) -> dict[str, Any]:
        """Sessions take no files without bytes (https://github.com/OneDrive/onedrive-api-docs/issues/53)."""
        query = {_BEHAVIOUR: _BEHAVIOURS[on_conflict]}
        written = await self._lane(account).put_bytes(f"{target}:/content", b"", params=query)
        if times:
            await self._lane(account).patch(drive_path(account, "items", written["id"]), times)
        return written

    async def _compare(self, account: Account, written: Mapping[str, Any], sent: QuickXor) -> Written:
        """Raises GraphError when the service holds other bytes than were sent, and didn't change them itself."""
        if not stated_hash(written):
            written = await self._lane(account).get(drive_path(account, "items", written["id"]))
        name, stated = str(written.get("name", "")), stated_hash(written)
        if stated == sent.hash():
            return Written(written["id"], verified=True)
        if not stated and written.get("size") == sent.size:
            return Written(written["id"])
        if name.casefold().endswith(_REWRITTEN):
            return Written(written["id"], rewritten=True)
        raise GraphError("the file that was written is not the one that was sent", name, "restore it again")


def _described(name: str, on_conflict: str, times: Mapping[str, Any]) -> dict[str, Any]:
    return {_BEHAVIOUR: _BEHAVIOURS[on_conflict], "name": name, **times}


def _times(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The two times that the service lets be set, as a driveItem's property."""
    stated = properties.get("fileSystemInfo") or {}
    kept = {name: stated[name] for name in ("createdDateTime", _MODIFIED) if stated.get(name)}
    return {"fileSystemInfo": kept} if kept else {}


async def _stored_properties(item: ItemSource) -> Mapping[str, Any]:
    if item.part_size("properties") is None:
        return {}
    stored = b"".join([piece async for piece in item.part("properties")])
    return msgspec.json.decode(stored, type=dict[str, Any])


async def _hashing(data: AsyncIterator[bytes], hashed: QuickXor) -> AsyncIterator[bytes]:
    async for piece in data:
        hashed.update(piece)
        yield piece
