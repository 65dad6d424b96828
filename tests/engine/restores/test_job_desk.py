"""A job has ended when the journal says so, and nothing cuts the noting of its end short."""

import asyncio
from collections.abc import Callable

import pytest

from tests.engine.rig import Rig
from tuiback.catalog import State
from tuiback.engine.commands import CancelJob, Prune
from tuiback.engine.progress import Progress
from tuiback.engine.restores.job_desk import Done, JobDesk
from tuiback.model import Outcome

WAIT_SECONDS = 10.0


async def do_nothing(job: int, progress: Progress) -> Done:
    """The shortest job there is."""
    return Outcome.OK, {"job": job, "outcome": "ok"}, []


class Held:
    """A desk whose journal is slow: a job's end is noted only once `let` is set."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = JobDesk({"main": rig.archive}, rig.activity, rig.activity._clock)
        self.archive = rig.archive
        self.noting, self.let = asyncio.Event(), asyncio.Event()
        with_state = rig.archive.with_state

        async def slow(do: Callable[..., object], *args: object, **fields: object) -> object:
            if do is State.update_job and fields.get("state") == "ended":
                self.noting.set()
                await self.let.wait()
            return await with_state(do, *args, **fields)

        monkeypatch.setattr(rig.archive, "with_state", slow)

    async def start(self) -> int:
        """A job whose work is over and whose end is being noted."""
        answer = await self.desk.start(self.archive, "prune", "main", Prune(wait=False), do_nothing)
        await asyncio.wait_for(self.noting.wait(), WAIT_SECONDS)
        return int(str(answer["job"]))

    async def states(self) -> list[str]:
        """What the journal says of each job."""
        return [row.state for row in await self.archive.with_state(State.jobs, 9)]


async def test_a_job_counts_as_running_until_the_journal_says_that_it_ended(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sees "ended" may at once let the job go on or undo it: the row has to say the same by then."""
    each = Held(rig, monkeypatch)
    job = await each.start()
    assert each.desk.is_running(job)
    assert [status.state for status in each.desk.statuses()] == ["running"]
    each.let.set()
    await each.desk.stop_all()
    assert [status.state for status in each.desk.statuses()] == await each.states() == ["ended"]


@pytest.mark.parametrize("how", ["cancel", "stop"])
async def test_neither_a_cancel_nor_the_engines_end_cuts_the_noting_short(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A job that did its work is told as ok in the journal, whoever wants it to end meanwhile."""
    each = Held(rig, monkeypatch)
    job = await each.start()
    breaking = each.desk.cancel(CancelJob(job=job)) if how == "cancel" else each.desk.stop_all()
    ending = asyncio.ensure_future(breaking)
    await asyncio.sleep(0)
    assert not ending.done()
    each.let.set()
    await asyncio.wait_for(ending, WAIT_SECONDS)
    (row,) = await each.archive.with_state(State.jobs, 9)
    assert (row.state, row.outcome) == ("ended", "ok")
