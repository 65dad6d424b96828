"""Carries restores, exports, prunes and checks out as jobs.

What carries a job out loads with the first of its kind: most engines only ever back up.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuiback.catalog import JobRow, State
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.commands import Check, Export, MakeCheckpoint, Prune, Restore, Selection
from tuiback.engine.progress import Progress
from tuiback.engine.restores.job_desk import Answer, Done, JobDesk
from tuiback.engine.restores.selected import batches, items
from tuiback.engine.settings.registry import Registry
from tuiback.engine.upkeep.holds import Holds
from tuiback.engine.upkeep.prune_report import prune_fields, summed
from tuiback.errors import NoSuchThing, UsageError
from tuiback.model import Account, Clock, Outcome

if TYPE_CHECKING:
    from tuiback.engine.restores.restore import RestoreReport
    from tuiback.engine.restores.slices import ExportReport
    from tuiback.engine.upkeep.checking import Extent


class Jobs:
    """Runs restores, exports and prunes beside the backups."""

    def __init__(
        self,
        archives: Mapping[str, Archive],
        registry: Registry,
        holds: Holds,
        activity: Activity,
        clock: Clock,
    ) -> None:
        self._archives = archives
        self._registry = registry
        self._holds = holds
        self._clock = clock
        # Where those in progress are seen and stopped.
        self.desk = JobDesk(archives, activity, clock)
        self._pruned: set[str] = set()
        # Called on another thread with each repository that was checked, how, and how much of it is damaged.
        self.on_check: Callable[[str, Extent, int], None] = lambda *_: None

    def _chosen(self, repository: str) -> list[Archive]:
        """The archive of that repository; all for ""."""
        if repository and repository not in self._archives:
            raise NoSuchThing("no such repository in this home", repository, "see 'tuiback repository list'")
        return [self._archives[repository]] if repository else list(self._archives.values())

    def _account(self, account_id: str) -> tuple[Archive, Account]:
        for archive in self._archives.values():
            for account in archive.reader.find_accounts(account_id):
                if account.account_id == account_id:
                    return archive, account
        raise NoSuchThing("no such account", account_id, "see 'tuiback account list'")

    def _source(self, selections: tuple[Selection, ...]) -> tuple[Archive, list[Account]]:
        if not selections:
            raise UsageError("nothing was selected", "", "name an account, a path or an --id")
        found = [self._account(s.account_id) for s in selections]
        archive = found[0][0]
        if any(other is not archive for other, _ in found):
            raise UsageError("the accounts lie in different repositories", "", "start one job for each repository")
        return archive, [account for _, account in found]

    async def restore(self, command: Restore, again: JobRow | None = None) -> Answer:
        """Plan, and unless it is a dry run, write back; `again` is the job that goes on.

        The answer has the fields of cli.md's restore.
        """
        from tuiback.engine.restores.restore import RestoreWork

        archive, sources = await asyncio.to_thread(self._source, command.selections)
        target = sources[0]
        if command.target_account_id is not None:
            _, target = await asyncio.to_thread(self._account, command.target_account_id)
        elif len({a.account_id for a in sources}) > 1:
            raise UsageError("several accounts can't be restored as one job yet", "", "restore one account at a time")
        if target.kind != sources[0].kind:
            raise UsageError(
                f"items of a {sources[0].kind} can't go into a {target.kind}", target.address, "choose another target"
            )
        connector = self._registry.connector_for_kind(target.tenant, target.kind)
        begun = again.created_at if again else self._clock.now()
        journal = await archive.with_state(State.journal, again.job) if again else ()
        work = RestoreWork(command, archive, connector, target, begun, journal)
        if command.dry_run:
            report = await work.plan(Progress())
            return restore_fields(None, Outcome.OK, report)

        async def do(job: int, progress: Progress) -> Done:
            report = await work.execute(job, progress)
            return report.outcome, restore_fields(job, report.outcome, report), report.errors

        subject = f"{sources[0].address or sources[0].name} to {target.address or target.name}"
        return await self.desk.start(archive, "restore", subject, command, do, again=again, begun=begun)

    async def export(self, command: Export, again: JobRow | None = None) -> Answer:
        """Write the selection as files; `again` is the job that goes on.

        The answer has the fields of cli.md's export.
        """
        from tuiback.engine.restores.export import Exporter, Names, safe_name
        from tuiback.engine.restores.opening import open_target

        archive, sources = await asyncio.to_thread(self._source, command.selections)
        if not Path(command.to).is_absolute():
            raise UsageError("the engine needs an absolute path", command.to)
        if command.dry_run:
            counts = [await _count(archive, selection) for selection in command.selections]
            return {
                "job": None, "outcome": "ok", "files": sum(n for n, _ in counts), "bytes": sum(b for _, b in counts)
            }
        target = await asyncio.to_thread(open_target, command.to, overwrite=command.overwrite)
        exporter = Exporter(archive.reader, archive.content, target, command.form)

        async def do(job: int, progress: Progress) -> Done:
            try:
                for selection, account in zip(command.selections, sources, strict=True):
                    top = safe_name(account.address or account.name) if len(sources) > 1 else ""
                    names = Names(archive.reader, selection.seq, top)
                    async for batch in batches(items(archive.reader, selection)):
                        progress.total += len(batch)
                        await asyncio.to_thread(exporter.write_batch, batch, names)
                        _tell(exporter.report, progress)
                await asyncio.to_thread(exporter.finish)
                _tell(exporter.report, progress)
            finally:
                await asyncio.to_thread(exporter.close)
            report = exporter.report
            answer: Answer = {
                "job": job, "outcome": str(report.outcome), "files": report.files, "bytes": report.bytes,
                "failed": report.failed, "damaged": report.damaged, "errors": report.errors[:20],
            }
            return report.outcome, answer, report.errors

        subject = f"{', '.join(a.address or a.name for a in sources[:3])} to {command.to}"
        return await self.desk.start(archive, "export", subject, command, do, again=again)

    async def prune(self, command: Prune) -> Answer:
        """Prune every repository, one after the other. The answer has the fields of cli.md's prune."""
        return summed([await self._prune(archive, command) for archive in self._chosen(command.repository)])

    async def _prune(self, archive: Archive, command: Prune) -> Answer:
        from tuiback.engine.upkeep.pruning import Pruner

        name = archive.ref.name
        held = self._holds.is_held(archive)
        pruner = Pruner(archive, self._clock, is_held=lambda account: account in self.desk.pins or held(account))
        if name in self._pruned:
            raise UsageError("it is being pruned already", name, "let it end; see 'tuiback status'")
        if command.dry_run:
            self._pruned.add(name)
            try:
                return prune_fields(None, Outcome.OK, await pruner.preview())
            finally:
                self._pruned.discard(name)

        async def do(job: int, progress: Progress) -> Done:
            try:
                report = await pruner.prune(progress)
            finally:
                self._pruned.discard(name)
            outcome = Outcome.PARTIAL if report.troubles else Outcome.OK
            return outcome, prune_fields(job, outcome, report), report.troubles

        self._pruned.add(name)
        return await self.desk.start(archive, "prune", name, command, do)

    async def check(self, command: Check) -> Answer:
        """Check every repository, one after the other. The answer stands with the command."""
        from tuiback.engine.upkeep.check_work import check_beside, damage_lines
        from tuiback.engine.upkeep.checking import Extent

        extent = Extent(percent=command.percent)
        kind = "sampled check" if command.percent else "structure check"
        answers = []
        for archive in self._chosen(command.repository):

            async def do(job: int, progress: Progress, archive: Archive = archive) -> Done:
                checked = await check_beside(archive, extent, self._clock, progress)
                report, lines = checked.report, damage_lines(checked)
                await asyncio.to_thread(self.on_check, archive.ref.name, extent, len(report.damaged))
                outcome = Outcome.OK if report.ok else Outcome.FAILED
                figures = {"packs": report.packs, "packs_verified": report.looked_into if report.depth else 0}
                answer: Answer = {"job": job, "outcome": str(outcome), **figures, "damaged": len(report.damaged)}
                return outcome, answer | {"errors": lines}, lines

            answers.append(await self.desk.start(archive, kind, archive.ref.name, command, do))
        return _worst(answers)

    async def checkpoint(self, command: MakeCheckpoint) -> Answer:
        """Write a checkpoint of every repository that is not being pruned. The answer stands with the command."""
        from tuiback.engine.upkeep.pruning import Pruner

        answers = []
        for archive in self._archives.values():
            name = archive.ref.name
            if name in self._pruned:
                continue  # which makes one itself
            pruner = Pruner(archive, self._clock, is_held=lambda _: True)

            async def do(job: int, progress: Progress, name: str = name, pruner: Pruner = pruner) -> Done:
                try:
                    await pruner.checkpoint(progress)
                finally:
                    self._pruned.discard(name)
                return Outcome.OK, {"job": job, "outcome": "ok", "errors": []}, []

            self._pruned.add(name)
            answers.append(await self.desk.start(archive, "checkpoint", name, command, do))
        return _worst(answers)

def _tell(report: "ExportReport", progress: Progress) -> None:
    progress.done, progress.bytes_done, progress.failed = report.files + report.failed, report.bytes, report.failed


async def _count(archive: Archive, selection: Selection) -> tuple[int, int]:
    count = size = 0
    async for batch in batches(items(archive.reader, selection)):
        count += len(batch)
        size += sum(entry.size for entry in batch)
    return count, size


def _worst(answers: Sequence[Answer]) -> Answer:
    """One answer for several repositories: their sums, the last one's job, all that went wrong."""
    worst: Answer = {"job": None, "outcome": str(Outcome.OK), "errors": []}
    for answer in answers:
        for name, value in answer.items():
            before = worst.get(name)
            if name == "outcome":
                worst[name] = value if before == Outcome.OK else before
            elif name == "job" or not isinstance(value, int | list):
                worst[name] = value
            else:
                worst[name] = value if before is None else before + value  # type: ignore[operator]
    return worst


def restore_fields(job: int | None, outcome: Outcome, report: "RestoreReport") -> Answer:
    """A restore as cli.md tells it."""
    return {
        "job": job,
        "outcome": str(outcome),
        "planned": {name: report.planned[name] for name in ("create", "overwrite", "skip", "conflict")},
        "restored": report.restored,
        "skipped": report.skipped,
        "failed": report.failed,
        "damaged": report.damaged,
        "degraded": report.degraded,
        "rewritten": report.rewritten,
        "verified": report.verified,
        "errors": report.errors[:20],
    }
