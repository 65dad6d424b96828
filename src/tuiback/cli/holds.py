"""`hold`: keeps an account or a task's accounts whatever retention says."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import engine_link, open_home, open_view, reach_home
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.wording import time_text
from tuiback.engine.restores.naming import check_task, get_account, parse_moment
from tuiback.errors import UsageError

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View

_COLUMNS = (
    field("HOLD", "id"),
    field("ACCOUNT", "account"),
    field("TASK", "task"),
    Column("UNTIL", lambda row: time_text(row["until"]) if row["until"] else "for ever"),
    field("STATE", "state"),
    field("BY", "made_by"),
    Column("SINCE", lambda row: time_text(row["made_at"])),
    field("REASON", "reason"),
)


@click.group(cls=WholeGroup)
def hold() -> None:
    """Keep accounts whatever retention says: beats every rule, --keep-gone and the removal of a task's data."""


@hold.command("add")
@click.argument("account", required=False)
@click.option("--task", help="All accounts of this task, those to come too.")
@click.option("--until", metavar="D", help="Through that day: 2027-03-31; without it until it is removed.")
@click.option("--reason", required=True, help="Why; kept with the hold and in the audit.")
@click.pass_obj
def add_hold(call: Invocation, account: str | None, task: str | None, until: str | None, reason: str) -> None:
    """Hold an account, or all accounts of a task."""
    from tuiback.engine.commands import AddHold

    if (account is None) == (task is None):
        raise UsageError("give either ACCOUNT or --task", remedy="see 'tuiback account list'")
    moment = parse_moment(until) if until is not None else None
    home = open_home(call)
    with open_view(call) as view:
        check_task(view, task)
        account_id = get_account(view, account).account_id if account is not None else ""
    command = AddHold(account_id=account_id, task=task or "", until=moment, reason=reason)
    with engine_link(home) as link:
        name = str(link.submit(command).result()["name"])
    call.output.added("hold-add", name, f"Hold {name} keeps {account or f'the accounts of {task}'}")


@hold.command("list")
@click.pass_obj
def list_holds(call: Invocation) -> None:
    """List the holds, those that are over too."""
    with open_view(call) as view:
        call.output.listing("hold-list", "holds", hold_rows(view, datetime.now(UTC)), _COLUMNS)


@hold.command("remove")
@click.argument("name", metavar="ID")
@click.option("--reason", default="", help="Why; kept in the audit.")
@click.pass_obj
def remove_hold(call: Invocation, name: str, reason: str) -> None:
    """End a hold: retention has its way again."""
    from tuiback.engine.commands import RemoveHold

    with engine_link(reach_home(call)) as link:
        link.submit(RemoveHold(hold=name, reason=reason)).result()
    call.output.added("hold-remove", name, f"Hold {name} removed")


def hold_rows(view: "View", now: datetime) -> list[Row]:
    """The holds of all repositories as `hold list` tells them."""
    from tuiback.engine.upkeep.holds import is_over

    rows: list[Row] = []
    for name, reader in view.readers():
        called = {account.account_id: account.address or account.name for account in reader.accounts()}
        rows += [
            {
                "id": held.hold_id,
                "account": called.get(held.account_id, held.account_id) or None,
                "account_id": held.account_id or None,
                "task": held.task or None,
                "until": held.until,
                "state": "over" if is_over(held, now) else "held",
                "made_by": held.made_by,
                "made_at": held.made_at,
                "reason": held.reason,
                "repository": name,
            }
            for held in reader.holds()
        ]
    return rows
