"""Adds, changes, renames and removes tasks, one by one or a whole configuration at once."""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tuiback.catalog import CatalogReader
from tuiback.engine.archives.archive import Archive
from tuiback.engine.backups.dispatch import Dispatcher
from tuiback.engine.commands import ChangeTasks, EditTask, PutTask, RemoveTask, RenameTask, StopTask
from tuiback.engine.settings.registry import Registry
from tuiback.engine.settings.task_plan import edited, planned, renamed
from tuiback.engine.upkeep.holds import refuse_held
from tuiback.errors import UsageError
from tuiback.model import Account, Clock, Container, ControlRow, Expired, Task

Answer = dict[str, object]


class TaskChanges:
    """Every change is one commit of the repository that the task's tenant belongs to."""

    def __init__(self, registry: Registry, dispatcher: Dispatcher, clock: Clock) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._clock = clock

    async def put(self, command: PutTask) -> Answer:
        """Add a task. Raises UsageError, NoSuchThing."""
        archive, task = await self._new(command)
        await self._commit(archive, [_row(task)])
        return {"name": task.name}

    async def edit(self, command: EditTask) -> Answer:
        """Change a task. Raises UsageError, NoSuchThing."""
        archive, task = await self._edited(command)
        if task != self._registry.task(command.task)[1]:
            await self._commit(archive, [_row(task)])
        await self._stop_if_paused(task)
        return {"name": task.name}

    async def rename(self, command: RenameTask) -> Answer:
        """Call a task something else. Raises UsageError while it runs, or for a name that is taken."""
        archive, before = self._registry.task(command.task)
        self._refuse_name(command.name, command.task)
        async with self._dispatcher.at_rest(before.name):
            await archive.mend()
            accounts = await asyncio.to_thread(archive.reader.accounts, before.name)
            for account in accounts:
                archive.committer.stage_account(replace(account, task=command.name))
            holds = [hold for hold in archive.reader.holds() if hold.task == before.name]
            rows = [ControlRow("task", before.name, None), _row(renamed(before, command.name))]
            rows += [
                ControlRow("hold", hold.hold_id, msgspec.json.encode(replace(hold, task=command.name)))
                for hold in holds
            ]
            await self._commit(archive, rows)
        return {"name": command.name}

    async def remove(self, command: RemoveTask) -> Answer:
        """Stop the task, forget it, and let its accounts go where their data is to be dropped."""
        await self._remove([command])
        return {"name": command.task}

    async def change(self, command: ChangeTasks) -> Answer:
        """Add, edit and remove many tasks: all of them, or none. Raises as the single changes do."""
        names = [put.name for put in command.add]
        if len(set(names)) < len(names):
            raise UsageError("a task is added twice", next(name for name in names if names.count(name) > 1))
        changed = [await self._new(put) for put in command.add] + [await self._edited(edit) for edit in command.edit]
        for name in command.remove:
            self._registry.task(name)
        by_archive: dict[str, tuple[Archive, list[Task]]] = {}
        for archive, task in changed:
            by_archive.setdefault(archive.ref.name, (archive, []))[1].append(task)
        for archive, tasks in by_archive.values():
            await self._commit(archive, [_row(task) for task in tasks])
        for _, task in changed:
            await self._stop_if_paused(task)
        await self._remove([RemoveTask(task=name) for name in command.remove])
        return {}

    async def _new(self, command: PutTask) -> tuple[Archive, Task]:
        archive, _ = self._registry.tenant(command.tenant)
        self._refuse_name(command.name)
        task = planned(command, self._clock.now())
        if task.everything and task.fixed and not task.accounts:
            task = replace(task, accounts=await self._registry.accounts_now(task))
        return archive, task

    async def _edited(self, command: EditTask) -> tuple[Archive, Task]:
        archive, before = self._registry.task(command.task)
        task = edited(before, command)
        if task.everything and task.fixed and not before.fixed and not command.accounts:
            task = replace(task, accounts=await self._registry.accounts_now(task))
        if _brings_in(before, task):
            async with self._dispatcher.at_rest(task.name):
                await archive.mend()
                for container in await asyncio.to_thread(_followed, archive.reader, task.name):
                    # What was left out so far is in no list of changes.
                    archive.committer.stage_container(replace(container, cursor=""))
        return archive, task

    def _refuse_name(self, name: str, own: str = "") -> None:
        """Raise UsageError where another task has the name, or had it: its history of runs would be mixed up."""
        for task in self._registry.tasks:
            if task.name == name:
                raise UsageError("a task of this name exists already", name, "choose another name")
            if task.name != own and name in task.former_names:
                raise UsageError(f"this is a former name of task {task.name}", name, "choose another name")

    async def _stop_if_paused(self, task: Task) -> None:
        if task.paused and task.name in self._dispatcher.runs:
            await self._dispatcher.stop(StopTask(task=task.name))

    async def _remove(self, commands: Sequence[RemoveTask]) -> None:
        rows: dict[str, tuple[Archive, list[ControlRow]]] = {}
        dropped: list[tuple[Archive, Account]] = []
        for command in commands:
            archive, task = self._registry.task(command.task)
            if command.drop:
                await asyncio.to_thread(refuse_held, archive.reader, task.name, self._clock.now())
            if task.name in self._dispatcher.runs:
                await self._dispatcher.stop(StopTask(task=task.name))
            rows.setdefault(archive.ref.name, (archive, []))[1].append(ControlRow("task", task.name, None))
            if command.drop:
                accounts = await asyncio.to_thread(archive.reader.accounts, task.name)
                dropped += [(archive, account) for account in accounts]
        for archive, some in rows.values():
            await archive.mend()
            for owner, account in dropped:
                if owner is archive:
                    archive.committer.stage_expired(Expired(account.account_id, whole=True))
            await self._commit(archive, some)

    async def _commit(self, archive: Archive, rows: Iterable[ControlRow]) -> None:
        await self._registry.save(archive, rows)


def _row(task: Task) -> ControlRow:
    return ControlRow("task", task.name, msgspec.json.encode(task))


def _brings_in(before: Task, after: Task) -> bool:
    """Whether something that was left out by its path may belong to the task from now on."""
    if before.exclude_paths == after.exclude_paths:
        return False
    added = after.exclude_paths[len(before.exclude_paths) :]
    only_added = after.exclude_paths[: len(before.exclude_paths)] == before.exclude_paths
    return not only_added or any(pattern.startswith("!") for pattern in added)


def _followed(reader: CatalogReader, task: str) -> list[Container]:
    """The containers of the task's accounts that have a cursor."""
    accounts = reader.accounts(task)
    return [each for account in accounts for each in reader.containers(account.account_id) if each.cursor]
