"""Restores: where things go, what conflicts do, and that a dry run writes nothing."""

from unittest.mock import AsyncMock

import pytest

from tests.engine.rig import Rig, anna, now_in
from tuiback.catalog import State
from tuiback.connectors.base import Existing
from tuiback.engine.commands import Restore, Selection
from tuiback.engine.progress import Progress
from tuiback.engine.restores.restore import RestoreReport, RestoreWork, action_for
from tuiback.errors import UsageError
from tuiback.model import Account, Outcome

EVERYTHING = (Selection(account_id="mailbox:anna", seq=1),)


def account(rig: Rig, user: str) -> Account:
    """The stored account of a user."""
    return next(a for a in rig.archive.reader.accounts() if a.owner_id == user)


async def restore(rig: Rig, command: Restore, user: str = "anna") -> RestoreReport:
    """Carry the command out, as a job."""
    clock = rig.activity._clock
    work = RestoreWork(command, rig.archive, rig.cloud, account(rig, user), clock.now())
    if command.dry_run:
        return await work.plan(Progress())
    job = await rig.archive.with_state(State.new_job, "restore", "anna", b"{}", clock.now())
    return await work.execute(job, Progress())


async def test_new_folder_by_default(rig: Rig) -> None:
    """Everything comes back below a new folder, the originals untouched, each item verified."""
    await rig.run()
    box = rig.cloud.mailboxes["anna"]
    before = now_in(box)
    report = await restore(rig, Restore(selections=EVERYTHING, place="new-folder:Back"))
    assert (report.outcome, report.restored, report.verified) == (Outcome.OK, 8, 8)
    after = now_in(box)
    assert {k: after[k] for k in before} == before
    back = sorted((k.rpartition("/")[0], v) for k, v in after.items() if k not in before)
    assert back == sorted((f"Back/{k.rpartition('/')[0]}", v) for k, v in before.items())


async def test_again_into_the_same_folder_skips_what_is_there(rig: Rig) -> None:
    """A restore repeated into a folder that was named skips what is identical, in the dry run and for real."""
    await rig.run()
    await restore(rig, Restore(selections=EVERYTHING, place="new-folder:Back"))
    dry = await restore(rig, Restore(selections=EVERYTHING, place="new-folder:Back", dry_run=True))
    assert dict(dry.planned) == {"skip": 8}
    report = await restore(rig, Restore(selections=EVERYTHING, place="new-folder:Back"))
    assert (report.restored, report.skipped) == (0, 8)


async def test_deleted_folder_comes_back_whole(rig: Rig) -> None:
    """A folder deleted since is restored with all that lay in it, asked for at the newest point."""
    await rig.run()
    box = rig.cloud.mailboxes["anna"]
    box.drop_folder("arc")
    await rig.run()
    gone = (Selection(account_id="mailbox:anna", seq=2, item_ids=("arc",)),)
    report = await restore(rig, Restore(selections=gone, place="new-folder:Back"))
    assert report.restored == 1
    assert "old text" in [m.data.decode() for m in box.mails.values()]


async def test_to_another_account(rig: Rig) -> None:
    """Another mailbox receives the items; the original keeps its own."""
    rig.cloud.mailboxes["bert"] = anna()
    rig.cloud.mailboxes["bert"].mails.clear()
    await rig.run()
    report = await restore(rig, Restore(selections=EVERYTHING, place="in-place"), "bert")
    assert report.restored == 8
    assert sorted(now_in(rig.cloud.mailboxes["bert"]).values()) == sorted(now_in(anna()).values())


async def test_in_place_skips_what_is_identical(rig: Rig) -> None:
    """In place only what is missing or changed is at issue; each conflict rule does what it says."""
    await rig.run()
    box = rig.cloud.mailboxes["anna"]
    box.delete("m0")
    box.mails["m1"].data = b"edited since"
    dry = await restore(rig, Restore(selections=EVERYTHING, place="in-place", dry_run=True))
    assert dict(dry.planned) == {"create": 1, "skip": 7, "conflict": 1}
    assert "m0" not in box.mails
    report = await restore(rig, Restore(selections=EVERYTHING, place="in-place"))
    assert (report.restored, report.skipped) == (1, 7)
    assert box.mails["m1"].data == b"edited since"
    report = await restore(rig, Restore(selections=EVERYTHING, place="in-place", on_conflict="overwrite"))
    assert report.planned["overwrite"] == 1
    assert "m1" not in box.mails
    assert sorted(now_in(box).values()) == sorted(now_in(anna()).values())


async def test_dry_run_into_a_new_folder_asks_nothing(rig: Rig) -> None:
    """A dry run counts and leaves the mailbox as it is."""
    await rig.run()
    before = now_in(rig.cloud.mailboxes["anna"])
    report = await restore(rig, Restore(selections=EVERYTHING, dry_run=True))
    assert report.planned["create"] == 8
    assert now_in(rig.cloud.mailboxes["anna"]) == before


async def test_one_failing_item_is_told_and_the_rest_comes_back(rig: Rig) -> None:
    """An item that Microsoft refuses is named; all others are restored; the journal holds every attempt."""
    await rig.run()
    rig.cloud.broken["m3"] = 1
    report = await restore(rig, Restore(selections=EVERYTHING, place="new-folder:X"))
    assert (report.outcome, report.restored, report.failed) == (Outcome.PARTIAL, 7, 1)
    assert "m3" in report.errors[0]
    journal = await rig.archive.with_state(State.journal, 1)
    assert len({row.item_key for row in journal}) == 8


async def test_an_item_without_a_folder_stops_nobody(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told like any other failure, although nothing was ever sent for it."""
    await rig.run()
    monkeypatch.setattr(rig.cloud, "restore_folder", AsyncMock(return_value=None))
    report = await restore(rig, Restore(selections=EVERYTHING, place="new-folder:X"))
    assert (report.outcome, report.failed) == (Outcome.FAILED, 8)
    journal = await rig.archive.with_state(State.journal, 1)
    assert {(row.done, row.new_id) for row in journal} == {(True, "")}


async def test_single_item_and_folder(rig: Rig) -> None:
    """An item's id restores that item, a folder's id all that lies in it, each once."""
    await rig.run()
    both = (Selection(account_id="mailbox:anna", seq=1, item_ids=("arc", "a0", "m1")),)
    report = await restore(rig, Restore(selections=both, place="new-folder:Two"))
    assert report.restored == 2


async def test_unknown_words_are_refused(rig: Rig) -> None:
    """An unknown place or conflict rule is a usage error before anything happens."""
    await rig.run()
    with pytest.raises(UsageError, match="place"):
        await restore(rig, Restore(selections=EVERYTHING, place="somewhere"))
    with pytest.raises(UsageError, match="conflicts"):
        await restore(rig, Restore(selections=EVERYTHING, on_conflict="merge"))


@pytest.mark.parametrize(
    ("existing", "rule", "action"),
    [
        (None, "skip", "create"),
        (Existing("x", identical=True), "overwrite", "skip"),
        (Existing("x", identical=False), "skip", "skip"),
        (Existing("x", identical=False), "keep-both", "create"),
        (Existing("x", identical=False), "overwrite", "overwrite"),
    ],
)
def test_actions(existing: Existing | None, rule: str, action: str) -> None:
    """What stands in the way and the rule decide, nothing else."""
    assert action_for(existing, rule) == action
