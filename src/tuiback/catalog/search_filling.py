"""Follows the catalog into the search files: what it opened, what it dropped, in batches and from where it stood."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tuiback.catalog.reading import Reading, batches
from tuiback.catalog.search_files import (
    GROUPS,
    Change,
    Followed,
    SearchGroup,
    group_of,
    group_path,
    groups_on_disk,
    read_followed,
    remove_file,
)
from tuiback.catalog.search_text import document
from tuiback.errors import Damage

# About 0.3 s of work, and one piece of the index in every file that it touches.
BATCH = 16_000
# A file in which nothing changed is told that it is up to date when reading so much again would take a while.
_UNSAID_VERSIONS = 10_000

_DOCUMENT = """SELECT v.version_no, i.account_no, v.kind, v.name, v.size, v.modified, v.attrs
    FROM versions v CROSS JOIN items i ON i.item_no = v.item_no"""


class Newest(NamedTuple):
    """How far a catalog is, and which groups its accounts are in."""

    followed: Followed
    groups: frozenset[int]


class Dropped(NamedTuple):
    """A version that left the catalog; account_no is None where that had left before."""

    drop_no: int
    version_no: int
    account_no: int | None
    expired: bool


class IndexSource(Reading):
    """What the search files need of their catalog."""

    def made(self) -> str:
        """What tells the catalog from every other."""
        ((made,),) = self._rows("SELECT made FROM identity")
        return str(made)

    def newest(self) -> Newest:
        """How far the catalog is."""
        ((version_no, drop_no),) = self._rows(
            """SELECT (SELECT coalesce(max(version_no), 0) FROM versions),
                      (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'dropped_versions')"""
        )
        groups = self._rows(f"SELECT DISTINCT account_no % {GROUPS} FROM accounts")
        return Newest(Followed(version_no, drop_no), frozenset(group for (group,) in groups))

    def opened(self, after: int, until: int, limit: int) -> list[tuple[Any, ...]]:
        """The versions of these numbers in their order, as document() wants them."""
        return self._rows(
            f"{_DOCUMENT} WHERE v.version_no > ? AND v.version_no <= ? ORDER BY v.version_no LIMIT ?",
            (after, until, limit),
        )

    def dropped(self, after: int, limit: int) -> tuple[list[Dropped], list[tuple[Any, ...]]]:
        """What left the catalog, in that order, and the versions that have these numbers now."""
        with self._one_moment():
            dropped = [
                Dropped(drop_no, version_no, account_no, bool(expired))
                for drop_no, version_no, account_no, expired in self._rows(
                    """SELECT drop_no, version_no, account_no, expired FROM dropped_versions
                       WHERE drop_no > ? ORDER BY drop_no LIMIT ?""",
                    (after, limit),
                )
            ]
            numbers = list({drop.version_no for drop in dropped})
            again = [
                row
                for marks, batch in batches(numbers)
                for row in self._rows(f"{_DOCUMENT} WHERE v.version_no IN ({marks})", batch)
            ]
        return dropped, again


class SearchFiller:
    """Brings the search files beside one catalog up to date. All its calls come from one thread.

    Every method may raise StorageFull, EnvironmentFault, or Damage for a broken catalog; broken search files are
    made anew.
    """

    def __init__(self, catalog: Path) -> None:
        self._catalog = catalog
        self._source = IndexSource(catalog)
        self._made = self._source.made()
        self._open: dict[int, SearchGroup] = {}
        # How far each file says it is, and how far it is known to be where nothing of it has changed since.
        self._saved: dict[int, Followed] = {}
        self._reached: dict[int, Followed] = {}
        self._unclean: set[int] = set()
        self._lag = 0
        self._forgot_expired = False
        for group in groups_on_disk(catalog):
            # What an earlier catalog knew may have expired since.
            if read_followed(group_path(catalog, group), self._made) is None:
                remove_file(group_path(catalog, group))

    @property
    def lag(self) -> int:
        """How many versions and removals were left to look at when step() last ended."""
        return self._lag

    @property
    def forgot_expired(self) -> bool:
        """Whether no search file held a trace any more of what had expired when step() last ended."""
        return self._forgot_expired

    @property
    def followed_drops(self) -> int:
        """All search files say that they know of the removals up to this number: the catalog need not keep them."""
        return min((saved.drop_no for saved in self._saved.values()), default=0)

    def step(self, batch: int = BATCH) -> bool:
        """Do the next piece of work; False when there is none."""
        newest = self._source.newest()
        on_disk = groups_on_disk(self._catalog)
        for group in self._reached.keys() - on_disk:
            self._forget(group)
        for group in (newest.groups | on_disk) - self._reached.keys():
            self._reached[group] = self._group(group).saved
        if not self._reached:
            self._forgot_expired = True
            return False
        worked = self._forget_expired(newest.followed, batch) or self._follow(newest.followed, batch)
        self._forgot_expired = self._lowest().drop_no >= newest.followed.drop_no and not self._unclean
        self._lag = max(0, sum(newest.followed) - sum(self._lowest()))
        return worked

    def close(self) -> None:
        """Let all files go."""
        while self._open:
            self._open.popitem()[1].close()
        self._source.close()

    def _lowest(self) -> Followed:
        reached = self._reached.values()
        return Followed(
            min((far.version_no for far in reached), default=0), min((far.drop_no for far in reached), default=0)
        )

    def _forget_expired(self, newest: Followed, batch: int) -> bool:
        """First of all: follow what was dropped, say so in every file, and leave no trace of what expired."""
        lowest = self._lowest()
        if lowest.drop_no < newest.drop_no:
            self._follow_dropped(lowest.drop_no, newest, batch)
            return True
        for group, reached in self._reached.items():
            if self._saved[group].drop_no < reached.drop_no:
                self._write(group, Change(reached))
                return True
        if self._unclean:
            self._clean(min(self._unclean))
            return True
        return False

    def _follow(self, newest: Followed, batch: int) -> bool:
        lowest = self._lowest()
        if lowest.version_no < newest.version_no:
            self._follow_opened(lowest.version_no, newest.version_no, batch)
            return True
        for group, reached in self._reached.items():
            if reached.version_no - self._saved[group].version_no >= _UNSAID_VERSIONS:
                self._write(group, Change(reached))
                return True
        return False

    def _follow_opened(self, after: int, until: int, batch: int) -> None:
        rows = self._source.opened(after, until, batch)
        end = rows[-1][0] if len(rows) == batch else until
        of_group = _by_group(rows)
        for group, reached in list(self._reached.items()):
            if reached.version_no < end:
                added = [document(row) for row in of_group.get(group, ()) if row[0] > reached.version_no]
                self._advance(group, Change(reached._replace(version_no=end), added))

    def _follow_dropped(self, after: int, newest: Followed, batch: int) -> None:
        dropped, again = self._source.dropped(after, batch)
        end = dropped[-1].drop_no if len(dropped) == batch else newest.drop_no
        reused = _by_group(again)
        for group, reached in list(self._reached.items()):
            if reached.drop_no >= end:
                continue
            mine = [
                drop for drop in dropped
                if drop.drop_no > reached.drop_no and (drop.account_no is None or group_of(drop.account_no) == group)
            ]
            # The catalog gives the numbers at its end anew when what had them has left.
            version_no = min(reached.version_no, newest.version_no)
            added = [document(row) for row in reused.get(group, ()) if row[0] <= version_no]
            numbers = {drop.version_no for drop in mine} | {again.version_no for again in added}
            expired = any(drop.expired for drop in mine)
            self._advance(group, Change(Followed(version_no, end), added, sorted(numbers), expired))

    def _advance(self, group: int, change: Change) -> None:
        if change.added or change.dropped:
            self._write(group, change)
        else:
            self._reached[group] = change.reached

    def _write(self, group: int, change: Change) -> None:
        try:
            file = self._group(group)
            file.write(change)
        except Damage:
            self._throw_away(group)
            return
        # Where another process was faster, this is what it reached.
        self._reached[group] = file.saved
        self._note(group, file)

    def _clean(self, group: int) -> None:
        try:
            file = self._group(group)
            file.clean()
        except Damage:
            self._throw_away(group)
            return
        self._note(group, file)

    def _throw_away(self, group: int) -> None:
        self._forget(group)
        remove_file(group_path(self._catalog, group))

    def _forget(self, group: int) -> None:
        file = self._open.pop(group, None)
        if file is not None:
            file.close()
        self._saved.pop(group, None)
        self._reached.pop(group, None)
        self._unclean.discard(group)

    def _note(self, group: int, file: SearchGroup) -> None:
        self._saved[group] = file.saved
        if file.unclean:
            self._unclean.add(group)
        else:
            self._unclean.discard(group)

    def _group(self, group: int) -> SearchGroup:
        file = self._open.get(group)
        if file is None:
            file = self._open[group] = SearchGroup(group_path(self._catalog, group), self._made)
            self._note(group, file)
        return file


def _by_group(rows: Sequence[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(group_of(row[1]), []).append(row)
    return found
