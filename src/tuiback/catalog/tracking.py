"""Answers what the engine asks before and during a run: cursors, what is known of items, debts, runs."""

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec

from tuiback.catalog.moments import from_text
from tuiback.catalog.reading import BATCH, Reading, batches
from tuiback.model import Container, Kind, Known, Outcome, Owed, RunCounters, RunRow, SnapshotRow, StoredPart

# A chunk id is a BLAKE3-256 digest.
ID_BYTES = 32
# Each takes two parameters of a statement.
_PAIRS = BATCH // 2
_PAGE = 10_000

_LIVE = "FROM versions v {} WHERE v.until_seq IS NULL AND v.container_no = ?"
# Those of them that a waiting removal is about to end: few, so they are found from the removals.
_LEAVING = """FROM removals r CROSS JOIN versions v ON v.item_no = r.item_no AND v.container_no = r.container_no
    AND v.until_seq IS NULL {} WHERE r.account_no = ? AND r.container_no = ?"""
_ITEMS = "CROSS JOIN items i ON i.item_no = v.item_no"


class TrackingQuestions(Reading):
    """The part of CatalogReader that a run needs."""

    def containers(self, account_id: str) -> tuple[Container, ...]:
        """The account's containers with their cursors, by id."""
        rows = self._rows(
            """SELECT c.container_id, c.kind, c.name, c.cursor, c.relisting FROM containers c
               JOIN accounts USING (account_no) WHERE account_id = ? AND present ORDER BY c.container_id""",
            (account_id,),
        )
        return tuple(
            Container(account_id, container_id, kind, name, cursor, bool(relisting))
            for container_id, kind, name, cursor, relisting in rows
        )

    def is_listing_again(self) -> bool:
        """Whether a container of an account that is still there must be listed from its start."""
        return bool(self._number(
            """SELECT EXISTS (SELECT 1 FROM containers JOIN accounts USING (account_no)
               WHERE relisting AND present AND state = 'active')"""
        ))  # fmt: skip

    def known(self, account_id: str, item_ids: Sequence[str]) -> dict[str, Known]:
        """The newest version of each of these items, live or ended; unknown ids are left out."""
        known: dict[str, Known] = {}
        account_no = self._account_no(account_id)
        for marks, batch in batches(item_ids):
            with self._one_moment():
                rows = self._rows(
                    f"""SELECT v.version_no, i.item_id, v.kind, c.container_id, p.item_id, v.name, v.etag,
                        v.content_tag, v.until_seq IS NULL, EXISTS (SELECT 1 FROM removals r
                            WHERE r.account_no = i.account_no AND r.item_no = i.item_no
                                AND r.container_no = v.container_no)
                        FROM items i
                        JOIN versions v ON v.item_no = i.item_no
                            AND v.from_seq = (SELECT max(w.from_seq) FROM versions w WHERE w.item_no = i.item_no)
                        JOIN items p ON p.item_no = v.parent_no
                        JOIN containers c ON c.container_no = v.container_no
                        WHERE i.account_no = ? AND i.item_id IN ({marks})""",
                    (account_no, *batch),
                )
                parts = self._parts_of([row[0] for row in rows])
            for version_no, item_id, kind, container_id, parent_id, name, etag, content_tag, live, pending in rows:
                known[item_id] = Known(
                    item_id, Kind(kind), container_id, parent_id, name, etag, content_tag,
                    parts.get(version_no, ()), bool(live), bool(pending),
                )
        return known

    def live_item_ids(self, account_id: str, container_id: str) -> set[str]:
        """The items in the container now; those that wait to be removed from it are left out."""
        return set(self.live_items(account_id, container_id))

    def live_items(self, account_id: str, container_id: str) -> Iterator[str]:
        """live_item_ids() for containers of millions: a page of them is held, and each page is of its own moment."""
        account_no = self._account_no(account_id)
        container_no = self._container_no(account_no, container_id)
        last_no = 0
        while rows := self._rows(
            f"""SELECT v.item_no, i.item_id {_LIVE.format(_ITEMS)} AND v.item_no > ? AND NOT EXISTS (
                    SELECT 1 FROM removals r WHERE r.account_no = ? AND r.item_no = v.item_no
                        AND r.container_no = v.container_no) ORDER BY v.item_no LIMIT ?""",
            (container_no, last_no, account_no, _PAGE),
        ):
            yield from (item_id for _, item_id in rows)
            last_no = rows[-1][0]

    def live_count(self, account_id: str, container_id: str) -> int:
        """How many live_item_ids there are."""
        account_no = self._account_no(account_id)
        container_no = self._container_no(account_no, container_id)
        return self._number(
            f"SELECT (SELECT count(*) {_LIVE.format('')}) - (SELECT count(*) {_LEAVING.format('')})",
            (container_no, account_no, container_no),
        )

    def open_snapshot(self, account_id: str) -> SnapshotRow | None:
        """The snapshot that an earlier run left open, to be continued."""
        return self._snapshot("AND closed_at IS NULL", account_id)

    def find_snapshot(self, account_id: str, seq: int) -> SnapshotRow | None:
        """The snapshot of that number, open or closed."""
        return self._snapshot("AND seq = ?", account_id, seq)

    def last_seq(self, account_id: str) -> int:
        """The highest snapshot number of the account, open or closed; 0 before the first."""
        return self._number(
            "SELECT coalesce(max(seq), 0) FROM snapshots JOIN accounts USING (account_no) WHERE account_id = ?",
            (account_id,),
        )

    def owed(self, account_id: str | None = None, task: str | None = None) -> tuple[Owed, ...]:
        """The debts of one account, of one task's accounts, or all; the oldest first."""
        rows = self._rows(
            """SELECT a.account_id, o.container_id, o.item_id, o.kind, o.path, o.since, o.tries, o.error, o.request_id,
                   o.ack FROM owed o JOIN accounts a USING (account_no)
               WHERE (?1 IS NULL OR a.account_id = ?1) AND (?2 IS NULL OR a.task = ?2)
               ORDER BY o.since, a.account_id, o.item_id, o.scope""",
            (account_id, task),
        )
        return tuple(
            Owed(account, container_id, item_id, Kind(kind), path, from_text(since), tries, error, request_id, ack=ack)
            for account, container_id, item_id, kind, path, since, tries, error, request_id, ack in rows
        )

    def last_run_number(self) -> int:
        """The highest run number of the repository, 0 before the first run."""
        return self._number("SELECT coalesce(max(run), 0) FROM runs")

    def runs(self, task: str | None = None, limit: int = 50) -> tuple[RunRow, ...]:
        """The newest runs, the newest first; of one task also those that it made under its former names."""
        rows = self._rows(
            """SELECT run, task, trigger, started_at, ended_at, outcome, counters FROM runs
               WHERE ?1 IS NULL OR task = ?1 OR task IN (SELECT former.value FROM controls,
                   json_each(CAST(data AS TEXT), '$.former_names') AS former WHERE kind = 'task' AND name = ?1)
               ORDER BY run DESC LIMIT ?2""",
            (task, limit),
        )
        return tuple(
            RunRow(
                run, of_task, trigger, from_text(started_at), from_text(ended_at),
                None if outcome is None else Outcome(outcome), msgspec.json.decode(counters, type=RunCounters),
            )
            for run, of_task, trigger, started_at, ended_at, outcome, counters in rows
        )

    def parts(self, account_id: str, item_id: str, from_seq: int) -> tuple[StoredPart, ...]:
        """The parts of one version of an item, in their order; none when there is no such version."""
        rows = self._rows(
            """SELECT version_no FROM versions JOIN items USING (item_no) JOIN accounts USING (account_no)
               WHERE account_id = ? AND item_id = ? AND from_seq = ?""",
            (account_id, item_id, from_seq),
        )
        return self._parts_of([row[0] for row in rows]).get(rows[0][0], ()) if rows else ()

    def parts_of_all(
        self, account_id: str, versions: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], tuple[StoredPart, ...]]:
        """parts() of many versions, each an item id and its first snapshot; those without parts are left out."""
        parts: dict[tuple[str, int], tuple[StoredPart, ...]] = {}
        account_no = self._account_no(account_id)
        for start in range(0, len(versions), _PAIRS):
            some = versions[start : start + _PAIRS]
            for item_id, from_seq, *part in self._rows(
                f"""WITH wanted (item_id, from_seq) AS (VALUES {",".join(["(?, ?)"] * len(some))})
                    SELECT w.item_id, w.from_seq, t.name, t.size, t.digest, t.chunks, t.form FROM wanted w
                    CROSS JOIN items i ON i.account_no = ? AND i.item_id = w.item_id
                    CROSS JOIN versions v ON v.item_no = i.item_no AND v.from_seq = w.from_seq
                    CROSS JOIN parts t ON t.version_no = v.version_no ORDER BY t.version_no, t.ordinal""",
                (*chain.from_iterable(some), account_no),
            ):
                key = (item_id, from_seq)
                parts[key] = (*parts.get(key, ()), stored_part(*part))
        return parts

    def _snapshot(self, which: str, account_id: str, *numbers: int) -> SnapshotRow | None:
        row = self._row(
            f"""SELECT seq, run, opened_at, closed_at, outcome, verified_until
                FROM snapshots JOIN accounts USING (account_no) WHERE account_id = ? {which}
                ORDER BY seq DESC LIMIT 1""",
            (account_id, *numbers),
        )
        if row is None:
            return None
        seq, run, opened_at, closed_at, outcome, verified_until = row
        return SnapshotRow(
            account_id, seq, run, from_text(opened_at), from_text(closed_at),
            None if outcome is None else Outcome(outcome), from_text(verified_until),
        )

    def _parts_of(self, version_nos: Sequence[int]) -> dict[int, tuple[StoredPart, ...]]:
        parts: dict[int, tuple[StoredPart, ...]] = {}
        for marks, batch in batches(version_nos):
            for version_no, *part in self._rows(
                f"""SELECT version_no, name, size, digest, chunks, form FROM parts WHERE version_no IN ({marks})
                    ORDER BY version_no, ordinal""",
                batch,
            ):
                parts[version_no] = (*parts.get(version_no, ()), stored_part(*part))
        return parts

    def _account_no(self, account_id: str) -> int | None:
        row = self._row("SELECT account_no FROM accounts WHERE account_id = ?", (account_id,))
        return None if row is None else int(row[0])

    def _container_no(self, account_no: int | None, container_id: str) -> int | None:
        row = self._row(
            "SELECT container_no FROM containers WHERE account_no = ? AND container_id = ?", (account_no, container_id)
        )
        return None if row is None else int(row[0])


def stored_part(name: str, size: int, digest: bytes, chunks: bytes, form: str) -> StoredPart:
    """A part from its row."""
    chunk_ids = tuple(chunks[start : start + ID_BYTES] for start in range(0, len(chunks), ID_BYTES))
    return StoredPart(name, size, digest, chunk_ids, form)
