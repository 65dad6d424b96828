"""Comes back to jobs that ended or were cut off: lets a restore or export go on, and undoes a restore."""

from collections import Counter
from collections.abc import Mapping
from functools import partial

import msgspec

from tuiback.catalog import JobRow, JournalRow, State
from tuiback.connectors.base import Connector
from tuiback.engine.archives.archive import Archive
from tuiback.engine.commands import Export, Restore, ResumeJob, UndoJob
from tuiback.engine.progress import Progress
from tuiback.engine.restores.job_desk import Answer, Done
from tuiback.engine.restores.jobs import Jobs
from tuiback.engine.restores.selected import StoredItem
from tuiback.engine.settings.registry import Registry
from tuiback.errors import EnvironmentFault, ItemGone, MicrosoftRefuses, NoSuchThing, TuibackError, UsageError
from tuiback.model import Account, Outcome

_ERRORS_TOLD = 20


class Reopening:
    """Works on the journals of all repositories; what it does are jobs beside the others."""

    def __init__(self, archives: Mapping[str, Archive], registry: Registry, jobs: Jobs) -> None:
        self._archives = archives
        self._registry = registry
        self._jobs = jobs

    async def resume(self, command: ResumeJob) -> Answer:
        """Let the job go on where it was. The answer stands with the command."""
        _, row = await self._find(command.job)
        if row.outcome is Outcome.OK:
            raise UsageError("there is nothing left to do of it", f"job {row.job}", "start another one")
        if row.kind == "restore":
            plan = msgspec.json.decode(row.plan, type=Restore)
            return await self._jobs.restore(msgspec.structs.replace(plan, wait=command.wait), again=row)
        if row.kind == "export":
            # Its own files are in its way: each is written once more, and the manifest with them.
            export = msgspec.json.decode(row.plan, type=Export)
            goes_on = msgspec.structs.replace(export, wait=command.wait, overwrite=True)
            return await self._jobs.export(goes_on, again=row)
        what = f"a {row.kind} has no end to be brought to: each one begins with what is there"
        raise UsageError(what, f"job {row.job}", "start another one")

    async def undo(self, command: UndoJob) -> Answer:
        """Take away what the restore has written. The answer stands with the command."""
        archive, row = await self._find(command.job)
        if row.kind != "restore":
            raise UsageError(f"only a restore can be undone, not a {row.kind}", f"job {row.job}")
        plan = msgspec.json.decode(row.plan, type=Restore)
        target_id = plan.target_account_id or plan.selections[0].account_id
        target = next((a for a in archive.reader.find_accounts(target_id) if a.account_id == target_id), None)
        if target is None:
            raise NoSuchThing("no such account", target_id, "see 'tuiback account list'")
        connector = self._registry.connector_for_kind(target.tenant, target.kind)
        undoing = Undoing(archive, connector, target, plan)
        subject = f"restore {row.job} to {target.address or target.name}"
        return await self._jobs.desk.start(archive, "undo", subject, command, partial(undoing.execute, row.job))

    async def _find(self, job: int) -> tuple[Archive, JobRow]:
        """The job, of whatever repository. Raises NoSuchThing, and UsageError while it is in progress."""
        for archive in self._archives.values():
            try:
                row = await archive.with_state(State.job, job)
            except NoSuchThing:
                continue
            if self._jobs.desk.is_running(job):
                raise UsageError("it is in progress", f"job {job}", "wait for its end, or cancel it")
            return archive, row
        raise NoSuchThing("there is no such job", f"job {job}", "see 'tuiback job list'")


class Undoing:
    """Takes away what one restore has written, the newest first."""

    def __init__(self, archive: Archive, connector: Connector, target: Account, plan: Restore) -> None:
        self._archive = archive
        self._connector = connector
        self._target = target
        self._plan = plan
        self._counts: Counter[str] = Counter()
        self._errors: list[str] = []

    async def execute(self, undone: int, job: int, progress: Progress) -> Done:
        """Undo that restore, as this job."""
        rows = [row for row in await self._archive.with_state(State.journal, undone) if row.new_id or not row.done]
        progress.total = len(rows)
        for row in reversed(rows):
            try:
                self._counts[await self._undo_one(row)] += 1
            except ItemGone:
                self._counts["gone"] += 1
            except (EnvironmentFault, MicrosoftRefuses):
                raise
            except TuibackError as error:
                self._counts["failed"] += 1
                self._errors.append(f"{row.item_key}: {error}")
            progress.done += 1
            progress.failed = self._counts["failed"]
        left = self._counts["kept"] + self._counts["failed"]
        outcome = Outcome.OK if not left else Outcome.PARTIAL if self._counts["removed"] else Outcome.FAILED
        counts = {name: self._counts[name] for name in ("removed", "gone", "kept", "failed")}
        answer: Answer = {"job": job, "outcome": str(outcome), **counts, "errors": self._errors[:_ERRORS_TOLD]}
        return outcome, answer, self._errors

    async def _undo_one(self, row: JournalRow) -> str:
        """What became of it: removed or kept."""
        item = await self._stored(row.item_key)
        name = item.name if item else row.item_key
        if not row.new_id:
            return self._keep(f"{name}: nobody knows whether it was written; look for it in {row.target}")
        if row.replaces:
            return self._keep(f"{name}: it took the place of another, which an earlier recovery point may have")
        if item is None:
            return self._keep(f"{name}: retention has given up what it was compared with")
        if await self._connector.take_back(self._target, row.new_id, item):
            return "removed"
        return self._keep(f"{name}: it is no longer as it was restored")

    def _keep(self, why: str) -> str:
        self._errors.append(why)
        return "kept"

    async def _stored(self, item_id: str) -> StoredItem | None:
        reader = self._archive.reader
        for selection in self._plan.selections:
            entry = reader.find_entry(selection.account_id, item_id, selection.seq)
            entry = entry or reader.find_entry(selection.account_id, item_id, None)
            if entry is not None:
                return await StoredItem.load(entry, reader, self._archive.content)
        return None
