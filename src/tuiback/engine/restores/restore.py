"""Brings items back to Microsoft 365: plans first, then walks the same way and writes, each item journalled."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tuiback.catalog import Entry, JournalRow, State
from tuiback.connectors.base import Connector, Existing
from tuiback.engine.archives.archive import Archive
from tuiback.engine.commands import Restore, Selection
from tuiback.engine.progress import Progress
from tuiback.engine.restores.selected import StoredItem, batches, items
from tuiback.engine.workers import for_each
from tuiback.errors import Damage, EnvironmentFault, MicrosoftRefuses, NoSuchThing, TuibackError, UsageError
from tuiback.model import Account, Outcome

ITEMS_AT_ONCE = 4
NEW_FOLDER = "new-folder"
IN_PLACE = "in-place"
CONFLICTS = ("skip", "keep-both", "overwrite")


@dataclass(slots=True)
class RestoreReport:
    """What a restore planned and did; the fields of cli.md's restore."""

    planned: Counter[str] = field(default_factory=Counter)
    restored: int = 0
    skipped: int = 0
    failed: int = 0
    damaged: int = 0
    degraded: int = 0
    rewritten: int = 0
    verified: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """Whether all, some or none could be restored."""
        if not self.failed:
            return Outcome.OK
        return Outcome.PARTIAL if self.restored or self.skipped else Outcome.FAILED


def place_of(place: str, now: datetime) -> str | None:
    """The name of the new folder to restore into, None for in-place. Raises UsageError."""
    kind, _, name = place.partition(":")
    if kind == IN_PLACE and not name:
        return None
    if kind == NEW_FOLDER:
        # No colon: SharePoint forbids it in names.
        return name or f"Restored {now.astimezone():%Y-%m-%d %H.%M}"
    raise UsageError("unknown place to restore to", place, "choose new-folder, new-folder:NAME or in-place")


def action_for(existing: Existing | None, on_conflict: str) -> str:
    """create, overwrite or skip, for an item given what stands in its way."""
    if existing is None:
        return "create"
    if existing.identical:
        return "skip"
    return {"skip": "skip", "keep-both": "create", "overwrite": "overwrite"}[on_conflict]


class TargetFolders:
    """Finds the target folder of each item, once; makes missing ones unless `make` is off."""

    def __init__(
        self, connector: Connector, account: Account, archive: Archive, root_id: str | None, *, make: bool = True
    ) -> None:
        self._connector = connector
        self._account = account
        self._archive = archive
        self._root_id = root_id
        self._make = make
        self._found: dict[tuple[str, str], str | None] = {}
        self._lock = asyncio.Lock()

    async def folder_for(self, selection: Selection, parent_id: str) -> str | None:
        """The target folder's id for items that lay in parent_id; None where it is missing and not made."""
        async with self._lock:
            return await self._folder(selection, parent_id)

    async def _folder(self, selection: Selection, parent_id: str) -> str | None:
        if not parent_id:
            return self._root_id
        key = (selection.account_id, parent_id)
        if key not in self._found:
            reader = self._archive.reader
            entry = await asyncio.to_thread(reader.find_entry, selection.account_id, parent_id, selection.seq)
            entry = entry or await asyncio.to_thread(reader.find_entry, selection.account_id, parent_id, None)
            if entry is None:
                return self._root_id
            above = await self._folder(selection, entry.parent_id)
            folder = await StoredItem.load(entry, reader, self._archive.content)
            self._found[key] = (
                None
                if above is None
                else await self._connector.restore_folder(self._account, above, folder, make=self._make)
            )
        return self._found[key]


class RestoreWork:
    """One restore into one account of the tenant, begun at `now`; `journal` has what an attempt before came to."""

    def __init__(
        self,
        command: Restore,
        archive: Archive,
        connector: Connector,
        target: Account,
        now: datetime,
        journal: Iterable[JournalRow] = (),
    ) -> None:
        if command.on_conflict not in CONFLICTS:
            raise UsageError("unknown way to treat conflicts", command.on_conflict, f"choose {', '.join(CONFLICTS)}")
        self._command = command
        self._label = place_of(command.place, now)
        self._archive = archive
        self._connector = connector
        self._target = target
        self._before = {row.item_key: row for row in journal}
        self.report = RestoreReport()
        # A folder that a person named may exist already, from an earlier try for example.
        self._may_meet = self._label is None or ":" in command.place
        self._rule = command.on_conflict if self._may_meet else "keep-both"

    async def plan(self, progress: Progress) -> RestoreReport:
        """Count what would be done; writes nothing. New folders meet nothing, so no request is spent on them."""
        if not self._may_meet:
            for selection in self._command.selections:
                async for batch in batches(items(self._archive.reader, selection)):
                    self.report.planned["create"] += len(batch)
                    progress.total += len(batch)
            return self.report
        root_id = await self._connector.find_restore_root(self._target, self._label)
        folders = TargetFolders(self._connector, self._target, self._archive, root_id, make=False)
        for selection in self._command.selections:
            async for batch in batches(items(self._archive.reader, selection)):
                for entry in batch:
                    progress.total += 1
                    folder_id = await folders.folder_for(selection, entry.parent_id)
                    self._plan_one(await self._existing(entry, folder_id) if folder_id else None)
        return self.report

    def _plan_one(self, existing: Existing | None) -> str:
        action = action_for(existing, self._rule)
        self.report.planned[action] += 1
        if existing is not None and not existing.identical:
            self.report.planned["conflict"] += 1
        return action

    async def _existing(self, entry: Entry, folder_id: str) -> Existing | None:
        item = await StoredItem.load(entry, self._archive.reader, self._archive.content)
        return await self._connector.existing(self._target, folder_id, item)

    async def execute(self, job: int, progress: Progress) -> RestoreReport:
        """Write everything back. An item that fails is told and left; the rest goes on."""
        root_id = await self._connector.restore_root(self._target, self._label)
        folders = TargetFolders(self._connector, self._target, self._archive, root_id)
        for selection in self._command.selections:
            async for batch in batches(items(self._archive.reader, selection)):
                progress.total += len(batch)
                await self._restore_batch(job, selection, batch, folders, progress)
        return self.report

    async def _restore_batch(
        self, job: int, selection: Selection, batch: Sequence[Entry], folders: TargetFolders, progress: Progress
    ) -> None:
        async def restore(entry: Entry) -> None:
            progress.what = entry.name
            await self._restore_or_tell(job, selection, entry, folders)
            progress.done += 1
            progress.bytes_done += entry.size
            progress.failed = self.report.failed

        await for_each(batch, restore, ITEMS_AT_ONCE)

    async def _restore_or_tell(self, job: int, selection: Selection, entry: Entry, folders: TargetFolders) -> None:
        try:
            await self._restore_one(job, selection, entry, folders)
        except (EnvironmentFault, MicrosoftRefuses):
            raise
        except TuibackError as e:
            self.report.failed += 1
            self.report.damaged += isinstance(e, Damage)
            self.report.errors.append(f"{entry.name}: {e}")
            await self._archive.with_state(State.fail, job, entry.item_id, f"failed: {e}")

    async def _restore_one(self, job: int, selection: Selection, entry: Entry, folders: TargetFolders) -> None:
        before = self._before.get(entry.item_id)
        if before is not None and before.new_id:
            self.report.restored += 1
            return
        folder_id = await folders.folder_for(selection, entry.parent_id)
        if folder_id is None:
            raise NoSuchThing("its folder could not be found or made", entry.name, "restore into a new folder")
        item = await StoredItem.load(entry, self._archive.reader, self._archive.content)
        # Whether what was begun before has come so far that it lies there, only the service knows.
        may_meet = self._may_meet or before is not None
        existing = await self._connector.existing(self._target, folder_id, item) if may_meet else None
        action = self._plan_one(existing)
        if action == "skip":
            self.report.skipped += 1
            if existing is not None and not self._may_meet:
                # In a folder of its own nobody but the attempt before can have written it.
                await self._archive.with_state(State.done, job, entry.item_id, existing.item_id)
            return
        replaces = existing.item_id if existing is not None and action == "overwrite" else None
        place = f"{self._target.account_id}/{folder_id}"
        await self._archive.with_state(State.intend, job, entry.item_id, place, replaces or "")
        written = await self._connector.restore_item(
            self._target,
            folder_id,
            item,
            on_conflict=self._rule,
            replaces=replaces,
        )
        await self._archive.with_state(State.done, job, entry.item_id, written.item_id, "; ".join(written.degraded))
        self.report.restored += 1
        self.report.degraded += bool(written.degraded)
        self.report.rewritten += written.rewritten
        self.report.verified += written.verified
