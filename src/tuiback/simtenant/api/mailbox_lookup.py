"""Finds the mailbox behind an id of Exchange's own, "MBX:e0643f21@a7809c93": a person's, an archive, or what it grew.

https://learn.microsoft.com/graph/handle-archive-mailbox-redirects
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mail_lookup import place_of
from tuiback.simtenant.api.message_json import View
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.mailbox import WELL_KNOWN, Folder, Mailbox, Message

_MAILBOX = re.compile(r"MBX:([0-9a-f]{8})@([0-9a-f]{8})$", re.IGNORECASE)
_NUMBERS = 1 << 32
# An odd factor scatters consecutive numbers, and can be undone.
_FACTOR = 0x9E3779B1
_PEOPLE = 1 << 28
_MOVED = "ErrorArchiveFolderMovedPermanently"


class Part(IntEnum):
    """Which of a person's mailboxes."""

    PRIMARY = 0
    ARCHIVE = 1
    AUXILIARY = 2


@dataclass(frozen=True, slots=True)
class Store:
    """One mailbox as import and export see it. The auxiliary one holds folders that an archive had no room for."""

    cloud: Cloud
    account: Account
    part: Part
    mailbox: Mailbox

    @property
    def view(self) -> View:
        """How its folders are shown."""
        return View(self.cloud.tenant.ids, self.mailbox)

    @property
    def mailbox_id(self) -> str:
        """Its id."""
        return mailbox_id(self.cloud, self.account, self.part)

    @property
    def auxiliary_id(self) -> str:
        """The id of what the archive has grown into."""
        return mailbox_id(self.cloud, self.account, Part.AUXILIARY)

    def holds(self, folder: Folder) -> bool:
        """Whether the folder lies here, and not in the other half of an archive that has grown."""
        return (folder.serial in self.mailbox.expanded) == (self.part is Part.AUXILIARY)

    def item_id(self, message: Message) -> str:
        """A mailboxItem's id; whether it is that of the message is not documented, so it is another one."""
        return self.item_id_of(message.serial, message.moves)

    def item_id_of(self, serial: int, moves: int) -> str:
        """The id that an item had after `moves` moves."""
        kind = "message" if self.cloud.behaviour.shared_item_ids else "item"
        return self.cloud.tenant.ids.encode(kind, self.mailbox.owner, serial, moves)

    def find_item(self, text: str) -> Message | None:
        """The item with this id, wherever it lies. Raises Fault 400."""
        reference = self.cloud.tenant.ids.find(text)
        kinds = ("message", "immutable") if self.cloud.behaviour.shared_item_ids else ("item",)
        if reference is None or reference.kind not in kinds:
            raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
        message = self.mailbox.find(reference.serial) if reference.owner == self.mailbox.owner else None
        is_here = message is not None and (reference.kind == "immutable" or reference.place == message.moves)
        return message if is_here else None


def mailbox_id(cloud: Cloud, account: Account, part: Part) -> str:
    """The id of a mailbox."""
    chance = cloud.tenant.chance
    number = (part * _PEOPLE + account.index) * _FACTOR % _NUMBERS ^ chance.number("mailboxes") % _NUMBERS
    return f"MBX:{number:08x}@{chance.digest(4, 'exchange tenant').hex()}"


def store_of(cloud: Cloud, call: Call) -> Store:
    """The mailbox that the URL names; archives are there in beta only. Raises Fault 400 and 404."""
    store = find_store(cloud, call.where["mailbox"])
    if store is None or (store.part is not Part.PRIMARY and call.version != "/beta"):
        raise Fault(404, "ResourceNotFound", "Resource could not be discovered.")
    return store


def find_store(cloud: Cloud, text: str) -> Store | None:
    """The mailbox with this id, if there is one. Raises Fault 400."""
    if _MAILBOX.match(text) is None:
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    account, kind = find_owner(cloud, text) or (None, Part.PRIMARY)
    if account is None or not (account.is_active and account.has_mailbox):
        return None
    if kind is Part.PRIMARY:
        return Store(cloud, account, kind, cloud.tenant.mailbox(account.person))
    if not cloud.tenant.has_archive(account):
        return None
    archive = cloud.tenant.archive(account)
    return Store(cloud, account, kind, archive) if kind is Part.ARCHIVE or archive.expanded else None


def find_owner(cloud: Cloud, text: str) -> tuple[Account, Part] | None:
    """Whose mailbox this id names, and which."""
    found = _MAILBOX.match(text)
    if found is None:
        return None
    scattered = int(found.group(1), 16) ^ cloud.tenant.chance.number("mailboxes") % _NUMBERS
    part, index = divmod(scattered * pow(_FACTOR, -1, _NUMBERS) % _NUMBERS, _PEOPLE)
    accounts = cloud.tenant.directory.accounts
    if part > Part.AUXILIARY or index >= len(accounts):
        return None
    account, kind = accounts[index], Part(part)
    return (account, kind) if text.lower() == mailbox_id(cloud, account, kind).lower() else None


def mailbox_folder_of(store: Store, call: Call, name: str) -> Folder:
    """The folder with this id, or in a primary mailbox with this well-known name. Raises Fault 308, 400 and 404."""
    if store.part is not Part.PRIMARY and name.lower() in WELL_KNOWN:
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    folder = place_of(store.view, name)
    if store.holds(folder):
        return folder
    if store.part is Part.AUXILIARY:
        raise Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    fault = Fault(308, _MOVED, f"The folder has moved to mailbox {store.auxiliary_id}.")
    here = f"/mailboxes/{call.path.partition('/mailboxes/')[2]}"
    there = here.replace(here.split("/")[2], store.auxiliary_id, 1)
    fault.headers["Location"] = call.root + call.path.removesuffix(here) + there + (
        f"?{call.raw_query}" if call.raw_query else ""
    )
    raise fault


def moved_item(store: Store, call: Call, message: Message) -> dict[str, str] | None:
    """What an export says of an item in a folder that has moved: the code, and in place of a text where to ask."""
    if store.part is not Part.ARCHIVE or message.folder not in store.mailbox.expanded:
        return None
    url = f"{call.root}{call.version}/admin/exchange/mailboxes/{store.auxiliary_id}/exportItems"
    return {"code": _MOVED, "message": url}
