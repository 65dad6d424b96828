"""Tests of debts that somebody puts up with: listed, tried again, and no trouble to any run."""

from pathlib import Path

import pytest

from tests.engine.rig import Rig
from tuiback.catalog import same_content
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.engine.backups.acknowledging import Debts, owed_id_of
from tuiback.engine.commands import AckOwed
from tuiback.engine.signalling.past import past_of
from tuiback.errors import Ambiguous, NoSuchThing, UsageError
from tuiback.model import Kind, Outcome, Owed


def debts(rig: Rig) -> Debts:
    """The debts of the rig."""
    return Debts({"main": rig.archive})


async def test_an_acknowledged_debt_troubles_no_run(rig: Rig) -> None:
    """It stays listed with its reason and is tried at every run; a new one makes the run partial again."""
    rig.cloud.broken["m1"] = 99
    assert (await rig.run()).outcome is Outcome.PARTIAL
    assert await debts(rig).acknowledge(AckOwed(owed_id="m1", reason="flagged as malware")) == {"name": "m1"}
    assert past_of(rig.archive.reader, "mail").owed == 0
    assert (await rig.run()).outcome is Outcome.OK
    (owed,) = rig.archive.reader.owed()
    assert (owed.item_id, owed.ack, owed.tries) == ("m1", "flagged as malware", 2)
    rig.cloud.broken["m2"] = 99
    rig.cloud.mailboxes["anna"].put("m2", "in", b"changed")
    assert (await rig.run()).outcome is Outcome.PARTIAL
    assert past_of(rig.archive.reader, "mail").owed == 1


async def test_what_microsoft_flags_is_new_once(rig: Rig) -> None:
    """The run that meets it is partial; from the next one on it is known, by itself, as long as it is flagged."""
    rig.cloud.flagged.add("m1")
    assert (await rig.run()).outcome is Outcome.PARTIAL
    assert past_of(rig.archive.reader, "mail").owed == 1
    assert {(await rig.run()).outcome for _ in range(5)} == {Outcome.OK}
    (owed,) = rig.archive.reader.owed()
    assert (owed.item_id, owed.tries, "malware" in owed.ack) == ("m1", 6, True)
    rig.cloud.flagged.add("m2")
    rig.cloud.mailboxes["anna"].put("m2", "in", b"changed")
    assert [(await rig.run()).outcome for _ in range(2)] == [Outcome.PARTIAL, Outcome.OK]
    rig.cloud.flagged.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.archive.reader.owed() == ()


async def test_a_debt_that_was_paid_is_a_new_one_later(rig: Rig) -> None:
    """Nobody has acknowledged that."""
    rig.cloud.broken["m1"] = 99
    await rig.run()
    await debts(rig).acknowledge(AckOwed(owed_id="m1", reason="known"))
    rig.cloud.broken.clear()
    await rig.run()
    assert rig.archive.reader.owed() == ()
    rig.cloud.broken["m1"] = 99
    rig.cloud.mailboxes["anna"].put("m1", "in", b"changed")
    assert (await rig.run()).outcome is Outcome.PARTIAL
    assert [owed.ack for owed in rig.archive.reader.owed()] == [""]


async def test_a_run_in_progress_forgets_no_acknowledgement(rig: Rig) -> None:
    """It began without knowing of it, whether both are committed together or one after the other."""
    rig.cloud.broken["m1"] = 99
    await rig.run()
    (stale,) = rig.archive.reader.owed()
    await debts(rig).acknowledge(AckOwed(owed_id="m1", reason="known"))
    rig.archive.committer.stage_owed(stale)
    await rig.archive.committer.commit()
    (owed,) = rig.archive.reader.owed()
    assert owed.ack == "known"
    rig.archive.committer.stage_owed(Owed("mailbox:anna", "in", "m2", Kind.MESSAGE, "x", owed.since, 1, "e", ack="a"))
    rig.archive.committer.stage_owed(Owed("mailbox:anna", "in", "m2", Kind.MESSAGE, "x", owed.since, 2, "e"))
    await rig.archive.committer.commit()
    assert [(o.item_id, o.tries, o.ack) for o in rig.archive.reader.owed()] == [("m1", 1, "known"), ("m2", 2, "a")]


async def test_a_rebuilt_catalog_knows_it(rig: Rig, tmp_path: Path) -> None:
    """From the commits alone."""
    rig.cloud.broken["m1"] = 99
    await rig.run()
    await debts(rig).acknowledge(AckOwed(owed_id="m1", reason="known"))
    rebuilt = tmp_path / "rebuilt.db"
    rebuild_catalog(rebuilt, rig.archive.repository)
    assert same_content(rig.archive.catalog_path, rebuilt) == []


async def test_what_must_be_said(rig: Rig) -> None:
    """A reason, an id that is owed, and whose it is where several owe it."""
    rig.cloud.broken["m1"] = 99
    await rig.run()
    with pytest.raises(UsageError, match="reason"):
        await debts(rig).acknowledge(AckOwed(owed_id="m1"))
    with pytest.raises(NoSuchThing):
        await debts(rig).acknowledge(AckOwed(owed_id="m2", reason="known"))
    (owed,) = rig.archive.reader.owed()
    rig.archive.committer.stage_owed(Owed("mailbox:b", "in", "m1", Kind.MESSAGE, "x", owed.since, 1, "e"))
    await rig.archive.committer.commit()
    with pytest.raises(Ambiguous, match="mailbox:anna, mailbox:b"):
        await debts(rig).acknowledge(AckOwed(owed_id="m1", reason="known"))
    await debts(rig).acknowledge(AckOwed(owed_id="m1", account_id="mailbox:b", reason="known"))
    assert [o.account_id for o in rig.archive.reader.owed() if o.ack] == ["mailbox:b"]


async def test_debts_without_an_item(rig: Rig) -> None:
    """A container or an account is named by its own id."""
    await rig.run()
    now = rig.archive.reader.points("mailbox:anna")[0].taken_at
    of_container = Owed("mailbox:anna", "in", "", Kind.FOLDER, "Inbox", now, 1, "e")
    of_account = Owed("mailbox:anna", "", "", Kind.FOLDER, "", now, 1, "e")
    assert (owed_id_of(of_container), owed_id_of(of_account)) == ("in", "mailbox:anna")
    rig.archive.committer.stage_owed(of_container)
    await rig.archive.committer.commit()
    await debts(rig).acknowledge(AckOwed(owed_id="in", reason="known"))
    assert [o.ack for o in rig.archive.reader.owed()] == ["known"]
