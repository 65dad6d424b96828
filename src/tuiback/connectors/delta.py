"""Follows a change feed of Microsoft Graph from a cursor to its end, through expired tokens and poisoned pages."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tuiback.connectors.base import Change, Checkpoint, Relisting
from tuiback.errors import CursorExpired, GraphError
from tuiback.graph import Lane, Page
from tuiback.model import Container

# Tokens can expire in the middle of a listing too; a feed that never lets one be finished is given up.
_LISTINGS = 3

Entry = dict[str, Any]
Notes = Mapping[str, str]


class Position(msgspec.Struct, frozen=True):
    """What a cursor says: the link to go on from, and what was learnt once when the listing began."""

    link: str
    notes: dict[str, str] = {}

    def cursor(self) -> str:
        """The cursor as the catalog keeps it."""
        return msgspec.json.encode(self).decode()


async def nothing_to_learn() -> dict[str, str]:
    """For feeds whose entries can be read without further knowledge."""
    return {}


@dataclass(frozen=True, slots=True)
class Feed:
    """One container's change feed.

    `learn` is asked once when a listing begins and answers the notes that `read` gets with every entry, then and
    in later runs. `headers` answers the request headers for a page size; `page_sizes` are tried from left to
    right when the service can't answer a page (https://learn.microsoft.com/graph/delta-query-overview).
    """

    lane: Lane
    path: str
    params: Mapping[str, str]
    read: Callable[[Entry, Notes], Awaitable[Change | None]]
    headers: Callable[[int], dict[str, str]]
    page_sizes: Sequence[int]
    learn: Callable[[], Awaitable[dict[str, str]]] = field(default=nothing_to_learn)

    def pages(self, link: str, page_size: int) -> AsyncIterator[Page]:
        """The pages from `link` on, or from the beginning when it is empty. Links are sent as they came."""
        headers = self.headers(page_size)
        if link:
            return self.lane.pages(link, headers=headers)
        return self.lane.pages(self.path, params=self.params, headers=headers)


async def follow(feed: Feed, container: Container) -> AsyncIterator[Change]:
    """What happened since the container's cursor, as base.Connector.changes promises it."""
    position = _position_of(container)
    if position is None:
        yield Relisting()
        position = Position("")
    for listing in range(1, _LISTINGS + 1):
        try:
            async for change in _follow_from(feed, position):
                yield change
        except CursorExpired:
            if listing == _LISTINGS:
                raise
            yield Relisting()
            position = Position("")
        else:
            return


def _position_of(container: Container) -> Position | None:
    """Where to go on; None when the listing has to start again."""
    if container.relisting:
        return None
    if not container.cursor:
        return Position("")
    try:
        return msgspec.json.decode(container.cursor, type=Position)
    except msgspec.MsgspecError:
        return None


async def _follow_from(feed: Feed, position: Position) -> AsyncIterator[Change]:
    link = position.link
    notes = position.notes if link else await feed.learn()
    for page_size in feed.page_sizes:
        try:
            async for page in feed.pages(link, page_size):
                for entry in _newest(page.items):
                    if (change := await feed.read(entry, notes)) is not None:
                        yield change
                link = _link_after(page, feed)
                yield Checkpoint(Position(link, notes).cursor(), complete=not page.next_link)
        except GraphError as fault:
            if page_size == feed.page_sizes[-1] or not _is_poisoned(fault):
                raise
        else:
            return


def _link_after(page: Page, feed: Feed) -> str:
    link = page.next_link or page.delta_link
    if not link:
        raise GraphError("the listing ended without a change token", feed.path, "run the task again")
    return link


def _newest(entries: Sequence[Entry]) -> list[Entry]:
    """The entries without those that a later entry for the same item replaces.

    "The same item may appear more than once; use the last occurrence"
    (https://learn.microsoft.com/graph/api/driveitem-delta).
    """
    newest: dict[str, Entry] = {}
    for entry in entries:
        newest.pop(entry["id"], None)
        newest[entry["id"]] = entry
    return list(newest.values())


def _is_poisoned(fault: GraphError) -> bool:
    """Whether a smaller page may succeed: one bad item fails all that come with it, by 500 or an empty 503."""
    return fault.status == 500 or (fault.status == 503 and not fault.graph_code)
