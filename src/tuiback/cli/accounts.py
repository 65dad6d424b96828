"""`account`: every protected account and how it stands."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import open_view
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.wording import bytes_text, safe_line, time_text
from tuiback.engine.restores.naming import check_task, get_account

if TYPE_CHECKING:
    from tuiback.catalog import AccountOverview
    from tuiback.engine.archives.view import View
    from tuiback.engine.restores.naming import NamedAccount

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


@click.group(cls=WholeGroup)
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


@account.command("show")
@click.argument("name", metavar="ACCOUNT")
@click.option("--task", help="Only an account of this task.")
@click.pass_obj
def show_account(call: Invocation, name: str, task: str | None) -> None:
    """Show one account: how it stands, every address it has had, what holds it, and since when and why it is gone."""
    with open_view(call) as view:
        named = get_account(view, name, task)
        fields = _shown_fields(named)
    if call.output.as_json:
        call.output.document("account-show", fields)
        return
    for key, value in fields.items():
        if value not in ("", [], None):
            call.output.text(f"{key.replace('_', ' '):14} {safe_line(_shown(value))}")


def _shown_fields(named: "NamedAccount") -> Row:
    from tuiback.engine.timing.lateness import with_late
    from tuiback.engine.upkeep.holds import find_hold

    reader, account_id, now = named.reader, named.account_id, datetime.now(UTC)
    overviews = with_late(reader.account_overview(named.account.task), reader.tasks(), now)
    overview = next(each for each in overviews if each.account.account_id == account_id)
    hold = find_hold(reader.holds(), named.account, now)
    return {
        **account_row(overview),
        "tenant": named.account.tenant,
        "repository": named.repository,
        "owner_id": named.account.owner_id,
        "addresses": [
            {"address": alias.address, "since": alias.since, "until": alias.until} for alias in overview.aliases
        ],
        "held_by": None if hold is None else hold.hold_id,
    }


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        return f"{value['address']} until {time_text(value['until'])}" if value["until"] else value["address"]
    return time_text(value) if isinstance(value, datetime) else str(value)


def _rows(view: "View", task: str | None, state: str | None) -> Iterator[Row]:
    from tuiback.engine.timing.lateness import with_late

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
        "gone_at": account.gone_at,
        "gone_reason": account.gone_reason or None,
    }
