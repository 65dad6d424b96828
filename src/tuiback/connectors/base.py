"""What every service must offer the engine: discovery, changes, content, and the way back.

A connector is stateless between calls and knows nothing of the catalog: what it is told about the past comes in
as arguments. It raises GraphError and its children for one request's failure and MicrosoftRefuses when nothing
can go on.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from tuiback.errors import GraphError
from tuiback.model import Account, AccountKind, Container, Known, Owed, RemoteItem


class Changed(msgspec.Struct, frozen=True):
    """The item is new or not what it was; the engine decides by etag and content_tag what to fetch."""

    item: RemoteItem


class Removed(msgspec.Struct, frozen=True):
    """The item left this container: deleted, or moved elsewhere."""

    item_id: str


class Checkpoint(msgspec.Struct, frozen=True):
    """Everything before it in the stream is covered by `cursor`; `complete` when the container's end is reached."""

    cursor: str
    complete: bool


class Relisting(msgspec.Struct, frozen=True):
    """The cursor had expired: what follows lists the container whole.

    Never a mass deletion by itself; the engine compares the ids at the complete checkpoint.
    """


Change = Changed | Removed | Checkpoint | Relisting


class Discovered(msgspec.Struct, frozen=True):
    """An account as the directory shows it now. `reason` says why it can't be backed up ("" when it can)."""

    kind: AccountKind
    object_id: str
    owner_id: str
    name: str
    address: str
    aliases: tuple[str, ...] = ()
    enabled: bool = True
    reason: str = ""


class PartSource(msgspec.Struct, frozen=True):
    """One part on its way in: its name ("properties", "mime", "file") and its bytes."""

    name: str
    data: AsyncIterator[bytes]


class Existing(msgspec.Struct, frozen=True):
    """What lies in the target under the same name or identity; `identical` when its content is the same."""

    item_id: str
    identical: bool


class Written(msgspec.Struct, frozen=True):
    """The outcome of one restored item.

    `degraded` names what could not be brought back as it was, `verified` says that the service confirmed the
    content (a hash), `rewritten` that the service changed the bytes by itself, as SharePoint does with Office files.
    """

    item_id: str
    degraded: tuple[str, ...] = ()
    verified: bool = False
    rewritten: bool = False


class ItemSource(Protocol):
    """An item version on its way back: what the catalog knows, and its parts from the repository."""

    @property
    def item_id(self) -> str:
        """The id that the version had in its service."""
        ...

    @property
    def name(self) -> str:
        """File name or subject."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the content without its properties."""
        ...

    @property
    def attrs(self) -> Mapping[str, str]:
        """The display fields."""
        ...

    @property
    def etag(self) -> str:
        """As RemoteItem.etag."""
        ...

    @property
    def content_tag(self) -> str:
        """As RemoteItem.content_tag."""
        ...

    def part_size(self, name: str) -> int | None:
        """Bytes of the part, None when the version has no such part."""
        ...

    def part(self, name: str) -> AsyncIterator[bytes]:
        """The part's bytes, verified as they come."""
        ...


class Connector(Protocol):
    """One service of Microsoft 365."""

    service: str
    kind: AccountKind
    # The service whose limits the requests count against: "outlook" or "sharepoint".
    throttled_as: str
    # The part that an export writes as the file, and the ending that the file gets ("" keeps the name).
    native_part: str
    native_suffix: str

    def discover(self, known_owner_ids: Mapping[str, str]) -> AsyncIterator[Discovered]:
        """All accounts of the service, in the directory's order.

        known_owner_ids maps owner ids to the object ids known from earlier, so that no request is spent on what
        cannot have changed.
        """
        ...

    def root_containers(self, account: Account) -> Sequence[Container]:
        """The containers every such account has, with empty cursors."""
        ...

    def container_of(self, account: Account, item: RemoteItem) -> Container | None:
        """The container that this item itself is (a mail folder), None for all others."""
        ...

    def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """What happened since container.cursor ("" lists everything). Ends after the complete Checkpoint.

        A Checkpoint with a page's next link comes after every page. An expired cursor yields Relisting, then
        the full listing. Raises AccountAbsent when the user has no such account.
        """
        ...

    def same_content(self, known: Known, item: RemoteItem) -> bool:
        """Whether the content known is still the item's, although its etag or place differs."""
        ...

    def content(self, account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        """The parts of the item, in turn: each must be read to its end before the next is asked for.

        Raises ItemGone when it was deleted meanwhile, GraphError when what came does not fit the service's hash.
        """
        ...

    async def refresh(self, account: Account, owed: Owed) -> RemoteItem | None:
        """The owed item as a listing would show it now; None when it no longer exists."""
        ...

    async def expected_items(self, account: Account, container: Container) -> int | None:
        """How many items the service says the container holds now; None when it can't say cheaply."""
        ...

    async def restore_root(self, account: Account, label: str | None) -> str:
        """The folder id to restore under: the account's root, or the folder `label` in it, made if missing."""
        ...

    async def find_restore_root(self, account: Account, label: str | None) -> str | None:
        """The same, making nothing: None where that folder is missing."""
        ...

    async def restore_folder(
        self, account: Account, parent_id: str, folder: ItemSource, *, make: bool = True
    ) -> str | None:
        """The folder id of this folder under parent_id: found by name, else made, else None with `make` off."""
        ...

    async def existing(self, account: Account, parent_id: str, item: ItemSource) -> Existing | None:
        """What stands in the way of restoring `item` into parent_id, if anything."""
        ...

    async def restore_item(
        self, account: Account, parent_id: str, item: ItemSource, *, on_conflict: str, replaces: str | None
    ) -> Written:
        """Write one item back into parent_id.

        on_conflict is skip, keep-both or overwrite; `replaces` is the id of what stands there (see existing). A
        crash may leave one item too many, never one too few.
        """
        ...

    async def take_back(self, account: Account, written_id: str, item: ItemSource) -> bool:
        """Delete what restore_item() made of `item`; False, and nothing is done, where it has changed since.

        It goes to where the service keeps what people delete. Raises ItemGone when it is there no more.
        """
        ...


@runtime_checkable
class InGroups(Protocol):
    """A connector whose service answers the content of many small items at once."""

    def groups(self, items: Sequence[RemoteItem]) -> Sequence[Sequence[RemoteItem]]:
        """The same items in groups: those of one group fit into memory together; many stand alone."""
        ...

    def contents(
        self, account: Account, items: Sequence[RemoteItem]
    ) -> AsyncGenerator[Mapping[int, Mapping[str, bytes] | GraphError], None]:
        """The parts of each item of such a group by their names, or the error it met, by its place, as they come.

        What met an error other than ItemGone may still be had by itself, through content().
        """
        ...
