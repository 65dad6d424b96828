"""Prunes beside backups: what is stored while packs leave is kept, proven, or fetched again."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.cloud import Cloud, Mailbox
from tests.engine.rig import SECRET, Rig, anna, make_home, now_in
from tests.engine.upkeep.test_pruning import a_day_passes, big, grown, is_whole, keep, prune, pruner, stored
from tests.store.doubles import DictIndex, body, version
from tuiback.catalog import Sieve
from tuiback.connectors.base import PartSource
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.archives.rebuilding import remove_database
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home
from tuiback.engine.progress import Progress
from tuiback.engine.upkeep.pins import Pins
from tuiback.engine.upkeep.prune_plan import PrunePlan
from tuiback.engine.upkeep.prune_report import PruneReport
from tuiback.engine.upkeep.pruning import Pruner
from tuiback.errors import EnvironmentFault, Overtaken, StorageFull
from tuiback.model import Account, Kind, Owed, RemoteItem, StoredPart, VersionOpened
from tuiback.store import Writer, gc
from tuiback.store.pack import pack_name

DEBT = Owed("mailbox:anna", "in", "", Kind.MESSAGE, "in", datetime(2026, 11, 23, tzinfo=UTC), 1, "500")
# What "m0" once was, and what no version needs any more after the prune's own expiry.
OLD = big(1)


class Meanwhile(Pruner):
    """A prune in which something happens after it was found out what is needed, before it is decided."""

    happens: Callable[[], Awaitable[None]]

    async def _repack(self, plan: PrunePlan, sieve: Sieve, progress: Progress) -> list[str]:
        replaced = await super()._repack(plan, sieve, progress)
        await self.happens()
        return replaced


async def prune_while(rig: Rig, happens: Callable[[], Awaitable[None]]) -> PruneReport:
    """Prune while that happens."""
    pruning = Meanwhile(rig.archive, SystemClock(), is_held=Pins().__contains__)
    pruning.happens = happens
    return await pruning.prune(Progress())


async def end_all(rig: Rig) -> None:
    """Delete what has been decided."""
    a_day_passes(rig)
    await rig.run()
    assert (await prune(rig)).freed_bytes


def opened(item_id: str, part: StoredPart) -> VersionOpened:
    """A new mail in Anna's inbox."""
    return VersionOpened(
        "mailbox:anna", 99, item_id, "in", Kind.MESSAGE, "in", f"subject {item_id}", part.size, "", "1", "", (part,), ()
    )


async def test_a_run_beside_a_prune_keeps_what_it_rests_on(rig: Rig) -> None:
    """A run that stores what has just become unneeded has its pack spared; nothing is fetched twice or lost."""
    await grown(rig)
    await keep(rig, "1v")
    box = rig.cloud.mailboxes["anna"]

    async def run() -> None:
        box.put("again", "in", OLD)
        assert (await rig.run()).error is None

    await prune_while(rig, run)
    assert rig.archive.reader.owed() == ()
    await end_all(rig)
    assert rig.listing() == now_in(box)
    assert is_whole(rig)


class Waiting(Cloud):
    """Serves nothing until it may."""

    def __init__(self, mailboxes: dict[str, Mailbox]) -> None:
        super().__init__()
        self.mailboxes = mailboxes
        self.asked = asyncio.Event()
        self.may = asyncio.Event()

    async def content(self, account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        """See Connector."""
        self.asked.set()
        await self.may.wait()
        async for part in super().content(account, item):
            yield part


async def test_a_run_that_outlasts_a_prune(rig: Rig) -> None:
    """It began before the prune and goes on after it: nothing of it is lost, and nothing of what it had to do."""
    await grown(rig)
    await keep(rig, "1v")
    box = rig.cloud.mailboxes["anna"]
    box.put("again", "in", OLD)
    rig.cloud = waiting = Waiting(rig.cloud.mailboxes)
    running = asyncio.ensure_future(rig.run())
    await waiting.asked.wait()
    assert (await prune(rig)).expired.versions == 7
    assert not running.done()
    waiting.may.set()
    assert (await running).error is None
    await end_all(rig)
    assert rig.listing() == now_in(box)
    assert is_whole(rig)


async def test_what_is_staged_at_the_decision_is_spared(rig: Rig) -> None:
    """The commit between intent and accept finds what it needs in a pack that was to go."""
    await grown(rig)
    await keep(rig, "1v")

    async def stage() -> None:
        part = await rig.archive.writer.put("mailbox:anna", "message", "mime", OLD)
        rig.archive.committer.stage_version(opened("again", part))

    await prune_while(rig, stage)
    await end_all(rig)
    (known,) = rig.archive.reader.known("mailbox:anna", ["again"]).values()
    assert rig.archive.content.read_all(known.parts[0]) == OLD
    assert is_whole(rig)


async def test_what_comes_too_late_is_owed_and_fetched_again(rig: Rig) -> None:
    """A version that was stored before the packs went and is staged after that lacks its content: it is owed."""
    await grown(rig)
    await keep(rig, "1v")
    box = rig.cloud.mailboxes["anna"]
    parts: list[StoredPart] = []

    async def store() -> None:
        parts.append(await rig.archive.writer.put("mailbox:anna", "message", "mime", OLD))

    with rig.archive.under_way.run():
        await prune_while(rig, store)
        rig.archive.committer.stage_version(opened("again", parts[0]))
        await rig.archive.committer.commit()
    assert rig.archive.reader.known("mailbox:anna", ["again"]) == {}
    (owed,) = rig.archive.reader.owed()
    assert (owed.item_id, owed.kind, owed.tries) == ("again", Kind.MESSAGE, 0)
    box.put("again", "in", OLD)
    assert (await rig.run()).error is None
    assert rig.archive.reader.owed() == ()
    await end_all(rig)
    assert rig.listing() == now_in(box)
    assert is_whole(rig)


async def test_what_a_run_in_progress_has_stored_stays(rig: Rig) -> None:
    """A long file is in packs long before a version names it: the prune leaves these packs alone."""
    await grown(rig)
    await keep(rig, "1v")
    with rig.archive.under_way.run():
        part = await rig.archive.writer.put("mailbox:anna", "message", "mime", big(4711))
        rig.archive.committer.stage_owed(replace(DEBT, item_id="other"))
        await rig.archive.committer.commit()
        await prune(rig)
        rig.archive.committer.stage_version(opened("long", part))
        await rig.archive.committer.commit()
    assert [owed.item_id for owed in rig.archive.reader.owed()] == ["other"]
    (known,) = rig.archive.reader.known("mailbox:anna", ["long"]).values()
    assert rig.archive.content.read_all(known.parts[0]) == big(4711)
    assert not rig.archive.under_way.packs()


async def test_a_decision_that_fails_changes_nothing(rig: Rig) -> None:
    """Without space for the final list everything counts as before, in this process too, and the next prune decides."""
    await grown(rig)
    await keep(rig, "1v")
    packs = rig.archive.pack_ids()

    def full(name: str) -> None:
        if name == "barred":
            raise StorageFull("no space left")

    with pytest.raises(StorageFull):
        await prune(rig, full)
    assert packs < rig.archive.pack_ids()
    assert rig.archive.committer.generation == 1
    rig.cloud.mailboxes["anna"].put("again", "in", OLD)
    assert (await rig.run()).error is None
    assert is_whole(rig)
    await prune(rig)
    await end_all(rig)
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert is_whole(rig)


async def test_a_held_account_keeps_everything(rig: Rig) -> None:
    """While a restore reads from an account, nothing of it expires; afterwards it does."""
    await grown(rig)
    await keep(rig, "1v")
    pins = Pins()
    with pins.hold(["mailbox:anna"]), pins.hold(["mailbox:anna"]):
        assert (await pruner(rig, pins=pins).prune(Progress())).expired.versions == 0
    assert (await pruner(rig, pins=pins).prune(Progress())).expired.versions == 7


async def test_a_dry_run_changes_nothing(rig: Rig) -> None:
    """It tells what would expire, and leaves every object and row as it is."""
    await grown(rig)
    await keep(rig, "1v")
    before = stored(rig, "packs") | stored(rig, "commits") | stored(rig, "segments") | stored(rig, "gc")
    report = await pruner(rig).preview()
    assert (report.expired.versions, report.expired.points, report.expired.last_copies) == (7, 4, 1)
    assert (report.freed_bytes, report.retained_bytes, report.leaves_at) == (0, 0, None)
    assert stored(rig, "packs") | stored(rig, "commits") | stored(rig, "segments") | stored(rig, "gc") == before
    assert len(rig.archive.reader.points("mailbox:anna")) == 5


async def test_a_dry_run_tells_the_space_that_a_prune_finds(rig: Rig) -> None:
    """What only expiring versions need counts as space that can go; what else lies in their packs is written anew."""
    await grown(rig)
    assert (await pruner(rig).preview()).reclaimable_bytes == 0
    await keep(rig, "1v")
    would = await pruner(rig).preview()
    found = await prune(rig)
    # The decision counts whole packs, and what else becomes superfluous.
    assert found.reclaimable_bytes / 2 < would.reclaimable_bytes <= found.reclaimable_bytes


async def test_another_engine_that_prunes(rig: Rig) -> None:
    """Its announcement ends the run and refuses our prune until it has decided; then the next run goes on."""
    await rig.run()
    box, objects = rig.cloud.mailboxes["anna"], rig.archive.repository.objects
    gc.put_intent(objects, gc.Intent(1, "other", (), (), ()))
    box.put("new", "in", b"new text")
    error = (await rig.run()).error
    assert isinstance(error, Overtaken)
    assert re.search("is given up at 20..-..-.. ..:.. UTC", error.remedy)
    with pytest.raises(EnvironmentFault, match="another engine"):
        await prune(rig)
    await rig.archive.mend()
    assert isinstance((await rig.run()).error, Overtaken)
    gc.put_accept(objects, gc.Accept(1, "other", (), (), rig.archive.repository.heads()))
    await rig.archive.mend()
    assert (await rig.run()).error is None
    assert rig.listing() == now_in(box)
    assert is_whole(rig)


async def second_home(rig: Rig, path: Path) -> Rig:
    """Another home on the same repository, with a tenant of its own."""
    home = Home.create(path / "second", mounts=(("/", "ext4"),))
    ref = msgspec.structs.replace(rig.archive.ref, catalog=str(home.default_catalog_folder("main")))
    home.add_repository(ref)
    other = await Rig.open(home, Cloud())
    other.cloud.mailboxes["carl"] = anna()
    other.runs = 100
    return other


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_paused_writer_that_wakes_after_a_prune(rig: Rig, tmp_path: Path, restarted: bool) -> None:
    """What it commits without knowing of the prune is void for all; its next run stores that again."""
    await grown(rig)
    await keep(rig, "1v")
    asleep = await second_home(rig, tmp_path)
    await prune(rig)
    await end_all(rig)
    asleep.cloud.mailboxes["carl"].put("same", "in", OLD)
    assert isinstance((await asleep.run()).error, Overtaken)
    assert is_whole(rig)
    if restarted:
        await asleep.archive.close()
        asleep = await Rig.open(asleep.home, asleep.cloud)
    await asleep.archive.mend()
    assert not asleep.archive.reader.points("mailbox:carl")
    assert (await asleep.run()).error is None
    assert asleep.listing("mailbox:carl") == now_in(asleep.cloud.mailboxes["carl"])
    await asleep.archive.close()
    assert is_whole(rig)
    fresh = open_repository(rig.archive.ref, SECRET, SystemClock(), to_write=False)
    assert {commit.head.writer for commit in fresh.commits()} >= {asleep.archive.writer_id}
    await prune(rig)
    assert is_whole(rig)


async def test_a_stray_pack_that_is_committed_at_the_last_moment_stays(rig: Rig) -> None:
    """Another home paused for a day between storing and committing: what its commit names does not leave."""
    await grown(rig)
    await keep(rig, "1v")
    repository = rig.archive.repository
    with ThreadPoolExecutor(1) as executor, closing(Writer(repository, DictIndex(), executor)) as writer:
        part = await writer.put("mailbox:ann", "message", "mime", b"of another home")
        (table,) = await writer.flush()
    a_day_passes(rig)

    def step(name: str) -> None:
        if name == "barred":
            repository.append("other", None, [table.pack_id], body(version("m", part)))

    await prune(rig, step)
    newest = gc.read_rounds(repository.objects)[-1]
    assert newest.intent is not None
    assert newest.intent.stray == (pack_name(table.pack_id),)
    assert newest.accept is not None
    assert pack_name(table.pack_id) not in newest.accept.doomed
    assert newest.accept.doomed


async def test_a_catalog_that_slept_through_prunes_knows_no_pack_that_is_gone(tmp_path: Path) -> None:
    """Nothing tells of an old prune any more but the checkpoint: equal content is stored anew, not taken for there."""
    rig = await Rig.open(make_home(tmp_path))
    rig.cloud.mailboxes["anna"] = anna()
    await grown(rig)
    await keep(rig, "1v")
    path = rig.home.catalog_path("main")

    def keep_catalog(name: str) -> None:
        # What will be there when that prune has long been forgotten: the commits from here on.
        if name == "announced":
            for suffix in ("", "-wal"):
                shutil.copy(f"{path}{suffix}", f"{path}.old{suffix}")

    await prune(rig, keep_catalog)
    await end_all(rig)
    assert next(told.generation for told in gc.read_rounds(rig.archive.repository.objects)) > 1
    await rig.archive.close()
    remove_database(path)
    for suffix in ("", "-wal"):
        shutil.move(f"{path}.old{suffix}", f"{path}{suffix}")
    rig = await Rig.open(rig.home, rig.cloud)
    assert rig.archive.pack_ids() <= {name.rpartition("/")[2] for name in stored(rig, "packs")}
    rig.cloud.mailboxes["anna"].put("again", "in", OLD)
    assert (await rig.run()).error is None
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert is_whole(rig)
    await rig.archive.close()
