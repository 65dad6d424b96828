"""Finds the versions that retention has to judge: ended ones, page by page, without touching what is live."""

from collections.abc import Iterator
from typing import NamedTuple

from tuiback.catalog.reading import Reading

_PAGE = 5_000

_FACTS = """i.item_id, v.from_seq, v.until_seq, v.removed, v.removed AND NOT EXISTS (SELECT 1 FROM versions w
    WHERE w.item_no = v.item_no AND w.from_seq > v.from_seq), v.part_bytes"""


class EndedVersion(NamedTuple):
    """A version valid from snapshot from_seq to until_seq - 1, which may be none at all.

    `removed` tells that its item left, `last` that it never came back. `part_bytes` is what its parts hold.
    """

    item_id: str
    from_seq: int
    until_seq: int
    removed: bool
    last: bool
    part_bytes: int


class EndedQuestions(Reading):
    """The part of CatalogReader that retention needs."""

    def ended_versions(self, account_id: str, until_seq: int, removed_until_seq: int) -> Iterator[list[EndedVersion]]:
        """The account's versions that ended at until_seq or before, in pages.

        Versions that no snapshot ever held are told when they were removed at removed_until_seq or before.
        """
        folders = self._rows(
            """SELECT p.parent_no FROM accounts a JOIN parents p USING (account_no) WHERE a.account_id = ? AND (
                   EXISTS (SELECT 1 FROM spans_by_name s WHERE s.parent_no = p.parent_no)
                   OR EXISTS (SELECT 1 FROM versions v INDEXED BY removed_by_end
                       WHERE v.removed AND v.parent_no = p.parent_no))""",
            (account_id,),
        )
        for (parent_no,) in folders:
            for is_folder in (0, 1):
                yield from self._held_once(parent_no, is_folder, until_seq)
            yield from self._never_held(parent_no, removed_until_seq)

    def kept_figures(self, account_id: str) -> tuple[int, int]:
        """How many versions of the account are kept, live ones too, and how many bytes their parts hold."""
        row = self._row("SELECT versions, version_bytes FROM accounts WHERE account_id = ?", (account_id,))
        return (0, 0) if row is None else (row[0], row[1])

    def _held_once(self, parent_no: int, is_folder: int, until_seq: int) -> Iterator[list[EndedVersion]]:
        """By the last block of each version's interval, of which there is exactly one: see tuiback.catalog.spans."""
        after: tuple[object, ...] = (0, "", 0)
        while True:
            rows = self._rows(
                f"""SELECT s.block, s.sort_name, s.version_no, {_FACTS}
                    FROM spans_by_name s CROSS JOIN versions v ON v.version_no = s.version_no
                    CROSS JOIN items i ON i.item_no = v.item_no
                    WHERE s.parent_no = ? AND s.is_folder = ? AND (s.block, s.sort_name, s.version_no) > (?, ?, ?)
                        AND s.block < 2 * ? AND v.until_seq <= ? AND 2 * v.until_seq = s.block + (s.block & -s.block)
                    ORDER BY s.block, s.sort_name, s.version_no LIMIT ?""",
                (parent_no, is_folder, *after, until_seq, until_seq, _PAGE),
            )
            if rows:
                yield [EndedVersion(*row[3:]) for row in rows]
            if len(rows) < _PAGE:
                return
            after = rows[-1][:3]

    def _never_held(self, parent_no: int, until_seq: int) -> Iterator[list[EndedVersion]]:
        after = (0, 0)
        while True:
            rows = self._rows(
                f"""SELECT v.version_no, {_FACTS} FROM versions v INDEXED BY removed_by_end
                    CROSS JOIN items i ON i.item_no = v.item_no
                    WHERE v.removed AND v.parent_no = ? AND (v.until_seq, v.version_no) > (?, ?) AND v.until_seq <= ?
                        AND v.from_seq = v.until_seq ORDER BY v.until_seq, v.version_no LIMIT ?""",
                (parent_no, *after, until_seq, _PAGE),
            )
            if rows:
                yield [EndedVersion(*row[1:]) for row in rows]
            if len(rows) < _PAGE:
                return
            after = rows[-1][3], rows[-1][0]
