"""Follows a change feed of Microsoft Graph from a cursor to its end, through expired tokens and poisoned pages."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from tuiback.connectors.base import Change, Checkpoint, Relisting
from tuiback.errors import CursorExpired, GraphError
from tuiback.graph import Lane, Page
from tuiback.model import Container

# A server error that comes twice is a page that can't be made: then a smaller one is asked for, which is a try as well.
_TRIES_OF_A_LARGE_PAGE = 2
# Once that is known the same trouble is awaited in the other pages around it, and where the listing starts again.
_TRIES_OF_A_SUSPECT_PAGE = 1
# There is none below the smallest: without it the rest of the container is not seen at all.
_TRIES_OF_THE_SMALLEST_PAGE = 6
# Tokens can expire in the middle of a listing too; a feed that never lets one be finished is given up.
_LISTINGS = 8
# A page whose link to the next one leads nowhere is asked for so often.
_TRIES_OF_A_LINK = 3

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


class Feed(msgspec.Struct, frozen=True):
    """One container's change feed. `welcome` are parameters that a listing can do without, should they be refused.

    `learn` is asked once when a listing begins and answers the notes that `read` gets with every entry, then and
    in later runs; `learn_beside` adds to them and is asked while the first page is on its way. `headers` answers the
    request headers for a page size; `page_sizes` are tried from left to right when the service can't answer a page
    (https://learn.microsoft.com/graph/delta-query-overview).
    """

    lane: Lane
    path: str
    params: Mapping[str, str]
    read: Callable[[Entry, Notes], Awaitable[Change | None]]
    headers: Callable[[int], dict[str, str]]
    page_sizes: Sequence[int]
    learn: Callable[[], Awaitable[dict[str, str]]] = msgspec.field(default=nothing_to_learn)
    learn_beside: Callable[[], Coroutine[Any, Any, dict[str, str]]] = msgspec.field(default=nothing_to_learn)
    welcome: Mapping[str, str] = msgspec.field(default_factory=dict)

    def pages(self, link: str, page_size: int, tries: int) -> AsyncIterator[Page]:
        """The pages from `link` on, or from the beginning when it is empty. Links are sent as they came.

        A page is given up after so many `tries` that were server errors.
        """
        start = link or self.path
        params = None if link else {**self.params, **self.welcome}
        return self.lane.pages(start, params=params, headers=self.headers(page_size), most_server_errors=tries)


async def follow(feed: Feed, container: Container) -> AsyncIterator[Change]:
    """What happened since the container's cursor, as base.Connector.changes promises it."""
    position = _position_of(container)
    if position is None:
        yield Relisting()
        position = Position("")
    sizes = _PageSizes(feed.page_sizes)
    for listing in range(1, _LISTINGS + 1):
        try:
            async for change in _follow_from(feed, position, sizes):
                yield change
        except CursorExpired:
            if listing == _LISTINGS:
                raise
            yield Relisting()
            position = Position("")
        except GraphError as fault:
            # The first request of all is the one that has the parameters.
            if position.link or not feed.welcome or fault.status != 400:
                raise
            feed = replace(feed, welcome={})
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


async def _follow_from(feed: Feed, position: Position, sizes: "_PageSizes") -> AsyncIterator[Change]:
    """The changes from a link on, or of a whole listing: those of its first page once all is learnt."""
    link = position.link
    notes = position.notes if link else await feed.learn()
    beside = asyncio.create_task(nothing_to_learn() if link else feed.learn_beside())
    try:
        async for change in _pages_from(feed, link, notes, beside, sizes):
            yield change
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)


async def _pages_from(
    feed: Feed, link: str, notes: dict[str, str], beside: asyncio.Task[dict[str, str]], sizes: "_PageSizes"
) -> AsyncIterator[Change]:
    broken_links = 0
    while True:
        try:
            async for page in feed.pages(link, sizes.size, sizes.tries):
                notes |= await beside
                for entry in _newest(page.items):
                    if (change := await feed.read(entry, notes)) is not None:
                        yield change
                link = _link_after(page, feed)
                broken_links = 0
                yield Checkpoint(Position(link, notes).cursor(), complete=not page.next_link)
                if not page.next_link:
                    return
                if sizes.grow():
                    break
        except _LinkBroken:
            # The same page once more may tell a good one.
            broken_links += 1
            if broken_links == _TRIES_OF_A_LINK:
                raise
        except GraphError as fault:
            is_learnt = not beside.done() or beside.exception() is None
            if not is_learnt or not _is_poisoned(fault) or not sizes.shrink():
                raise


class _LinkBroken(CursorExpired):
    """A page came with a link to the next one that leads nowhere."""


class _PageSizes:
    """The page size to ask for: smaller until a page comes, and larger again behind the place that was in the way."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._at = 0
        self._pages_left = 0
        self._met_trouble = False

    @property
    def size(self) -> int:
        return self._sizes[self._at]

    @property
    def tries(self) -> int:
        if self._at + 1 == len(self._sizes):
            return _TRIES_OF_THE_SMALLEST_PAGE
        return _TRIES_OF_A_SUSPECT_PAGE if self._met_trouble else _TRIES_OF_A_LARGE_PAGE

    def shrink(self) -> bool:
        """The page did not come; False when there is no smaller size."""
        if self._at + 1 == len(self._sizes):
            return False
        self._met_trouble = True
        self._at += 1
        self._pages_left = max(1, self._sizes[self._at - 1] // self.size)
        return True

    def grow(self) -> bool:
        """A page came; True when so many have come that the place must be passed, and larger ones are worth a try."""
        if self._at == 0:
            return False
        self._pages_left -= 1
        if self._pages_left > 0:
            return False
        self._at -= 1
        if self._at:
            self._pages_left = max(1, self._sizes[self._at - 1] // self.size)
        return True


def _link_after(page: Page, feed: Feed) -> str:
    link = page.next_link or page.delta_link
    if not link:
        raise GraphError("the listing ended without a change token", feed.path, "run the task again")
    if "/users//" in urlsplit(link).path:
        # Seen in Outlook's links to next pages: ".../users//mailFolders/...", which lead nowhere (alcionai/corso).
        raise _LinkBroken("the link to the next page is broken", feed.path, "list again")
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
    """Whether a smaller page may succeed: one bad item fails all that come with it, a large page takes too long.

    By 500, an empty 503 or the answers of gateways (https://learn.microsoft.com/graph/errors).
    """
    return fault.status in {500, 502, 504} or (fault.status == 503 and not fault.graph_code)
