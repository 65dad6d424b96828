"""Tests of accounts that leave the tenant, lose their licence, are disabled, or come back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from tests.engine.rig import Rig, anna, now_in
from tuiback.connectors.base import Change, PartSource
from tuiback.engine.archives.view import View
from tuiback.engine.settings.retention import Figures
from tuiback.engine.upkeep.expiring import find_expired
from tuiback.errors import AccountAbsent, Ambiguous
from tuiback.model import Account, AccountState, Container, ControlRow, Outcome, Owed, RemoteItem


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


async def test_who_loses_the_licence_while_backed_up_is_gone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once, and not of every folder; whoever comes back is taken up where that was."""
    await rig.run()
    rig.cloud.mailboxes["anna"].put("late", "in", b"a late letter")
    changes = rig.cloud.changes

    async def leaving(account: Account, container: Container) -> AsyncIterator[Change]:
        async for change in changes(account, container):
            yield change
        rig.cloud.unlicensed.add("anna")

    monkeypatch.setattr(rig.cloud, "changes", leaving)
    report = await rig.run()
    assert (report.outcome, report.counters.skipped, account(rig).state) == (Outcome.OK, 1, AccountState.GONE)
    monkeypatch.setattr(rig.cloud, "changes", changes)
    rig.cloud.unlicensed.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert account(rig).state is AccountState.ACTIVE
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])


async def test_nothing_is_lost_of_a_mailbox_that_is_away_for_a_while(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed and could not be read any more is no deleted item: it comes when the mailbox is back."""
    await rig.run()
    rig.cloud.mailboxes["anna"].put("late", "in", b"a late letter")
    content = rig.cloud.content

    def missing(account: Account, item: RemoteItem) -> AsyncIterator[PartSource]:
        if item.item_id == "late":
            raise AccountAbsent("there is no mailbox", account.address)
        return content(account, item)

    monkeypatch.setattr(rig.cloud, "content", missing)
    assert (await rig.run()).counters.skipped == 1
    monkeypatch.setattr(rig.cloud, "content", content)
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])


async def test_debts_of_a_mailbox_that_is_away_stay(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item that is owed is not taken for deleted while there is no mailbox to ask for it."""
    rig.cloud.mailboxes["anna"].put("late", "in", b"a late letter")
    rig.cloud.broken["late"] = 99
    assert (await rig.run()).outcome is Outcome.PARTIAL
    refresh = rig.cloud.refresh

    async def missing(account: Account, owed: Owed) -> RemoteItem | None:
        raise AccountAbsent("there is no mailbox", account.address)

    monkeypatch.setattr(rig.cloud, "refresh", missing)
    await rig.run()
    monkeypatch.setattr(rig.cloud, "refresh", refresh)
    rig.cloud.broken.clear()
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])


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
