"""`run`: runs tasks and waits for their end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from tuiback.cli.arguments import expand_lists, read_duration
from tuiback.cli.engaging import engine_link, open_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Output, Row, field
from tuiback.cli.waiting import EXIT_FAILED, EXIT_OK, EXIT_PARTIAL, await_answer, await_picture, exit_code_of, run_line
from tuiback.cli.wording import bytes_text
from tuiback.errors import Damage, NoSuchThing, UsageError

if TYPE_CHECKING:
    from tuiback.engine.link import Link
    from tuiback.model import EngineStatus

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
@click.option("--no-wait", is_flag=True, help="Let the running engine go on with it alone.")
@click.pass_obj
def run(
    call: Invocation,
    /,
    tasks: tuple[str, ...],
    everything: bool,
    accounts: tuple[str, ...],
    now: bool,
    max_time: timedelta | None,
    no_wait: bool,
) -> int:
    """Run a task, or all, and wait for the end; a run in progress is joined."""
    from tuiback.engine.commands import RunTasks

    if everything == bool(tasks):
        raise UsageError("give either a TASK or --all", remedy="see 'tuiback task list'")
    max_seconds = None if max_time is None else max_time.total_seconds()
    command = RunTasks(tasks=tasks, accounts=accounts, wait=not no_wait, now=now, max_seconds=max_seconds)
    home = open_home(call)
    with engine_link(home) as link:
        if no_wait and link.hosted:
            raise UsageError("no engine is running that could go on with it", str(home.path), "leave --no-wait out")
        answer = await_answer(link, link.submit(command), call.output, run_line)
        picture = ended_picture(link, answer["runs"])
    report(call.output, answer["runs"], picture)
    return EXIT_OK if no_wait else exit_code(answer["runs"])


@click.command()
@click.argument("what", metavar="RUN|TASK")
@click.pass_obj
def stop(call: Invocation, what: str) -> None:
    """Stop a run at a checkpoint: what is stored stays, and the next run goes on from there."""
    from tuiback.engine.commands import StopTask
    from tuiback.engine.link import attach

    home = open_home(call)
    link = attach(home.path)
    if link is None:
        raise NoSuchThing("nothing runs in this home", what, "see 'tuiback runs'")
    try:
        picture = link.status()
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
        told = [line for line in picture.activity if line.level in ("error", "warn") and line.subject not in tasks]
        lines += [f"{line.subject}: {line.text}" for line in told]
    return list(dict.fromkeys(lines))


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
