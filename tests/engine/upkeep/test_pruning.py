"""Prunes: what expires is gone after the grace, whatever runs beside it and wherever it is cut off."""

import asyncio
import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.rig import TASK, Rig, anna, now_in
from tests.opened import files_with, objects_with
from tuiback.catalog import same_content
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.engine.clock import SystemClock
from tuiback.engine.progress import Progress
from tuiback.engine.upkeep.pins import Pins
from tuiback.engine.upkeep.prune_report import PruneReport
from tuiback.engine.upkeep.pruning import Pruner
from tuiback.model import ControlRow, Expired
from tuiback.store.check import check

DAY_SECONDS = 25 * 3600


async def keep(rig: Rig, rule: str, keep_gone: str = "forever") -> None:
    """Make it the task's rule."""
    task = replace(TASK, keep=rule, keep_gone=keep_gone)
    rig.archive.committer.stage_control(ControlRow("task", TASK.name, msgspec.json.encode(task)))
    await rig.archive.committer.commit()


def pruner(
    rig: Rig,
    step: Callable[[str], None] | None = None,
    pins: Pins | None = None,
    clock: SystemClock | None = None,
) -> Pruner:
    """A prune of the rig's archive while no run is under way."""
    held = (pins or Pins()).__contains__
    return Pruner(rig.archive, clock or SystemClock(), is_held=held, step=step)


async def prune(rig: Rig, step: Callable[[str], None] | None = None) -> PruneReport:
    """Prune to the end."""
    return await pruner(rig, step).prune(Progress())


def a_day_passes(rig: Rig) -> None:
    """Everything that lies in the repository is a day older by the store's time."""
    for path in Path(rig.archive.repository.url).rglob("*"):
        earlier = path.stat().st_mtime - DAY_SECONDS
        os.utime(path, (earlier, earlier))


def stored(rig: Rig, folder: str) -> set[str]:
    """The objects that lie in a folder of the repository."""
    return set(rig.archive.repository.backend.list(f"{folder}/"))


def is_whole(rig: Rig) -> bool:
    """Whether a full check finds nothing."""
    report = check(rig.archive.repository, read_data=True)
    assert report.damaged == ()
    return report.ok


def big(seed: int) -> bytes:
    """Text that can't be compressed away."""
    return random.Random(seed).randbytes(30_000).hex().encode()


async def grown(rig: Rig) -> None:
    """Five runs: each changes a mail, adds one and removes another."""
    box = rig.cloud.mailboxes["anna"]
    for number in range(5):
        box.put("m0", "in", big(number))
        box.put(f"new{number}", "in", big(100 + number))
        if number:
            box.delete(f"new{number - 1}")
        report = await rig.run()
        assert report.error is None


async def test_what_expires_leaves_after_the_grace(rig: Rig) -> None:
    """Space is decided on first, freed a day later, and what is kept reads back; nothing is left over."""
    await grown(rig)
    await keep(rig, "1v")
    before = rig.archive.repository.stored_bytes()
    first = await prune(rig)
    assert (first.expired.versions, first.freed_bytes, first.retained_bytes) == (7, 0, 0)
    assert first.reclaimable_bytes > 150_000
    assert first.leaves_at is not None
    assert is_whole(rig)
    second = await prune(rig)
    assert second.freed_bytes == 0
    a_day_passes(rig)
    third = await prune(rig)
    assert third.freed_bytes >= first.reclaimable_bytes
    assert rig.archive.repository.stored_bytes() < before - 150_000
    assert is_whole(rig)
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])


class Killed(BaseException):
    """The process ends here."""


class KilledWhileDeleting(Progress):
    """Ends the process behind so many deletions."""

    def reach(self, done: int, total: int) -> None:
        """See Progress."""
        if self.what.startswith("deleting") and done:
            raise Killed
        super().reach(done, total)


async def end(rig: Rig) -> None:
    """End as a killed process does: nothing that was only staged is kept."""
    rig.archive._committing.cancel()
    await asyncio.wait([rig.archive._committing])
    rig.archive._writer.close()


async def died(rig: Rig) -> Rig:
    """The home as the next process finds it."""
    await end(rig)
    return await Rig.open(rig.home, rig.cloud)


async def change(rig: Rig, number: int) -> None:
    """Back some changes up: a mail grows, one is added, the one of the last time goes."""
    box = rig.cloud.mailboxes["anna"]
    box.put("m0", "in", big(1000 + number))
    box.put(f"more{number}", "in", big(2000 + number))
    if f"more{number - 1}" in box.mails:
        box.delete(f"more{number - 1}")
    report = await rig.run()
    assert report.error is None


STEPS = (
    "deleted", "expired", "checkpoint written", "checkpointed", "packs written", "repacked", "announced", "forgotten",
    "barred", "decided", "rounds forgotten",
)  # fmt: skip


@pytest.mark.timeout(180)
async def test_killed_at_each_step(rig: Rig) -> None:
    """Whatever step was the last one, nothing committed is lost, the check is clean, and the next prunes finish."""
    await grown(rig)
    await keep(rig, "1v")
    for number, last in enumerate(STEPS):
        await change(rig, number)
        reached: list[str] = []

        def step(name: str, last: str = last, reached: list[str] = reached) -> None:
            reached.append(name)
            if name == last:
                raise Killed

        with pytest.raises(Killed):
            await prune(rig, step)
        assert reached[-1] == last
        rig = await died(rig)
        assert is_whole(rig)
        assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    await change(rig, len(STEPS))
    for _ in range(3):
        await prune(rig)
        a_day_passes(rig)
    assert is_whole(rig)
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert [len(stored(rig, folder)) for folder in ("packs", "segments", "gc")] == [1, 3, 2]
    assert rig.archive.repository.stored_bytes() < 150_000
    await rig.archive.close()


async def test_what_expired_is_in_no_object(rig: Rig) -> None:
    """Neither names nor content of what expired can be found with all keys, also where others share an object."""
    rig.cloud.mailboxes["bert"] = anna()
    for number in range(150):
        rig.cloud.mailboxes["bert"].put(f"of-bert-{number}", "in", b"so much that a change is little")
    box = rig.cloud.mailboxes["anna"]
    box.put("secret-mail", "in", b"the plan of the century")
    await rig.run()
    await keep(rig, "1v")
    await prune(rig)
    box.delete("secret-mail")
    await rig.run()
    rig.cloud.mailboxes["bert"].put("later", "in", b"something else")
    await rig.run()
    box.put("another", "in", b"so that there is one more point")
    await rig.run()
    pins = Pins()
    with pins.hold(["mailbox:bert"]):
        for _ in range(3):
            await pruner(rig, pins=pins).prune(Progress())
            a_day_passes(rig)
    for text in (b"secret-mail", b"plan of the century"):
        assert objects_with(rig.archive.repository, text) == []
        assert files_with(rig.archive.catalog_path.parent, text) == []
    assert objects_with(rig.archive.repository, b"something else") != []
    assert len(rig.archive.reader.points("mailbox:bert")) == 2
    assert is_whole(rig)


class InAMonth(SystemClock):
    """31 days ahead, or as far as a test says."""

    ahead = timedelta(days=31)

    def now(self) -> datetime:
        """See Clock."""
        return super().now() + self.ahead


async def test_an_account_that_ran_out_is_nowhere(rig: Rig) -> None:
    """Its address, names and content leave the repository and the catalog; who shared objects with it keeps all."""
    rig.cloud.mailboxes["bert"] = anna()
    rig.cloud.mailboxes["bert"].put("bert-1", "in", b"only bert had this")
    await rig.run()
    await keep(rig, "all", keep_gone="30d")
    await prune(rig)
    del rig.cloud.mailboxes["bert"]
    await rig.run()
    assert objects_with(rig.archive.repository, b"bert@example.com")
    for _ in range(2):
        report = await pruner(rig, clock=InAMonth()).prune(Progress())
        a_day_passes(rig)
        await rig.run()
    assert report.freed_bytes
    await prune(rig)
    for text in (b"bert@example.com", b"bert-1", b"only bert had this", b"mailbox:bert"):
        assert objects_with(rig.archive.repository, text) == []
        assert files_with(rig.archive.catalog_path.parent, text) == []
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert is_whole(rig)


async def test_what_stood_when_it_was_asked_for_stays(rig: Rig) -> None:
    """A month goes by in the first step: what runs out meanwhile is given up by the next prune, not by this one."""
    rig.cloud.mailboxes["bert"] = anna()
    await rig.run()
    await keep(rig, "all", keep_gone="30d")
    del rig.cloud.mailboxes["bert"]
    await rig.run()
    clock = InAMonth()
    clock.ahead = timedelta()

    def step(_name: str) -> None:
        clock.ahead = timedelta(days=31)

    report = await pruner(rig, step, clock=clock).prune(Progress())
    assert report.expired.accounts == 0
    report = await pruner(rig, clock=clock).prune(Progress())
    assert report.expired.accounts == 1


async def test_killed_while_deleting(rig: Rig) -> None:
    """What was not deleted yet is deleted by the next prune; nothing that is kept is missed."""
    await grown(rig)
    await keep(rig, "1v")
    first = await prune(rig)
    a_day_passes(rig)
    with pytest.raises(Killed):
        await pruner(rig).prune(KilledWhileDeleting())
    rig = await died(rig)
    assert is_whole(rig)
    second = await prune(rig)
    assert 0 < second.freed_bytes < first.reclaimable_bytes
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert is_whole(rig)
    await rig.archive.close()


async def test_a_rebuilt_catalog_equals_the_pruned_one(rig: Rig, tmp_path: Path) -> None:
    """Before the deletion and after it, and with the old commits gone, a stranger learns the same."""
    await grown(rig)
    await keep(rig, "2v")
    for _ in range(2):
        await prune(rig)
        rebuilt = tmp_path / "rebuilt.db"
        rebuild_catalog(rebuilt, rig.archive.repository)
        assert same_content(rig.archive.catalog_path, rebuilt) == []
        a_day_passes(rig)
        await change(rig, 1)
    assert is_whole(rig)


async def test_an_account_given_up_between_prunes_is_nowhere(rig: Rig) -> None:
    """As when its task is removed with its data: the next prune notices, though it gave nothing up itself."""
    rig.cloud.mailboxes["bert"] = anna()
    rig.cloud.mailboxes["bert"].put("bert-1", "in", b"only bert had this")
    await rig.run()
    await prune(rig)
    del rig.cloud.mailboxes["bert"]
    rig.archive.committer.stage_expired(Expired("mailbox:bert", whole=True))
    await rig.archive.committer.commit()
    for _ in range(2):
        assert (await prune(rig)).expired.versions == 0
        a_day_passes(rig)
        await rig.run()
    await prune(rig)
    for text in (b"bert@example.com", b"bert-1", b"only bert had this"):
        assert objects_with(rig.archive.repository, text) == []
        assert files_with(rig.archive.catalog_path.parent, text) == []
    assert is_whole(rig)
