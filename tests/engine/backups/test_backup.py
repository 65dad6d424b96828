"""Backing accounts up: what is fetched, what a snapshot shows, and what failures leave behind."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.cloud import Cloud, Mailbox
from tests.engine.rig import Rig, anna, make_home, now_in
from tuiback.connectors.base import Change, Changed, Checkpoint, PartSource
from tuiback.engine.backups.backup import CONTAINERS_AT_ONCE, MOST_OF_A_SMALL_CONTAINER
from tuiback.model import Account, Container, Outcome, Owed, RemoteItem


async def test_first_run_stores_everything(rig: Rig) -> None:
    """The first run ends ok and its snapshot shows every message with its bytes."""
    report = await rig.run()
    assert report.outcome is Outcome.OK, report
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert report.counters.accounts == 1
    assert report.counters.items_new == 8


async def test_second_run_fetches_nothing(rig: Rig) -> None:
    """Nothing changed: each container is asked once, nothing is fetched, and the snapshot is verified anew."""
    await rig.run()
    rig.cloud.fetched.clear()
    rig.cloud.listed.clear()
    before = rig.archive.reader.points("mailbox:anna")[0]
    report = await rig.run()
    assert report.outcome is Outcome.OK
    assert rig.cloud.fetched == []
    assert sorted(rig.cloud.listed) == ["arc", "folders", "in"]
    (after,) = rig.archive.reader.points("mailbox:anna")
    assert after.taken_at == before.taken_at
    assert after.verified_until > before.verified_until


async def test_changes_make_a_snapshot_and_the_old_one_stays(rig: Rig) -> None:
    """New, changed, deleted and moved messages show in the next snapshot; the one before still shows the past."""
    box = rig.cloud.mailboxes["anna"]
    await rig.run()
    past = now_in(box)
    rig.cloud.fetched.clear()
    box.put("new", "in", b"fresh")
    box.put("m1", "in", b"text 1, edited")
    box.delete("m2")
    box.put("m3", "arc", b"text 3")
    report = await rig.run()
    assert report.outcome is Outcome.OK
    assert rig.listing() == now_in(box)
    assert rig.listing(seq=1) == past
    assert sorted(rig.cloud.fetched) == ["m1", "new"], "a move is never fetched again"
    assert report.counters.items_removed == 1


async def test_item_that_fails_is_owed_and_retried_first(rig: Rig) -> None:
    """One corrupt item leaves the rest ok, is owed with the service's request id, and comes in when it can."""
    rig.cloud.broken["m4"] = 1000
    report = await rig.run()
    assert report.outcome is Outcome.PARTIAL
    (owed,) = rig.archive.reader.owed("mailbox:anna")
    assert (owed.item_id, owed.tries, owed.request_id) == ("m4", 1, "req-1")
    assert len(rig.listing()) == 7
    assert (await rig.run()).outcome is Outcome.PARTIAL
    assert rig.archive.reader.owed("mailbox:anna")[0].tries == 2
    rig.cloud.broken.clear()
    rig.cloud.fetched.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.cloud.fetched == ["m4"]
    assert rig.archive.reader.owed("mailbox:anna") == ()
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])


async def test_owed_items_of_a_counted_folder_end_ok(rig: Rig) -> None:
    """Owed items that come in are counted once, when their folder's total is stated anew in the same run too."""
    box = rig.cloud.mailboxes["anna"]
    for name in ("m0", "m1", "m2"):
        rig.cloud.broken[name] = 1000
    await rig.run()
    rig.cloud.broken.clear()
    box.add_folder("in", "Inbox, renamed")
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(box)


async def test_partial_run_without_change_moves_no_date(rig: Rig) -> None:
    """A run that still owes something does not say that the last good snapshot was verified."""
    box = rig.cloud.mailboxes["anna"]
    await rig.run()
    before = rig.archive.reader.points("mailbox:anna")[0]
    rig.cloud.broken["late"] = 1000
    box.put("late", "in", b"late")
    assert (await rig.run()).outcome is Outcome.PARTIAL
    assert rig.archive.reader.points("mailbox:anna")[-1].verified_until == before.verified_until


async def test_expired_cursors_are_no_mass_deletion(rig: Rig) -> None:
    """After 410 everything is listed again and nothing fetched; only what is really gone ends."""
    box = rig.cloud.mailboxes["anna"]
    await rig.run()
    rig.cloud.fetched.clear()
    del box.mails["m5"]
    box.expire()
    report = await rig.run()
    assert report.outcome is Outcome.OK
    assert rig.cloud.fetched == []
    assert report.counters.items_removed == 1
    assert rig.listing() == now_in(box)


async def test_deleted_folder_takes_its_messages_along(rig: Rig) -> None:
    """A folder that is gone ends its messages, which the earlier snapshot still shows."""
    box = rig.cloud.mailboxes["anna"]
    await rig.run()
    box.drop_folder("arc")
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(box)
    assert "Archive/a0" in rig.listing(seq=1)


async def test_account_that_leaves_is_gone_and_kept(rig: Rig) -> None:
    """An account that leaves the tenant is marked gone with a date, and its snapshots stay."""
    await rig.run()
    rig.cloud.mailboxes["bert"] = anna()
    del rig.cloud.mailboxes["anna"]
    assert (await rig.run()).outcome is Outcome.OK
    (account,) = [a for a in rig.archive.reader.accounts() if a.account_id == "mailbox:anna"]
    assert account.state == "gone"
    assert account.gone_at is not None
    assert len(rig.listing()) == 8


async def test_move_behind_the_walk_is_no_loss(rig: Rig) -> None:
    """A message that moves into a folder already walked, out of one not yet walked, is in the snapshot all the same."""
    await rig.run()
    box = rig.cloud.mailboxes["anna"]
    first, last = [c.container_id for c in rig.archive.reader.containers("mailbox:anna") if c.kind == "messages"]
    mover = next(m for m in box.mails.values() if m.folder == last)

    class Moving(list[str]):
        def append(self, container_id: str) -> None:
            super().append(container_id)
            if container_id == last and mover.folder == last:
                box.put(mover.item_id, first, mover.data)

    rig.cloud.listed = Moving()
    rig.cloud.fetched.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(box)
    assert rig.listing().keys() >= {f"{box.folders[first]}/{mover.item_id}"}
    assert rig.cloud.fetched == []


class Hiding(Cloud):
    """Listings that leave one message out, whatever the folder's count says."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = "m6"

    async def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """See Connector."""
        async for change in super().changes(account, container):
            if not (isinstance(change, Changed) and change.item.item_id == self.hidden):
                yield change


@pytest.fixture
async def hiding(tmp_path: Path) -> AsyncIterator[tuple[Rig, Hiding]]:
    """A home whose service leaves a message out of its listings."""
    cloud = Hiding()
    cloud.mailboxes["anna"] = anna()
    rig = await Rig.open(make_home(tmp_path), cloud)
    yield rig, cloud
    await rig.archive.close()


async def test_missing_items_are_told(hiding: tuple[Rig, Hiding]) -> None:
    """Nothing is green by default: a folder that lists fewer items than the service states is told."""
    rig, _ = hiding
    report = await rig.run()
    assert report.outcome is Outcome.PARTIAL
    assert any("6 items listed, the service states 7" in line.text for line in rig.activity.recent())


async def test_missing_items_are_told_in_every_run(hiding: tuple[Rig, Hiding]) -> None:
    """A folder that lacks something stays told of while nothing in it changes, and is well again once it is whole."""
    rig, cloud = hiding
    await rig.run()
    before = rig.archive.reader.points("mailbox:anna")[-1]
    assert (await rig.run()).outcome is Outcome.PARTIAL
    assert rig.archive.reader.points("mailbox:anna")[-1] == before
    cloud.hidden = ""
    cloud.mailboxes["anna"].put("m6", "in", b"text 6")
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(cloud.mailboxes["anna"])


async def test_items_that_a_change_feed_missed_are_looked_for(hiding: tuple[Rig, Hiding]) -> None:
    """What a feed of changes never told is found by a listing of the whole folder in the same run."""
    rig, cloud = hiding
    box = cloud.mailboxes["anna"]
    cloud.hidden = "late"
    await rig.run()
    box.put("late", "in", b"late")
    assert (await rig.run()).outcome is Outcome.OK, "the folder says nothing of its count yet"
    cloud.hidden = ""
    cloud.fetched.clear()
    box.add_folder("in", "Inbox")
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(box)
    assert cloud.fetched == ["late"]


class Lagging(Cloud):
    """A change feed that lags behind the count: so many times the inbox tells nothing new."""

    lag = 0

    async def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """See Connector."""
        if container.container_id == "in" and self.lag:
            self.lag -= 1
            self.listed.append("in")
            yield Checkpoint(container.cursor, complete=True)
            return
        async for change in super().changes(account, container):
            yield change


async def test_an_item_that_is_counted_before_it_is_listed_costs_no_listing(tmp_path: Path) -> None:
    """The next changes bring it: a folder of a million is not listed anew for that."""
    cloud = Lagging()
    box = cloud.mailboxes["anna"] = anna()
    rig = await Rig.open(make_home(tmp_path), cloud)
    await rig.run()
    box.put("late", "in", b"late")
    box.add_folder("in", "Inbox")
    cloud.lag = 1
    cloud.listed.clear()
    report = await rig.run()
    assert (report.outcome, report.counters.items_unchanged) == (Outcome.OK, 0)
    assert cloud.listed.count("in") == 2
    assert rig.listing() == now_in(box)
    await rig.archive.close()


@pytest.mark.parametrize("at", range(1, 12))
async def test_stop_at_any_fetch_loses_nothing(tmp_path: Path, at: int) -> None:
    """A run stopped in mid-fetch is cancelled; the next one ends with everything and fetches only what is missing."""
    rig = await Rig.open(make_home(tmp_path))
    rig.cloud.mailboxes["anna"] = anna()
    run = rig.new_run()

    class Stopping(list[str]):
        def append(self, item_id: str) -> None:
            super().append(item_id)
            if len(self) == at:
                run.stop()

    rig.cloud.fetched = Stopping()
    report = await run.execute()
    assert report.outcome is (Outcome.CANCELLED if at <= 8 else Outcome.OK)
    stored = {i.item_id for i in rig.archive.reader.known("mailbox:anna", list(anna().mails)).values()}
    rig.cloud.fetched = []
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert not stored & set(rig.cloud.fetched), "what was committed is not fetched twice"
    await rig.archive.close()


step = st.tuples(
    st.sampled_from(["put", "put", "delete", "move", "folder", "expire", "break", "run", "stop"]), st.integers(0, 5)
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True)
@given(steps=st.lists(step, max_size=12))
async def test_any_history_ends_equal_to_the_mailbox(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Whatever happens between and during runs, a complete run leaves the newest snapshot equal to the mailbox."""
    rig = await Rig.open(make_home(tmp_path_factory.mktemp("history")))
    box = rig.cloud.mailboxes["anna"] = anna()
    try:
        for number, (what, n) in enumerate(steps):
            await _take(rig, what, n, number)
        rig.cloud.broken.clear()
        assert (await rig.run()).outcome is Outcome.OK
        assert rig.listing() == now_in(box)
    finally:
        await rig.archive.close()


async def _take(rig: Rig, what: str, n: int, number: int) -> None:
    box = rig.cloud.mailboxes["anna"]
    mails = sorted(box.mails)
    folders = sorted(box.folders)
    match what:
        case "put":
            box.put(f"p{n}", folders[n % len(folders)], f"put {number}".encode())
        case "delete" if mails:
            box.delete(mails[n % len(mails)])
        case "move" if mails:
            mail = box.mails[mails[n % len(mails)]]
            box.put(mail.item_id, folders[number % len(folders)], mail.data)
        case "folder":
            box.add_folder(f"f{n}", f"Folder {number}")
        case "expire":
            box.expire()
        case "break" if mails:
            rig.cloud.broken[mails[n % len(mails)]] = 3
        case "run":
            await rig.run()
        case "stop":
            run = rig.new_run()
            rig.cloud.fetched = _StopsAt(run.stop, n + 1)
            await run.execute()
            rig.cloud.fetched = []


class _StopsAt(list[str]):
    def __init__(self, stop, at: int) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self._stop, self._at = stop, at

    def append(self, item_id: str) -> None:
        super().append(item_id)
        if len(self) == self._at:
            self._stop()


class Overtaken(Cloud):
    """Lists the archive first; then m1 moves from there to the inbox, which shows it as well."""

    def __init__(self, *, stale_last: bool) -> None:
        super().__init__()
        self.mailboxes = {"anna": anna()}
        self.mailboxes["anna"].put("m1", "arc", b"text 1")
        self._stale_last = stale_last
        self._archive_is_listed = asyncio.Event()
        self._is_fetched = asyncio.Event()

    async def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """See Connector."""
        if container.container_id == "in":
            await self._archive_is_listed.wait()
            self._box(account).put("m1", "in", b"text 1")
        told = [change async for change in super().changes(account, container)]
        if container.container_id == "arc":
            self._archive_is_listed.set()
        if container.container_id == ("arc" if self._stale_last else "in"):
            await self._is_fetched.wait()
        for change in told:
            yield change

    async def content(self, account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        """See Connector."""
        async for part in super().content(account, item):
            yield part
        if item.item_id == "m1":
            self._is_fetched.set()

    async def refresh(self, account: Account, owed: Owed) -> RemoteItem | None:
        """See Connector: what moved is told by the listing of its new folder."""
        mail = self._box(account).mails[owed.item_id]
        return self._mail_item(mail) if mail.folder == owed.container_id else None


@pytest.mark.parametrize("stale_last", [True, False])
async def test_what_two_folders_show_is_where_the_service_says(tmp_path: Path, *, stale_last: bool) -> None:
    """Folders are listed side by side, and what moves meanwhile must not come back to where it was."""
    rig = await Rig.open(make_home(tmp_path), Overtaken(stale_last=stale_last))
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    await rig.archive.close()


class SideBySide(Cloud):
    """Listings and counts that go on once so many of their kind have begun; `most` were under way at once."""

    def __init__(self, needed: Mapping[str, int]) -> None:
        super().__init__()
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._needed = needed
        self._enough = {kind: asyncio.Event() for kind in needed}

    async def changes(self, account: Account, container: Container) -> AsyncIterator[Change]:
        """See Connector."""
        await self._together(container.name.partition(" ")[0])
        async for change in super().changes(account, container):
            yield change

    async def expected_items(self, account: Account, container: Container) -> int | None:
        """See Connector."""
        await self._together("counted")
        return await super().expected_items(account, container)

    def _folder_item(self, box: Mailbox, folder_id: str) -> RemoteItem:
        """More is stated than is there, as when something was deleted meanwhile."""
        item = super()._folder_item(box, folder_id)
        stated = 1 if item.name.startswith("small") else MOST_OF_A_SMALL_CONTAINER + 1
        return msgspec.structs.replace(item, attrs=(("total", str(stated)),))

    async def _together(self, kind: str) -> None:
        if kind not in self._needed:
            return
        self._now[kind] += 1
        self.most[kind] = max(self.most[kind], self._now[kind])
        if self._now[kind] == self._needed[kind]:
            self._enough[kind].set()
        async with asyncio.timeout(30):
            await self._enough[kind].wait()
        self._now[kind] -= 1


async def test_small_folders_are_listed_side_by_side(tmp_path: Path) -> None:
    """One that waits for its service keeps no other waiting; of large ones only few are in memory at once."""
    needed = {"small": 12, "large": CONTAINERS_AT_ONCE, "counted": 24}
    cloud = SideBySide(needed)
    box = cloud.mailboxes["anna"] = Mailbox()
    for number in range(12):
        box.add_folder(f"s{number}", f"small {number}")
        box.add_folder(f"l{number}", f"large {number}")
    rig = await Rig.open(make_home(tmp_path), cloud)
    assert (await rig.run()).outcome is Outcome.OK
    assert cloud.most == needed
    await rig.archive.close()
