"""`run`: runs tasks and waits for their end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.arguments import expand_lists, read_duration
from tuiback.cli.engaging import engine_link, open_view, reach_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Output, Row, field
from tuiback.cli.waiting import EXIT_FAILED, EXIT_OK, EXIT_PARTIAL, await_answer, await_picture, exit_code_of, run_line
from tuiback.cli.wording import bytes_text
from tuiback.engine.restores.naming import check_task, get_account
from tuiback.errors import Damage, NoSuchThing, UsageError
from tuiback.model import AccountState

if TYPE_CHECKING:
    from tuiback.engine.archives.view import View
    from tuiback.engine.hosting.link import Link
    from tuiback.model import Account, ActivityLine, EngineStatus

RUN_COLUMNS = (
    field("RUN", "run", right=True),
    field("TASK", "task"),
    field("OUTCOME", "outcome"),
    field("ACCOUNTS", "accounts", right=True),
    field("NEW", "items_new", right=True),
    field("CHANGED", "items_changed", right=True),
    field("REMOVED", "items_removed", right=True),
    field("UNCHANGED", "items_unchanged", right=True),
    field("OWED", "owed", right=True),
    Column("READ", lambda row: bytes_text(row.get("bytes_read")), right=True),
    Column("STORED", lambda row: bytes_text(row.get("bytes_stored")), right=True),
    field("REQUESTS", "requests", right=True),
    Column("SECONDS", lambda row: f"{row['seconds']:.1f}" if "seconds" in row else "-", right=True),
)


@click.command()
@click.argument("tasks", metavar="[TASK]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every task that isn't paused.")
@click.option("--account", "accounts", multiple=True, callback=expand_lists, metavar="A", help="Only these; @FILE.")
@click.option("--now", is_flag=True, help="Outside the task's window too.")
@click.option("--max-time", callback=read_duration, metavar="D", help="Pause after so long: 90m, 4h.")
@click.option("--retry-owed", is_flag=True, help="Only accounts that owe something.")
@click.option("--no-wait", is_flag=True, help="Let the running engine go on with it alone.")
# What a console starts when its terminal is gone; the history of runs says so.
@click.option("--background", "trigger", flag_value="background", default="manual", hidden=True)
@click.pass_obj
def run(
    call: Invocation,
    /,
    tasks: tuple[str, ...],
    everything: bool,
    accounts: tuple[str, ...],
    max_time: timedelta | None,
    retry_owed: bool,
    no_wait: bool,
    **given: Any,  # noqa: ANN401
) -> int:
    """Run a task, or all, and wait for the end; a run in progress is joined."""
    from tuiback.engine.commands import RunTasks

    if everything == bool(tasks):
        raise UsageError("give either a TASK or --all", remedy="see 'tuiback task list'")
    if retry_owed:
        with open_view(call) as view:
            owing = owing_accounts(view, tasks, accounts)
        if not owing:
            report(call.output, [], None)
            return EXIT_OK
        tasks = tuple(dict.fromkeys(account.task for account in owing))
        accounts = tuple(account.account_id for account in owing)
    max_seconds = None if max_time is None else max_time.total_seconds()
    command = RunTasks(tasks=tasks, accounts=accounts, wait=not no_wait, max_seconds=max_seconds, **given)
    home = reach_home(call)
    with engine_link(home) as link:
        if no_wait and link.hosted:
            raise UsageError("no engine is running that could go on with it", str(home.path), "leave --no-wait out")
        answer = await_answer(link, link.submit(command), call.output, run_line)
        picture = ended_picture(link, answer["runs"])
    report(call.output, answer["runs"], picture)
    return EXIT_OK if no_wait else exit_code(answer["runs"])


def owing_accounts(view: "View", tasks: Sequence[str], named: Sequence[str] = ()) -> "list[Account]":
    """The accounts of these tasks that owe something and are still there to be asked; of all that aren't paused for ().

    Of those that are `named`, where any are. Raises NoSuchThing and Ambiguous.
    """
    for task in tasks:
        check_task(view, task)
    wanted = {get_account(view, name).account_id for name in named}
    found: list[Account] = []
    for _, reader in view.readers():
        chosen = {task.name for task in reader.tasks() if (task.name in tasks if tasks else not task.paused)}
        ids = {debt.account_id for debt in reader.owed()}
        found += [
            account for account in reader.accounts()
            if account.task in chosen and account.account_id in ids and account.state is AccountState.ACTIVE
            and (not named or account.account_id in wanted)
        ]  # fmt: skip
    return found


@click.command()
@click.argument("what", metavar="RUN|TASK")
@click.pass_obj
def stop(call: Invocation, what: str) -> None:
    """Stop a run at a checkpoint: what is stored stays, and the next run goes on from there."""
    from tuiback.engine.commands import StopTask
    from tuiback.engine.hosting.link import attach

    home = reach_home(call)
    link = attach(home.path)
    if link is None:
        raise NoSuchThing("nothing runs in this home", what, "see 'tuiback runs'")
    try:
        picture = await_picture(link, bool)
        running = {str(task.run): task.name for task in picture.tasks if task.run is not None} if picture else {}
        name = running.get(what, what)
        link.submit(StopTask(task=name)).result()
    finally:
        link.close()
    call.output.added("stop", name, f"Task {name} stopped")


def report(output: Output, runs: Sequence[Row], picture: "EngineStatus | None") -> None:
    """Tell how the runs ended: the document, or a table for whoever watches; trouble goes to stderr anyway."""
    if output.as_json:
        output.document("run", {"runs": runs})
    elif output.watched:
        output.table(runs, RUN_COLUMNS)
    output.flush()
    output.trouble(trouble_of(runs, picture))


def ended_picture(link: "Link", runs: Sequence[Row]) -> "EngineStatus | None":
    """The engine's picture with all it said of these runs; where nothing went wrong, the one at hand."""
    ended = datetime.now(UTC)
    if all(run.get("outcome", "ok") == "ok" for run in runs):
        return link.status()
    return await_picture(link, lambda picture: picture.time >= ended)


def trouble_of(runs: Sequence[Row], picture: "EngineStatus | None") -> list[str]:
    """A line for each run that didn't end well, and what the engine said of their accounts."""
    bad = [run for run in runs if run.get("outcome", "ok") not in ("ok", "skipped") or run.get("error")]
    lines = [_ended(run) for run in bad] + [_closed(run) for run in runs if run.get("opens_at")]
    if bad and picture is not None:
        tasks = {run["task"] for run in runs}
        begun = min((_started(run, picture.activity) for run in bad if run.get("run")), default=0)
        told = [
            line for line in picture.activity
            if line.number > begun and line.level in ("error", "warn") and line.subject not in tasks
        ]  # fmt: skip
        lines += [f"{line.subject}: {line.text}" for line in told]
    return list(dict.fromkeys(lines))


def _started(run: Row, activity: "Sequence[ActivityLine]") -> int:
    """The number of the line that told its start; 0 when that is too long ago to be there."""
    start = f"run {run['run']} started "
    return next((line.number for line in activity if line.subject == run["task"] and line.text.startswith(start)), 0)


def exit_code(runs: Sequence[Row]) -> int:
    """The exit code of several runs: partial unless all ended alike; one that could do nothing says why."""
    errors = [run["error"]["exit"] for run in runs if run.get("error")]
    if Damage.exit_code in errors:
        return Damage.exit_code
    # What was skipped because Microsoft would refuse is no success.
    codes = {EXIT_FAILED if run.get("error") else exit_code_of(run["outcome"]) for run in runs}
    if codes == {EXIT_FAILED}:
        return int(errors[0]) if errors else EXIT_FAILED
    return EXIT_OK if codes <= {EXIT_OK} else EXIT_PARTIAL


def _closed(run: Row) -> str:
    return f"{run['task']}: outside its window until {run['opens_at']}; --now runs it all the same"


def _ended(run: Row) -> str:
    error = run.get("error")
    if error is None:
        owed = f", {run['owed']} owed" if run.get("owed") else ""
        return f"{run['task']}: {run['outcome']}{owed}; see 'tuiback owed' and 'tuiback account list'"
    subject = f"{error['subject']}: " if error["subject"] else ""
    remedy = f"; {error['remedy']}" if error["remedy"] else ""
    return f"{run['task']}: {run['outcome']}: {subject}{error['what']}{remedy}"
