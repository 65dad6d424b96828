"""Jobs in progress: numbered over all repositories, journalled, visible while they run, cancellable."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from tuiback.catalog import JobRow, State
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.commands import CancelJob, Check, Export, MakeCheckpoint, Prune, Restore, UndoJob
from tuiback.engine.progress import Progress
from tuiback.engine.upkeep.pins import Pins
from tuiback.errors import NoSuchThing, TuibackError
from tuiback.model import Clock, JobStatus, Outcome

ENDED_KEPT = 20
Answer = dict[str, object]
# How a job ended: its outcome, its answer, and a line for each thing that went wrong.
Done = tuple[Outcome, Answer, list[str]]


class JobDesk:
    """Takes work on as jobs and knows how far each is. `pins` are the accounts that they read."""

    def __init__(self, archives: Mapping[str, Archive], activity: Activity, clock: Clock) -> None:
        self.pins = Pins()
        self._archives = archives
        self._activity = activity
        self._clock = clock
        self._number = 0
        self._progress: dict[int, tuple[str, str, Progress]] = {}
        self._work: dict[int, asyncio.Task[Answer]] = {}
        # Their work is over and is being noted: nothing may cut that short.
        self._ending: set[int] = set()
        self._ended: deque[JobStatus] = deque(maxlen=ENDED_KEPT)

    def statuses(self) -> tuple[JobStatus, ...]:
        """Jobs in progress, then the last ones that ended."""
        running = tuple(
            JobStatus(number, kind, subject, "running", None, p.done, p.total, p.bytes_done, p.failed, p.what)
            for number, (kind, subject, p) in self._progress.items()
        )
        return running + tuple(reversed(self._ended))

    async def cancel(self, command: CancelJob) -> Answer:
        """Stop a job; what is written stays, and the journal says what that is."""
        work = self._work.get(command.job)
        if work is None:
            raise NoSuchThing("no such job is running", str(command.job), "see 'tuiback status'")
        self._break_off(command.job)
        await asyncio.wait([work])
        return {}

    async def stop_all(self) -> None:
        """Cancel every job, and wait until each one's end is noted."""
        for job in self._work:
            self._break_off(job)
        if self._work:
            await asyncio.wait(list(self._work.values()))

    def is_running(self, job: int) -> bool:
        """Whether a job of that number is in progress, or its end is not noted yet."""
        return job in self._work

    def _break_off(self, job: int) -> None:
        if job not in self._ending:
            self._work[job].cancel()

    async def start(
        self,
        archive: Archive,
        kind: str,
        subject: str,
        command: Restore | Export | Prune | Check | MakeCheckpoint | UndoJob,
        do: Callable[[int, Progress], Awaitable[Done]],
        *,
        again: JobRow | None = None,
        begun: datetime | None = None,
    ) -> Answer:
        """Make a job of it, or let that one go on, and answer when it has ended, unless the command doesn't wait."""
        now = begun or self._clock.now()
        if again is None:
            plan, number = msgspec.json.encode(command), await self._new_number()
            job = await archive.with_state(State.new_job, kind, subject, plan, now, number)
        else:
            job = again.job
            await archive.with_state(State.reopen_job, job, self._clock.now())
        progress = Progress()
        self._progress[job] = (kind, subject, progress)
        self._activity.add("info", subject, f"{kind} job {job} started")
        selections = command.selections if isinstance(command, Restore | Export) else ()
        held = [selection.account_id for selection in selections]
        work = asyncio.ensure_future(self._finish(archive, job, held, do))
        self._work[job] = work
        # A task that is cancelled before it has begun would not tell its end.
        await asyncio.sleep(0)
        if not command.wait:
            return {"job": job, "outcome": None}
        return await asyncio.shield(work)

    async def _new_number(self) -> int:
        """A number that no job of any repository has: people name jobs by it alone."""
        for archive in self._archives.values():
            newest = await archive.with_state(State.jobs, 1)
            self._number = max(self._number, *(row.job for row in newest), 0)
        self._number += 1
        return self._number

    async def _finish(
        self,
        archive: Archive,
        job: int,
        held: Sequence[str],
        do: Callable[[int, Progress], Awaitable[Done]],
    ) -> Answer:
        outcome, answer, errors = Outcome.FAILED, Answer(), [""]
        try:
            with self.pins.hold(held):
                outcome, answer, errors = await do(job, self._progress[job][2])
        except asyncio.CancelledError:
            outcome, answer, errors = Outcome.CANCELLED, {"job": job, "outcome": "cancelled"}, ["cancelled"]
        except TuibackError as e:
            errors = [str(e)]
            raise
        finally:
            self._ending.add(job)
            try:
                await self._journal_end(archive, job, outcome, errors)
            finally:
                self._tell_end(job, outcome, errors)
        return answer

    def _tell_end(self, job: int, outcome: Outcome, errors: list[str]) -> None:
        """Only now, when the journal says so too: whoever sees that it ended may at once let it go on, or undo it."""
        self._ending.discard(job)
        del self._work[job]
        kind, subject, p = self._progress.pop(job)
        note = errors[0] if errors else f"{p.done} items"
        self._ended.append(
            JobStatus(job, kind, subject, "ended", str(outcome), p.done, p.total, p.bytes_done, p.failed, note)
        )
        level = {Outcome.OK: "ok", Outcome.CANCELLED: "info"}.get(outcome, "error")
        self._activity.add(level, subject, f"{kind} job {job} {outcome}: {note}")

    async def _journal_end(self, archive: Archive, job: int, outcome: Outcome, errors: list[str]) -> None:
        p = self._progress[job][2]
        await archive.with_state(
            State.update_job,
            job,
            state="ended",
            outcome=outcome,
            done=p.done,
            total=p.total,
            report=msgspec.json.encode(errors),
            now=self._clock.now(),
        )
