"""Forgets what retention or erasure gave up: its rows, and every id and name that no other row needs.

Deleted rows leave no bytes where they stood, because the writer's connection has secure_delete on; what SQLite itself
copied about before goes when the file is written anew (Catalog.compact).
"""

import sqlite3
from collections.abc import Iterable, Sequence

from tuiback.catalog.spans import Ended, drop_spans
from tuiback.model import Expired

_ENDED = """SELECT v.version_no, v.parent_no, v.kind, v.sort_name, v.modified, v.from_seq, v.until_seq, v.item_no,
    v.container_no, v.part_bytes FROM items i JOIN versions v USING (item_no)
    WHERE i.account_no = ? AND i.item_id = ? AND v.from_seq = ? AND v.until_seq IS NOT NULL"""

# Every ended version stands in the spans, or came and went within one snapshot and was removed.
_EMPTY_FOLDER = """NOT EXISTS (SELECT 1 FROM versions v INDEXED BY live_by_name
        WHERE v.until_seq IS NULL AND v.parent_no = ?2)
    AND NOT EXISTS (SELECT 1 FROM spans_by_name s WHERE s.parent_no = ?2)
    AND NOT EXISTS (SELECT 1 FROM versions v INDEXED BY removed_by_end WHERE v.removed AND v.parent_no = ?2)"""

_UNNAMED_CONTAINER = """NOT EXISTS (SELECT 1 FROM versions v INDEXED BY live_by_container
        WHERE v.until_seq IS NULL AND v.container_no = ?2)
    AND NOT EXISTS (SELECT 1 FROM parents p CROSS JOIN spans_by_name s USING (parent_no)
        CROSS JOIN versions v USING (version_no) WHERE p.account_no = ?1 AND v.container_no = ?2)
    AND NOT EXISTS (SELECT 1 FROM parents p CROSS JOIN versions v INDEXED BY removed_by_end
        ON v.parent_no = p.parent_no
        WHERE p.account_no = ?1 AND v.removed AND v.from_seq = v.until_seq AND v.container_no = ?2)
    AND NOT EXISTS (SELECT 1 FROM removals r WHERE r.account_no = ?1 AND r.container_no = ?2)"""

# In this order: the later ones are needed to find the rows of the earlier ones.
_WHOLE = (
    """DELETE FROM parts WHERE version_no IN (
        SELECT version_no FROM items JOIN versions USING (item_no) WHERE account_no = ?)""",
    "DELETE FROM spans_by_name WHERE parent_no IN (SELECT parent_no FROM parents WHERE account_no = ?)",
    "DELETE FROM spans_by_modified WHERE parent_no IN (SELECT parent_no FROM parents WHERE account_no = ?)",
    "DELETE FROM versions WHERE item_no IN (SELECT item_no FROM items WHERE account_no = ?)",
    "DELETE FROM items WHERE account_no = ?",
    "DELETE FROM parents WHERE account_no = ?",
    "DELETE FROM removals WHERE account_no = ?",
    "DELETE FROM containers WHERE account_no = ?",
    "DELETE FROM owed WHERE account_no = ?",
    "DELETE FROM snapshots WHERE account_no = ?",
    "DELETE FROM aliases WHERE account_no = ?",
    "DELETE FROM accounts WHERE account_no = ?",
)


def expire(connection: sqlite3.Connection, expired: Sequence[Expired]) -> None:
    """Carry the rows out, as far as there is something to forget.

    Live versions, open snapshots and an account's newest point stay, whatever a row says, unless it gives the account
    up whole.
    """
    for row in expired:
        found = connection.execute("SELECT account_no FROM accounts WHERE account_id = ?", (row.account_id,)).fetchone()
        if found is None:
            continue
        (account_no,) = found
        if row.whole:
            for statement in _WHOLE:
                connection.execute(statement, (account_no,))
        else:
            _forget_versions(connection, account_no, row.versions)
            _forget_snapshots(connection, account_no, row.snapshots)


def _forget_versions(connection: sqlite3.Connection, account_no: int, versions: Iterable[tuple[str, int]]) -> None:
    ended: list[Ended] = []
    items: set[int] = set()
    containers: set[int] = set()
    forgotten_bytes = 0
    # Twice named is once forgotten.
    for item_id, from_seq in dict.fromkeys(versions):
        row = connection.execute(_ENDED, (account_no, item_id, from_seq)).fetchone()
        if row is None:
            continue
        *facts, item_no, container_no, part_bytes = row
        ended.append(Ended(*facts))
        items.add(item_no)
        containers.add(container_no)
        forgotten_bytes += part_bytes
    numbers = [(version.version_no,) for version in ended]
    drop_spans(connection, ended)
    connection.executemany("DELETE FROM parts WHERE version_no = ?", numbers)
    connection.executemany("DELETE FROM versions WHERE version_no = ?", numbers)
    connection.execute(
        "UPDATE accounts SET versions = versions - ?, version_bytes = version_bytes - ? WHERE account_no = ?",
        (len(ended), forgotten_bytes, account_no),
    )
    _forget_unnamed(connection, account_no, items, {version.parent_no for version in ended}, containers)


def _forget_unnamed(
    connection: sqlite3.Connection, account_no: int, items: set[int], parents: set[int], containers: set[int]
) -> None:
    """Those of these items, folders and containers that nothing names any more."""

    def numbered(numbers: Iterable[int]) -> list[tuple[int, int]]:
        return [(account_no, number) for number in sorted(numbers)]

    connection.executemany(
        f"DELETE FROM parents WHERE account_no = ?1 AND parent_no = ?2 AND {_EMPTY_FOLDER}", numbered(parents)
    )
    unkept = "NOT EXISTS (SELECT 1 FROM versions v WHERE v.item_no = ?2)"
    connection.executemany(
        f"DELETE FROM removals WHERE account_no = ?1 AND item_no = ?2 AND {unkept}", numbered(items)
    )
    connection.executemany(
        f"""DELETE FROM items WHERE account_no = ?1 AND item_no = ?2 AND {unkept}
            AND NOT EXISTS (SELECT 1 FROM parents p WHERE p.account_no = ?1 AND p.parent_no = ?2)""",
        numbered(items | parents),
    )
    connection.executemany(
        f"DELETE FROM containers WHERE account_no = ?1 AND container_no = ?2 AND NOT present AND {_UNNAMED_CONTAINER}",
        numbered(containers),
    )


def _forget_snapshots(connection: sqlite3.Connection, account_no: int, seqs: Iterable[int]) -> None:
    points = connection.executemany(
        """DELETE FROM snapshots WHERE account_no = ?1 AND seq = ?2 AND closed_at IS NOT NULL AND seq < (
               SELECT max(s.seq) FROM snapshots s WHERE s.account_no = ?1 AND s.closed_at IS NOT NULL)""",
        [(account_no, seq) for seq in seqs],
    ).rowcount
    connection.execute("UPDATE accounts SET points = points - ? WHERE account_no = ?", (max(points, 0), account_no))
