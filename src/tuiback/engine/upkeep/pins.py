"""Remembers which accounts are being read from, so that retention leaves them alone meanwhile."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tuiback.model import Account


class Pins:
    """The accounts that restores and exports of this process read; touched on the engine's loop only."""

    def __init__(self) -> None:
        self._accounts: Counter[str] = Counter()

    @contextmanager
    def hold(self, account_ids: Iterable[str]) -> Iterator[None]:
        """Within, nothing of these accounts expires."""
        held = tuple(account_ids)
        self._accounts.update(held)
        try:
            yield
        finally:
            self._accounts.subtract(held)
            self._accounts += Counter()

    def __contains__(self, account: Account) -> bool:
        return account.account_id in self._accounts
