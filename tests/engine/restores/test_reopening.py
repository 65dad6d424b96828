"""Jobs are come back to: what was cut off goes on, and what a restore wrote is taken away again."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from tests.engine.rig import Rig, make_home, now_in
from tuiback.catalog import State
from tuiback.connectors.base import Connector, ItemSource, Written
from tuiback.engine.commands import Check, Export, Prune, Restore, ResumeJob, Selection, UndoJob
from tuiback.engine.restores.jobs import Jobs
from tuiback.engine.restores.reopening import Reopening
from tuiback.engine.settings.registry import Registry
from tuiback.engine.upkeep.holds import Holds
from tuiback.errors import MicrosoftRefuses, NoSuchThing, UsageError
from tuiback.model import Account, Outcome

EVERYTHING = (Selection(account_id="mailbox:anna", seq=1),)
Write = Callable[..., Awaitable[Written]]


class Desk:
    """The jobs of a rig, and the way back to them."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.box = rig.cloud.mailboxes["anna"]
        archives, clock = {"main": rig.archive}, rig.activity._clock
        registry = cast("Registry", self)
        self.jobs = Jobs(archives, registry, Holds(archives, registry, clock), rig.activity, clock)
        self.reopening = Reopening(archives, registry, self.jobs)

    def connector_for_kind(self, tenant: str, kind: str) -> Connector:
        """The only one there is."""
        return self.rig.cloud

    async def cut_off(self, command: Restore, after: int, monkeypatch: pytest.MonkeyPatch, *, written: bool) -> None:
        """The restore ends while its items are written: `written` tells whether the last one came through."""
        write: Write = self.rig.cloud.restore_item
        sent = 0

        async def some(account: Account, parent_id: str, item: ItemSource, **rest: str) -> Written:
            nonlocal sent
            sent += 1
            if sent <= after or (written and sent == after + 1):
                done = await write(account, parent_id, item, **rest)
            if sent > after:
                raise MicrosoftRefuses("the power fails")
            return done

        with monkeypatch.context() as patch:
            patch.setattr("tuiback.engine.restores.restore.ITEMS_AT_ONCE", 1)
            patch.setattr(self.rig.cloud, "restore_item", some)
            with pytest.raises(MicrosoftRefuses):
                await self.jobs.restore(command)


@pytest.fixture
async def desk(rig: Rig) -> Desk:
    """Anna's mailbox is backed up."""
    await rig.run()
    return Desk(rig)


@pytest.mark.parametrize("place", ["new-folder", "new-folder:Back"])
@pytest.mark.parametrize("written", [False, True])
async def test_a_restore_goes_on_where_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, place: str, written: bool
) -> None:
    """As the same job and into the same folder; nothing is written twice, whatever the moment it was cut off in."""
    before = now_in(desk.box)
    await desk.cut_off(Restore(selections=EVERYTHING, place=place), 3, monkeypatch, written=written)
    answer = await desk.reopening.resume(ResumeJob(job=1))
    assert (answer["job"], answer["outcome"], answer["failed"]) == (1, "ok", 0)
    back = [data for key, data in now_in(desk.box).items() if key not in before]
    assert sorted(back) == sorted(before.values())
    assert (await desk.rig.archive.with_state(State.job, 1)).outcome is Outcome.OK
    with pytest.raises(UsageError, match="nothing left"):
        await desk.reopening.resume(ResumeJob(job=1))


async def test_what_failed_is_tried_again(desk: Desk) -> None:
    """A restore that left something undone is brought to its end."""
    desk.rig.cloud.broken["m3"] = 1
    assert (await desk.jobs.restore(Restore(selections=EVERYTHING)))["outcome"] == "partial"
    desk.rig.cloud.broken.clear()
    answer = await desk.reopening.resume(ResumeJob(job=1))
    assert (answer["outcome"], answer["restored"]) == ("ok", 8)
    assert len(desk.box.mails) == 16


async def test_a_restore_is_undone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that it wrote goes, and nothing else; what somebody has edited or deleted since is left alone."""
    before = now_in(desk.box)
    await desk.jobs.restore(Restore(selections=EVERYTHING))
    answer = await desk.reopening.undo(UndoJob(job=1))
    assert (answer["job"], answer["outcome"], answer["removed"], answer["kept"]) == (2, "ok", 8, 0)
    assert now_in(desk.box) == before
    await desk.jobs.restore(Restore(selections=EVERYTHING, place="new-folder:Again"))
    new = sorted(item_id for item_id in desk.box.mails if item_id.startswith("restored-"))
    desk.box.mails[new[0]].data = b"edited since"
    desk.box.delete(new[1])
    answer = await desk.reopening.undo(UndoJob(job=3))
    assert [answer[name] for name in ("outcome", "removed", "gone", "kept")] == ["partial", 6, 1, 1]
    assert desk.box.mails.keys() - before.keys() >= {new[0]}
    assert "no longer as it was restored" in str(answer["errors"])


async def test_what_was_replaced_does_not_come_back(desk: Desk) -> None:
    """An item that took another's place stays, and that is said; what was only added goes."""
    desk.box.delete("m0")
    desk.box.mails["m1"].data = b"edited since"
    await desk.jobs.restore(Restore(selections=EVERYTHING, place="in-place", on_conflict="overwrite"))
    answer = await desk.reopening.undo(UndoJob(job=1))
    assert (answer["removed"], answer["kept"]) == (1, 1)
    assert "took the place of another" in str(answer["errors"])


async def test_nobody_knows_what_became_of_the_last_item(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoing a restore that was cut off says where to look."""
    await desk.cut_off(Restore(selections=EVERYTHING), 3, monkeypatch, written=True)
    answer = await desk.reopening.undo(UndoJob(job=1))
    assert (answer["outcome"], answer["removed"], answer["kept"]) == ("partial", 3, 1)
    assert "nobody knows" in str(answer["errors"])


async def test_an_export_goes_on(desk: Desk, tmp_path: Path) -> None:
    """Its own files are no obstacle."""
    desk.rig.cloud.broken.clear()
    to = tmp_path / "out"
    await desk.jobs.export(Export(selections=EVERYTHING, to=str(to)))
    await desk.rig.archive.with_state(State.reopen_job, 1, desk.rig.activity._clock.now())
    (to / "tuiback-manifest.jsonl").unlink()
    answer = await desk.reopening.resume(ResumeJob(job=1))
    assert (answer["job"], answer["outcome"], answer["files"]) == (1, "ok", 8)
    assert (to / "tuiback-manifest.jsonl").exists()


async def test_jobs_of_all_repositories_are_told_apart(desk: Desk, tmp_path: Path) -> None:
    """Each has a number of its own, so that it can be shown, stopped and undone by that."""
    (tmp_path / "second").mkdir()
    other = await Rig.open(make_home(tmp_path / "second"))
    both = {"main": desk.rig.archive, "second": other.archive}
    desk.jobs._archives = desk.jobs.desk._archives = both
    await asyncio.gather(*(desk.jobs.check(Check(repository=name)) for name in ("main", "second", "main")))
    numbers = [
        [row.job for row in await archive.with_state(State.jobs)] for archive in (desk.rig.archive, other.archive)
    ]
    assert list(map(len, numbers)) == [2, 1]
    assert sorted([*numbers[0], *numbers[1]]) == [1, 2, 3]
    await other.archive.close()


async def test_what_cannot_be_come_back_to(desk: Desk) -> None:
    """A prune begins anew each time, and a job that never was can't be found."""
    await desk.jobs.prune(Prune())
    await desk.rig.archive.with_state(State.reopen_job, 1, desk.rig.activity._clock.now())
    with pytest.raises(UsageError, match="start another"):
        await desk.reopening.resume(ResumeJob(job=1))
    with pytest.raises(UsageError, match="only a restore"):
        await desk.reopening.undo(UndoJob(job=1))
    with pytest.raises(NoSuchThing):
        await desk.reopening.undo(UndoJob(job=9))
