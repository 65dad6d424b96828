"""Finds OneDrives, follows their changes, and reads files."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

from tuiback.connectors.base import Change, Changed, Discovered, PartSource, Removed
from tuiback.connectors.delta import Entry, Feed, Notes, follow
from tuiback.connectors.onedrive.drive import DriveAccess, drive_id_of, drive_path
from tuiback.connectors.onedrive.entries import drive_item, hash_of_tag
from tuiback.connectors.onedrive.quickxor import QuickXor
from tuiback.connectors.paths import path
from tuiback.connectors.people import Person, people
from tuiback.errors import AccessDenied, AccountAbsent, GraphError, ItemGone, Unreachable
from tuiback.model import Account, AccountKind, Container, Known, Owed, RemoteItem

# corso counts on pages of 500 (alcionai/corso, drive_pager.go).
_PAGE_SIZE = 500

# So many users are asked for their drives at once; what the service allows is the Throttle's business.
_ASKED_AT_ONCE = 16


class OneDriveBackup(DriveAccess):
    """The half of the OneDrive connector that reads."""

    service = "onedrive"
    kind = AccountKind.DRIVE
    throttled_as = "sharepoint"
    native_part = "file"
    native_suffix = ""

    async def discover(self, known_owner_ids: Mapping[str, str]) -> AsyncIterator[Discovered]:
        """Each user's drive. Users without one have a `reason` and no object_id.

        Only owners not known yet are asked: asking often for drives that don't exist is answered by throttling
        (https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online).
        """
        async for page in people(self._graph):
            for start in range(0, len(page), _ASKED_AT_ONCE):
                few = page[start : start + _ASKED_AT_ONCE]
                for found in await asyncio.gather(*(self._drive_of(person, known_owner_ids) for person in few)):
                    yield found

    def root_containers(self, account: Account) -> Sequence[Container]:
        """The drive as a whole has one feed."""
        return (Container(account.account_id, drive_id_of(account), "drive", "drive"),)

    def container_of(self, account: Account, item: RemoteItem) -> Container | None:  # noqa: ARG002
        """Folders of a drive have no feed of their own."""
        return None

    async def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """The changed files and folders of the drive (https://learn.microsoft.com/graph/api/driveitem-delta).

        Raises AccountAbsent when the drive is no more.
        """
        feed = Feed(
            lane=self._lane(account),
            path=path("drives", container.container_id, "root", "delta"),
            params={"$top": str(_PAGE_SIZE)},
            read=_drive_change,
            headers=lambda _page_size: {},
            page_sizes=(_PAGE_SIZE,),
            learn=partial(self._notes, account),
        )
        try:
            async for change in follow(feed, container):
                yield change
        except ItemGone as fault:
            raise _absent(account, fault) from fault

    def same_content(self, known: Known, item: RemoteItem) -> bool:
        """Equal hashes are equal bytes; where none is stated nothing can be said."""
        return bool(item.content_tag) and known.content_tag == item.content_tag

    async def content(self, account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        """The properties as listed, then the file."""
        yield PartSource("properties", _whole(item.properties))
        if item.has_content:
            yield PartSource("file", self._verified(account, item))

    async def refresh(self, account: Account, owed: Owed) -> RemoteItem | None:
        """None also for what lies in the recycle bin."""
        try:
            item = await self._lane(account).get(drive_path(account, "items", owed.item_id))
        except ItemGone:
            await self._look_for_drive(account)
            return None
        return None if "deleted" in item else drive_item(item, await self._root_id(account))

    async def expected_items(self, account: Account, container: Container) -> int | None:  # noqa: ARG002
        """A drive states no number of items."""
        return None

    async def _drive_of(self, person: Person, known_owner_ids: Mapping[str, str]) -> Discovered:
        drive_id, reason = known_owner_ids.get(person.user_id, ""), ""
        if not drive_id:
            try:
                drive = await self._graph.lane("sharepoint").get(
                    path("users", person.user_id, "drive"), params={"$select": "id"}
                )
                drive_id = drive["id"]
            except ItemGone:
                reason = "has no OneDrive"
            except AccessDenied as fault:
                reason = f"access denied: {fault.what}"
            except Unreachable:
                raise
            except GraphError as fault:
                # One drive that can't be asked about must not hide all others; the next discovery asks again.
                reason = fault.what
        return Discovered(
            kind=self.kind,
            object_id=drive_id,
            owner_id=person.user_id,
            name=person.name,
            address=person.address,
            aliases=person.aliases,
            enabled=person.enabled,
            reason=reason,
        )

    async def _notes(self, account: Account) -> dict[str, str]:
        return {"root": await self._root_id(account)}

    async def _look_for_drive(self, account: Account) -> None:
        """Raise AccountAbsent when there is no drive: then no file of it was deleted, and none must pass for that."""
        try:
            await self._root_id(account)
        except ItemGone as fault:
            raise _absent(account, fault) from fault

    async def _verified(self, account: Account, item: RemoteItem) -> AsyncIterator[bytes]:
        """The file's bytes, counted and hashed on the way.

        Different bytes mean that the file changed since it was listed, or were damaged on the way: the caller may
        ask again; a changed file is listed again in any case.
        """
        hashed = QuickXor()
        content_path = drive_path(account, "items", item.item_id, "content")
        try:
            async for piece in self._lane(account).download(content_path, size=item.size, link=item.link):
                hashed.update(piece)
                yield piece
        except ItemGone:
            await self._look_for_drive(account)
            raise
        stated = hash_of_tag(item.content_tag)
        if stated and hashed.hash() != stated:
            raise GraphError("the bytes that came do not fit the file's quickXorHash", item.name, "run the task again")
        if not stated and hashed.size != item.size:
            raise GraphError(f"{hashed.size} bytes came instead of {item.size}", item.name, "run the task again")


def _absent(account: Account, fault: GraphError) -> AccountAbsent:
    return AccountAbsent(
        "there is no drive any more", account.address, "license the user or exclude the account",
        status=fault.status, graph_code=fault.graph_code, request_id=fault.request_id,
    )  # fmt: skip


async def _drive_change(entry: Entry, notes: Notes) -> Change | None:
    if "deleted" in entry:
        return Removed(entry["id"])
    if "root" in entry or entry["id"] == notes["root"]:
        return None
    return Changed(drive_item(entry, notes["root"]))


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
