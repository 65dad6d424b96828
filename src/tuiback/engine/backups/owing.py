"""Keeps what an account pass owes: items whose fetch failed, retried first at the next run."""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from tuiback.engine.archives.committer import Committer
from tuiback.engine.backups.fetch import DECIDED, Failure
from tuiback.engine.monitor import RunMonitor
from tuiback.model import Clock, Container, Owed, RemoteItem


class OwedItems:
    """The debts of one account; every change is staged, so that it commits together with the cursor."""

    def __init__(self, owed: Iterable[Owed], committer: Committer, monitor: RunMonitor, clock: Clock) -> None:
        self._owed = {o.item_id: o for o in owed if o.item_id}
        self._told = frozenset(self._owed)
        self._committer = committer
        self._monitor = monitor
        self._clock = clock

    def __len__(self) -> int:
        return len(self._owed)

    def __iter__(self) -> Iterator[Owed]:
        return iter(tuple(self._owed.values()))

    def all_acknowledged(self) -> bool:
        """Whether somebody has put up with every one of them: such debts trouble no run."""
        return all(owed.ack for owed in self._owed.values())

    def per_container(self) -> Counter[str]:
        """How many items each container lacks."""
        return Counter(o.container_id for o in self._owed.values())

    def owe(self, account_id: str, container: Container, item: RemoteItem, failure: Failure) -> None:
        """The item could not be fetched."""
        before = self._owed.get(item.item_id)
        owed = Owed(
            account_id=account_id,
            container_id=container.container_id,
            item_id=item.item_id,
            kind=item.kind,
            path=f"{container.name}/{item.name}",
            since=before.since if before else self._clock.now(),
            tries=before.tries if before else 0,
            error="",
            ack=before.ack if before else "",
        )
        self.owe_again(owed, failure)

    def owe_again(self, owed: Owed, failure: Failure) -> None:
        """A further try failed."""
        # Told once, and known from the next run on.
        known = DECIDED.get(failure.code, "") if owed.item_id in self._told else ""
        owed = replace(
            owed, tries=owed.tries + 1, error=failure.error, request_id=failure.request_id, ack=owed.ack or known
        )
        self._owed[owed.item_id] = owed
        self._committer.stage_owed(owed)
        self._monitor.count("owed")
        self._monitor.item_done(owed.account_id)

    def clear(self, item_id: str) -> None:
        """The item was fetched, or is no more."""
        owed = self._owed.pop(item_id, None)
        if owed is not None:
            self._committer.stage_owed(replace(owed, cleared=True))
