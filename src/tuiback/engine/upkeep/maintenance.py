"""Keeps the repositories of a home in order by itself: prunes, sampled checks, and checks of the structure."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tuiback.catalog import ChoreRow, Upkeep
from tuiback.engine.commands import Check, Command, MakeCheckpoint, Prune
from tuiback.errors import TuibackError
from tuiback.model import Clock, Outcome

if TYPE_CHECKING:
    from tuiback.engine.activity import Activity
    from tuiback.engine.archives.archive import Archive

QUIET_HOUR = time(3)
# A run in progress is waited for, but not for ever: a first backup may take weeks.
PUT_OFF = timedelta(hours=6)
SAMPLE_PERCENT = 1.0
# Each start reads the commits since the last checkpoint, and a bucket lists their names.
COMMITS_BETWEEN_CHECKPOINTS = 2_000
_LOOK_SECONDS = 60.0
# What was made good at noon moves back to the night.
_SLACK = timedelta(hours=12)

Answer = dict[str, object]


class Chore(msgspec.Struct, frozen=True):
    """Something to be done every so often, by a command for each repository."""

    name: str
    every: timedelta
    command: Prune | Check


CHORES = (
    Chore("prune", timedelta(days=1), Prune()),
    Chore("sample", timedelta(days=1), Check(percent=SAMPLE_PERCENT)),
    Chore("structure", timedelta(days=7), Check()),
)


def due_at(chore: Chore, row: ChoreRow, now: datetime, zone: tzinfo) -> datetime:
    """The quiet hour at which the chore is due, in UTC; in the past when it was missed."""
    done = row.ended_at
    every = min(chore.every, timedelta(days=1)) if row.outcome is Outcome.FAILED else chore.every
    # A clock that was put back must not keep a chore waiting for days that are over.
    earliest = min(row.since, now) if done is None else min(done, now) + every - _SLACK
    local = earliest.astimezone(zone)
    quiet = local.replace(hour=QUIET_HOUR.hour, minute=QUIET_HOUR.minute, second=0, microsecond=0)
    if quiet < local:
        quiet = (quiet.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return quiet.astimezone(UTC)


def next_chore(
    rows: Mapping[str, ChoreRow], now: datetime, zone: tzinfo, *, busy_since: datetime | None
) -> Chore | None:
    """The chore to do now, if any: the one that is due longest.

    While runs go on (`busy_since` they began to be in the way of one that was due) it is put off.
    """
    due = [(due_at(chore, rows[chore.name], now, zone), number) for number, chore in enumerate(CHORES)]
    ready = [each for each in due if each[0] <= now]
    if not ready or (busy_since is not None and now - busy_since < PUT_OFF):
        return None
    return CHORES[min(ready)[1]]


class Maintenance:
    """run() until cancelled. `execute` carries a command out as the engine does; `is_busy` tells runs in progress.

    The outcome of each chore's last time stays in the state.db at `path`.
    """

    def __init__(
        self,
        path: Path,
        archives: "Mapping[str, Archive]",
        execute: Callable[[Command], Awaitable[Answer]],
        is_busy: Callable[[], bool],
        activity: "Activity",
        clock: Clock,
        zone: Callable[[], tzinfo | None] = lambda: None,
        most_commits: int = COMMITS_BETWEEN_CHECKPOINTS,
    ) -> None:
        self._path = path
        self._archives = archives
        self._execute = execute
        self._is_busy = is_busy
        self._activity = activity
        self._clock = clock
        self._zone = zone
        self._most_commits = most_commits
        self._busy_since: datetime | None = None
        # Of each archive, up to which of its own commits a checkpoint has been made.
        self._covered: dict[str, int] = {}

    async def run(self) -> None:
        """Do what is due, one thing at a time."""
        upkeep = await asyncio.to_thread(Upkeep.open, self._path)
        try:
            await asyncio.to_thread(upkeep.learn, [chore.name for chore in CHORES], self._clock.now())
            while True:
                # What is due together is done one after the other, without a pause.
                while await self._look(upkeep):
                    continue
                await self._clock.sleep(_LOOK_SECONDS)
        finally:
            upkeep.close()

    async def _look(self, upkeep: Upkeep) -> bool:
        """Do one thing that is due; whether a chore was done, so that another may be due now."""
        try:
            rows = {row.chore: row for row in await asyncio.to_thread(upkeep.chores)}
            chore = next_chore(rows, self._clock.now(), self._local(), busy_since=self._put_off(rows))
            if chore is not None:
                await self._do(upkeep, chore)
                return True
            if await self._commits_pile_up():
                await self._execute(MakeCheckpoint())
                heads = {name: archive.committer.head for name, archive in self._archives.items()}
                self._covered = {name: head.number for name, head in heads.items() if head is not None}
        except TuibackError as error:
            self._activity.add("error", "maintenance", str(error))
        return False

    def _local(self) -> tzinfo:
        # Asked each time: daylight saving comes and goes while the engine runs.
        zone = self._zone() or self._clock.now().astimezone().tzinfo
        return zone or UTC

    def _put_off(self, rows: Mapping[str, ChoreRow]) -> datetime | None:
        """Since when runs are in the way of a chore that is due; None where nothing is in the way."""
        now, zone = self._clock.now(), self._local()
        is_due = any(due_at(chore, rows[chore.name], now, zone) <= now for chore in CHORES)
        if not (is_due and self._is_busy()):
            self._busy_since = None
        elif self._busy_since is None or self._busy_since > now:
            self._busy_since = now
        return self._busy_since

    async def _do(self, upkeep: Upkeep, chore: Chore) -> None:
        outcome, note = Outcome.OK, ""
        # One repository that can't be reached is no reason to leave the others alone.
        for name in list(self._archives):
            try:
                answer = await self._execute(msgspec.structs.replace(chore.command, repository=name))
                ended, trouble = Outcome(str(answer["outcome"])), first_trouble(answer)
            except TuibackError as error:
                ended, trouble = Outcome.FAILED, str(error)
                self._activity.add("error", "maintenance", f"{chore.name}: {error}")
            if outcome is Outcome.OK and ended is not Outcome.OK:
                outcome, note = ended, trouble
        # One that is cut off by the engine's end is done again by the next engine.
        await asyncio.to_thread(upkeep.note, chore.name, self._clock.now(), outcome, note)

    async def _commits_pile_up(self) -> bool:
        for name, archive in self._archives.items():
            head = archive.committer.head
            if head is None:
                continue
            if name not in self._covered:
                self._covered[name] = await asyncio.to_thread(covered_number, archive)
            if head.number - self._covered[name] > self._most_commits:
                return True
        return False


def covered_number(archive: "Archive") -> int:
    """Up to which of this home's own commits the newest checkpoint reaches, 0 without one."""
    newest = archive.repository.newest_checkpoint()
    heads: Iterable[Any] = newest[1].covers if newest else ()
    return next((head.number for head in heads if head.writer == archive.writer_id), 0)


def first_trouble(answer: Mapping[str, Any]) -> str:
    """What the answer of a prune or check says went wrong first, "" where nothing did."""
    return next((str(line) for line in answer.get("errors") or ()), "")
