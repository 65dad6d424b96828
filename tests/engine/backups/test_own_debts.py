"""Tests of accounts that a run could not back up at all: they show as failed until one can."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.cloud import Cloud
from tests.engine.rig import Rig, anna
from tuiback.catalog import AccountOverview
from tuiback.connectors.base import Change
from tuiback.engine.backups.acknowledging import Debts
from tuiback.engine.commands import AckOwed
from tuiback.errors import GraphError
from tuiback.model import Account, Container, Outcome


def standing(rig: Rig) -> dict[str, AccountOverview]:
    """How each account stands, by its name."""
    return {one.account.account_id.partition(":")[2]: one for one in rig.archive.reader.account_overview()}


async def test_an_account_that_can_not_be_backed_up_has_failed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, since its first time, once however often; what somebody puts up with makes no run partial."""
    rig.cloud.mailboxes["zoe"] = anna()
    await rig.run()
    listed = Cloud.changes

    def refused(cloud: Cloud, account: Account, container: Container, **given: object) -> AsyncIterator[Change]:
        if account.account_id == "mailbox:zoe":
            raise GraphError("access is denied", "zoe", status=403, request_id="req-9")
        return listed(cloud, account, container, **given)

    with monkeypatch.context() as patch:
        patch.setattr(Cloud, "changes", refused)
        assert [(await rig.run()).outcome for _ in range(2)] == [Outcome.PARTIAL] * 2
        assert {name: one.state for name, one in standing(rig).items()} == {"anna": "ok", "zoe": "failed"}
        (debt,) = rig.archive.reader.owed()
        assert (debt.account_id, debt.item_id, debt.tries, debt.request_id) == ("mailbox:zoe", "", 2, "req-9")
        assert "access is denied" in debt.error
        assert standing(rig)["zoe"].points == 1
        await Debts({"main": rig.archive}).acknowledge(AckOwed(owed_id="mailbox:zoe", reason="a ticket is open"))
        assert (await rig.run()).outcome is Outcome.OK
        assert standing(rig)["zoe"].state == "failed"
    assert (await rig.run()).outcome is Outcome.OK
    assert rig.archive.reader.owed() == ()
    assert standing(rig)["zoe"].state == "ok"


async def test_who_left_owes_nothing_as_a_whole(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed account that leaves is gone, and its failure is over."""
    rig.cloud.mailboxes["zoe"] = anna()
    await rig.run()

    def refused(*_: object, **__: object) -> AsyncIterator[Change]:
        raise GraphError("access is denied", "zoe", status=403)

    with monkeypatch.context() as patch:
        patch.setattr(Cloud, "changes", refused)
        assert (await rig.run()).outcome is Outcome.FAILED
    del rig.cloud.mailboxes["zoe"]
    await rig.run()
    assert rig.archive.reader.owed() == ()
    assert standing(rig)["zoe"].state == "gone"
