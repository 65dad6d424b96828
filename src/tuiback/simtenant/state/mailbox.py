"""Holds one mailbox: its folders and messages as generated, and everything that was written since."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from tuiback.simtenant.content.mail import Mail
from tuiback.simtenant.state.changes import ChangeLog

T = TypeVar("T")
# Generated things count from 0; what is written gets serials from here on.
FIRST_WRITTEN = 1 << 24
ROOT, INBOX, DRAFTS, SENT, DELETED, ARCHIVE, JUNK, OUTBOX, RECOVERABLE = range(1, 10)
WELL_KNOWN = {
    "msgfolderroot": ROOT, "inbox": INBOX, "drafts": DRAFTS, "sentitems": SENT, "deleteditems": DELETED,
    "archive": ARCHIVE, "junkemail": JUNK, "outbox": OUTBOX, "recoverableitemsdeletions": RECOVERABLE,
}  # fmt: skip


@dataclass(slots=True)
class Folder:
    """One mail folder; `parent` is None for the root only. `kind` is the class of what it holds."""

    serial: int
    parent: int | None
    name: str
    hidden: bool = False
    version: int = 0
    kind: str = "IPF.Note"


@dataclass(slots=True)
class SearchFolder(Folder):
    """A folder that holds nothing itself: it shows what `holds` is true of in the folders `sources`.

    A `nested` one looks into the folders below them, too; `query` is how its maker wrote what is looked for.
    """

    sources: tuple[int, ...] = ()
    nested: bool = False
    query: str = ""
    holds: "Callable[[Mailbox, int], bool]" = lambda _mailbox, _serial: True


@dataclass(slots=True)
class Message:
    """One message. `moves` counts its moves, `version` its changes; `properties` were set by hand."""

    serial: int
    folder: int
    mail: Mail
    created: datetime
    modified: datetime
    is_draft: bool
    is_read: bool
    moves: int = 0
    version: int = 0
    properties: dict[str, Any] = field(default_factory=dict)
    extended: list[dict[str, str]] = field(default_factory=list)


class Generated(Protocol):
    """Where a mailbox's first content comes from."""

    def folders(self) -> list[Folder]:
        """All folders, parents before children."""
        ...

    def places(self) -> dict[int, Sequence[int]]:
        """For each folder the serials of its messages, ascending."""
        ...

    def message(self, serial: int) -> Message | None:
        """The message as generated, its folder included."""
        ...

    def is_read(self, serial: int) -> bool:
        """Whether that message has been read, without making it."""
        ...


class Mailbox:
    """One mailbox, ready to be read and changed.

    `expanded` are the folders of an archive that have grown into its auxiliary mailbox.
    """

    def __init__(self, owner: int, generated: Generated) -> None:
        self.owner = owner
        self.expanded: set[int] = set()
        self._generated = generated
        self.folders = {folder.serial: folder for folder in generated.folders()}
        self._places = generated.places()
        self._held: dict[int, Message] = {}
        self._gone: set[int] = set()
        # Messages that are in a folder by a write, and those that left the folder they were generated in.
        self._arrived: dict[int, set[int]] = {}
        self._left: dict[int, set[int]] = {}
        self._written = 0
        # What was worked out, and up to which change it holds.
        self._remembered: tuple[int, dict[Hashable, Any]] = (0, {})
        self.message_changes = ChangeLog()
        self.folder_changes = ChangeLog()
        self.searches = Searches(self)

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, so that it can't be made anew from the seed."""
        return bool(self.message_changes.latest or self.folder_changes.latest or self.expanded)

    def find(self, serial: int) -> Message | None:
        """The message, wherever it lies."""
        if serial in self._gone:
            return None
        return self._held.get(serial) or self._generated.message(serial)

    def remembered(self, what: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made anew only when something was written since. Nobody may change it."""
        latest = self.message_changes.latest
        if self._remembered[0] != latest:
            self._remembered = (latest, {})
        held = self._remembered[1]
        if what not in held:
            held[what] = make()
        found: T = held[what]
        return found

    def serials(self, folder: int) -> list[int]:
        """What lies in one folder, ascending. Nobody may change it."""
        return self.remembered(("serials", folder), lambda: self._serials(folder))

    def _serials(self, folder: int) -> list[int]:
        left, arrived = self._left.get(folder, ()), self._arrived.get(folder, ())
        stayed = [serial for serial in self._places.get(folder, ()) if serial not in left] if left else list(
            self._places.get(folder, ())
        )  # fmt: skip
        return sorted([*stayed, *arrived]) if arrived else stayed

    def count(self, folder: int) -> int:
        """How many messages one folder holds."""
        return len(self._places.get(folder, ())) - len(self._left.get(folder, ())) + len(self._arrived.get(folder, ()))

    def unread_count(self, folder: int) -> int:
        """How many messages of one folder nobody has read."""

        def count() -> int:
            held, generated = self._held, self._generated
            return sum(
                not (held[serial].is_read if serial in held else generated.is_read(serial))
                for serial in self.serials(folder)
            )

        return self.remembered(("unread", folder), count)

    def is_read(self, serial: int) -> bool:
        """Whether somebody has read the message, without making one that was generated."""
        held = self._held.get(serial)
        return held.is_read if held is not None else self._generated.is_read(serial)

    def children(self, folder: int, hidden: bool) -> list[Folder]:
        """The folders directly below one, hidden ones only when asked for."""
        return [each for each in self.folders.values() if each.parent == folder and (hidden or not each.hidden)]

    def add(self, make: Callable[[int], Message]) -> Message:
        """Put in a new message, made for the serial it gets."""
        message = make(self.new_serial())
        self._held[message.serial] = message
        self._arrived.setdefault(message.folder, set()).add(message.serial)
        self.message_changes.add(message.folder, message.serial, is_new=True)
        return message

    def touch(self, message: Message, now: datetime) -> None:
        """Note that `message` was changed."""
        self._note(message, now, is_new=False)

    def move(self, message: Message, folder: int, now: datetime) -> None:
        """Put `message` into another folder; its regular id changes, its immutable id stays."""
        self.message_changes.add(message.folder, message.serial, message.moves)
        self._take_out(message)
        message.folder = folder
        message.moves += 1
        if message.serial in self._places.get(folder, ()):
            self._left[folder].discard(message.serial)
        else:
            self._arrived.setdefault(folder, set()).add(message.serial)
        self._note(message, now, is_new=True)

    def delete(self, message: Message) -> None:
        """Remove `message` for good."""
        self.message_changes.add(message.folder, message.serial, message.moves)
        self._take_out(message)
        self._held.pop(message.serial, None)
        self._gone.add(message.serial)

    def add_folder(self, parent: int, name: str, hidden: bool) -> Folder:
        """Make a folder below `parent`."""
        folder = Folder(self.new_serial(), parent, name, hidden)
        self.folders[folder.serial] = folder
        self.folder_changes.add(parent, folder.serial)
        return folder

    def touch_folder(self, folder: Folder) -> None:
        """Note that `folder` was renamed or moved."""
        folder.version += 1
        self.folder_changes.add(folder.parent or ROOT, folder.serial)

    def delete_folder(self, folder: Folder) -> None:
        """Remove a folder with all it holds."""
        for child in self.children(folder.serial, hidden=True):
            self.delete_folder(child)
        for search in self.searches.below(folder.serial):
            self.searches.delete(search)
        for serial in self.serials(folder.serial):
            message = self.find(serial)
            if message is not None:
                self.delete(message)
        del self.folders[folder.serial]
        self.folder_changes.add(folder.parent or ROOT, folder.serial)

    def new_serial(self) -> int:
        """A number that nothing here has had."""
        self._written += 1
        return FIRST_WRITTEN + self._written - 1

    def _note(self, message: Message, now: datetime, *, is_new: bool) -> None:
        self._held[message.serial] = message
        message.version += 1
        message.modified = now
        self.message_changes.add(message.folder, message.serial, message.moves, is_new=is_new)

    def _take_out(self, message: Message) -> None:
        arrived = self._arrived.get(message.folder, set())
        if message.serial in arrived:
            arrived.discard(message.serial)
        else:
            self._left.setdefault(message.folder, set()).add(message.serial)


class Searches:
    """The search folders of one mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.held: dict[int, SearchFolder] = {}

    def below(self, folder: int) -> list[SearchFolder]:
        """Those directly below a folder."""
        return [each for each in self.held.values() if each.parent == folder]

    def found(self, search: SearchFolder) -> list[int]:
        """What one shows, ascending. Nobody may change it."""
        mailbox = self._mailbox
        key = ("found", search.serial, mailbox.folder_changes.latest)
        return mailbox.remembered(key, lambda: sorted(
            serial
            for each in self._sources(search) for serial in mailbox.serials(each) if search.holds(mailbox, serial)
        ))  # fmt: skip

    def _sources(self, search: SearchFolder) -> list[int]:
        """The folders that are looked into, each once."""
        mailbox = self._mailbox
        found = [each for each in dict.fromkeys(search.sources) if each in mailbox.folders]
        for each in found:
            below = mailbox.children(each, hidden=True) if search.nested else []
            found += [folder.serial for folder in below if folder.serial not in found]
        return found

    def add(self, make: Callable[[int], SearchFolder]) -> SearchFolder:
        """Put in a search folder, made for the serial it gets."""
        search = make(self._mailbox.new_serial())
        self.held[search.serial] = search
        self._mailbox.touch_folder(search)
        return search

    def delete(self, search: SearchFolder) -> None:
        """Remove a search folder; what it showed stays where it is."""
        del self.held[search.serial]
        self._mailbox.touch_folder(search)
