"""`runs` and `owed`: what was run, and what failed and stays owed."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from tuiback.cli.engaging import engine_link, open_home, open_view, reach_home
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.running import ended_picture, exit_code, owing_accounts, report
from tuiback.cli.waiting import EXIT_OK, await_answer, run_line
from tuiback.cli.wording import bytes_text, time_text
from tuiback.engine.restores.naming import check_task, get_account, parse_moment
from tuiback.errors import NoSuchThing

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View
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
    field("ACKNOWLEDGED", "acknowledged"),
    field("ID", "id"),
)


class _ListFirst(WholeGroup):
    """A group whose verb `list` may be left out: the first word is then that verb's argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb in where it was left out."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListFirst, short_help="List the runs, or show one.")
def runs() -> None:
    """What was run: `runs [TASK] [--since T]` lists it, the newest first."""


@runs.command("list")
@click.argument("task", required=False)
@click.option("--since", metavar="TIME", help="Only runs that started then or later.")
@click.pass_obj
def list_runs(call: Invocation, task: str | None, since: str | None) -> None:
    """List the runs, newest first."""
    moment = parse_moment(since) if since is not None else None
    with open_view(call) as view:
        check_task(view, task)
        call.output.lines("runs", _run_rows(view, task, moment), _RUN_COLUMNS)


@runs.command("show")
@click.argument("number", metavar="ID", type=int)
@click.pass_obj
def show_run(call: Invocation, number: int) -> None:
    """Show one run with all its counters."""
    with open_view(call) as view:
        found = [run_fields(run) for _, reader in view.readers() for run in reader.runs(None, _RUNS_SEARCHED)]
    for fields in found:
        if fields["run"] == number:
            if call.output.as_json:
                call.output.document("runs-show", fields)
            else:
                call.output.table([fields], _RUN_COLUMNS)
            return
    raise NoSuchThing("there is no such run", str(number), "see 'tuiback runs'")


@click.group(cls=_ListFirst, short_help="List what failed and stays owed, try it again, or acknowledge it.")
def owed() -> None:
    """What failed and stays owed: `owed [TASK] [--account A]` lists it.

    Each is tried again at every run. New debts make a run partial (3), acknowledged ones don't (0).
    """


@owed.command("list")
@click.argument("task", required=False)
@click.option("--account", metavar="ACCOUNT", help="Only of this account.")
@click.pass_obj
def list_owed(call: Invocation, task: str | None, account: str | None) -> None:
    """List the items that failed; each is tried again at every run."""
    with open_view(call) as view:
        check_task(view, task)
        account_id = get_account(view, account, task).account_id if account is not None else None
        call.output.lines("owed", _owed_rows(view, task, account_id), _OWED_COLUMNS)


@owed.command("retry")
@click.argument("task", required=False)
@click.pass_obj
def retry(call: Invocation, task: str | None) -> int:
    """Try what is owed again now: runs the tasks that owe something, for the accounts that do."""
    from tuiback.engine.commands import RunTasks

    home = open_home(call)
    with open_view(call) as view:
        owing = owing_accounts(view, (task,) if task else ())
    if not owing:
        report(call.output, [], None)
        return EXIT_OK
    command = RunTasks(
        tasks=tuple(dict.fromkeys(account.task for account in owing)),
        accounts=tuple(account.account_id for account in owing),
        trigger="retry",
        now=True,
    )
    with engine_link(home) as link:
        answer = await_answer(link, link.submit(command), call.output, run_line)
        picture = ended_picture(link, answer["runs"])
    report(call.output, answer["runs"], picture)
    return exit_code(answer["runs"])


@owed.command("ack")
@click.argument("owed_id", metavar="ID")
@click.option("--account", metavar="ACCOUNT", help="Whose, where several owe the same id.")
@click.option("--reason", required=True, help="Why that is all right; kept with it and in the audit.")
@click.pass_obj
def acknowledge(call: Invocation, owed_id: str, account: str | None, reason: str) -> None:
    """Put up with a debt: it stays listed and is tried again, but makes no run partial any more."""
    from tuiback.engine.commands import AckOwed

    home = reach_home(call)
    account_id = ""
    if account is not None:
        with open_view(call) as view:
            account_id = get_account(view, account).account_id
    with engine_link(home) as link:
        link.submit(AckOwed(owed_id=owed_id, account_id=account_id, reason=reason)).result()
    call.output.added("owed-ack", owed_id, f"{owed_id} is acknowledged")


def _run_rows(view: "View", task: str | None, since: datetime | None) -> Iterator[Row]:
    limit = _RUNS_SHOWN if since is None else _RUNS_SEARCHED
    for _, reader in view.readers():
        for run in reader.runs(task, limit):
            if since is None or run.started_at >= since:
                yield run_fields(run)


def run_fields(run: "RunRow") -> dict[str, Any]:
    """One line of `runs`: the run with its counters beside its other fields."""
    fields = asdict(run)
    counters = fields.pop("counters")
    return fields | asdict(counters)


def _owed_rows(view: "View", task: str | None, account_id: str | None) -> Iterator[Row]:
    from tuiback.engine.backups.acknowledging import owed_id_of

    for _, reader in view.readers():
        called = {account.account_id: account.address or account.name for account in reader.accounts(task)}
        for item in reader.owed(account_id, task):
            yield {
                "id": owed_id_of(item),
                "account": called.get(item.account_id, item.account_id),
                "account_id": item.account_id,
                "path": item.path,
                "since": item.since,
                "tries": item.tries,
                "error": item.error,
                "request_id": item.request_id,
                "acknowledged": item.ack or None,
            }
