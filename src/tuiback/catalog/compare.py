"""Proves that two catalogs say the same, whatever numbers their rows have: a rebuilt one and the one before."""

from pathlib import Path

from tuiback.catalog.connection import faults_told, open_for_reading

_SHOWN = 5

# Every table over its natural keys; {s} is the schema of the one or the other file.
_CONTENT = {
    "identity": "SELECT repository_id FROM {s}.identity",
    "writers": "SELECT writer, number, digest FROM {s}.writers",
    "packs": "SELECT pack_id, stored_bytes FROM {s}.packs",
    "chunks": """SELECT hex(id_head), hex(id_tail), pack_id, slot, offset, length, inner_offset, size
        FROM {s}.all_chunks JOIN {s}.packs USING (pack_no)""",
    "stored": "SELECT chunks, packs, bytes FROM {s}.stored",
    "controls": "SELECT kind, name, data FROM {s}.controls",
    "runs": "SELECT run, task, trigger, started_at, ended_at, outcome, counters FROM {s}.runs",
    "accounts": """SELECT account_id, kind, tenant, task, owner_id, name, address, state, gone_at, gone_reason, points,
        live_items, live_bytes, versions, version_bytes FROM {s}.accounts""",
    "aliases": """SELECT account_id, since, l.address, address_key, until
        FROM {s}.aliases l JOIN {s}.accounts USING (account_no)""",
    "containers": """SELECT account_id, container_id, c.kind, c.name, cursor, relisting
        FROM {s}.containers c JOIN {s}.accounts USING (account_no) WHERE present""",
    "snapshots": """SELECT account_id, seq, run, opened_at, closed_at, outcome, verified_until, items, bytes
        FROM {s}.snapshots JOIN {s}.accounts USING (account_no)""",
    "versions": """SELECT account_id, i.item_id, from_seq, until_seq, removed, container_id, p.item_id, v.kind,
        sort_name, v.name, size, modified, etag, content_tag, attrs, part_bytes
        FROM {s}.versions v JOIN {s}.items i USING (item_no) JOIN {s}.accounts a ON a.account_no = i.account_no
        JOIN {s}.items p ON p.item_no = v.parent_no JOIN {s}.containers c ON c.container_no = v.container_no""",
    "parts": """SELECT account_id, item_id, from_seq, ordinal, t.name, t.size, hex(digest), hex(chunks), form
        FROM {s}.parts t JOIN {s}.versions v USING (version_no) JOIN {s}.items i USING (item_no)
        JOIN {s}.accounts a ON a.account_no = i.account_no""",
    "removals": """SELECT account_id, item_id, container_id, seq FROM {s}.removals r
        JOIN {s}.items USING (item_no) JOIN {s}.accounts a ON a.account_no = r.account_no
        JOIN {s}.containers c ON c.container_no = r.container_no""",
    "owed": """SELECT account_id, item_id, scope, container_id, o.kind, path, since, tries, error, request_id, ack
        FROM {s}.owed o JOIN {s}.accounts USING (account_no)""",
}


def same_content(a: Path, b: Path) -> list[str]:
    """The differences, a line each, at most a few of every table; none when both hold the same.

    Both files must be of this version and not be written meanwhile.
    """
    differences = []
    connection = open_for_reading(a)
    try:
        with faults_told(b):
            connection.execute("ATTACH ? AS other", (f"{b.absolute().as_uri()}?mode=ro",))
        for table, select in _CONTENT.items():
            for here, there, path in (("main", "other", a), ("other", "main", b)):
                with faults_told(path):
                    only_here = connection.execute(
                        f"{select.format(s=here)} EXCEPT {select.format(s=there)} LIMIT {_SHOWN}"
                    ).fetchall()
                differences += [f"only {path} has in {table}: {row}" for row in only_here]
    finally:
        connection.close()
    return differences


# What tells, by account, that commits came or went: each leaves its trace in one of these. That a snapshot was found
# to hold still changed nothing.
_TRACES = (
    *(_CONTENT[table] for table in ("accounts", "aliases", "containers", "removals", "owed")),
    _CONTENT["snapshots"].replace("verified_until, ", ""),
)


def differing_accounts(a: Path, b: Path) -> frozenset[str]:
    """The ids of the accounts whose content the catalogs tell differently, because commits came or went."""
    connection = open_for_reading(a)
    try:
        with faults_told(b):
            connection.execute("ATTACH ? AS other", (f"{b.absolute().as_uri()}?mode=ro",))
            accounts: set[str] = set()
            for select in _TRACES:
                for here, there in (("main", "other"), ("other", "main")):
                    rows = connection.execute(f"{select.format(s=here)} EXCEPT {select.format(s=there)}")
                    accounts.update(row[0] for row in rows)
    finally:
        connection.close()
    return frozenset(accounts)
