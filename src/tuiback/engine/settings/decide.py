"""Decides what is to be done about an item that a listing shows, and which accounts a task covers: pure functions."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum, auto

import msgspec

from tuiback.connectors.base import Discovered
from tuiback.model import Account, Known, RemoteItem, Task


class Verdict(Enum):
    """What a listed item asks for."""

    UNCHANGED = auto()  # nothing at all
    CARRY_OVER = auto()  # a new version with the content already stored
    STORE_FACTS = auto()  # a new version that has no content: a folder
    FETCH = auto()  # its content


def verdict(
    item: RemoteItem, container_id: str, known: Known | None, same_content: Callable[[Known, RemoteItem], bool]
) -> Verdict:
    """What to do about `item`, listed in this container, given what the catalog knows of it."""
    in_place = (
        known is not None
        and known.live
        and not known.removal_pending
        and known.container_id == container_id
        and known.parent_id == item.parent_id
        and known.name == item.name
    )
    if known is not None and in_place and known.etag == item.etag:
        return Verdict.UNCHANGED
    if not item.has_content:
        return Verdict.STORE_FACTS
    if known is not None and (known.etag == item.etag or same_content(known, item)):
        return Verdict.CARRY_OVER
    return Verdict.FETCH


class Leaver(msgspec.Struct, frozen=True):
    """An account that the task has covered and does not cover any more, and why."""

    account: Account
    reason: str


class Scope(msgspec.Struct, frozen=True):
    """What a task covers today: accounts to back up, accounts that are gone, names that fit nothing.

    `taken` are accounts that another task backs up already.
    """

    covered: tuple[Discovered, ...]
    gone: tuple[Leaver, ...]
    unmatched: tuple[str, ...]
    taken: tuple[Discovered, ...]


def account_id_of(found: Discovered) -> str:
    """The account id of a discovered account."""
    return f"{found.kind}:{found.object_id}"


def fits(text: str, found: Discovered) -> bool:
    """Whether an ACCOUNT text of the command line names this account."""
    kind, colon, rest = text.partition(":")
    if colon and kind in {"mailbox", "archive", "drive", "site", "team"}:
        if kind != found.kind:
            return False
        text = rest
    wanted = text.casefold()
    names = (found.address, found.name, *found.aliases)
    return text in {found.object_id, found.owner_id} or any(wanted == n.casefold() for n in names if n)


def scope_of(
    task: Task,
    discovered: Sequence[Discovered],
    known: Iterable[Account],
    taken_by_others: frozenset[str],
    members: Collection[str] = frozenset(),
) -> Scope:
    """Which of the discovered accounts the task covers.

    `known` are the accounts that the task covered before, `members` the owner ids in its groups; `taken_by_others`
    are account ids of other tasks: a task that does not name them leaves them alone, so that nothing is backed up
    twice.
    """
    covered: list[Discovered] = []
    taken: list[Discovered] = []
    for found in discovered:
        if not found.object_id:
            continue  # a user without such an account, told by its reason
        named = any(fits(text, found) for text in task.accounts)
        wanted = named or (task.everything and not task.fixed) or found.owner_id in members
        if not wanted or any(fits(text, found) for text in task.exclude):
            continue
        if not named and account_id_of(found) in taken_by_others:
            taken.append(found)
        else:
            covered.append(found)
    present = {account_id_of(found): found for found in discovered if found.object_id}
    owners = {found.owner_id for found in discovered}
    gone = tuple(
        Leaver(a, reason) for a in known if (reason := _why_gone(task, a, present, owners, members)) is not None
    )
    unmatched = [t for t in task.accounts if not any(fits(t, found) for found in present.values())]
    left = [leaver.account for leaver in gone]
    known_gone = {a.account_id for a in left} | {a.owner_id for a in left} | {a.address.casefold() for a in left}
    return Scope(tuple(covered), gone, tuple(t for t in unmatched if t.casefold() not in known_gone), tuple(taken))


def _why_gone(
    task: Task,
    account: Account,
    present: Mapping[str, Discovered],
    owners: Collection[str],
    members: Collection[str],
) -> str | None:
    """Why an account is in the task no longer; None where it has not left.

    A list of accounts that no longer names it is no reason: addresses change, and nobody has left.
    """
    found = present.get(account.account_id)
    if found is None:
        return "has no account of this service any more" if account.owner_id in owners else "left the tenant"
    if any(fits(text, found) for text in task.exclude):
        return "excluded from the task"
    is_named = any(fits(text, found) for text in task.accounts)
    if task.groups and not (task.everything or is_named or found.owner_id in members):
        return "left the group"
    return None
