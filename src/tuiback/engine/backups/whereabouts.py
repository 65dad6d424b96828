"""Tells which containers deserve a second look because something left another one for a place unknown."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tuiback.connectors.base import Connector
from tuiback.model import Account, Container, Owed, RemoteItem


async def moved_on(
    connector: Connector, account: Account, container: Container, items: Iterable[RemoteItem], now: datetime
) -> list[str]:
    """Which of the items listed in the container are there no more, by their ids.

    Pages of two containers show an item that moved between their listings: only the service can say where it is.
    """
    return [
        item.item_id
        for item in items
        if await connector.refresh(
            account, Owed(account.account_id, container.container_id, item.item_id, item.kind, "", now, 0, "")
        )
        is None
    ]


class Whereabouts:
    """What a pass has walked, what left, and what came.

    A message moved while the pass goes on may leave a folder listed late for one listed before. Without a second
    look it would be in no folder of the snapshot. Messages really deleted cost the same look, one request a folder.
    """

    def __init__(self) -> None:
        self._walked: dict[str, None] = {}
        self._left: dict[str, tuple[str, int]] = {}
        self._came: dict[str, str] = {}
        self._moved: set[str] = set()

    def walk(self, container_id: str) -> None:
        """The container is being walked."""
        self._walked[container_id] = None

    def is_walked(self, container_id: str) -> bool:
        """Whether the container was walked."""
        return container_id in self._walked

    def leave(self, item_id: str, container_id: str) -> None:
        """The item is no longer in the container."""
        if container_id in self._walked:
            self._left[item_id] = container_id, len(self._walked)
        if self._came.get(item_id) == container_id:
            del self._came[item_id]

    def come(self, item_id: str, container_id: str) -> None:
        """The item was found in this container."""
        self._came[item_id] = container_id
        if self._left.pop(item_id, None) is not None:
            self._moved.add(item_id)

    def settle_move(self, item_id: str) -> bool:
        """Whether the item was found after it had left another container; told once."""
        moved = item_id in self._moved
        self._moved.discard(item_id)
        return moved

    def is_elsewhere(self, item_id: str, container_id: str) -> bool:
        """Whether the item was last found in another container."""
        return self._came.get(item_id, container_id) != container_id

    def contested(self, page: Mapping[str, RemoteItem | None], container_id: str) -> list[RemoteItem]:
        """What a page of this container shows although another container showed it before."""
        return [item for item_id, item in page.items() if item and self.is_elsewhere(item_id, container_id)]

    def to_look_at_again(self) -> list[str]:
        """The containers whose walk had begun when one was seen that an item left without being found anywhere."""
        missed = {left for item_id, left in self._left.items() if item_id not in self._came}
        walked = list(self._walked)
        again = {other for container_id, begun in missed for other in walked[:begun] if other != container_id}
        return [container_id for container_id in walked if container_id in again]
