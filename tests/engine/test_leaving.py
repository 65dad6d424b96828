"""Tests of accounts that leave the tenant, lose their licence, are disabled, or come back."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.rig import Rig, anna, now_in
from tuiback.engine.archives.view import View
from tuiback.engine.settings.retention import Figures
from tuiback.engine.upkeep.expiring import find_expired
from tuiback.errors import Ambiguous
from tuiback.model import Account, AccountState, ControlRow, Outcome


def _task_row(rig: Rig, keep_gone: str) -> ControlRow:
    return ControlRow("task", rig.task.name, msgspec.json.encode(replace(rig.task, keep_gone=keep_gone)))


def account(rig: Rig, account_id: str = "mailbox:anna") -> Account:
    """The account as the catalog has it."""
    (found,) = (a for a in rig.archive.reader.accounts() if a.account_id == account_id)
    return found


async def test_who_leaves_the_tenant_is_gone_and_stays_as_it_was(rig: Rig) -> None:
    """With date and reason; the last snapshot still shows everything, and further runs move nothing."""
    await rig.run()
    before = now_in(rig.cloud.mailboxes.pop("anna"))
    begun = datetime.now(UTC)
    await rig.run()
    left = account(rig)
    assert (left.state, left.gone_reason) == (AccountState.GONE, "left the tenant")
    assert left.gone_at is not None
    assert begun <= left.gone_at <= datetime.now(UTC)
    await rig.run()
    assert account(rig) == left
    assert rig.listing() == before


async def test_who_loses_the_licence_is_gone(rig: Rig) -> None:
    """The user is still there, the mailbox is not: the date is that of the first run that saw it."""
    await rig.run()
    rig.cloud.unlicensed.add("anna")
    report = await rig.run()
    left = account(rig)
    assert (left.state, left.gone_reason) == (AccountState.GONE, "its mailbox is gone: no licence any more, or deleted")
    assert report.outcome is Outcome.OK
    await rig.run()
    assert account(rig) == left


async def test_who_never_had_a_mailbox_is_not_gone(rig: Rig) -> None:
    """An account without anything to keep has not left."""
    rig.cloud.unlicensed.add("anna")
    await rig.run()
    assert account(rig).state is AccountState.ACTIVE


async def test_who_comes_back_is_no_longer_gone(rig: Rig) -> None:
    """Once a run has backed the account up again."""
    await rig.run()
    rig.cloud.unlicensed.add("anna")
    await rig.run()
    rig.cloud.unlicensed.clear()
    await rig.run()
    back = account(rig)
    assert (back.state, back.gone_at, back.gone_reason) == (AccountState.ACTIVE, None, "")


async def test_the_disabled_have_their_final_run(rig: Rig) -> None:
    """The run that sees an account disabled takes what it holds by then."""
    rig.cloud.mailboxes["zoe"] = anna()
    await rig.run()
    rig.cloud.mailboxes["zoe"].put("last", "in", b"the last words")
    rig.cloud.disabled.add("zoe")
    await rig.run()
    del rig.cloud.mailboxes["zoe"]
    await rig.run()
    assert account(rig, "mailbox:zoe").state is AccountState.GONE
    assert rig.listing("mailbox:zoe")["Inbox/last"] == "the last words"


async def test_the_disabled_come_first(rig: Rig) -> None:
    """They may soon be deleted."""
    rig.cloud.mailboxes["zoe"] = anna()
    rig.cloud.disabled.add("zoe")
    run = rig.new_run()
    covered = run._accounts(await run._find_accounts())
    assert [one.owner_id for one in covered] == ["zoe", "anna"]


async def test_two_accounts_under_one_address_are_apart(rig: Rig) -> None:
    """A new person with the address of one who left: both are listed, and the address alone names neither."""
    await rig.run()
    rig.cloud.mailboxes["anna2"] = anna()
    del rig.cloud.mailboxes["anna"]
    rig.cloud.addresses["anna2"] = "anna@example.com"
    await rig.run()
    overviews = rig.archive.reader.account_overview()
    assert [(o.account.account_id, o.account.address, o.state) for o in overviews] == [
        ("mailbox:anna", "anna@example.com", "gone"), ("mailbox:anna2", "anna@example.com", "ok"),
    ]
    view = View(rig.home)
    with pytest.raises(Ambiguous, match=r"mailbox:anna \(.*mailbox:anna2 \("):
        view.find_account("anna@example.com")
    view.close()


async def test_what_is_gone_is_frozen_until_its_time_is_over(rig: Rig) -> None:
    """Nothing of it expires before --keep-gone ends; then all of it does."""
    await rig.run()
    del rig.cloud.mailboxes["anna"]
    await rig.run()
    rig.archive.committer.stage_control(_task_row(rig, "30d"))
    await rig.archive.committer.commit()
    gone_at = account(rig).gone_at
    assert gone_at is not None

    def expired(days: int) -> list[str]:
        found = find_expired(rig.archive.reader, gone_at + timedelta(days=days), lambda _: False, Figures())
        return [row.account_id for row in found if row.whole]

    assert (expired(29), expired(30)) == ([], ["mailbox:anna"])
