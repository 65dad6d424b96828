"""Keeps which accounts as a whole a run could not back up, so that they show as failed until one can."""

import asyncio

from msgspec.structs import replace

from tuiback.catalog import CatalogReader
from tuiback.engine.archives.committer import Committer
from tuiback.errors import TuibackError
from tuiback.model import Clock, Kind, Owed


class OwnDebts:
    """Debts that name no item and no container. Every change is staged and commits with what the run did."""

    def __init__(self, committer: Committer, clock: Clock) -> None:
        self._committer = committer
        self._clock = clock
        self._debts: dict[str, Owed] = {}

    async def learn(self, reader: CatalogReader, task: str) -> None:
        """Read which accounts of the task failed before."""
        debts = await asyncio.to_thread(reader.owed, None, task)
        self._debts = {debt.account_id: debt for debt in debts if not debt.item_id and not debt.container_id}

    def owe(self, account_id: str, error: TuibackError) -> bool:
        """The account could not be backed up, or again not. Whether somebody has put up with that."""
        before = self._debts.get(account_id)
        debt = Owed(
            account_id=account_id,
            container_id="",
            item_id="",
            kind=Kind.FOLDER,
            path="",
            since=before.since if before else self._clock.now(),
            tries=(before.tries if before else 0) + 1,
            error=str(error),
            request_id=getattr(error, "request_id", ""),
            ack=before.ack if before else "",
        )
        self._debts[account_id] = debt
        self._committer.stage_owed(debt)
        return bool(debt.ack)

    def settle(self, account_id: str) -> None:
        """The account was backed up, or is no more."""
        debt = self._debts.pop(account_id, None)
        if debt is not None:
            self._committer.stage_owed(replace(debt, cleared=True))
