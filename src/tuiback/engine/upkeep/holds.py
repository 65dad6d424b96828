"""Holds: what keeps an account whatever retention, the end of --keep-gone or the removal of its task say."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from tuiback.catalog import CatalogReader
from tuiback.engine.asking import current_asker
from tuiback.engine.commands import AddHold, RemoveHold
from tuiback.errors import NoSuchThing, UsageError
from tuiback.model import Account, Clock, ControlRow, Hold

if TYPE_CHECKING:
    from tuiback.engine.archives.archive import Archive
    from tuiback.engine.settings.registry import Registry

Answer = dict[str, object]


def is_over(hold: Hold, now: datetime) -> bool:
    """Whether its time has ended."""
    return hold.until is not None and hold.until < now


def find_hold(holds: tuple[Hold, ...], account: Account, now: datetime) -> Hold | None:
    """A hold that keeps the account; None where nothing does. A task's accounts are held after it was removed too."""
    for hold in holds:
        covers = hold.account_id == account.account_id if hold.account_id else hold.task == account.task
        if covers and not is_over(hold, now):
            return hold
    return None


def refuse_held(reader: CatalogReader, task: str, now: datetime) -> None:
    """Raise UsageError where an account of the task is held."""
    holds = reader.holds()
    for account in reader.accounts(task):
        hold = find_hold(holds, account, now)
        if hold is not None:
            raise UsageError(
                f"{account.address or account.name} is held ({hold.hold_id}: {hold.reason})", task,
                f"keep its data with --data keep, or end the hold first: tuiback hold remove {hold.hold_id}",
            )  # fmt: skip


def new_hold_id() -> str:
    """A short id that no removed hold had either, so that the audit names one thing by it."""
    return secrets.token_hex(4)


class Holds:
    """Adds and removes holds, and says what is held."""

    def __init__(
        self,
        archives: "Mapping[str, Archive]",
        registry: "Registry",
        clock: Clock,
        new_id: Callable[[], str] = new_hold_id,
    ) -> None:
        self._archives = archives
        self._registry = registry
        self._clock = clock
        self._new_id = new_id

    def is_held(self, archive: "Archive") -> Callable[[Account], bool]:
        """Tells an account that is held at the moment of asking, from any thread."""
        return lambda account: find_hold(archive.reader.holds(), account, self._clock.now()) is not None

    async def add(self, command: AddHold) -> Answer:
        """Hold an account or a task. Raises UsageError and NoSuchThing."""
        now = self._clock.now()
        if bool(command.account_id) == bool(command.task):
            raise UsageError("a hold is for one account or one task", remedy="give either ACCOUNT or --task")
        if not command.reason:
            raise UsageError("a hold needs a reason", command.account_id or command.task, "say why with --reason")
        if command.until is not None and command.until <= now:
            raise UsageError("the hold would be over already", f"{command.until:%Y-%m-%d}", "give a day to come")
        archive = await self._archive_of(command)
        hold = Hold(
            hold_id=self._new_id(),
            reason=command.reason,
            made_by=current_asker().who,
            made_at=now,
            account_id=command.account_id,
            task=command.task,
            until=command.until,
        )
        await _put(archive, ControlRow("hold", hold.hold_id, msgspec.json.encode(hold)))
        return {"name": hold.hold_id}

    async def remove(self, command: RemoveHold) -> Answer:
        """End a hold. Raises NoSuchThing."""
        for archive in self._archives.values():
            holds = await asyncio.to_thread(archive.reader.holds)
            if any(hold.hold_id == command.hold for hold in holds):
                await _put(archive, ControlRow("hold", command.hold, None))
                return {"name": command.hold}
        raise NoSuchThing("there is no such hold", command.hold, "see 'tuiback hold list'")

    async def _archive_of(self, command: AddHold) -> "Archive":
        if command.task:
            return self._registry.task(command.task)[0]
        for archive in self._archives.values():
            found = await asyncio.to_thread(archive.reader.find_accounts, command.account_id)
            if any(account.account_id == command.account_id for account in found):
                return archive
        raise NoSuchThing("no such account", command.account_id, "see 'tuiback account list'")


async def _put(archive: "Archive", row: ControlRow) -> None:
    await archive.mend()
    archive.committer.stage_control(row)
    await archive.committer.commit()
