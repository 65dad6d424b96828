"""Keeps the audit: who asked the engine for what, in state.db at once and in the repository with its next commit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import groupby
from pathlib import Path

import msgspec

from tuiback.catalog import CatalogReader, State
from tuiback.engine.archives.archive import Archive
from tuiback.engine.asking import Asker, current_asker, given_reason
from tuiback.engine.commands import (
    CancelJob,
    Check,
    CheckTenant,
    Command,
    FindCoverage,
    FindItems,
    Leave,
    MakeCheckpoint,
    Prune,
    RunTasks,
    StopTask,
)
from tuiback.engine.home import Home
from tuiback.errors import TuibackError
from tuiback.model import Clock, ControlRow
from tuiback.model.audited import AuditEntry, Deed

# A commit writes the newest segment of the log anew, never more of it.
SEGMENT_ENTRIES = 64
# What other processes note (a `cat` beside a running engine) waits this long for the repository.
SEAL_SECONDS = 30.0

# Runs are told by the history of runs; the others neither change nor show anything of what is kept.
_NOT_AUDITED = (RunTasks, StopTask, CancelJob, Leave, FindCoverage, FindItems, CheckTenant, Check, MakeCheckpoint)
_SECRET_WORDS = ("credential", "secret", "password", "passphrase", "token")
_NOT_SECRET = ("credential_kind", "credential_expires_on")
_SUBJECT_FIELDS = ("name", "task", "tenant", "hold", "owed_id", "to")
# So many ids of one selection are written down; of more only their number.
_IDS_TOLD = 20


def deed_of(command: Command, asker: Asker) -> Deed | None:
    """What the audit says of a command; None for one that it leaves out. Nothing secret is in it."""
    if isinstance(command, _NOT_AUDITED) or (isinstance(command, Prune) and command.dry_run):
        return None
    return _told(command, asker)


def _told(command: Command, asker: Asker) -> Deed:
    selections = getattr(command, "selections", ())
    accounts = [selection.account_id for selection in selections]
    accounts += [account for name in ("account_id", "target_account_id") if (account := getattr(command, name, ""))]
    named = [value for name in _SUBJECT_FIELDS if (value := getattr(command, name, ""))]
    return Deed(
        who=asker.who,
        uid=asker.uid,
        origin=asker.origin,
        action=str(command.__struct_config__.tag),
        subject=", ".join(named or accounts),
        accounts=tuple(dict.fromkeys(accounts)),
        detail=msgspec.json.encode(_detail(command)).decode(),
        reason=command.reason,
    )


def _detail(command: Command) -> dict[str, object]:
    """The fields that say more than their defaults."""
    detail: dict[str, object] = {}
    for field in msgspec.structs.fields(command):
        value = getattr(command, field.name)
        if value == field.default or field.name in ("reason", "wait"):
            continue
        if field.name not in _NOT_SECRET and any(word in field.name for word in _SECRET_WORDS):
            value = "not told"
        detail[field.name] = [_selected(each) for each in value] if field.name == "selections" else value
    return detail


def _selected(selection: msgspec.Struct) -> dict[str, object]:
    told = msgspec.structs.asdict(selection)
    item_ids = told["item_ids"]
    if len(item_ids) > _IDS_TOLD:
        told["item_ids"] = f"{len(item_ids)} items"
    return told


def note_deed(home: Home, repository: str, clock: Clock, deed: Deed) -> None:
    """Write a deed down where no engine does it; the next engine brings it into the repository.

    Raises EnvironmentFault where it can't be written: then the deed must not be done.
    """
    path = home.state_path(repository)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = State.open(path)
    try:
        state.audit(clock.now(), deed)
    finally:
        state.close()


def deed_by_hand(action: str, subject: str, *, accounts: Iterable[str] = (), detail: str = "") -> Deed:
    """What this process does without an engine."""
    asker = current_asker()
    return Deed(
        who=asker.who, uid=asker.uid, origin=asker.origin, action=action, subject=subject, accounts=tuple(accounts),
        detail=detail, reason=given_reason(),
    )  # fmt: skip


def read_audit(path: Path, reader: CatalogReader) -> tuple[list[AuditEntry], list[str]]:
    """The whole audit of a repository, and where state.db at `path` and the repository differ, a line each."""
    sealed = {(entry.log, entry.number): entry for entry in reader.audit_entries()}
    local: dict[tuple[str, int], AuditEntry] = {}
    if path.exists():
        state = State.open(path)
        try:
            local = {(entry.log, entry.number): entry for entry in state.audit_entries()}
        finally:
            state.close()
    breaks = [
        f"entry {key[1]} of {key[0]} is one thing in this home and another in the repository"
        for key in sorted(sealed.keys() & local.keys())
        if sealed[key] != local[key]
    ]
    breaks += [
        f"entry {key[1]} of {key[0]} is in the repository and no longer in this home"
        for key in sorted(sealed.keys() - local.keys())
        if key[0] in {log for log, _ in local}
    ]
    newest = dict(sorted(sealed))
    breaks += [
        f"entry {key[1]} of {key[0]} is in this home and no longer in the repository"
        for key in sorted(local.keys() - sealed.keys())
        if key[1] <= newest.get(key[0], 0)
    ]
    entries = sorted({**sealed, **local}.values(), key=lambda entry: (entry.time, entry.log, entry.number))
    return entries, breaks


class Auditing:
    """The audit of all repositories of a running engine."""

    def __init__(self, archives: Mapping[str, Archive], clock: Clock) -> None:
        self._archives = archives
        self._clock = clock
        # Of each repository the first entry that is still to be sealed, and the commits it waits for.
        self._next: dict[str, tuple[object, str, int]] = {}
        self._sealing = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def noted(self, command: Command) -> AsyncIterator[None]:
        """Write the command down before it is carried out, and that it failed where it does."""
        deed = deed_of(command, current_asker())
        if deed is None or not self._archives:
            yield
            return
        archive = await self._archive_of(command, deed)
        await self._note(archive, deed)
        try:
            yield
        except TuibackError as error:
            failed = {"failed": str(error)}
            await self._note(archive, msgspec.structs.replace(deed, detail=msgspec.json.encode(failed).decode()))
            raise

    async def refused(self, command: Command, error: TuibackError) -> None:
        """Write down that a command was not carried out because of who asked for it, whatever it was."""
        deed = _told(command, current_asker())
        if self._archives:
            refused = msgspec.json.encode({"refused": str(error)}).decode()
            await self._note(await self._archive_of(command, deed), msgspec.structs.replace(deed, detail=refused))

    async def run(self) -> None:
        """Bring what other processes note into the repositories, until cancelled."""
        while True:
            await self.seal()
            await self._clock.sleep(SEAL_SECONDS)

    async def seal(self) -> None:
        """Stage every entry that the repositories don't have, for their next commits."""
        async with self._sealing:
            for archive in self._archives.values():
                # A repository that can't be written to is told by everything else that writes to it.
                with contextlib.suppress(TuibackError):
                    await self._seal(archive)

    async def _note(self, archive: Archive, deed: Deed) -> None:
        await archive.with_state(State.audit, self._clock.now(), deed)
        await self.seal()

    async def _seal(self, archive: Archive) -> None:
        first = await self._first_unsealed(archive)
        since = first - (first - 1) % SEGMENT_ENTRIES
        entries = await archive.with_state(State.audit_entries, None, since)
        if not entries or entries[-1].number < first:
            return
        for (log, number), segment in groupby(entries, key=_segment_of):
            some = tuple(segment)
            if some[-1].number >= first and await self._is_ours(archive, log, some):
                archive.committer.stage_control(ControlRow("audit", f"{log}/{number:08d}", msgspec.json.encode(some)))
        self._next[archive.ref.name] = (archive.committer, archive.writer_id, entries[-1].number + 1)

    @staticmethod
    async def _is_ours(archive: Archive, log: str, entries: tuple[AuditEntry, ...]) -> bool:
        """Whether no other copy of this home has sealed something else in the place of these."""
        if log == archive.writer_id:
            return True
        sealed = {entry.number: entry for entry in await asyncio.to_thread(archive.reader.audit_entries, log)}
        return all(sealed.get(entry.number, entry) == entry for entry in entries)

    async def _first_unsealed(self, archive: Archive) -> int:
        committer, log, first = self._next.get(archive.ref.name, (None, "", 1))
        if committer is archive.committer and log == archive.writer_id:
            return first
        # What a failed commit took along is staged again.
        sealed = await asyncio.to_thread(archive.reader.audit_entries, archive.writer_id, newest_only=True)
        if not sealed:
            return 1
        last = sealed[-1]
        if last not in (await archive.with_state(State.audit_entries, None, last.number))[:1]:
            # This home is an older copy of itself: going on where it is would overwrite what it has sealed since.
            everything = await asyncio.to_thread(archive.reader.audit_entries, archive.writer_id)
            await archive.with_state(State.follow_audit, everything)
        return last.number + 1

    async def _archive_of(self, command: Command, deed: Deed) -> Archive:
        """Whose repository the deed is about; the first where that can't be told."""
        names = {getattr(command, "task", ""), getattr(command, "tenant", "")}
        for archive in self._archives.values():
            if getattr(command, "repository", "") == archive.ref.name:
                return archive
            if await asyncio.to_thread(_knows, archive.reader, names, deed.accounts):
                return archive
        return next(iter(self._archives.values()))


def _segment_of(entry: AuditEntry) -> tuple[str, int]:
    return entry.log, (entry.number - 1) // SEGMENT_ENTRIES


def _knows(reader: CatalogReader, names: set[str], accounts: Iterable[str]) -> bool:
    configured = {task.name for task in reader.tasks()} | {tenant.name for tenant in reader.tenants()}
    return bool(names & configured) or any(reader.find_accounts(account_id) for account_id in accounts)
