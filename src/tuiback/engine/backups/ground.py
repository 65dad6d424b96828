"""Reads what an account pass starts from, and says what it leaves where nothing changed."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import msgspec
from msgspec.structs import replace

from tuiback.catalog import CatalogReader
from tuiback.model import Container, Outcome, Owed, SnapshotRow

P = ParamSpec("P")
T = TypeVar("T")


class Ground(msgspec.Struct, frozen=True):
    """What the catalog knew of the account when the pass began."""

    seq: int
    opened: bool
    last: SnapshotRow | None
    owed: tuple[Owed, ...]
    containers: tuple[Container, ...]

    @property
    def is_doubtful(self) -> bool:
        """Whether the pass before left something that was not as it should be."""
        return self.last is not None and self.last.outcome is not Outcome.OK


def ground_of(reader: CatalogReader, account_id: str) -> Ground:
    """An interrupted snapshot is continued, else the next number is taken."""
    opened = reader.open_snapshot(account_id)
    seq = opened.seq if opened else reader.last_seq(account_id) + 1
    last = reader.find_snapshot(account_id, seq - 1)
    return Ground(seq, opened is not None, last, reader.owed(account_id), reader.containers(account_id))


def held_on(last: SnapshotRow, unchanged: SnapshotRow) -> SnapshotRow:
    """The newest snapshot when nothing changed since: it still holds, and says until when if all is well."""
    if unchanged.outcome is not Outcome.OK:
        return last
    return replace(last, verified_until=unchanged.verified_until, outcome=Outcome.OK)


async def ask(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Ask the catalog without holding the loop up."""
    return await asyncio.to_thread(question, *args, **kwargs)
