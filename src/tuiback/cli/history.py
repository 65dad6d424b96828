"""`runs` and `owed`: what was run, and what failed and stays owed."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.selecting import check_task, get_account, parse_moment
from tuiback.cli.wording import bytes_text, time_text

if TYPE_CHECKING:
    from tuiback.engine.view import View
    from tuiback.model import RunRow

_RUNS_SHOWN = 50
_RUNS_SEARCHED = 1_000_000

_RUN_COLUMNS = (
    field("RUN", "run", right=True),
    field("TASK", "task"),
    Column("STARTED", lambda row: time_text(row["started_at"])),
    Column("ENDED", lambda row: time_text(row["ended_at"])),
    field("OUTCOME", "outcome"),
    field("ACCOUNTS", "accounts", right=True),
    field("NEW", "items_new", right=True),
    field("CHANGED", "items_changed", right=True),
    field("REMOVED", "items_removed", right=True),
    field("OWED", "owed", right=True),
    Column("READ", lambda row: bytes_text(row["bytes_read"]), right=True),
    Column("STORED", lambda row: bytes_text(row["bytes_stored"]), right=True),
)
_OWED_COLUMNS = (
    field("ACCOUNT", "account"),
    field("PATH", "path"),
    Column("SINCE", lambda row: time_text(row["since"])),
    field("TRIES", "tries", right=True),
    field("ERROR", "error"),
)


@click.command()
@click.argument("task", required=False)
@click.option("--since", metavar="TIME", help="Only runs that started then or later.")
@click.pass_obj
def runs(call: Invocation, task: str | None, since: str | None) -> None:
    """List the runs, newest first."""
    moment = parse_moment(since) if since is not None else None
    with open_view(call) as view:
        check_task(view, task)
        call.output.lines("runs", _run_rows(view, task, moment), _RUN_COLUMNS)


@click.command()
@click.argument("task", required=False)
@click.option("--account", metavar="ACCOUNT", help="Only of this account.")
@click.pass_obj
def owed(call: Invocation, task: str | None, account: str | None) -> None:
    """List the items that failed; each is tried again at every run."""
    with open_view(call) as view:
        check_task(view, task)
        account_id = get_account(view, account, task).account_id if account is not None else None
        call.output.lines("owed", _owed_rows(view, task, account_id), _OWED_COLUMNS)


def _run_rows(view: "View", task: str | None, since: datetime | None) -> Iterator[Row]:
    limit = _RUNS_SHOWN if since is None else _RUNS_SEARCHED
    for _, reader in view.readers():
        for run in reader.runs(task, limit):
            if since is None or run.started_at >= since:
                yield run_fields(run)


def run_fields(run: "RunRow") -> dict[str, Any]:
    """One line of `runs`: the run with its counters beside its other fields."""
    fields: dict[str, Any] = asdict(run)
    counters = fields.pop("counters")
    fields.update(counters)
    return fields


def _owed_rows(view: "View", task: str | None, account_id: str | None) -> Iterator[Row]:
    for _, reader in view.readers():
        called = {account.account_id: account.address or account.name for account in reader.accounts(task)}
        for item in reader.owed(account_id, task):
            yield {
                "id": item.item_id,
                "account": called.get(item.account_id, item.account_id),
                "account_id": item.account_id,
                "path": item.path,
                "since": item.since,
                "tries": item.tries,
                "error": item.error,
                "request_id": item.request_id,
            }
