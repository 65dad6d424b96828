"""Answers who is protected: tenants, tasks, accounts, their addresses and how each account stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tuiback.catalog.moments import from_text, to_text
from tuiback.catalog.reading import Reading
from tuiback.catalog.rows import AccountOverview, Alias
from tuiback.model import Account, AccountKind, AccountState, Hold, Outcome, Owner, Task, Tenant
from tuiback.model.audited import AuditEntry

_ACCOUNT = """a.account_id, a.kind, a.tenant, a.task, a.owner_id, a.name, a.address, a.state, a.gone_at, a.gone_reason
    FROM accounts a WHERE a.kind <> '' AND (?1 IS NULL OR a.task = ?1)"""


class AccountQuestions(Reading):
    """The part of CatalogReader about configuration and accounts."""

    def tenants(self) -> tuple[Tenant, ...]:
        """All tenants by name, with their sealed credentials."""
        return tuple(msgspec.json.decode(data, type=Tenant) for data in self._controls("tenant"))

    def tasks(self) -> tuple[Task, ...]:
        """All tasks by name."""
        return tuple(msgspec.json.decode(data, type=Task) for data in self._controls("task"))

    def holds(self) -> tuple[Hold, ...]:
        """All holds, the oldest first, those that are over too."""
        found = (msgspec.json.decode(data, type=Hold) for data in self._controls("hold"))
        return tuple(sorted(found, key=lambda hold: (hold.made_at, hold.hold_id)))

    def find_owner(self) -> Owner | None:
        """The home that has taken the repository over, None where none ever has."""
        return next((msgspec.json.decode(data, type=Owner) for data in self._controls("owner")), None)

    def find_settings(self) -> bytes | None:
        """The sealed copy of the home's settings, None where there is none."""
        return next(iter(self._controls("settings")), None)

    def audit_entries(self, log: str | None = None, *, newest_only: bool = False) -> tuple[AuditEntry, ...]:
        """The audit as the repository has it, of one log or all; `newest_only` leaves all but its last segment out."""
        rows = self._rows(
            """SELECT data FROM controls WHERE kind = 'audit' AND (?1 IS NULL OR name BETWEEN ?1 || '/' AND ?1 || '0')
               ORDER BY name DESC LIMIT ?2""",
            (log, 1 if newest_only else -1),
        )
        segments = [msgspec.json.decode(data, type=tuple[AuditEntry, ...]) for (data,) in reversed(rows)]
        return tuple(entry for segment in segments for entry in segment)

    def accounts(self, task: str | None = None) -> tuple[Account, ...]:
        """All accounts, or those of one task, by address and id."""
        rows = self._rows(f"SELECT {_ACCOUNT} ORDER BY a.address, a.account_id", (task,))
        return tuple(_account(row) for row in rows)

    def aliases(self, account_id: str) -> tuple[Alias, ...]:
        """Every address the account has had, the newest first."""
        rows = self._rows(
            """SELECT l.address, l.since, l.until FROM aliases l JOIN accounts USING (account_no) WHERE account_id = ?
               ORDER BY l.since DESC, l.until IS NOT NULL""",
            (account_id,),
        )
        return tuple(_alias(*row) for row in rows)

    def find_accounts(self, text: str, task: str | None = None) -> tuple[Account, ...]:
        """The accounts that an ACCOUNT text of the command line names exactly; several when it is ambiguous.

        The text is an account id, or with an optional kind and colon before it an address of now or before (case
        makes no difference), an object id, the owner's object id or a name. Present addresses come first.
        """
        kind, name = _kind_and_name(text)
        rows = self._rows(
            f"""SELECT {_ACCOUNT} AND (?2 = '' OR a.kind = ?2) AND (
                    a.account_id = ?3 OR a.account_id = a.kind || ':' || ?4 OR a.owner_id = ?4 OR a.name = ?4
                    OR a.account_no IN (SELECT account_no FROM aliases WHERE address_key = ?5))
                ORDER BY a.account_id <> ?3, lower(a.address) <> ?5, a.account_id""",
            (task, kind, text, name, name.casefold()),
        )
        return tuple(_account(row) for row in rows)

    def account_overview(self, task: str | None = None) -> tuple[AccountOverview, ...]:
        """How every account stands, by address and id."""
        with self._one_moment():
            aliases = self._aliases_by_account()
            rows = self._rows(
                f"""SELECT a.points, a.live_items, a.live_bytes,
                    (SELECT count(*) FROM owed o WHERE o.account_no = a.account_no),
                    EXISTS (SELECT 1 FROM owed o WHERE o.account_no = a.account_no AND o.item_id = '' AND o.scope = ''),
                    (SELECT s.outcome FROM snapshots s WHERE s.account_no = a.account_no ORDER BY s.seq DESC LIMIT 1),
                    (SELECT coalesce(s.verified_until, s.closed_at) FROM snapshots s WHERE s.account_no = a.account_no
                        AND s.outcome = 'ok' AND s.closed_at IS NOT NULL ORDER BY s.seq DESC LIMIT 1),
                    {_ACCOUNT} ORDER BY a.address, a.account_id""",
                (task,),
            )
        return tuple(_overview(row, aliases) for row in rows)

    def count_states(self, ok_since: Mapping[str, tuple[datetime, bool]]) -> dict[str, int]:
        """How many accounts are in each state of account_overview(), or late; a fraction of its cost.

        `ok_since` is, by task, since when an account of it must have been ok not to be late, and whether one that
        never was is late too.
        """
        wanted = {task: [to_text(moment), missing] for task, (moment, missing) in ok_since.items()}
        rows = self._rows(
            """WITH wanted AS MATERIALIZED (
                   SELECT key AS task, json_extract(value, '$[0]') AS moment, json_extract(value, '$[1]') AS missing
                   FROM json_each(?))
               SELECT CASE
                   WHEN a.state = 'gone' THEN 'gone'
                   WHEN EXISTS (SELECT 1 FROM owed o WHERE o.account_no = a.account_no AND o.item_id = ''
                       AND o.scope = '') OR (SELECT s.outcome FROM snapshots s WHERE s.account_no = a.account_no
                       ORDER BY s.seq DESC LIMIT 1) = 'failed' THEN 'failed'
                   WHEN a.points = 0 THEN 'never'
                   WHEN w.moment IS NULL THEN 'ok'
                   ELSE coalesce((SELECT iif(coalesce(s.verified_until, s.closed_at) < w.moment, 'late', 'ok')
                       FROM snapshots s WHERE s.account_no = a.account_no AND s.outcome = 'ok'
                       AND s.closed_at IS NOT NULL ORDER BY s.seq DESC LIMIT 1), iif(w.missing, 'late', 'ok'))
                   END AS state, count(*)
               FROM accounts a LEFT JOIN wanted w ON w.task = a.task WHERE a.kind <> '' GROUP BY 1""",
            (msgspec.json.encode(wanted).decode(),),
        )
        return dict(rows)

    def count_accounts(self) -> dict[tuple[str, AccountState], int]:
        """How many accounts each task has in a state."""
        rows = self._rows("SELECT task, state, count(*) FROM accounts WHERE kind <> '' GROUP BY task, state")
        return {(task, AccountState(state)): count for task, state, count in rows}

    def count_debts(self) -> dict[str, tuple[int, datetime]]:
        """By task how much is owed that nobody has acknowledged, and when the newest of it failed first."""
        rows = self._rows(
            """SELECT a.task, count(*), max(o.since) FROM owed o JOIN accounts a USING (account_no) WHERE o.ack = ''
               GROUP BY a.task"""
        )
        return {task: (count, from_text(since)) for task, count, since in rows}

    def _controls(self, kind: str) -> list[bytes]:
        return [data for (data,) in self._rows("SELECT data FROM controls WHERE kind = ? ORDER BY name", (kind,))]

    def _aliases_by_account(self) -> dict[str, list[Alias]]:
        aliases: dict[str, list[Alias]] = {}
        for account_id, *alias in self._rows(
            """SELECT account_id, l.address, l.since, l.until FROM aliases l JOIN accounts USING (account_no)
               ORDER BY l.since DESC, l.until IS NOT NULL"""
        ):
            aliases.setdefault(account_id, []).append(_alias(*alias))
        return aliases


def _kind_and_name(text: str) -> tuple[str, str]:
    kind, colon, name = text.partition(":")
    return (kind, name) if colon and kind in set(AccountKind) else ("", text)


def _account(row: Sequence[Any]) -> Account:
    account_id, kind, tenant, task, owner_id, name, address, state, gone_at, gone_reason = row
    return Account(
        account_id, AccountKind(kind), tenant, task, owner_id, name, address, AccountState(state), from_text(gone_at),
        gone_reason,
    )


def _alias(address: str, since: str, until: str | None) -> Alias:
    return Alias(address, from_text(since), from_text(until))


def _overview(row: Sequence[Any], aliases: dict[str, list[Alias]]) -> AccountOverview:
    points, items, size, owed, owes_itself, last_outcome, last_ok_at, *facts = row
    account = _account(facts)
    if account.state is AccountState.GONE:
        state = "gone"
    elif owes_itself or last_outcome == Outcome.FAILED:
        state = "failed"
    else:
        state = "ok" if points else "never"
    return AccountOverview(
        account, tuple(aliases.get(account.account_id, ())), state, from_text(last_ok_at), points, items, size, owed
    )
