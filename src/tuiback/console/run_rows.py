"""The runs of a task as rows, and what one run did in words."""

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from tuiback.console import figures
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.model import TaskStatus

if TYPE_CHECKING:
    from tuiback.model import RunRow

TONES = {"ok": "ok", "partial": "warn", "failed": "err", "cancelled": "warn", "paused": "info", "skipped": "dim"}
RUNNING, CUT_OFF = "running", "cut off"


def run_columns(width: int) -> tuple[Column, ...]:
    """The columns that fit."""
    middle = width >= 100
    columns = [
        Column("run", "RUN", 6, "right"), Column("started", "STARTED", 11), Column("took", "TOOK", 5, "right"),
        Column("outcome", "OUTCOME", 9, grow=True),
    ]
    if middle:
        columns.append(Column("trigger", "BY", 9))
    columns += [
        Column("accounts", "ACCTS", 5, "right"), Column("new", "NEW", 5, "right"),
        Column("changed", "CHGD", 5, "right"), Column("removed", "GONE", 5, "right"),
        Column("owed", "OWED", 4, "right"),
    ]
    if middle:
        columns += [Column("requests", "REQUESTS", 8, "right"), Column("throttled", "429", 5, "right")]
    return (*columns, Column("read", "READ", 6, "right"), Column("stored", "STORED", 6, "right"))


def outcome_of(run: "RunRow", running: int | None) -> str:
    """Its outcome; a run without one goes on, or was cut off by the end of its engine."""
    return str(run.outcome) if run.outcome else RUNNING if run.run == running else CUT_OFF


def run_cells(run: "RunRow", running: int | None, now: datetime) -> dict[str, str | Line]:
    """What stands in the columns."""
    counters, outcome = run.counters, outcome_of(run, running)
    until = run.ended_at or (now if outcome == RUNNING else None)
    return {
        "run": f"#{run.run}",
        "started": figures.moment(run.started_at, now),
        "took": figures.duration((until - run.started_at).total_seconds() if until else None),
        "outcome": (Span(outcome, TONES.get(outcome, "ok" if outcome == RUNNING else "warn")),),
        "trigger": (Span(run.trigger, "dim"),),
        "accounts": figures.short_number(counters.accounts),
        "new": figures.short_number(counters.items_new),
        "changed": figures.short_number(counters.items_changed),
        "removed": figures.short_number(counters.items_removed),
        "owed": (Span(figures.short_number(counters.owed), "warn" if counters.owed else "dim"),),
        "requests": figures.short_number(counters.requests),
        "throttled": (Span(figures.short_number(counters.throttled), "warn" if counters.throttled else "dim"),),
        "read": figures.size(counters.bytes_read),
        "stored": figures.size(counters.bytes_stored),
    }


def live_cells(status: TaskStatus) -> dict[str, str | Line]:
    """What the run in progress has done so far, as far as the picture says."""
    return {
        "accounts": figures.short_number(status.accounts_done), "new": "", "changed": "", "removed": "",
        "owed": (Span(figures.short_number(status.owed), "warn" if status.owed else "dim"),), "requests": "",
        "throttled": (Span(figures.short_number(status.throttled), "warn" if status.throttled else "dim"),),
        "read": figures.size(status.bytes_read), "stored": figures.size(status.bytes_stored),
    }


def live_details(status: TaskStatus, started_at: datetime) -> list[Line]:
    """How far the run in progress is."""
    expected = f" of {figures.number(status.items_expected)}" if status.items_expected else ""
    rates = f"{figures.rate(status.items_per_second)} items/s, {figures.megabytes_rate(status.bytes_per_second)} MB/s"
    lines = [
        line((f"Run #{status.run}", "title"), "  ", (RUNNING, "ok"), (f"   {figures.date_time(started_at)}", "dim")),
        line(f"{figures.number(status.items_done)}{expected} items, {figures.size_text(status.bytes_read)}, {rates}"),
    ]
    for work in status.at_work:
        at = f"  {figures.number(work.items_done)} items  "
        lines.append(line((f"{work.phase:<6}", "info"), (work.address, "strong"), at, (work.what, "dim")))
    return lines


def run_details(run: "RunRow") -> list[Line]:
    """What a run that ended did, with all its counters."""
    outcome = outcome_of(run, None)
    ended = f" to {figures.date_time(run.ended_at)}" if run.ended_at else ""
    counts = asdict(run.counters)
    read, stored = figures.size_text(counts.pop("bytes_read")), figures.size_text(counts.pop("bytes_stored"))
    named = [_named(name, count) for name, count in counts.items()]
    lines = [
        line((f"Run #{run.run}", "title"), "  ", (outcome, TONES.get(outcome, "ok")),
             (f"   {figures.date_time(run.started_at)}{ended}  ({run.trigger})", "dim")),
        line(f"{read} read, {stored} stored"),
    ]
    for start in range(0, len(named), 4):
        spans = [(Span(f"{name} ", "label"), Span(f"{count}   ")) for name, count in named[start : start + 4]]
        lines.append(tuple(span for pair in spans for span in pair))
    return lines


def _named(name: str, count: int) -> tuple[str, str]:
    shown = figures.size_text(count) if name.startswith("bytes_") else figures.number(count)
    return name.removeprefix("bytes_").replace("_", " "), shown
