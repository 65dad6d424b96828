"""`job`: restores, exports and prunes, in progress and past."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import open_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, field
from tuiback.cli.wording import time_text
from tuiback.errors import NoSuchThing

if TYPE_CHECKING:
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


@click.group()
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
    from tuiback.engine.link import attach

    link = attach(open_home(call).path)
    if link is None:
        raise NoSuchThing("no engine is running, so no job is", f"job {number}", "see 'tuiback job list'")
    try:
        link.submit(CancelJob(job=number)).result()
    finally:
        link.close()
    call.output.added("job", str(number), f"Job {number} is cancelled")


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
    from tuiback.engine.link import attach

    link = attach(home.path)
    if link is None:
        return ()
    try:
        picture = link.status()
    finally:
        link.close()
    return tuple(job for job in picture.jobs if job.state == "running") if picture else ()
