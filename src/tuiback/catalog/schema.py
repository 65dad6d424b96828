"""The catalog's tables, as numbered migrations.

Accounts, containers and items carry long texts as ids; the rows that are counted in millions name them by small
numbers that mean nothing outside this file. The item "" of an account is its root folder and has no versions.
"""

from typing import TYPE_CHECKING

from tuiback.catalog.migrations import Migration

if TYPE_CHECKING:
    from sqlite_utils import Database

_FIRST = (
    # What the file is, and how far it has followed each writer.
    # `made` tells this file from others of the same repository: a rebuilt catalog has other numbers.
    "CREATE TABLE identity (repository_id TEXT NOT NULL, made TEXT NOT NULL DEFAULT (hex(randomblob(16))))",
    "CREATE TABLE writers (writer TEXT PRIMARY KEY, number INTEGER NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID",
    # Where bytes lie. Half of an id finds the chunk; the other half is compared.
    # A forgotten pack's number is never given again, because its chunks leave after it.
    """CREATE TABLE packs (
        pack_no INTEGER PRIMARY KEY AUTOINCREMENT, pack_id TEXT NOT NULL UNIQUE, stored_bytes INTEGER NOT NULL)""",
    """CREATE TABLE chunks (
        id_head BLOB NOT NULL, id_tail BLOB NOT NULL, pack_no INTEGER NOT NULL, slot INTEGER NOT NULL,
        offset INTEGER NOT NULL, length INTEGER NOT NULL, inner_offset INTEGER NOT NULL, size INTEGER NOT NULL,
        PRIMARY KEY (id_head, id_tail)) WITHOUT ROWID""",
    # What is new waits beside `chunks` and goes before it: a chunk may stand in both. tuiback.catalog.chunks tells how.
    """CREATE TABLE recent_chunks (
        id_head BLOB NOT NULL, id_tail BLOB NOT NULL, pack_no INTEGER NOT NULL, slot INTEGER NOT NULL,
        offset INTEGER NOT NULL, length INTEGER NOT NULL, inner_offset INTEGER NOT NULL, size INTEGER NOT NULL,
        PRIMARY KEY (id_head, id_tail)) WITHOUT ROWID""",
    """CREATE VIEW all_chunks AS SELECT * FROM recent_chunks UNION ALL SELECT * FROM chunks c WHERE NOT EXISTS (
        SELECT 1 FROM recent_chunks r WHERE r.id_head = c.id_head AND r.id_tail = c.id_tail)""",
    "CREATE TABLE chunk_filter (block INTEGER PRIMARY KEY, marks BLOB NOT NULL)",
    "CREATE TABLE merging (waiting INTEGER NOT NULL, next_slice INTEGER NOT NULL)",
    "INSERT INTO merging VALUES (0, 0)",
    "CREATE TABLE stored (chunks INTEGER NOT NULL, packs INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "INSERT INTO stored VALUES (0, 0, 0)",
    # Configuration and history.
    "CREATE TABLE controls (kind TEXT, name TEXT, data BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID",
    """CREATE TABLE runs (
        run INTEGER PRIMARY KEY, task TEXT NOT NULL, trigger TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
        outcome TEXT, counters TEXT NOT NULL)""",
    # An account with kind '' was named by a snapshot before any commit described it. The figures below `points`
    # leave folders out; `version_bytes` counts the parts of every version kept.
    """CREATE TABLE accounts (
        account_no INTEGER PRIMARY KEY, account_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL DEFAULT '',
        tenant TEXT NOT NULL DEFAULT '', task TEXT NOT NULL DEFAULT '', owner_id TEXT NOT NULL DEFAULT '',
        name TEXT NOT NULL DEFAULT '', address TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT 'active',
        gone_at TEXT, gone_reason TEXT NOT NULL DEFAULT '', points INTEGER NOT NULL DEFAULT 0,
        live_items INTEGER NOT NULL DEFAULT 0, live_bytes INTEGER NOT NULL DEFAULT 0,
        versions INTEGER NOT NULL DEFAULT 0, version_bytes INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX accounts_by_owner ON accounts (owner_id)",
    "CREATE INDEX accounts_by_name ON accounts (name)",
    """CREATE TABLE aliases (
        account_no INTEGER NOT NULL, since TEXT NOT NULL, address TEXT NOT NULL, address_key TEXT NOT NULL, until TEXT,
        PRIMARY KEY (account_no, since, address)) WITHOUT ROWID""",
    "CREATE INDEX aliases_by_address ON aliases (address_key)",
    # A container keeps its number when it goes (present = 0), because versions still name it.
    """CREATE TABLE containers (
        container_no INTEGER PRIMARY KEY, account_no INTEGER NOT NULL, container_id TEXT NOT NULL,
        kind TEXT NOT NULL DEFAULT '', name TEXT NOT NULL DEFAULT '', cursor TEXT NOT NULL DEFAULT '',
        relisting INTEGER NOT NULL DEFAULT 0, present INTEGER NOT NULL DEFAULT 0,
        UNIQUE (account_no, container_id))""",
    """CREATE TABLE snapshots (
        account_no INTEGER, seq INTEGER, run INTEGER NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT, outcome TEXT,
        verified_until TEXT, items INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account_no, seq)) WITHOUT ROWID""",
    # Items, their versions (live while until_seq is NULL) and the parts of each version. `removed` stands where the
    # item itself left; other versions end because a newer one began.
    """CREATE TABLE items (
        item_no INTEGER PRIMARY KEY, account_no INTEGER NOT NULL, item_id TEXT NOT NULL,
        UNIQUE (account_no, item_id))""",
    """CREATE TABLE versions (
        version_no INTEGER PRIMARY KEY, item_no INTEGER NOT NULL, from_seq INTEGER NOT NULL, until_seq INTEGER,
        removed INTEGER NOT NULL DEFAULT 0, container_no INTEGER NOT NULL, parent_no INTEGER NOT NULL,
        kind TEXT NOT NULL, sort_name TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
        modified TEXT NOT NULL, etag TEXT NOT NULL, content_tag TEXT NOT NULL, attrs TEXT NOT NULL,
        part_bytes INTEGER NOT NULL, UNIQUE (item_no, from_seq))""",
    """CREATE TABLE parts (
        version_no INTEGER, ordinal INTEGER, name TEXT NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL,
        chunks BLOB NOT NULL, form TEXT NOT NULL DEFAULT '', PRIMARY KEY (version_no, ordinal)) WITHOUT ROWID""",
    # Search files follow versions by their numbers and, through these rows, out of the catalog again. `expired` is 0
    # for a version that never was in a closed snapshot. Items go after their versions, or their account is not known.
    """CREATE TABLE dropped_versions (
        drop_no INTEGER PRIMARY KEY AUTOINCREMENT, version_no INTEGER NOT NULL, account_no INTEGER,
        expired INTEGER NOT NULL)""",
    """CREATE TRIGGER version_dropped BEFORE DELETE ON versions BEGIN
        INSERT INTO dropped_versions (version_no, account_no, expired)
        SELECT old.version_no, account_no, NOT EXISTS (SELECT 1 FROM snapshots s
            WHERE s.account_no = of.account_no AND s.seq = old.from_seq AND s.closed_at IS NULL)
        FROM (SELECT (SELECT account_no FROM items WHERE item_no = old.item_no) AS account_no) of; END""",
    # Live versions have indexes of their own, so that a page of today never wades through history. until_seq stands
    # in them even where it is always NULL, because only then does SQLite answer from the index alone.
    """CREATE INDEX live_by_name ON versions (parent_no, kind, sort_name, version_no, from_seq, until_seq)
        WHERE until_seq IS NULL""",
    """CREATE INDEX live_by_modified ON versions (parent_no, kind, modified, version_no, from_seq, until_seq)
        WHERE until_seq IS NULL""",
    "CREATE INDEX live_by_container ON versions (container_no, item_no, until_seq) WHERE until_seq IS NULL",
    """CREATE INDEX removed_by_end ON versions (parent_no, until_seq, version_no, kind, item_no, from_seq, removed)
        WHERE removed""",
    # Ended ones stand under each block of snapshots that their interval is made of.
    """CREATE TABLE spans_by_name (
        parent_no INTEGER, is_folder INTEGER, block INTEGER, sort_name TEXT, version_no INTEGER,
        PRIMARY KEY (parent_no, is_folder, block, sort_name, version_no)) WITHOUT ROWID""",
    """CREATE TABLE spans_by_modified (
        parent_no INTEGER, is_folder INTEGER, block INTEGER, modified TEXT, version_no INTEGER,
        PRIMARY KEY (parent_no, is_folder, block, modified, version_no)) WITHOUT ROWID""",
    # Every folder that anything ever lay in.
    "CREATE TABLE parents (account_no INTEGER, parent_no INTEGER, PRIMARY KEY (account_no, parent_no)) WITHOUT ROWID",
    # Removals wait here for their account's snapshot to close.
    """CREATE TABLE removals (
        account_no INTEGER, item_no INTEGER, container_no INTEGER, seq INTEGER NOT NULL,
        PRIMARY KEY (account_no, item_no, container_no)) WITHOUT ROWID""",
    # `scope` is the container of a debt that names no item, else ''.
    """CREATE TABLE owed (
        account_no INTEGER, item_id TEXT, scope TEXT, container_id TEXT NOT NULL, kind TEXT NOT NULL,
        path TEXT NOT NULL, since TEXT NOT NULL, tries INTEGER NOT NULL, error TEXT NOT NULL,
        request_id TEXT NOT NULL, PRIMARY KEY (account_no, item_id, scope)) WITHOUT ROWID""",
)


def _first_tables(database: "Database") -> None:
    # In SQL, because sqlite-utils can express neither WITHOUT ROWID nor partial indexes.
    for statement in _FIRST:
        database.execute(statement)


def _acknowledged_debts(database: "Database") -> None:
    database.execute("ALTER TABLE owed ADD COLUMN ack TEXT NOT NULL DEFAULT ''")


MIGRATIONS = (
    Migration(1, "first tables", _first_tables),
    Migration(2, "acknowledged debts", _acknowledged_debts),
)
