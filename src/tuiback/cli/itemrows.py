"""Makes the rows of `ls`: what lies in a folder, or below it, at a point in time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tuiback.cli.output import Row
from tuiback.engine.restores.naming import NamedAccount, visible_seq
from tuiback.model import FOLDER_KINDS, Kind

if TYPE_CHECKING:
    from tuiback.catalog import Entry

_PAGE = 256


@dataclass(frozen=True)
class Listing:
    """What `ls` was asked for, in one account at one snapshot."""

    named: NamedAccount
    seq: int
    recursive: bool = False
    deleted: bool = False
    kind: Kind | None = None

    @cached_property
    def taken(self) -> dict[int, datetime]:
        """When each snapshot of the account was taken."""
        return {point.seq: point.taken_at for point in self.named.reader.points(self.named.account_id)}


def item_rows(listing: Listing, start: "Entry | None") -> Iterator[Row]:
    """The rows below `start`, None for the account's root; an item that is no folder is listed itself."""
    if start is not None and start.kind not in FOLDER_KINDS:
        yield _row(listing, start, _path_of(listing, start))
        return
    for path, entry in _entries(listing, start):
        if listing.kind is None or entry.kind is listing.kind:
            yield _row(listing, entry, path)


def _entries(listing: Listing, start: "Entry | None") -> "Iterator[tuple[str, Entry]]":
    parent_id = start.item_id if start else ""
    if listing.recursive and not listing.deleted:
        yield from _below(listing, parent_id)
        return
    folder_ids = [parent_id]
    if listing.recursive:
        folder_ids += [entry.item_id for _, entry in _below(listing, parent_id) if entry.kind in FOLDER_KINDS]
    for folder_id in folder_ids:
        for entry in _children(listing, folder_id):
            yield _path_of(listing, entry), entry


def _below(listing: Listing, parent_id: str) -> "Iterator[tuple[str, Entry]]":
    named = listing.named
    walk = named.reader.walk(named.account_id, listing.seq, parent_id)
    return ((path, entry) for path, entry in walk if entry.item_id != parent_id)


def _children(listing: Listing, parent_id: str) -> "Iterator[Entry]":
    """What lies in one folder, page by page: folders first, then the items by name."""
    from tuiback.catalog import page_key

    for of_folders in (True, False):
        kinds = [kind for kind in Kind if (kind in FOLDER_KINDS) == of_folders]
        after: tuple[str, str] | None = None
        while page := listing.named.reader.children(
            listing.named.account_id,
            listing.seq,
            parent_id,
            after=after,
            limit=_PAGE,
            kinds=kinds,
            deleted=listing.deleted,
        ):
            yield from page
            after = page_key(page[-1], deleted=listing.deleted)


def _path_of(listing: Listing, entry: "Entry") -> str:
    # A deleted item is named by where it lay when it was last seen.
    seq = _seq_to_name(listing, entry)
    return listing.named.reader.path_of(listing.named.account_id, entry.item_id, seq)


def _seq_to_name(listing: Listing, entry: "Entry") -> int:
    """The snapshot to name for this version: the one listed, or for a deleted item the last that shows it."""
    if entry.until_seq is None or entry.until_seq > listing.seq:
        return listing.seq
    return visible_seq(listing.taken, entry)


def _row(listing: Listing, entry: "Entry", path: str) -> Row:
    seq = _seq_to_name(listing, entry)
    return {
        "id": entry.item_id,
        "account_id": entry.account_id,
        "kind": entry.kind,
        "path": path,
        "name": entry.name,
        "size": entry.size,
        "modified": entry.modified or None,
        "versions": entry.versions,
        "snapshot": seq,
        "deleted_at": None if seq == listing.seq else _deleted_at(listing, entry),
    }


def _deleted_at(listing: Listing, entry: "Entry") -> datetime | None:
    """When the item was missing for the first time, as far as the points that are kept tell."""
    until_seq = entry.until_seq or 0
    if until_seq not in listing.taken:
        until_seq = min((seq for seq in listing.taken if seq > until_seq), default=until_seq)
    return listing.taken.get(until_seq)
