"""Answers what lay where: recovery points, folders page by page at any of them, versions of an item."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from tuiback.catalog.arms import Order, at_snapshot, deleted_arms, valid_arms
from tuiback.catalog.moments import from_text
from tuiback.catalog.reading import Reading, batches
from tuiback.catalog.rows import Entry, Point
from tuiback.catalog.versioning import sort_key
from tuiback.model import Kind, Outcome

PageKey = tuple[str, str]

# An enum's own way to its members takes as long as all else about a row.
_KINDS = {str(kind): kind for kind in Kind}
_decode_attrs = msgspec.json.Decoder(dict[str, str]).decode

_ENTRY = """i.item_id, v.kind, p.item_id, v.name, v.size, v.modified, v.from_seq, v.until_seq, v.attrs,
    (SELECT count(*) FROM versions w WHERE w.item_no = v.item_no), v.etag, v.content_tag, c.container_id"""
_JOINS = """JOIN items i ON i.item_no = v.item_no JOIN items p ON p.item_no = v.parent_no
    JOIN containers c ON c.container_no = v.container_no"""

class _Sorting(NamedTuple):
    column: str
    direction: str
    beyond: str


_SORTINGS: dict[str, _Sorting] = {
    "name": _Sorting("sort_name", "ASC", ">"),
    "modified": _Sorting("modified", "DESC", "<"),
    "deleted": _Sorting("until_seq", "DESC", "<"),
}


def page_key(entry: Entry, order: Order = "name", *, deleted: bool = False) -> PageKey:
    """What to give children() as `after` to go on behind this entry."""
    if deleted:
        return str(entry.until_seq), entry.item_id
    return (entry.name if order == "name" else entry.modified), entry.item_id


class TreeQuestions(Reading):
    """The part of CatalogReader about points and folders. A folder is named by its item id, "" is the root."""

    def points(self, account_id: str) -> tuple[Point, ...]:
        """The account's closed snapshots, the newest first."""
        rows = self._rows(
            """SELECT s.seq, s.closed_at, coalesce(s.verified_until, s.closed_at), s.run, coalesce(r.task, a.task),
                   s.items, s.bytes, s.outcome
               FROM snapshots s JOIN accounts a USING (account_no) LEFT JOIN runs r ON r.run = s.run
               WHERE a.account_id = ? AND s.closed_at IS NOT NULL ORDER BY s.seq DESC""",
            (account_id,),
        )
        return tuple(
            Point(
                account_id, seq, from_text(closed_at), from_text(verified_until), run, task, items, size,
                None if outcome is None else Outcome(outcome),
            )
            for seq, closed_at, verified_until, run, task, items, size, outcome in rows
        )

    def children(
        self,
        account_id: str,
        seq: int,
        parent_id: str,
        *,
        after: PageKey | None = None,
        limit: int = 256,
        kinds: Sequence[Kind] | None = None,
        order: Order = "name",
        deleted: bool = False,
    ) -> list[Entry]:
        """One page of what lay in the folder at snapshot seq; `after` is the page_key() of the last entry before.

        Ordered by name, or by modification with the newest first. With `deleted`: what had lain there last and was
        no longer anywhere in the account, the newest removal first, whatever `order` says.
        """
        parent_no = self._item_no(account_id, parent_id)
        if parent_no is None or (kinds is not None and not kinds):
            return []
        arms = deleted_arms(kinds) if deleted else valid_arms(kinds, order)
        parameters: dict[str, object] = {"parent": parent_no, "limit": limit, **at_snapshot(seq)}
        sorting, beyond = _SORTINGS["deleted" if deleted else order], ""
        if after is not None:
            parameters["key"] = int(after[0]) if deleted else sort_key(after[0]) if order == "name" else after[0]
            parameters["version"] = self._version_no(account_id, after[1], seq, deleted=deleted)
            beyond = f"AND (v.{sorting.column}, v.version_no) {sorting.beyond} (:key, :version)"
        # Rows are fetched in the order in which they lie in the file; without LIMIT SQLite would skip that ORDER BY.
        rows = self._rows(
            f"""WITH page AS MATERIALIZED ({_in_order(arms, sorting, beyond)} LIMIT :limit)
                SELECT {_ENTRY} FROM (SELECT * FROM page ORDER BY version_no LIMIT -1) page
                CROSS JOIN versions v ON v.version_no = page.version_no {_JOINS}
                ORDER BY page.key {sorting.direction}, page.version_no {sorting.direction}""",
            parameters,
        )
        return [_entry(account_id, row) for row in rows]

    def page_marks(
        self,
        account_id: str,
        seq: int,
        parent_id: str,
        *,
        every: int = 256,
        kinds: Sequence[Kind] | None = None,
        order: Order = "name",
        deleted: bool = False,
    ) -> list[PageKey]:
        """The keys that children() needs as `after` for the second and every later page of so many entries.

        It reads the index alone, about 1 s for a million entries, so that any page can be opened without the others.
        """
        parent_no = self._item_no(account_id, parent_id)
        if parent_no is None or (kinds is not None and not kinds):
            return []
        arms = deleted_arms(kinds) if deleted else valid_arms(kinds, order)
        sorting = _SORTINGS["deleted" if deleted else order]
        marks = self._every(every, _in_order(arms, sorting, ""), {"parent": parent_no, **at_snapshot(seq)})
        column = "v.name" if sorting.column == "sort_name" else f"v.{sorting.column}"
        keys: dict[int, PageKey] = {}
        for questions, batch in batches([version_no for _, version_no in marks]):
            for version_no, key, item_id in self._rows(
                f"""SELECT v.version_no, {column}, i.item_id FROM versions v JOIN items i USING (item_no)
                    WHERE v.version_no IN ({questions})""",
                batch,
            ):
                keys[version_no] = str(key), item_id
        return [keys[version_no] for _, version_no in marks]

    def count_children(self, account_id: str, seq: int, parent_id: str) -> int:
        """How much lay in the folder at snapshot seq, itself left out."""
        parent_no = self._item_no(account_id, parent_id)
        if parent_no is None:
            return 0
        counts = " + ".join(f"(SELECT count(*) FROM {arm})" for arm in valid_arms(None, "name"))
        return self._number(f"SELECT {counts}", {"parent": parent_no, **at_snapshot(seq)})

    def find_entry(self, account_id: str, item_id: str, seq: int | None) -> Entry | None:
        """The item's version at snapshot seq; for None the last version that existed."""
        when = "v.from_seq <= :seq AND (v.until_seq IS NULL OR v.until_seq > :seq)" if seq is not None else "true"
        row = self._row(
            f"SELECT {_ENTRY} FROM versions v {_JOINS} WHERE v.item_no = :item AND {when}"
            " ORDER BY v.from_seq DESC LIMIT 1",
            {"item": self._item_no(account_id, item_id), "seq": seq},
        )
        return None if row is None else _entry(account_id, row)

    def versions(self, account_id: str, item_id: str) -> list[Entry]:
        """All versions kept of the item, the newest first."""
        rows = self._rows(
            f"SELECT {_ENTRY} FROM versions v {_JOINS} WHERE v.item_no = ? ORDER BY v.from_seq DESC",
            (self._item_no(account_id, item_id),),
        )
        return [_entry(account_id, row) for row in rows]

    def _stored_in(self, account_id: str, seq: int, parent_id: str) -> Iterator[Entry]:
        """What lay in the folder at snapshot seq, in the order in which it was stored; 8 bytes of each are held."""
        union = " UNION ALL ".join(f"SELECT v.version_no FROM {arm}" for arm in valid_arms(None, "name"))
        parameters = {"parent": self._item_no(account_id, parent_id), **at_snapshot(seq)}
        for marks, batch in batches(self._column(f"{union} ORDER BY 1", parameters)):
            rows = self._rows(
                f"SELECT {_ENTRY} FROM versions v {_JOINS} WHERE v.version_no IN ({marks}) ORDER BY v.version_no", batch
            )
            yield from (_entry(account_id, row) for row in rows)

    def _parent_ids(self, account_id: str, seq: int) -> list[str]:
        """The folders that anything of the account lay in at snapshot seq, whether they were there themselves."""
        held = " OR ".join(f"EXISTS (SELECT 1 FROM {arm})" for arm in valid_arms(None, "name", "p.parent_no"))
        rows = self._rows(
            f"""SELECT i.item_id FROM accounts a JOIN parents p USING (account_no)
                JOIN items i ON i.item_no = p.parent_no
                WHERE a.account_id = :account AND ({held}) ORDER BY i.item_id""",
            {"account": account_id, **at_snapshot(seq)},
        )
        return [item_id for (item_id,) in rows]

    def _namesakes(self, account_id: str, seq: int, parent_id: str, name: str) -> list[tuple[str, Kind]]:
        """Id and kind of everything of exactly this name in the folder at snapshot seq."""
        union = " UNION ALL ".join(
            f"SELECT v.version_no FROM {arm} AND v.sort_name = :sort_name" for arm in valid_arms(None, "name")
        )
        rows = self._rows(
            f"""SELECT item_id, kind FROM versions JOIN items USING (item_no)
                WHERE version_no IN ({union}) AND name = :name ORDER BY item_no""",
            {
                "parent": self._item_no(account_id, parent_id),
                "sort_name": sort_key(name),
                "name": name,
                **at_snapshot(seq),
            },
        )
        return [(item_id, Kind(kind)) for item_id, kind in rows]

    def _version_no(self, account_id: str, item_id: str, seq: int, *, deleted: bool) -> int | None:
        """The version that a page ended with."""
        row = self._row(
            f"""SELECT version_no FROM versions WHERE item_no = ? AND from_seq <= ? {"AND removed" if deleted else ""}
                ORDER BY from_seq DESC LIMIT 1""",
            (self._item_no(account_id, item_id), seq),
        )
        return None if row is None else int(row[0])

    def _item_no(self, account_id: str, item_id: str) -> int | None:
        row = self._row(
            "SELECT item_no FROM items JOIN accounts USING (account_no) WHERE account_id = ? AND item_id = ?",
            (account_id, item_id),
        )
        return None if row is None else int(row[0])


def _in_order(arms: Sequence[str], sorting: _Sorting, beyond: str) -> str:
    union = " UNION ALL ".join(
        f"SELECT v.{sorting.column} AS key, v.version_no AS version_no FROM {arm} {beyond}" for arm in arms
    )
    return f"{union} ORDER BY key {sorting.direction}, version_no {sorting.direction}"


def _entry(account_id: str, row: Sequence[Any]) -> Entry:
    item_id, kind, parent_id, name, size, modified, from_seq, until_seq, attrs, versions, etag, content_tag, at = row
    return Entry(
        item_id, account_id, _KINDS[kind], parent_id, name, size, modified, from_seq, until_seq, _decode_attrs(attrs),
        versions, etag, content_tag, at,
    )
