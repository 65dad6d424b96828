"""The walk through a change feed, with a scripted lane in place of Graph."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest

from tests.connectors.scripted import Answer, ScriptedLane
from tuiback.connectors.base import Change, Changed, Checkpoint, Relisting, Removed
from tuiback.connectors.delta import Entry, Feed, Notes, Position, follow
from tuiback.errors import CursorExpired, GraphError, Unreachable
from tuiback.graph import Lane, Page
from tuiback.model import Container, Kind, RemoteItem


def item(item_id: str, name: str = "") -> RemoteItem:
    """An item of the scripted feed."""
    return RemoteItem(item_id, Kind.FILE, "", name, 0, "", "")


async def read(entry: Entry, notes: Notes) -> Change | None:
    """Reads an entry of the scripted feed, naming it by the notes."""
    if entry.get("skip"):
        return None
    return Removed(entry["id"]) if "@removed" in entry else Changed(item(entry["id"], entry.get("name", notes["said"])))


def page(*entries: Entry, next_link: str = "", delta_link: str = "") -> Page:
    """One page of the scripted feed."""
    return Page(list(entries), next_link or None, delta_link or None)


def feed(lane: ScriptedLane) -> Feed:
    """The scripted feed."""
    async def learn() -> dict[str, str]:
        return {"said": "noted"}

    return Feed(
        lane=cast("Lane", lane),
        path="/start",
        params={"$top": "2"},
        read=read,
        headers=lambda size: {"Prefer": f"odata.maxpagesize={size}"},
        page_sizes=(500, 20, 1),
        learn=learn,
    )


def container(cursor: str = "", *, relisting: bool = False) -> Container:
    """The container whose feed is scripted."""
    return Container("drive:d", "d", "drive", "drive", cursor, relisting)


async def walked(lane: ScriptedLane, of: Container) -> list[Change]:
    """All that the walk tells."""
    return [change async for change in follow(feed(lane), of)]


def cursor(link: str) -> str:
    """The cursor that stands for a link."""
    return Position(link, {"said": "noted"}).cursor()


async def test_a_listing_from_the_beginning() -> None:
    """Every page ends with a checkpoint of its link, and only the last one is complete."""
    lane = ScriptedLane(
        {
            "/start": [page({"id": "a"}, {"id": "b"}, next_link="n1")],
            "n1": [page(next_link="n2")],
            "n2": [page({"id": "c", "@removed": {"reason": "deleted"}}, {"id": "d", "skip": True}, delta_link="d1")],
        }
    )
    assert await walked(lane, container()) == [
        Changed(item("a", "noted")),
        Changed(item("b", "noted")),
        Checkpoint(cursor("n1"), complete=False),
        Checkpoint(cursor("n2"), complete=False),
        Removed("c"),
        Checkpoint(cursor("d1"), complete=True),
    ]
    assert [asked[:2] for asked in lane.asked] == [("/start", {"$top": "2"}), ("n1", None), ("n2", None)]


async def test_a_cursor_is_followed_with_the_notes_of_its_listing() -> None:
    """A later run asks nothing but the link, and still knows what was learnt when the listing began."""
    lane = ScriptedLane({"d1": [page({"id": "a"}, delta_link="d2")]})
    old = Position("d1", {"said": "back then"}).cursor()
    changes = await walked(lane, container(old))
    new = Position("d2", {"said": "back then"}).cursor()
    assert changes == [Changed(item("a", "back then")), Checkpoint(new, complete=True)]
    assert [asked[0] for asked in lane.asked] == ["d1"]


async def test_the_last_of_repeated_entries_counts() -> None:
    """An item that a page shows twice is told once, as it was last."""
    lane = ScriptedLane(
        {"/start": [page({"id": "a", "name": "1"}, {"id": "b"}, {"id": "a", "name": "2"}, delta_link="d1")]}
    )
    changes = await walked(lane, container())
    assert changes[:2] == [Changed(item("b", "noted")), Changed(item("a", "2"))]


async def test_an_expired_cursor_lists_again() -> None:
    """An expired token is told as a relisting, never as removals."""
    lane = ScriptedLane({"d1": [CursorExpired("gone", status=410)], "/start": [page({"id": "a"}, delta_link="d2")]})
    assert await walked(lane, container(cursor("d1"))) == [
        Relisting(),
        Changed(item("a", "noted")),
        Checkpoint(cursor("d2"), complete=True),
    ]


async def test_a_token_that_expires_within_the_listing() -> None:
    """A listing that breaks off half-way starts again from the beginning."""
    lane = ScriptedLane(
        {
            "/start": [page({"id": "a"}, next_link="n1"), page({"id": "b"}, delta_link="d1")],
            "n1": [CursorExpired("gone", status=410)],
        }
    )
    assert await walked(lane, container()) == [
        Changed(item("a", "noted")),
        Checkpoint(cursor("n1"), complete=False),
        Relisting(),
        Changed(item("b", "noted")),
        Checkpoint(cursor("d1"), complete=True),
    ]


async def test_a_feed_that_never_lets_a_listing_end() -> None:
    """After some listings the expiry itself is the error."""
    lane = ScriptedLane({"/start": [CursorExpired("gone", status=410)] * 9})
    with pytest.raises(CursorExpired):
        await walked(lane, container())
    assert len(lane.asked) == 8


async def test_a_listing_that_starts_again_knows_of_the_trouble() -> None:
    """A folder with a bad item is not found out again, page size by page size, after its token expired."""
    fault = GraphError("poisoned", status=500)
    lane = ScriptedLane(
        {
            "/start": [fault, fault, page({"id": "a"}, next_link="n1"), page({"id": "a"}, delta_link="d1")],
            "n1": [CursorExpired("gone", status=410)],
        }
    )
    await walked(lane, container())
    sizes = [prefer for _, _, prefer in lane.asked]
    assert sizes[2] == sizes[-1] != sizes[0]


@pytest.mark.parametrize("unreadable", ["not json", '{"notes": {}}', '["d1"]'])
async def test_a_cursor_of_another_kind_lists_again(unreadable: str) -> None:
    """A cursor that can't be read is as good as an expired one."""
    lane = ScriptedLane({"/start": [page(delta_link="d1")]})
    assert await walked(lane, container(unreadable)) == [Relisting(), Checkpoint(cursor("d1"), complete=True)]


async def test_an_interrupted_relisting_starts_again() -> None:
    """The ids that an interrupted relisting had seen are known to nobody, so its cursor is not followed."""
    lane = ScriptedLane({"/start": [page(delta_link="d1")]})
    changes = await walked(lane, container(cursor("n1"), relisting=True))
    assert changes == [Relisting(), Checkpoint(cursor("d1"), complete=True)]


@pytest.mark.parametrize("fault", [GraphError("poisoned", status=500), GraphError("empty", status=503)])
async def test_a_poisoned_page_is_asked_for_in_smaller_pages(fault: GraphError) -> None:
    """The page that fails is asked for again from its own link, with fewer items."""
    lane = ScriptedLane(
        {
            "/start": [page({"id": "a"}, next_link="n1")],
            "n1": [fault, fault, page({"id": "b"}, next_link="n2")],
            "n2": [page(delta_link="d1")],
        }
    )
    changes = await walked(lane, container())
    assert [change.item.item_id for change in changes if isinstance(change, Changed)] == ["a", "b"]
    assert [(link, size) for link, _, size in lane.asked] == [
        ("/start", "odata.maxpagesize=500"),
        ("n1", "odata.maxpagesize=500"),
        ("n1", "odata.maxpagesize=20"),
        ("n1", "odata.maxpagesize=1"),
        ("n2", "odata.maxpagesize=1"),
    ]


async def test_a_large_page_is_not_asked_for_with_all_patience() -> None:
    """Five sizes with all the waiting that one request gets would hold the folder up for half a minute."""
    fault = GraphError("poisoned", status=500)
    lane = ScriptedLane({"/start": [fault, fault, page({"id": "a"}, delta_link="d1")]})
    await walked(lane, container())
    # Once one page can't be made the next one is not expected to be; below the smallest there is none.
    assert lane.patience == [2, 1, 6]


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (GraphError("poisoned for ever", status=500), 3),
        (GraphError("busy", status=503, graph_code="serviceNotAvailable"), 1),
        (Unreachable("no network"), 1),
    ],
)
async def test_what_smaller_pages_do_not_help(fault: GraphError, tries: int) -> None:
    """A page of one item that still fails, a busy service and a broken network are the caller's to deal with."""
    lane = ScriptedLane({"/start": [fault] * 9})
    with pytest.raises(type(fault)):
        await walked(lane, container())
    assert len(lane.asked) == tries


async def test_a_listing_without_a_token() -> None:
    """A last page without a link is an error: taking it for the end would lose what comes later."""
    lane = ScriptedLane({"/start": [page({"id": "a"})]})
    with pytest.raises(GraphError, match="change token"):
        await walked(lane, container())


async def test_pages_grow_again_behind_what_was_in_the_way() -> None:
    """One bad item must not cost a request for every item behind it."""
    poisoned = GraphError("poison", status=500)
    small = [page({"id": f"i{n}"}, next_link=f"p{n + 1}") for n in range(25)]
    script: dict[str, list[Answer]] = {"/start": [poisoned, small[0]]}
    script |= {f"p{n}": [small[n]] for n in range(1, 25)}
    script["p25"] = [page({"id": "last"}, delta_link="d")]
    lane = ScriptedLane(script)
    changes = await walked(lane, container())
    assert [change.item.item_id for change in changes if isinstance(change, Changed)][-1] == "last"
    sizes = [prefer.rpartition("=")[2] for _, _, prefer in lane.asked]
    assert sizes == ["500", *["20"] * 25, "500"]


BROKEN = page({"id": "a"}, next_link="https://graph/v1.0/users//mailFolders/f/messages/delta?$skiptoken=1")


async def test_a_page_with_a_broken_link_to_the_next_is_asked_for_again() -> None:
    """It is never followed, and never kept as a cursor; what was listed before need not be listed again."""
    lane = ScriptedLane({
        "/start": [page({"id": "a"}, next_link="n1")],
        "n1": [BROKEN, BROKEN, page({"id": "a"}, {"id": "b"}, delta_link="d")],
    })  # fmt: skip
    changes = await walked(lane, container())
    kinds = [type(change) for change in changes]
    assert kinds == [Changed, Checkpoint, Changed, Changed, Changed, Changed, Checkpoint]
    assert [asked[0] for asked in lane.asked] == ["/start", "n1", "n1", "n1"]


async def test_a_link_that_stays_broken_begins_the_listing_anew() -> None:
    """Another listing may come to better pages."""
    lane = ScriptedLane({"/start": [BROKEN, BROKEN, BROKEN, page({"id": "a"}, delta_link="d")]})
    changes = await walked(lane, container())
    assert [type(change) for change in changes] == [Changed, Changed, Changed, Relisting, Changed, Checkpoint]


async def test_what_is_learnt_beside_comes_while_the_first_page_is_on_its_way() -> None:
    """Neither waits for the other, and the entries are read with all of it."""
    page_asked = asyncio.Event()

    class Watched(ScriptedLane):
        def _next(self, link: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None) -> Answer:
            page_asked.set()
            return super()._next(link, params, headers)

    async def learn_beside() -> dict[str, str]:
        async with asyncio.timeout(30):
            await page_asked.wait()
        return {"said": "beside"}

    of = feed(Watched({"/start": [page({"id": "a"}, delta_link="d1")]}))
    of = msgspec.structs.replace(of, learn_beside=learn_beside)
    changes = [change async for change in follow(of, container())]
    assert changes == [
        Changed(item("a", "beside")),
        Checkpoint(Position("d1", {"said": "beside"}).cursor(), complete=True),
    ]


async def test_what_can_not_be_learnt_is_no_poisoned_page() -> None:
    """A smaller page would not help."""
    lane = ScriptedLane({"/start": [page({"id": "a"}, delta_link="d1")] * 3})

    async def learn_beside() -> dict[str, str]:
        raise GraphError("no answer", status=500)

    of = msgspec.structs.replace(feed(lane), learn_beside=learn_beside)
    with pytest.raises(GraphError, match="no answer"):
        _ = [change async for change in follow(of, container())]
    assert len(lane.asked) == 1
