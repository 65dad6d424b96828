"""Finds the account, the point in time and the items that somebody names, as on a command line."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from tuiback.engine.restores.points import AtOrBefore, Latest, choose_point, parse_point
from tuiback.errors import NoSuchThing, UsageError
from tuiback.model import Account

if TYPE_CHECKING:
    from tuiback.catalog import CatalogReader, Entry, Point
    from tuiback.engine.archives.view import View
    from tuiback.engine.commands import FindItems, Selection
    from tuiback.engine.home import Home


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items are named: ACCOUNT, PATHs, ids and the point in time."""

    account: str
    paths: tuple[str, ...]
    ids: tuple[str, ...]
    task: str | None
    at: str | None


def get_account(view: "View", text: str, task: str | None = None) -> NamedAccount:
    """The account that the ACCOUNT `text` means. Raises NoSuchThing or, with the candidates, Ambiguous."""
    check_task(view, task)
    repository, account = view.find_account(text, task)
    return NamedAccount(repository, view.reader(repository), account)


def get_target(view: "View", text: str, source_id: str) -> str:
    """The id of the account to write to: an address alone means the account of the source's kind, where there is one.

    Raises NoSuchThing or Ambiguous.
    """
    kind = source_id.partition(":")[0]
    with contextlib.suppress(NoSuchThing):
        return view.find_account(f"{kind}:{text}")[1].account_id
    return view.find_account(text)[1].account_id


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


def select(view: "View", wanted: Wanted) -> "Selection":
    """The items that are named, as the engine takes them. Raises NoSuchThing for what is not there.

    Ids without a point mean the last version that existed; all items of one selection are of one snapshot.
    """
    from tuiback.engine.commands import Selection

    named = get_account(view, wanted.account, wanted.task)
    if wanted.ids and wanted.at is None and not wanted.paths:
        return _last_versions(named, wanted.ids)
    seq = get_point(named, wanted.at).seq
    item_ids = [get_entry(named, item_id, seq).item_id for item_id in wanted.ids]
    for path in wanted.paths:
        entry = named.reader.resolve_path(named.account_id, path, seq)
        if entry is None:
            # The root was named: everything, whatever else is.
            return Selection(account_id=named.account_id, seq=seq)
        item_ids.append(entry.item_id)
    return Selection(account_id=named.account_id, seq=seq, item_ids=tuple(dict.fromkeys(item_ids)))


def _last_versions(named: NamedAccount, ids: Sequence[str]) -> "Selection":
    from tuiback.engine.commands import Selection

    taken = [point.seq for point in named.reader.points(named.account_id)]
    seqs = {visible_seq(taken, get_entry(named, item_id, None)) for item_id in ids}
    if len(seqs) > 1:
        told = ", ".join(f"#{seq}" for seq in sorted(seqs))
        raise UsageError(f"these ids last existed at different points ({told})", remedy="name one with --at")
    return Selection(account_id=named.account_id, seq=seqs.pop(), item_ids=tuple(dict.fromkeys(ids)))


async def find_items(home: "Home", command: "FindItems") -> dict[str, object]:
    """Carry FindItems out, with catalogs of its own. Raises NoSuchThing, Ambiguous and UsageError."""
    return await asyncio.to_thread(_find_items, home, command)


def _find_items(home: "Home", command: "FindItems") -> dict[str, object]:
    from tuiback.engine.archives.view import View

    view = View(home)
    try:
        wanted = Wanted(command.account, command.paths, command.ids, command.task, command.at)
        selection = select(view, wanted)
        target = None if command.target is None else get_target(view, command.target, selection.account_id)
    finally:
        view.close()
    return {"selection": msgspec.to_builtins(selection), "target_account_id": target}


def check_task(view: "View", task: str | None) -> None:
    """Raise NoSuchThing for the name of a task that there isn't; None asks for all."""
    if task is not None and all(known.name != task for _, known in view.tasks()):
        raise NoSuchThing("there is no such task", task, "see 'tuiback task list'")


def _called(account: Account) -> str:
    return f"{account.kind}:{account.address or account.name}"
