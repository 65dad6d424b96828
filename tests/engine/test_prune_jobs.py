"""Prunes as jobs: commanded, shown, cancelled, and respectful of restores and exports."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.rig import Rig, now_in
from tests.engine.upkeep.test_pruning import grown, is_whole, keep
from tuiback.catalog import State
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import CancelJob, Export, Prune, Selection
from tuiback.engine.restores.jobs import Jobs
from tuiback.engine.settings.registry import Registry
from tuiback.engine.upkeep.holds import Holds
from tuiback.errors import UsageError
from tuiback.model import Outcome


@pytest.fixture
async def jobs(rig: Rig) -> AsyncIterator[Jobs]:
    """The jobs of an engine whose repository has something to expire."""
    await grown(rig)
    await keep(rig, "1v")
    archives, clock = {"main": rig.archive}, SystemClock()
    registry = Registry(archives, rig.activity, clock)
    jobs = Jobs(archives, registry, Holds(archives, registry, clock), rig.activity, clock)
    yield jobs
    await jobs.desk.stop_all()


async def test_a_prune_answers_and_stays_on_record(rig: Rig, jobs: Jobs) -> None:
    """It answers the fields of the command line's prune; the screen and the state know its number and outcome."""
    dry = await jobs.prune(Prune(dry_run=True))
    assert (dry["job"], dry["expired_versions"]) == (None, 7)
    answer = await jobs.prune(Prune())
    assert {name: answer[name] for name in ("outcome", "expired_versions", "freed_bytes", "retained_bytes")} == {
        "outcome": "ok", "expired_versions": 7, "freed_bytes": 0, "retained_bytes": 0,
    }  # fmt: skip
    assert str(answer["leaves_at"]).endswith("Z")
    (shown,) = jobs.desk.statuses()
    assert (shown.job, shown.kind, shown.subject, shown.outcome) == (answer["job"], "prune", "main", "ok")
    row = await rig.archive.with_state(State.job, shown.job)
    assert (row.kind, row.state, row.outcome) == ("prune", "ended", Outcome.OK)


async def test_one_prune_at_a_time(rig: Rig, jobs: Jobs) -> None:
    """A second one is refused while the first runs; cancelled or not, what it did is right."""
    begun = await jobs.prune(Prune(wait=False))
    with pytest.raises(UsageError, match="already"):
        await jobs.prune(Prune())
    await jobs.desk.cancel(CancelJob(job=int(str(begun["job"]))))
    (shown,) = jobs.desk.statuses()
    assert shown.outcome == "cancelled"
    assert (await jobs.prune(Prune()))["outcome"] == "ok"
    assert (await rig.run()).error is None
    assert rig.listing() == now_in(rig.cloud.mailboxes["anna"])
    assert is_whole(rig)


async def test_what_is_exported_does_not_expire(jobs: Jobs, tmp_path: Path) -> None:
    """While an export reads an account it is held, and no longer; see the prune of a held account."""
    selection = Selection(account_id="mailbox:anna", seq=1)
    await jobs.export(Export(selections=(selection,), to=str(tmp_path / "out"), wait=False))
    assert [job.kind for job in jobs.desk.statuses() if job.state == "running"] == ["export"]
    reading = jobs.desk._work[1]
    assert jobs.desk.pins._accounts == {"mailbox:anna": 1}
    await reading
    assert not jobs.desk.pins._accounts
    assert (await jobs.prune(Prune()))["expired_versions"] == 7
