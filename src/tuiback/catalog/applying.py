"""Writes what a commit says into the tables: the one function that live runs and replays share.

It must never fail on a commit that is already durable, so what a commit names but no commit has described (an
account, a container) gets a bare row. A commit carries at most one snapshot of an account.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from tuiback.catalog.chunks import merge_chunks, put_chunks
from tuiback.catalog.expiry import expire
from tuiback.catalog.moments import to_text
from tuiback.catalog.numbers import Numbers
from tuiback.catalog.versioning import Versioning
from tuiback.model import (
    Account,
    CommitBody,
    Container,
    ControlRow,
    Owed,
    PackTable,
    RunRow,
    SnapshotRow,
)


def apply_packs(connection: sqlite3.Connection, tables: Sequence[PackTable], merge_at: int) -> None:
    """Make the chunks of the packs known; a chunk stored again is from now on read from its newer pack."""
    tables = [table for table in tables if not _knows_pack(connection, table.pack_id)]
    new_chunks = 0
    for table in tables:
        pack_no = connection.execute(
            "INSERT INTO packs (pack_id, stored_bytes) VALUES (?, ?)", (table.pack_id, table.stored_bytes)
        ).lastrowid
        new_chunks += put_chunks(connection, int(pack_no or 0), table.entries)
    merge_chunks(connection, merge_at)
    connection.execute(
        "UPDATE stored SET chunks = chunks + ?, packs = packs + ?, bytes = bytes + ?",
        (new_chunks, len(tables), sum(table.stored_bytes for table in tables)),
    )


def _knows_pack(connection: sqlite3.Connection, pack_id: str) -> bool:
    return connection.execute("SELECT 1 FROM packs WHERE pack_id = ?", (pack_id,)).fetchone() is not None


def apply_body(connection: sqlite3.Connection, body: CommitBody) -> None:
    """Apply the fields in their order."""
    numbers = Numbers(connection)
    versioning = Versioning(connection, numbers)
    _put_controls(connection, body.controls)
    _put_runs(connection, body.runs)
    _put_accounts(connection, numbers, body.accounts, body.time)
    for snapshot in body.snapshots_opened:
        _put_snapshot(connection, numbers.account(snapshot.account_id), snapshot)
    _put_containers(connection, numbers, body.containers)
    _drop_containers(connection, numbers, body.containers_removed)
    versioning.open_all(body.versions)
    versioning.await_removals(body.removals)
    _put_owed(connection, numbers, body.owed)
    for snapshot in body.snapshots_closed:
        _close_snapshot(connection, versioning, numbers.account(snapshot.account_id), snapshot)
    versioning.settle()
    expire(connection, body.expired)


def _put_controls(connection: sqlite3.Connection, controls: Sequence[ControlRow]) -> None:
    for control in controls:
        if control.data is None:
            connection.execute("DELETE FROM controls WHERE kind = ? AND name = ?", (control.kind, control.name))
        else:
            connection.execute(
                "INSERT OR REPLACE INTO controls (kind, name, data) VALUES (?, ?, ?)",
                (control.kind, control.name, control.data),
            )


def _put_runs(connection: sqlite3.Connection, runs: Sequence[RunRow]) -> None:
    connection.executemany(
        """INSERT OR REPLACE INTO runs (run, task, trigger, started_at, ended_at, outcome, counters)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                run.run, run.task, run.trigger, to_text(run.started_at), to_text(run.ended_at), run.outcome,
                msgspec.json.encode(run.counters).decode(),
            )
            for run in runs
        ],
    )


def _put_accounts(
    connection: sqlite3.Connection, numbers: Numbers, accounts: Sequence[Account], time: datetime
) -> None:
    for account in accounts:
        account_no = numbers.account(account.account_id)
        connection.execute(
            """UPDATE accounts SET kind = ?, tenant = ?, task = ?, owner_id = ?, name = ?, address = ?, state = ?,
                   gone_at = ?, gone_reason = ? WHERE account_no = ?""",
            (
                account.kind, account.tenant, account.task, account.owner_id, account.name, account.address,
                account.state, to_text(account.gone_at), account.gone_reason, account_no,
            ),
        )
        _put_alias(connection, account_no, account.address, to_text(time))


def _put_alias(connection: sqlite3.Connection, account_no: int, address: str, since: str) -> None:
    key = address.casefold()
    current = connection.execute(
        "SELECT address_key FROM aliases WHERE account_no = ? AND until IS NULL", (account_no,)
    ).fetchone()
    if current == (key,):
        return
    connection.execute("UPDATE aliases SET until = ? WHERE account_no = ? AND until IS NULL", (since, account_no))
    if address:
        connection.execute(
            "INSERT OR REPLACE INTO aliases (account_no, since, address, address_key) VALUES (?, ?, ?, ?)",
            (account_no, since, address, key),
        )


def _put_snapshot(connection: sqlite3.Connection, account_no: int, snapshot: SnapshotRow) -> None:
    connection.execute(
        """INSERT INTO snapshots (account_no, seq, run, opened_at, closed_at, outcome, verified_until)
           VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET run = excluded.run, opened_at = excluded.opened_at,
               closed_at = coalesce(excluded.closed_at, closed_at), outcome = coalesce(excluded.outcome, outcome),
               verified_until = coalesce(excluded.verified_until, verified_until)""",
        (
            account_no, snapshot.seq, snapshot.run, to_text(snapshot.opened_at), to_text(snapshot.closed_at),
            snapshot.outcome, to_text(snapshot.verified_until),
        ),
    )


def _close_snapshot(
    connection: sqlite3.Connection, versioning: Versioning, account_no: int, snapshot: SnapshotRow
) -> None:
    """Carry removals out and keep the account's figures with the snapshot, unless it was closed before."""
    closed_before = connection.execute(
        "SELECT 1 FROM snapshots WHERE account_no = ? AND seq = ? AND closed_at IS NOT NULL", (account_no, snapshot.seq)
    ).fetchone()
    _put_snapshot(connection, account_no, snapshot)
    if closed_before or snapshot.closed_at is None:
        return
    versioning.end_removed(account_no, snapshot.seq)
    versioning.settle()
    connection.execute("UPDATE accounts SET points = points + 1 WHERE account_no = ?", (account_no,))
    connection.execute(
        """UPDATE snapshots SET (items, bytes) = (SELECT live_items, live_bytes FROM accounts WHERE account_no = ?1)
           WHERE account_no = ?1 AND seq = ?2""",
        (account_no, snapshot.seq),
    )


def _put_containers(connection: sqlite3.Connection, numbers: Numbers, containers: Sequence[Container]) -> None:
    connection.executemany(
        """UPDATE containers SET kind = ?, name = ?, cursor = ?, relisting = ?, present = 1 WHERE container_no = ?""",
        [
            (
                container.kind, container.name, container.cursor, container.relisting,
                numbers.container(numbers.account(container.account_id), container.container_id),
            )
            for container in containers
        ],
    )


def _drop_containers(connection: sqlite3.Connection, numbers: Numbers, gone: Sequence[tuple[str, str]]) -> None:
    # Versions still name it; its own name and cursor nobody needs.
    connection.executemany(
        "UPDATE containers SET present = 0, name = '', cursor = '' WHERE container_no = ?",
        [(numbers.container(numbers.account(account_id), container_id),) for account_id, container_id in gone],
    )


def _put_owed(connection: sqlite3.Connection, numbers: Numbers, debts: Sequence[Owed]) -> None:
    for debt in debts:
        key = (numbers.account(debt.account_id), debt.item_id, "" if debt.item_id else debt.container_id)
        if debt.cleared:
            connection.execute("DELETE FROM owed WHERE account_no = ? AND item_id = ? AND scope = ?", key)
            continue
        # A run that began before the debt was acknowledged does not know of that.
        connection.execute(
            """INSERT INTO owed (account_no, item_id, scope, container_id, kind, path, since, tries, error, request_id,
                   ack) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET container_id = excluded.container_id, kind = excluded.kind,
                   path = excluded.path, since = excluded.since, tries = excluded.tries, error = excluded.error,
                   request_id = excluded.request_id, ack = coalesce(nullif(excluded.ack, ''), ack)""",
            (
                *key, debt.container_id, debt.kind, debt.path, to_text(debt.since), debt.tries, debt.error,
                debt.request_id, debt.ack,
            ),
        )
