"""`job`: restores, exports and prunes, in progress and past."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import engine_link, open_home, reach_home
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, field
from tuiback.cli.waiting import await_answer, exit_code_of, job_line
from tuiback.cli.wording import time_text
from tuiback.errors import Damage, NoSuchThing
from tuiback.model import Outcome

if TYPE_CHECKING:
    from tuiback.engine.commands import ResumeJob, UndoJob
    from tuiback.engine.home import Home
    from tuiback.model import JobStatus

_SHOWN = 50
# What a job that is not in progress and never told its end was cut off in.
_INTERRUPTED = "interrupted"

_COLUMNS = (
    field("JOB", "job", right=True),
    field("KIND", "kind"),
    field("SUBJECT", "subject"),
    field("STATE", "state"),
    field("OUTCOME", "outcome"),
    field("DONE", "done", right=True),
    field("TOTAL", "total", right=True),
    Column("STARTED", lambda row: time_text(row["created_at"])),
)


@click.group(cls=WholeGroup)
def job() -> None:
    """Restores, exports and prunes."""


@job.command("list")
@click.pass_obj
def list_jobs(call: Invocation) -> None:
    """List the jobs in progress and the last ones that ended."""
    rows = sorted(job_rows(open_home(call)), key=lambda row: row["created_at"], reverse=True)
    call.output.listing("job-list", "jobs", rows[:_SHOWN], _COLUMNS)


@job.command("show")
@click.argument("number", metavar="JOB", type=int)
@click.pass_obj
def show_job(call: Invocation, number: int) -> None:
    """Show one job with what went wrong."""
    for row in job_rows(open_home(call)):
        if row["job"] == number:
            if call.output.as_json:
                call.output.document("job", row)
            else:
                call.output.table([row], _COLUMNS)
                call.output.trouble(row["errors"])
            return
    raise NoSuchThing("there is no such job", f"job {number}", "see 'tuiback job list'")


@job.command("cancel")
@click.argument("number", metavar="JOB", type=int)
@click.pass_obj
def cancel_job(call: Invocation, number: int) -> None:
    """Stop a job that is in progress; what it has done stays."""
    from tuiback.engine.commands import CancelJob
    from tuiback.engine.hosting.link import attach

    link = attach(reach_home(call).path)
    if link is None:
        raise NoSuchThing("no engine is running, so no job is", f"job {number}", "see 'tuiback job list'")
    try:
        link.submit(CancelJob(job=number)).result()
    finally:
        link.close()
    call.output.added("job", str(number), f"Job {number} is cancelled")


@job.command("resume")
@click.argument("number", metavar="JOB", type=int)
@click.pass_obj
def resume_job(call: Invocation, number: int) -> int:
    """Let a restore or export go on that was cut off, cancelled or left something undone."""
    from tuiback.engine.commands import ResumeJob

    kind = next((row["kind"] for row in job_rows(open_home(call)) if row["job"] == number), "job")
    return _carry_on(call, ResumeJob(job=number), kind)


@job.command("undo")
@click.argument("number", metavar="JOB", type=int)
@click.pass_obj
def undo_job(call: Invocation, number: int) -> int:
    """Delete what a restore has written, where it is still as it was written; the service keeps it for a while."""
    from tuiback.engine.commands import UndoJob

    return _carry_on(call, UndoJob(job=number), "undo")


def _carry_on(call: Invocation, command: "ResumeJob | UndoJob", kind: str) -> int:
    """Wait for the job's end and tell of it as `job show` does, with what the answer counted; the exit code."""
    home = open_home(call)
    with engine_link(home) as link:
        answer = await_answer(link, link.submit(command), call.output, job_line(kind))
    row = next(row for row in job_rows(home) if row["job"] == answer["job"])
    if call.output.as_json:
        call.output.document("job", {**answer, **row})
    told = f"{row['kind']} {row['job']}: {row['outcome']}, {row['done']:,} of {row['total']:,} done"
    if row["outcome"] == Outcome.OK:
        call.output.note(told)
    else:
        call.output.trouble([told, *row["errors"]])
    return Damage.exit_code if answer.get("damaged") else exit_code_of(row["outcome"])


def job_rows(home: "Home") -> Iterator[dict[str, Any]]:
    """The jobs of all repositories, the newest of each first; progress comes from the engine, if one runs."""
    import msgspec

    from tuiback.catalog import State

    running = {(job.kind, job.job): job for job in _in_progress(home)}
    for name in home.repositories:
        path = home.state_path(name)
        if not path.exists():
            continue
        state = State.open(path)
        try:
            rows = state.jobs(_SHOWN)
        finally:
            state.close()
        for row in rows:
            now = running.get((row.kind, row.job))
            yield {
                "job": row.job,
                "kind": row.kind,
                "subject": row.subject,
                "repository": name,
                "state": "running" if now else "ended" if row.outcome else _INTERRUPTED,
                "outcome": row.outcome,
                "done": now.done if now else row.done,
                "total": now.total if now else row.total,
                "created_at": row.created_at,
                "errors": msgspec.json.decode(row.report, type=list[str]) if row.report else [],
            }


def _in_progress(home: "Home") -> "tuple[JobStatus, ...]":
    from tuiback.engine.hosting.glance import look

    picture = look(home.path)
    return tuple(job for job in picture.jobs if job.state == "running") if picture else ()
