"""Acknowledges debts: what somebody puts up with stays listed and is tried again, but troubles no run any more."""

import asyncio
from collections.abc import Mapping

from msgspec.structs import replace

from tuiback.engine.archives.archive import Archive
from tuiback.engine.commands import AckOwed
from tuiback.errors import Ambiguous, NoSuchThing, UsageError
from tuiback.model import Owed


def owed_id_of(debt: Owed) -> str:
    """By what a debt is named: its item, else the container or the account that it is about."""
    return debt.item_id or debt.container_id or debt.account_id


class Debts:
    """The debts of all repositories of an engine."""

    def __init__(self, archives: Mapping[str, Archive]) -> None:
        self._archives = archives

    async def acknowledge(self, command: AckOwed) -> dict[str, object]:
        """Put up with a debt. Raises UsageError without a reason, NoSuchThing, Ambiguous."""
        if not command.reason:
            raise UsageError("acknowledging needs a reason", command.owed_id, "say why with --reason")
        account_id = command.account_id or None
        found = [
            (archive, debt)
            for archive in self._archives.values()
            for debt in await asyncio.to_thread(archive.reader.owed, account_id)
            if owed_id_of(debt) == command.owed_id
        ]
        if not found:
            raise NoSuchThing("nothing of this id is owed", command.owed_id, "see 'tuiback owed'")
        if len(found) > 1:
            accounts = ", ".join(debt.account_id for _, debt in found)
            raise Ambiguous(f"several accounts owe this: {accounts}", command.owed_id, "name one with --account")
        archive, debt = found[0]
        await archive.mend()
        archive.committer.stage_owed(replace(debt, ack=command.reason))
        await archive.committer.commit()
        return {"name": command.owed_id}
