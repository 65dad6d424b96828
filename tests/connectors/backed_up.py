"""What an engine would keep of an account: listings, cursors and parts, in memory."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from tuiback.connectors.base import Change, Changed, Checkpoint, Connector, Discovered, Removed
from tuiback.model import Account, Container, Known, RemoteItem


class Stored:
    """An item version with its parts: base.ItemSource."""

    def __init__(self, item: RemoteItem, parts: dict[str, bytes]) -> None:
        self.item_id = item.item_id
        self.name = item.name
        self.size = item.size
        self.attrs: Mapping[str, str] = dict(item.attrs)
        self.etag = item.etag
        self.content_tag = item.content_tag
        self.parts = parts

    def part_size(self, name: str) -> int | None:
        return len(self.parts[name]) if name in self.parts else None

    async def part(self, name: str) -> AsyncIterator[bytes]:
        data = self.parts[name]
        for start in range(0, len(data), 100_000):
            yield data[start : start + 100_000]


@dataclass
class Listed:
    """An account as it was listed: containers with their newest cursors, items by id, and where each lies."""

    containers: dict[str, Container] = field(default_factory=dict)
    items: dict[str, RemoteItem] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def contents(self) -> list[RemoteItem]:
        """The items that have content, in the order of their ids."""
        return [item for _, item in sorted(self.items.items()) if item.has_content]


def account_of(found: Discovered) -> Account:
    """The account that an engine makes of a discovery."""
    account_id = f"{found.kind}:{found.object_id}"
    return Account(account_id, found.kind, "contoso", "task", found.owner_id, found.name, found.address)


async def accounts_of(connector: Connector) -> list[Account]:
    """All accounts of the service that can be backed up."""
    return [account_of(found) async for found in connector.discover({}) if not found.reason]


async def told(connector: Connector, account: Account, container: Container) -> list[Change]:
    """Everything that the container's feed tells since its cursor."""
    return [change async for change in connector.changes(account, container)]


async def listed(connector: Connector, account: Account) -> Listed:
    """The whole account, container after container."""
    account_listing = Listed()
    waiting = list(connector.root_containers(account))
    while waiting:
        container = waiting.pop(0)
        for change in await told(connector, account, container):
            match change:
                case Changed(item):
                    account_listing.items[item.item_id] = item
                    account_listing.places[item.item_id] = container.container_id
                    if inner := connector.container_of(account, item):
                        waiting.append(inner)
                case Removed(item_id):
                    account_listing.items.pop(item_id, None)
                case Checkpoint(cursor, _):
                    container = replace(container, cursor=cursor)
        account_listing.containers[container.container_id] = container
    return account_listing


async def stored(connector: Connector, account: Account, item: RemoteItem) -> Stored:
    """The item with all its parts read."""
    parts = {}
    async for source in connector.content(account, item):
        parts[source.name] = b"".join([piece async for piece in source.data])
    return Stored(item, parts)


def known(item: RemoteItem, container_id: str) -> Known:
    """What a catalog would answer about an item that was listed before."""
    return Known(
        item.item_id, item.kind, container_id, item.parent_id, item.name, item.etag, item.content_tag, (),
        live=True, removal_pending=False,
    )
