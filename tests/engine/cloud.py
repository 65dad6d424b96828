"""A service in memory behind the Connector protocol, for tests of the engine that need no HTTP."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from tuiback.connectors.base import (
    Change,
    Changed,
    Checkpoint,
    Discovered,
    Existing,
    ItemSource,
    PartSource,
    Relisting,
    Removed,
    Written,
)
from tuiback.errors import AccountAbsent, GraphError, ItemGone
from tuiback.model import Account, AccountKind, Container, Kind, Known, Owed, RemoteItem


@dataclass
class Mail:
    """A message or folder as the service has it now."""

    item_id: str
    folder: str
    name: str
    data: bytes
    version: int = 1


@dataclass
class Mailbox:
    """Folders with messages, and a log of changes a folder at a time."""

    folders: dict[str, str] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    log: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    generation: int = 1

    def add_folder(self, folder_id: str, name: str) -> None:
        """Make or rename a folder."""
        self.folders[folder_id] = name
        self.log.setdefault(folder_id, [])
        self.log.setdefault("folders", []).append(("changed", folder_id))

    def drop_folder(self, folder_id: str) -> None:
        """Delete a folder with all mails in it."""
        del self.folders[folder_id]
        self.mails = {k: m for k, m in self.mails.items() if m.folder != folder_id}
        self.log["folders"].append(("removed", folder_id))

    def put(self, item_id: str, folder: str, data: bytes) -> None:
        """Create, change or move a mail."""
        before = self.mails.get(item_id)
        if before is not None and before.folder != folder:
            self.log[before.folder].append(("removed", item_id))
        version = before.version + 1 if before else 1
        self.mails[item_id] = Mail(item_id, folder, f"subject {item_id}", data, version)
        self.log[folder].append(("changed", item_id))

    def delete(self, item_id: str) -> None:
        """Delete a mail."""
        self.log[self.mails.pop(item_id).folder].append(("removed", item_id))

    def expire(self) -> None:
        """Forget all cursors."""
        self.generation += 1


class Cloud:
    """Connector for a tenant of mailboxes. `broken` names items that can't be fetched, with how often.

    `flagged` are those that the service holds for malware.
    """

    service = "exchange"
    kind = AccountKind.MAILBOX
    throttled_as = "outlook"
    native_part = "mime"
    native_suffix = ".eml"
    page = 3

    def __init__(self) -> None:
        self.mailboxes: dict[str, Mailbox] = {}
        self.broken: dict[str, int] = {}
        self.flagged: set[str] = set()
        # Users without a licence, users who may not sign in, and addresses that differ from the users' names.
        self.unlicensed: set[str] = set()
        self.disabled: set[str] = set()
        self.addresses: dict[str, str] = {}
        self.fetched: list[str] = []
        self.listed: list[str] = []

    async def discover(self, known_owner_ids: Mapping[str, str]) -> AsyncIterator[Discovered]:
        """All mailboxes."""
        for user in sorted(self.mailboxes):
            address = self.addresses.get(user, f"{user}@example.com")
            enabled = user not in self.disabled
            yield Discovered(AccountKind.MAILBOX, user, user, user.title(), address, enabled=enabled)

    def root_containers(self, account: Account) -> Sequence[Container]:
        """The folder tree."""
        return [Container(account.account_id, "folders", "folders", "Folders")]

    def container_of(self, account: Account, item: RemoteItem) -> Container | None:
        """A folder holds messages."""
        if item.kind is not Kind.FOLDER:
            return None
        return Container(account.account_id, item.item_id, "messages", item.name)

    def _box(self, account: Account) -> Mailbox:
        return self.mailboxes[account.owner_id]

    def _folder_item(self, box: Mailbox, folder_id: str) -> RemoteItem:
        total = sum(m.folder == folder_id for m in box.mails.values())
        name = box.folders[folder_id]
        return RemoteItem(
            folder_id, Kind.FOLDER, "", name, 0, "2026-01-01T00:00:00Z", f"{name}-{total}",
            attrs=(("total", str(total)),), has_content=False,
        )

    def _mail_item(self, mail: Mail) -> RemoteItem:
        tag = hashlib.sha256(mail.data).hexdigest()
        return RemoteItem(
            mail.item_id, Kind.MESSAGE, mail.folder, mail.name, 0, "2026-01-02T03:04:05Z", str(mail.version), tag,
            attrs=(("subject", mail.name), ("date", "2026-01-02T03:04:05Z")),
        )

    def _item(self, box: Mailbox, container_id: str, item_id: str) -> RemoteItem | None:
        if container_id == "folders":
            return self._folder_item(box, item_id) if item_id in box.folders else None
        mail = box.mails.get(item_id)
        return self._mail_item(mail) if mail and mail.folder == container_id else None

    async def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """Cursors are "generation/position"."""
        if account.owner_id in self.unlicensed:
            raise AccountAbsent("there is no mailbox", account.address)
        box = self._box(account)
        self.listed.append(container.container_id)
        start = 0
        if container.cursor:
            generation, _, position = container.cursor.partition("/")
            if int(generation) == box.generation:
                start = int(position)
            else:
                yield Relisting()
        log = box.log.get(container.container_id, [])
        if start == 0:
            ids = box.folders if container.container_id == "folders" else box.mails
            events = [("changed", i) for i in sorted(ids) if self._item(box, container.container_id, i)]
        else:
            events = log[start - 1 :]
        for number, (what, item_id) in enumerate(events, 1):
            item = self._item(box, container.container_id, item_id)
            yield Changed(item) if what == "changed" and item else Removed(item_id)
            if start and number % self.page == 0:
                yield Checkpoint(f"{box.generation}/{start + number}", complete=False)
        yield Checkpoint(f"{box.generation}/{len(log) + 1}", complete=True)

    def same_content(self, known: Known, item: RemoteItem) -> bool:
        """Moved, with the same data."""
        return known.parent_id != item.parent_id and known.content_tag == item.content_tag

    async def content(self, account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        """Properties and the data."""
        box = self._box(account)
        if item.item_id not in box.mails:
            raise ItemGone("deleted", item.item_id)
        if self.broken.get(item.item_id, 0) > 0:
            self.broken[item.item_id] -= 1
            raise GraphError("the item is corrupt", item.item_id, status=500, request_id="req-1")
        if item.item_id in self.flagged:
            raise GraphError("malware was found", item.item_id, status=403, graph_code="malwareDetected")
        self.fetched.append(item.item_id)
        yield PartSource("properties", _once(b'{"id":"%s"}' % item.item_id.encode()))
        yield PartSource("mime", _once(box.mails[item.item_id].data))

    async def refresh(self, account: Account, owed: Owed) -> RemoteItem | None:
        """The mail as it is now."""
        mail = self._box(account).mails.get(owed.item_id)
        return self._mail_item(mail) if mail else None

    async def expected_items(self, account: Account, container: Container) -> int | None:
        """Mails in the folder."""
        return sum(m.folder == container.container_id for m in self._box(account).mails.values())

    async def restore_root(self, account: Account, label: str | None) -> str:
        """The root, or a folder by its name."""
        found = await self.find_restore_root(account, label)
        if found is None:
            found = f"new-{label}"
            self._box(account).add_folder(found, label or "")
        return found

    async def find_restore_root(self, account: Account, label: str | None) -> str | None:
        """The same, making nothing."""
        if label is None:
            return ""
        return next((i for i, name in self._box(account).folders.items() if name == label), None)

    async def restore_folder(
        self, account: Account, parent_id: str, folder: ItemSource, *, make: bool = True
    ) -> str | None:
        """By name below the parent; the tree is flat, so the parent is part of the name."""
        box = self._box(account)
        name = f"{box.folders[parent_id]}/{folder.name}" if parent_id else folder.name
        for folder_id, known in box.folders.items():
            if known == name:
                return folder_id
        if not make:
            return None
        box.add_folder(f"made-{name}", name)
        return f"made-{name}"

    async def existing(self, account: Account, parent_id: str, item: ItemSource) -> Existing | None:
        """The same subject in the folder."""
        for mail in self._box(account).mails.values():
            if mail.folder == parent_id and mail.name == item.name:
                return Existing(mail.item_id, hashlib.sha256(mail.data).hexdigest() == item.content_tag)
        return None

    async def restore_item(
        self, account: Account, parent_id: str, item: ItemSource, *, on_conflict: str, replaces: str | None
    ) -> Written:
        """Put the data back under a new id."""
        if item.item_id in self.broken:
            raise GraphError("Microsoft will not take it", item.name, status=400)
        data = b"".join([piece async for piece in item.part("mime")])
        box = self._box(account)
        if replaces is not None:
            box.delete(replaces)
        new_id = f"restored-{item.item_id}-{len(box.mails)}"
        box.put(new_id, parent_id, data)
        box.mails[new_id].name = item.name
        return Written(new_id, verified=True)

    async def take_back(self, account: Account, written_id: str, item: ItemSource) -> bool:
        """Deleted, if it still is what was written."""
        box = self._box(account)
        if written_id not in box.mails:
            raise ItemGone("deleted", written_id)
        if hashlib.sha256(box.mails[written_id].data).hexdigest() != item.content_tag:
            return False
        box.delete(written_id)
        return True


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
