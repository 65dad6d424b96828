"""The wide screen's lower panes: what one task is doing, and how fast the engine has been."""

from collections import deque
from collections.abc import Sequence

from tuiback.console import figures
from tuiback.console.services import plain_service
from tuiback.console.text import fit
from tuiback.console.widgets.gauge import plot
from tuiback.console.widgets.lines import Line, Span, fit_line, line, line_width
from tuiback.console.widgets.rows import Column, column_widths, row_line
from tuiback.model import ActivityLine, EngineStatus, TaskStatus

# A quarter of an hour at one picture a second.
HISTORY = 900
LEVEL_TONES = {"ok": "ok", "info": "info", "warn": "warn", "error": "err", "throttle": "warn"}
LEVEL_WORDS = {"error": "ERROR", "throttle": "THR", "warn": "warn"}

_WORK = (
    Column("account", "account", 26),
    Column("phase", "phase", 6),
    Column("what", "object", 10, grow=True),
    Column("items", "items", 7, "right"),
    Column("bytes", "read", 6, "right"),
)


def rule(title: str, width: int, note: str = "", tone: str = "warn") -> Line:
    """A line across with a title at its left and a note at its right."""
    spans = [Span("─", "frame"), Span(f" {title} ", "title")]
    tail = [Span(f" {note} ", tone), Span("─", "frame")] if note else []
    used = line_width((*spans, *tail))
    return fit_line((*spans, Span("─" * max(0, width - used), "frame"), *tail), width)


def detail_lines(task: TaskStatus | None, width: int, height: int) -> list[Line]:
    """The task under the cursor: its run, its accounts at work, its bytes."""
    if task is None:
        return [rule("TASK", width)]
    started = f"{figures.local(task.last_run_at):%H:%M}" if task.last_run_at else "-"
    run = f"run #{task.run} since {started}" if task.run is not None else f"last run {started}"
    items = figures.number(task.items_done)
    if task.items_expected:
        items += f" of {figures.number(task.items_expected)}"
    counts = {
        "read": figures.size(task.bytes_read), "stored": figures.size(task.bytes_stored), "429": str(task.throttled),
        "failed": str(task.failed), "owed": str(task.owed), "gone": str(task.gone),
    }
    lines = [
        rule(task.name, width, f"{plain_service(task.service)}, {task.tenant}", "dim"),
        line(f" {run}   accounts {task.accounts_done}/{task.accounts}   items {items}"),
        tuple(span for name, count in counts.items() for span in (Span(f" {name} ", "label"), Span(f"{count} "))),
    ]
    widths = column_widths(_WORK, width - 2)
    lines.append((Span(" "), *row_line([column.title for column in _WORK], _WORK, widths, "label")))
    room = height - len(lines)
    for work in task.at_work[:room]:
        cells = (work.address, (Span(work.phase, "info"),), work.what, figures.short_number(work.items_done),
                 figures.size(work.bytes_read))
        lines.append((Span(" "), *row_line(cells, _WORK, widths)))
    if not task.at_work:
        lines.append(line((" nothing at work", "dim")))
    return lines


class Throughput:
    """Bytes read a second over the last quarter of an hour, as a plot."""

    def __init__(self) -> None:
        self._rates: deque[float] = deque(maxlen=HISTORY)

    def add(self, status: EngineStatus) -> None:
        """Take one picture's rate."""
        self._rates.append(sum(task.bytes_per_second for task in status.tasks))

    def lines(self, width: int, height: int) -> list[Line]:
        """A titled plot with its scale; the newest rate stands at the right."""
        values = list(self._rates)
        inner = max(1, width - 8)
        shown = values[-2 * inner :]
        top = max(shown, default=0.0)
        rows = plot(values, inner, height - 2)
        lines = [rule("MB/s", width, f"now {figures.megabytes_rate(values[-1] if values else 0)}", "ok")]
        for index, dots in enumerate(rows):
            scale = figures.megabytes_rate(top) if index == 0 else ""
            lines.append(line((f"{scale:>6} ", "dim"), ("│" if index else "┤", "frame"), (dots, "low")))
        first = f"{len(shown)} s ago" if shown else ""
        lines.append(line(("       └" + "─" * max(0, inner - len(first) - 4), "frame"), (f" {first}", "dim")))
        return lines


def activity_lines(activity: Sequence[ActivityLine], note: str, zone: str, width: int, height: int) -> list[Line]:
    """The newest activity first, under a rule that says what a service asks of us, if anything."""
    lines = [rule("ACTIVITY", width, note or f"times in {zone}", "warn" if note else "dim")]
    for one in sorted(activity, key=lambda one: -one.number)[: height - 1]:
        tone = LEVEL_TONES.get(one.level, "info")
        when = (f" {figures.clock_time(one.time)} ", "dim")
        subject = fit(one.subject, max(13, width // 6))
        word = LEVEL_WORDS.get(one.level, one.level)
        lines.append(line(when, (f"{word:<5} ", tone), (f"{subject} ", "strong"), one.text))
    return [fit_line(one, width) for one in lines]
