"""`audit`: who did what, from where and why, proven to be whole."""

from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.wording import time_text
from tuiback.engine.restores.naming import get_account, parse_moment
from tuiback.errors import Damage

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View
    from tuiback.model.audited import AuditEntry

_COLUMNS = (
    Column("TIME", lambda row: time_text(row["time"])),
    field("WHO", "who"),
    field("FROM", "origin"),
    field("ACTION", "action"),
    field("SUBJECT", "subject"),
    field("REASON", "reason"),
    field("DETAIL", "detail"),
)


@click.command()
@click.option("--since", metavar="TIME", help="Only what was done then or later.")
@click.option("--account", metavar="ACCOUNT", help="Only what concerns this account.")
@click.pass_obj
def audit(call: Invocation, since: str | None, account: str | None) -> int:
    """List what was looked at, brought back and changed, and prove that nothing was changed or left out since.

    Ends with 9 where the chain of entries is broken, and says where.
    """
    moment = parse_moment(since) if since is not None else None
    with open_view(call) as view:
        account_id = get_account(view, account).account_id if account is not None else None
        found, breaks = read_all(view)
        rows = (
            entry_row(name, entry)
            for name, entry in found
            if (moment is None or entry.time >= moment) and (account_id is None or account_id in entry.accounts)
        )
        call.output.lines("audit", rows, _COLUMNS)
    if breaks:
        call.output.flush()
        call.output.trouble(["the audit is broken: it is not what was written", *breaks])
        return Damage.exit_code
    return 0


def read_all(view: "View") -> "tuple[list[tuple[str, AuditEntry]], list[str]]":
    """(repository, entry) of all repositories, each's the oldest first, and where a chain is broken."""
    from tuiback.engine.upkeep.auditing import read_audit
    from tuiback.model.audited import find_breaks

    found: list[tuple[str, AuditEntry]] = []
    breaks: list[str] = []
    for name, reader in view.readers():
        entries, differences = read_audit(view.home.state_path(name), reader)
        found += [(name, entry) for entry in entries]
        breaks += [f"{name}: {line}" for line in (*differences, *find_breaks(entries))]
    return found, breaks


def entry_row(repository: str, entry: "AuditEntry") -> Row:
    """One line of `audit`."""
    return {
        "repository": repository,
        "log": entry.log,
        "number": entry.number,
        "time": entry.time,
        "who": entry.who,
        "uid": entry.uid,
        "origin": entry.origin,
        "action": entry.action,
        "subject": entry.subject,
        "accounts": entry.accounts,
        "detail": entry.detail,
        "reason": entry.reason,
        "digest": entry.digest,
    }
