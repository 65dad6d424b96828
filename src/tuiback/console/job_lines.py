"""Restores, exports, checks and prunes as rows: those in progress as the engine shows them, the others as kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from tuiback.console import figures
from tuiback.console.text import wrap
from tuiback.console.widgets.gauge import bar
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.model import JobStatus

if TYPE_CHECKING:
    from tuiback.catalog import JobRow

DONE_WIDTH = 12
RUNNING, INTERRUPTED = "running", "interrupted"
TONES = {
    RUNNING: "ok", INTERRUPTED: "err", "failed": "err", "partial": "warn", "cancelled": "warn", "ok": "dim",
}


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job. `state` is running, interrupted (its engine ended first) or its outcome."""

    job: int
    kind: str
    subject: str
    state: str
    done: int
    total: int
    bytes_done: int = 0
    failed: int = 0
    what: str = ""
    troubles: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether it has ended and left something undone that it can be resumed for."""
        return self.kind in {"restore", "export"} and self.state not in {RUNNING, "ok"}


def job_lines(rows: "Iterable[JobRow]", statuses: Sequence[JobStatus]) -> list[JobLine]:
    """All jobs that are kept, with the figures of the engine for those that it knows."""
    known = {(job.job, job.kind, job.subject): job for job in statuses}
    lines = [_of_row(row, known.pop((row.job, row.kind, row.subject), None)) for row in rows]
    return lines + [_of_status(job) for job in known.values()]


def _of_row(row: "JobRow", job: JobStatus | None) -> JobLine:
    runs = job is not None and job.state != "ended"
    ended = row.outcome or (job.outcome if job else None)
    return JobLine(
        job=row.job,
        kind=row.kind,
        subject=row.subject,
        state=RUNNING if runs else str(ended) if ended else INTERRUPTED,
        done=job.done if job else row.done,
        total=job.total if job else row.total,
        bytes_done=job.bytes_done if job else 0,
        failed=job.failed if job else 0,
        what=job.note if job and runs else "",
        troubles=tuple(msgspec.json.decode(row.report, type=list[str])) if row.report else (),
        started_at=row.created_at,
        ended_at=None if runs or row.outcome is None else row.updated_at,
    )


def _of_status(job: JobStatus) -> JobLine:
    runs = job.state != "ended"
    state = RUNNING if runs else job.outcome or INTERRUPTED
    what = (job.note, ()) if runs else ("", (job.note,) if state != "ok" else ())
    return JobLine(job.job, job.kind, job.subject, state, job.done, job.total, job.bytes_done, job.failed, *what)


def job_columns(width: int) -> tuple[Column, ...]:
    """The columns that fit."""
    columns = [
        Column("job", "JOB", 4, "right"), Column("kind", "KIND", 15), Column("subject", "WHAT", 12, grow=True),
        Column("state", "STATE", 11), Column("done", "DONE", DONE_WIDTH),
    ]
    if width >= 100:
        columns += [Column("size", "SIZE", 6, "right"), Column("failed", "FAILED", 6, "right")]
    return (*columns, Column("started", "STARTED", 11), Column("took", "TOOK", 5, "right"))


def job_cells(job: JobLine, now: datetime) -> Mapping[str, str | Line]:
    """What stands in the columns."""
    running = job.state == RUNNING
    share = job.done / job.total if job.total else 0.0
    done: str | Line = _figure(job)
    if running:
        done = bar(share, DONE_WIDTH, f"{share * 100:.0f}%" if job.total else "...", "ok")
    until = now if running else job.ended_at
    took = (until - job.started_at).total_seconds() if until and job.started_at else None
    return {
        "job": f"{job.job}",
        "kind": (Span(job.kind, "label"),),
        "subject": job.subject,
        "state": (Span(job.state, TONES.get(job.state, "")),),
        "done": done,
        "size": figures.size(job.bytes_done) if job.bytes_done else "-",
        "failed": (Span(figures.short_number(job.failed), "err" if job.failed else "dim"),),
        "started": figures.moment(job.started_at, now),
        "took": figures.duration(took),
    }


def _figure(job: JobLine) -> str:
    # What ended well has done what there was to do, whatever its last step counted.
    if not job.total or (job.state == "ok" and job.done < job.total):
        return ""
    return f"{figures.number(job.done)} of {figures.number(job.total)}"


def job_details(job: JobLine, width: int) -> list[Line]:
    """What a job did or does, and what went wrong."""
    lines = [
        line((f"{job.kind} {job.job}", "title"), "  ", (job.state, TONES.get(job.state, ""))),
        *(line(text) for text in wrap(job.subject, width, 2)),
    ]
    figure = f"{_figure(job)} done" if _figure(job) else ""
    size = f", {figures.size_text(job.bytes_done)}" if job.bytes_done else ""
    failed = f", {job.failed} failed" if job.failed else ""
    now = f"   now: {job.what}" if job.what else ""
    if figure or now:
        lines.append(line(f"{figure}{size}{failed}{now}"))
    if job.state == INTERRUPTED:
        how = "R lets it go on." if job.can_go_on else "Start it again."
        lines.append(line((f"Its engine ended before it did; what it wrote stays. {how}", "warn")))
    for trouble in job.troubles:
        lines += [line((text, "err" if job.state == "failed" else "warn")) for text in wrap(trouble, width, 3)]
    return lines
