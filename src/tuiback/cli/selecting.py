"""Finds the account, the point in time and the items that a command line names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuiback.cli.points import AtOrBefore, Latest, choose_point, parse_point
from tuiback.errors import NoSuchThing, UsageError
from tuiback.model import Account

if TYPE_CHECKING:
    from tuiback.catalog import CatalogReader, Entry, Point
    from tuiback.engine.view import View

@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account that the line names, and the repository and catalog that know it."""

    repository: str
    reader: "CatalogReader"
    account: Account

    @property
    def account_id(self) -> str:
        """The account's id."""
        return self.account.account_id


def get_account(view: "View", text: str, task: str | None = None) -> NamedAccount:
    """The account that the ACCOUNT `text` means. Raises NoSuchThing or, with the candidates, Ambiguous."""
    check_task(view, task)
    repository, account = view.find_account(text, task)
    return NamedAccount(repository, view.reader(repository), account)


def get_point(named: NamedAccount, at: str | None) -> "Point":
    """The recovery point that --at asks for, the latest without it."""
    wanted = parse_point(at, datetime.now(UTC)) if at is not None else Latest()
    return choose_point(named.reader.points(named.account_id), wanted, _called(named.account))


def parse_moment(text: str) -> datetime:
    """The moment that an option such as --since names: a POINT that is a time."""
    wanted = parse_point(text, datetime.now(UTC))
    if not isinstance(wanted, AtOrBefore):
        raise UsageError("is no time", text, "give 2026-11-21, 2026-11-21T22:00 or '2 days ago'")
    return wanted.moment


def get_entry(named: NamedAccount, item_id: str, seq: int | None) -> "Entry":
    """The version of an item at a snapshot; None means the last that existed. Raises NoSuchThing."""
    entry = named.reader.find_entry(named.account_id, item_id, seq)
    if entry is None:
        where = "" if seq is None else f" at #{seq}"
        raise NoSuchThing(f"{_called(named.account)} has no such item{where}", item_id, "see 'tuiback ls'")
    return entry


def visible_seq(seqs: Iterable[int], entry: "Entry") -> int:
    """The newest of these snapshots that shows this version of an item."""
    shown = (seq for seq in seqs if entry.from_seq <= seq and (entry.until_seq is None or seq < entry.until_seq))
    return max(shown, default=entry.from_seq)


def check_task(view: "View", task: str | None) -> None:
    """Raise NoSuchThing for the name of a task that there isn't; None asks for all."""
    if task is not None and all(known.name != task for _, known in view.tasks()):
        raise NoSuchThing("there is no such task", task, "see 'tuiback task list'")


def _called(account: Account) -> str:
    return f"{account.kind}:{account.address or account.name}"
