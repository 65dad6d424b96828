"""`account list`: every protected account and how it stands."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.selecting import check_task
from tuiback.cli.wording import bytes_text, time_text

if TYPE_CHECKING:
    from tuiback.catalog import AccountOverview
    from tuiback.engine.view import View

STATES = ("ok", "late", "failed", "gone", "never")

_COLUMNS = (
    field("ACCOUNT", "address"),
    field("KIND", "kind"),
    field("NAME", "name"),
    field("TASK", "task"),
    field("STATE", "state"),
    Column("LAST OK", lambda row: time_text(row["last_ok_at"])),
    field("POINTS", "points", right=True),
    field("ITEMS", "items", right=True),
    Column("SIZE", lambda row: bytes_text(row["bytes"]), right=True),
    field("OWED", "owed", right=True),
)


@click.group()
def account() -> None:
    """See the protected accounts."""


@account.command("list")
@click.argument("task", required=False)
@click.option("--state", type=click.Choice(STATES), help="Only accounts in this state.")
@click.pass_obj
def list_accounts(call: Invocation, task: str | None, state: str | None) -> None:
    """List every protected account, or those of one task."""
    with open_view(call) as view:
        check_task(view, task)
        call.output.lines("account-list", _rows(view, task, state), _COLUMNS)


def _rows(view: "View", task: str | None, state: str | None) -> Iterator[Row]:
    from tuiback.engine.lateness import with_late

    now = datetime.now(UTC)
    for _, reader in view.readers():
        for overview in with_late(reader.account_overview(task), reader.tasks(), now):
            if state is None or overview.state == state:
                yield account_row(overview)


def account_row(overview: "AccountOverview") -> Row:
    """One line of `account list`."""
    account = overview.account
    return {
        "account_id": account.account_id,
        "kind": account.kind,
        "name": account.name,
        "address": account.address,
        "aliases": [alias.address for alias in overview.aliases],
        "task": account.task,
        "state": overview.state,
        "last_ok_at": overview.last_ok_at,
        "points": overview.points,
        "items": overview.items,
        "bytes": overview.bytes,
        "owed": overview.owed,
    }
