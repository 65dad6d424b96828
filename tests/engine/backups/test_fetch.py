"""Fetching items: many small ones together, and alone what fails in company."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.engine.cloud import Cloud
from tests.engine.rig import Rig, anna, make_home, now_in
from tuiback.connectors.base import PartSource
from tuiback.engine.backups.fetch import TRIES_OF_BREAKS
from tuiback.errors import GraphError, ItemGone
from tuiback.model import Account, Outcome, RemoteItem


class Grouped(Cloud):
    """Hands out the content of up to three messages at once; `refuses` all of it, or has `lost` some."""

    def __init__(self) -> None:
        super().__init__()
        self.mailboxes = {"anna": anna()}
        self.together: list[list[str]] = []
        self.refuses = False
        self.lost: set[str] = set()

    def groups(self, items: Sequence[RemoteItem]) -> Sequence[Sequence[RemoteItem]]:
        """See InGroups."""
        return [items[start : start + 3] for start in range(0, len(items), 3)]

    async def contents(
        self, account: Account, items: Sequence[RemoteItem]
    ) -> AsyncGenerator[Mapping[int, Mapping[str, bytes] | GraphError], None]:
        """See InGroups."""
        if self.refuses:
            raise GraphError("no batches here", status=501)
        self.together.append([item.item_id for item in items])
        mails = self.mailboxes[account.owner_id].mails
        for place, item in enumerate(items):
            yield {place: self._content(item.item_id, mails[item.item_id].data)}

    def _content(self, item_id: str, data: bytes) -> Mapping[str, bytes] | GraphError:
        if item_id in self.lost:
            return ItemGone("deleted", item_id)
        if item_id in self.broken:
            return GraphError("the item is corrupt", item_id, status=500)
        return {"properties": b'{"id":"%s"}' % item_id.encode(), "mime": data}


async def grouped_rig(tmp_path: Path) -> Rig:
    """A rig over the service above."""
    return await Rig.open(make_home(tmp_path), Grouped())


async def test_small_items_come_together(tmp_path: Path) -> None:
    """Nothing is fetched twice, and the snapshot shows every byte."""
    rig = await grouped_rig(tmp_path)
    assert isinstance(rig.cloud, Grouped)
    report = await rig.run()
    assert report.outcome is Outcome.OK
    assert report.counters.items_new == 8
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert sorted(map(len, rig.cloud.together)) == [3, 3]
    # What is left over of a page is a group of one, and such go the way of large ones.
    assert sorted(rig.cloud.fetched) == ["a0", "m6"]
    await rig.archive.close()


async def test_what_fails_in_company_is_tried_alone(tmp_path: Path) -> None:
    """One trouble holds up no other item; what can't be had alone either is owed, what is gone is not."""
    rig = await grouped_rig(tmp_path)
    assert isinstance(rig.cloud, Grouped)
    rig.cloud.broken = {"m1": 1, "m2": 1000}
    rig.cloud.lost = {"m3"}
    report = await rig.run()
    assert report.outcome is Outcome.PARTIAL
    assert [owed.item_id for owed in rig.archive.reader.owed("mailbox:anna")] == ["m2"]
    expected = now_in(rig.cloud.mailboxes["anna"])
    assert rig.listing() == {name: text for name, text in expected.items() if name[-2:] not in {"m2", "m3"}}
    assert report.counters.skipped == 1
    await rig.archive.close()


async def test_a_group_refused_as_a_whole_is_fetched_one_by_one(tmp_path: Path) -> None:
    """The backup ends as it would have without groups."""
    rig = await grouped_rig(tmp_path)
    assert isinstance(rig.cloud, Grouped)
    rig.cloud.refuses = True
    report = await rig.run()
    assert report.outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert len(rig.cloud.fetched) == 8
    await rig.archive.close()


class Breaking(Cloud):
    """Streams of m4 break off in their middle: the first `breaks` of them, then every one is whole."""

    def __init__(self, breaks: int) -> None:
        super().__init__()
        self.mailboxes = {"anna": anna()}
        self.breaks = breaks

    async def content(self, account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        """See Connector."""
        async for source in super().content(account, item):
            if item.item_id == "m4" and self.breaks and source.name == "mime":
                self.breaks -= 1
                yield PartSource("mime", self._broken())
            else:
                yield source

    async def _broken(self) -> AsyncIterator[bytes]:
        yield b"te"
        raise GraphError("the connection broke", "m4")


@pytest.mark.parametrize(("breaks", "outcome"), [(TRIES_OF_BREAKS - 1, Outcome.OK), (TRIES_OF_BREAKS, Outcome.PARTIAL)])
async def test_a_stream_that_breaks_is_begun_anew(tmp_path: Path, breaks: int, outcome: Outcome) -> None:
    """A broken connection says less of an item than an answer does: it is asked for more often before it is owed."""
    rig = await Rig.open(make_home(tmp_path), Breaking(breaks))
    assert (await rig.run()).outcome is outcome
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    await rig.archive.close()
