"""Tests of holds: they beat every rule of retention, the end of --keep-gone and the removal of a task's data."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.rig import SECRET, TASK, Rig, make_home
from tests.engine.upkeep.test_pruning import grown, keep
from tuiback.engine.activity import Activity
from tuiback.engine.asking import Asker, asked_by
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import AddHold, Prune, PutTask, PutTenant, RemoveHold, RemoveTask
from tuiback.engine.hosting.core import Engine
from tuiback.engine.progress import Progress
from tuiback.engine.restores.jobs import Jobs
from tuiback.engine.settings.registry import Registry
from tuiback.engine.upkeep.holds import Holds, find_hold
from tuiback.engine.upkeep.pruning import Pruner
from tuiback.errors import NoSuchThing, UsageError
from tuiback.model import Account, AccountKind, AccountState, Hold

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = Account("mailbox:anna", AccountKind.MAILBOX, "acme", "mail", "anna", "Anna", "anna@example.com")
RULES = ["1v", "1d", "1d,1w", "1m", "1y"]


class Later(SystemClock):
    """A clock that is so far ahead that any rule has run out."""

    def now(self) -> datetime:
        """In twenty years."""
        return super().now() + timedelta(days=20 * 366)


@pytest.fixture
async def registry(rig: Rig) -> Registry:
    """The rig's configuration, with a history that every rule gives something of up."""
    await grown(rig)
    await keep(rig, "all")
    registry = Registry({"main": rig.archive}, rig.activity, SystemClock())
    await registry.load()
    return registry


@pytest.fixture
def holds(rig: Rig, registry: Registry) -> Holds:
    """The holds, with ids that are predictable."""
    numbers = count(1)
    return Holds({"main": rig.archive}, registry, SystemClock(), new_id=lambda: f"hold-{next(numbers)}")


async def expired_versions(rig: Rig, holds: Holds, registry: Registry) -> int:
    """How many versions a prune in twenty years would give up."""
    jobs = Jobs({"main": rig.archive}, registry, holds, rig.activity, Later())
    return int(str((await jobs.prune(Prune(dry_run=True)))["expired_versions"]))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("command", [AddHold(account_id="mailbox:anna"), AddHold(task="mail")])
async def test_a_hold_beats_every_rule(
    rig: Rig, holds: Holds, registry: Registry, rule: str, command: AddHold
) -> None:
    """Nothing expires while it lasts; everything does once it is removed."""
    await keep(rig, rule)
    name = str((await holds.add(AddHold(account_id=command.account_id, task=command.task, reason="law")))["name"])
    assert await expired_versions(rig, holds, registry) == 0
    await holds.remove(RemoveHold(hold=name))
    assert await expired_versions(rig, holds, registry) > 0


async def test_a_hold_beats_the_end_of_keep_gone(rig: Rig, holds: Holds, registry: Registry) -> None:
    """An account that left long ago stays whole."""
    await keep(rig, "1d", keep_gone="1d")
    del rig.cloud.mailboxes["anna"]
    await rig.run()
    (left,) = rig.archive.reader.accounts()
    assert left.state is AccountState.GONE
    await holds.add(AddHold(task="mail", reason="law"))
    assert await expired_versions(rig, holds, registry) == 0
    await holds.remove(RemoveHold(hold="hold-1"))
    assert await expired_versions(rig, holds, registry) == rig.archive.reader.totals().versions


async def test_a_hold_that_comes_while_a_prune_decides(rig: Rig, holds: Holds, registry: Registry) -> None:
    """What was found to expire before the hold came stays after all."""
    await keep(rig, "1v")
    before = rig.archive.reader.totals().versions
    looked = count()

    def is_held(account: Account) -> bool:
        # The prune asks first when it looks, and again when it is about to commit.
        return next(looked) > 0

    report = await Pruner(rig.archive, SystemClock(), is_held=is_held).prune(Progress())
    assert report.expired.versions > 0
    assert rig.archive.reader.totals().versions == before


async def test_what_a_hold_must_be(rig: Rig, holds: Holds) -> None:
    """For one account or one task that is there, with a reason, and not over before it begins."""
    past = datetime.now(UTC) - timedelta(hours=1)
    for command in (
        AddHold(reason="law"),
        AddHold(account_id="mailbox:anna", task="mail", reason="law"),
        AddHold(account_id="mailbox:anna"),
        AddHold(account_id="mailbox:anna", until=past, reason="law"),
    ):
        with pytest.raises(UsageError):
            await holds.add(command)
    for command in (AddHold(account_id="mailbox:none", reason="law"), AddHold(task="none", reason="law")):
        with pytest.raises(NoSuchThing):
            await holds.add(command)
    with pytest.raises(NoSuchThing, match="no such hold"):
        await holds.remove(RemoveHold(hold="hold-9"))
    assert rig.archive.reader.holds() == ()


async def test_a_hold_remembers_who_made_it(rig: Rig, holds: Holds) -> None:
    """And why, and until when; it is in the repository when the command has answered."""
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    with asked_by(Asker("bert", 7, "pts/1")):
        await holds.add(AddHold(account_id="mailbox:anna", until=until, reason="case 12/26"))
    (hold,) = rig.archive.reader.holds()
    assert (hold.hold_id, hold.made_by, hold.reason, hold.until) == ("hold-1", "bert", "case 12/26", until)


def test_when_a_hold_covers_an_account() -> None:
    """The one it names, or those of its task; through its last moment."""
    hold = Hold("h", "law", "anna", NOW, account_id="mailbox:anna", until=NOW)
    assert find_hold((hold,), ANNA, NOW) == hold
    assert find_hold((hold,), ANNA, NOW + timedelta(seconds=1)) is None
    assert find_hold((hold,), replace(ANNA, account_id="mailbox:b"), NOW) is None
    of_task = Hold("t", "law", "anna", NOW, task="mail")
    assert find_hold((of_task,), ANNA, NOW + timedelta(days=9999)) == of_task
    assert find_hold((of_task,), replace(ANNA, task="files"), NOW) is None


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine with a task and the backup of one account."""
    home = make_home(tmp_path)
    engine = Engine(home, "run", lambda _: SECRET, SystemClock(), Activity(SystemClock()))
    await engine.open()
    await engine.execute(
        PutTenant(
            name="acme", tenant_id="t", client_id="c", cloud="custom", graph_url="http://127.0.0.1:9",
            authority="http://127.0.0.1:9/t", credential_kind="secret", credential="hush",
        )
    )
    await engine.execute(PutTask(name=TASK.name, tenant="acme", service="exchange", everything=True))
    archive = engine._archives["main"]
    archive.committer.stage_account(ANNA)
    await archive.committer.commit()
    yield engine
    await engine.close()


async def test_held_data_is_not_dropped_with_its_task(engine: Engine) -> None:
    """The task stays, and the remedy says how to go on; keeping the data needs no such care."""
    await engine.execute(AddHold(account_id="mailbox:anna", reason="law"))
    with pytest.raises(UsageError, match="anna@example") as refused:
        await engine.execute(RemoveTask(task="mail", drop=True))
    assert "--data keep" in refused.value.remedy
    reader = engine._archives["main"].reader
    assert [task.name for task in reader.tasks()] == ["mail"]
    assert await engine.execute(RemoveTask(task="mail")) == {"name": "mail"}
    assert [account.account_id for account in reader.accounts()] == ["mailbox:anna"]
