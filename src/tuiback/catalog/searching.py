"""Finds items at all points in time by their words, the newest first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tuiback.catalog.moments import from_text
from tuiback.catalog.reading import Reading, batches
from tuiback.catalog.rows import Hit
from tuiback.catalog.search_files import (
    GROUPS,
    find_places,
    group_of,
    group_path,
    read_followed,
)
from tuiback.catalog.search_text import account_facet, kind_facet, version_at
from tuiback.model import Kind

if TYPE_CHECKING:
    from tuiback.catalog.search_query import SearchQuery

# What one look into the catalog is for. Finds of one day are put in order within such a piece.
_AT_ONCE = 100
# More accounts are not named in the question: what they don't own is left out afterwards.
_ACCOUNTS_NAMED = 50
_LAST_DAY = date.max.toordinal()

_FOUND = """WITH found AS MATERIALIZED (
        SELECT v.version_no, i.item_no, i.account_no, i.item_id, v.kind, v.name, v.size, v.modified, v.from_seq,
            v.until_seq, v.removed,
            (SELECT max(s.seq) FROM snapshots s WHERE s.account_no = i.account_no AND s.seq >= v.from_seq
                AND (v.until_seq IS NULL OR s.seq < v.until_seq) AND s.closed_at IS NOT NULL) AS shown,
            (SELECT min(w.from_seq) FROM versions w WHERE w.item_no = v.item_no) AS first_seq,
            EXISTS (SELECT 1 FROM versions w WHERE w.item_no = v.item_no AND w.from_seq > v.from_seq) AS has_newer
        FROM versions v CROSS JOIN items i ON i.item_no = v.item_no WHERE v.version_no IN ({}))
    SELECT f.version_no, f.item_no, f.account_no, f.item_id, f.kind, f.name, f.size, f.modified, f.from_seq, f.shown,
        (SELECT s.closed_at FROM snapshots s WHERE s.account_no = f.account_no AND s.seq >= f.first_seq
            AND s.closed_at IS NOT NULL ORDER BY s.seq LIMIT 1),
        (SELECT coalesce(s.verified_until, s.closed_at) FROM snapshots s
            WHERE s.account_no = f.account_no AND s.seq = f.shown),
        CASE WHEN f.removed AND NOT f.has_newer THEN (SELECT s.closed_at FROM snapshots s
            WHERE s.account_no = f.account_no AND s.seq >= f.until_seq AND s.closed_at IS NOT NULL
            ORDER BY s.seq LIMIT 1) END
    FROM found f WHERE f.shown IS NOT NULL"""


class SearchScope(msgspec.Struct, frozen=True):
    """Where to search. `since` and `until` are about when items were received or modified."""

    account_id: str | None = None
    task: str | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    deleted: bool = False

    @property
    def days(self) -> tuple[int, int]:
        """The first and the last day in question; times that name another zone may be a day off."""
        first = self.since.astimezone(UTC).date().toordinal() - 1 if self.since else 0
        last = self.until.astimezone(UTC).date().toordinal() + 1 if self.until else _LAST_DAY
        return max(first, 0), last

    def allows(self, hit: Hit) -> bool:
        """Whether the find lies in it, once all is known of it."""
        if self.deleted and hit.deleted_at is None:
            return False
        if self.since is None and self.until is None:
            return True
        moment = _moment(hit.modified)
        return (
            moment is not None
            and (self.since is None or moment >= self.since)
            and (self.until is None or moment <= self.until)
        )


class _Owner(NamedTuple):
    account_id: str
    called: str
    task: str


class SearchQuestions(Reading):
    """The part of CatalogReader about the search files beside the catalog, which SearchFiller keeps."""

    def search(self, query: "SearchQuery", scope: SearchScope | None = None) -> Iterator[Hit]:
        """What fits, the newest first, each item once: as it was when it last did. No account ranks before another.

        What no closed snapshot shows is left out, and so is what search_lag() counts.
        """
        scope = scope or SearchScope()
        owners = self._owners(scope)
        seen: set[int] = set()
        places = self._places(query, scope, owners)
        while some := list(islice(places, _AT_ONCE)):
            for item_no, hit in self._hits([version_at(place) for place in some], owners):
                if item_no not in seen and query.fits(hit.size) and scope.allows(hit):
                    seen.add(item_no)
                    yield hit

    def search_lag(self, most: int = 1_000_000) -> int:
        """How many versions the search files do not know yet, counted up to `most`."""
        made = self._made()
        newest = self._number("SELECT coalesce(max(version_no), 0) FROM versions")
        groups = [group for (group,) in self._rows(f"SELECT DISTINCT account_no % {GROUPS} FROM accounts")]
        reached: dict[int, int] = {}
        for group in groups:
            followed = read_followed(group_path(self._path, group), made)
            reached[group] = followed.version_no if followed else 0
        lowest = min(reached.values(), default=newest)
        if lowest >= newest:
            return 0
        known = ",".join(f"({group},{version_no})" for group, version_no in reached.items())
        return self._number(
            f"""WITH reached (group_no, version_no) AS (VALUES {known})
                SELECT count(*) FROM (SELECT 1 FROM versions v CROSS JOIN items i ON i.item_no = v.item_no
                    JOIN reached r ON r.group_no = i.account_no % {GROUPS}
                    WHERE v.version_no > ? AND v.version_no > r.version_no LIMIT ?)""",
            (lowest, most),
        )

    def _made(self) -> str:
        ((made,),) = self._rows("SELECT made FROM identity")
        return str(made)

    def _owners(self, scope: SearchScope) -> dict[int, _Owner]:
        rows = self._rows(
            """SELECT account_no, account_id, address, name, task FROM accounts
               WHERE (?1 IS NULL OR account_id = ?1) AND (?2 IS NULL OR task = ?2)""",
            (scope.account_id, scope.task),
        )
        return {number: _Owner(account_id, address or name, task) for number, account_id, address, name, task in rows}

    def _places(self, query: "SearchQuery", scope: SearchScope, owners: Mapping[int, _Owner]) -> Iterator[int]:
        made, days = self._made(), scope.days
        narrowed = scope.account_id is not None or scope.task is not None
        of_group: dict[int, list[int]] = {}
        for account_no in owners:
            of_group.setdefault(group_of(account_no), []).append(account_no)
        sources = []
        for group, account_nos in of_group.items():
            conditions = [query.expression]
            if narrowed and len(account_nos) <= _ACCOUNTS_NAMED:
                conditions.append(_one_of(account_facet(number) for number in account_nos))
            if scope.kind is not None:
                conditions.append(_one_of([kind_facet(scope.kind)]))
            sources.append(find_places(group_path(self._path, group), made, " AND ".join(conditions), days))
        return merge(*sources, reverse=True)

    def _hits(self, version_nos: Sequence[int], owners: Mapping[int, _Owner]) -> Iterator[tuple[int, Hit]]:
        rows = [row for marks, batch in batches(version_nos) for row in self._rows(_FOUND.format(marks), batch)]
        for row in sorted(rows, key=_newest_first, reverse=True):
            owner = owners.get(row[2])
            if owner is not None:
                yield row[1], _hit(owner, row)


def _one_of(facets: Iterable[str]) -> str:
    return "(" + " OR ".join(f'facets : "{facet}"' for facet in facets) + ")"


def _newest_first(row: Sequence[Any]) -> tuple[str, int]:
    return row[7], row[0]


def _hit(owner: _Owner, row: Sequence[Any]) -> Hit:
    _, _, _, item_id, kind, name, size, modified, from_seq, shown, first_seen, last_seen, deleted_at = row
    return Hit(
        item_id, owner.account_id, owner.called, owner.task, Kind(kind), name, size, modified, from_seq, shown,
        from_text(first_seen), from_text(last_seen), from_text(deleted_at),
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
