"""How much is kept in how little space, what comes, when the volume is full, and what was done to keep it in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tuiback.console import figures
from tuiback.console.ports import CatalogPages, ConsoleView
from tuiback.console.widgets.gauge import bar, plot
from tuiback.console.widgets.lines import Line, Span, fit_line, line, line_width
from tuiback.console.widgets.rows import Column
from tuiback.model import Hold, StorageStatus, Task

if TYPE_CHECKING:
    from tuiback.catalog import ChoreRow, DayGrowth, TaskTotals, Totals

# The plot looks so far back, and so far ahead.
DAYS_BACK, DAYS_AHEAD = 90, 30
CHORES = {"prune": "prune", "sample": "check of 1 %", "structure": "check of all structure"}
_TONES = {"ok": "ok", "partial": "warn", "failed": "err", "cancelled": "warn", "paused": "info", "skipped": "dim"}


@dataclass(frozen=True, slots=True)
class TaskSpace:
    """What one task's accounts take; `plan` is None for a task that was removed, `held` counts held accounts."""

    repository: str
    totals: "TaskTotals"
    plan: Task | None
    held: int


@dataclass(frozen=True, slots=True)
class Space:
    """One repository. `daily` is how many bytes come a day as a rule, None while that can't be told."""

    repository: str
    totals: "Totals"
    unique_bytes: int
    days: "Sequence[DayGrowth]"
    daily: float | None
    tasks: tuple[TaskSpace, ...]


@dataclass(frozen=True, slots=True)
class Chore:
    """Something the engine does by itself: when it was done last, how it ended, and when it is due."""

    row: "ChoreRow"
    due_at: datetime


def read_space(view: ConsoleView, now: datetime) -> list[Space]:
    """Ask every repository's catalog: a second for ten million chunks, so from a thread."""
    from tuiback.engine.timing.forecast import daily_growth

    found: list[Space] = []
    for name, reader in view.readers():
        plans, holds = {task.name: task for task in reader.tasks()}, reader.holds()
        days = tuple(reader.growth())
        tasks = tuple(
            TaskSpace(name, totals, plans.get(totals.task), _held(reader, totals, holds, now))
            for totals in reader.totals_by_task()
        )
        daily = daily_growth(((day.day, day.bytes_stored) for day in days), now)
        found.append(Space(name, reader.totals(), reader.unique_bytes(), days, daily, tasks))
    return found


def _held(reader: CatalogPages, totals: "TaskTotals", holds: Sequence[Hold], now: datetime) -> int:
    from tuiback.engine.upkeep.holds import is_over

    there = [hold for hold in holds if not is_over(hold, now)]
    if any(hold.task == totals.task for hold in there):
        return totals.accounts
    ids = {hold.account_id for hold in there if hold.account_id}
    return sum(one.account.account_id in ids for one in reader.account_overview(totals.task)) if ids else 0


def read_chores(view: ConsoleView, now: datetime) -> list[Chore]:
    """What the engine does by itself, in the order it is done. Reads a file, so from a thread."""
    from tuiback.engine.upkeep.maintenance import CHORES as KNOWN
    from tuiback.engine.upkeep.maintenance import due_at

    rows = {row.chore: row for row in view.chores()}
    zone = now.astimezone().tzinfo or UTC
    return [Chore(rows[one.name], due_at(one, rows[one.name], now, zone)) for one in KNOWN if one.name in rows]


# ---- what is shown


def volume_line(storage: StorageStatus, width: int, *, alone: bool) -> Line:
    """How full a repository's volume is, and where the line is below which runs wait."""
    name = "Disk" if alone else storage.name
    title = Span(f" {name:<8}"[: max(9, len(name) + 2)], "label")
    room = width - line_width((title,)) - 1
    if not storage.disk_total:
        return fit_line((title, Span(f"{storage.url}: a store without an end", "dim")), width)
    from tuiback.engine.backups.low_water import Room

    volume = Room(storage.url, storage.disk_total - storage.disk_used, storage.disk_total)
    low = volume.free_bytes < volume.mark_bytes
    share = storage.disk_used / storage.disk_total
    used = f"{figures.size(storage.disk_used)} of {figures.size(storage.disk_total)}, {share * 100:.0f}%"
    mark = figures.size(volume.mark_bytes)
    told = f"RUNS WAIT: less than {mark} free" if low else f"runs wait below {mark} free"
    text = f"{used}; {told}"
    return (title, *bar(share, room, text, "high" if low else ""), Span(" "))


def totals_lines(spaces: Sequence[Space], width: int) -> list[Line]:
    """Logical, unique and stored bytes over all repositories."""
    logical = sum(one.totals.logical_bytes for one in spaces)
    unique, stored = sum(one.unique_bytes for one in spaces), sum(one.totals.stored_bytes for one in spaces)
    saved = f"{(1 - stored / logical) * 100:.1f} %" if logical else "-"
    catalog = sum(one.totals.catalog_bytes for one in spaces)
    parts = [
        ("Kept", figures.size_text(logical)), ("each part once", figures.size_text(unique)),
        ("stored", figures.size_text(stored)), ("saved", saved),
    ]
    if width >= 100:
        parts += [
            ("catalog", figures.size_text(catalog)),
            ("chunks", figures.number(sum(one.totals.chunks for one in spaces))),
            ("versions", figures.number(sum(one.totals.versions for one in spaces))),
        ]
    spans = [span for name, value in parts for span in (Span(f" {name} ", "label"), Span(f"{value}  "))]
    return [fit_line(tuple(spans), width)]


def forecast_line(space: Space, storage: StorageStatus | None, now: datetime) -> Line:
    """When the volume is full, and how that is known."""
    if space.daily is None:
        return line((" Full ", "label"), ("too early to tell: a week of runs is needed", "dim"))
    comes = f"{figures.size_text(max(0.0, space.daily))} a day comes as a rule"
    if storage is None or storage.full_on is None:
        return line((" Full ", "label"), "not in sight", (f"   {comes}", "dim"))
    days = (storage.full_on - now).days
    tone = "err" if days <= 14 else "warn" if days <= 60 else "ok"
    told = f"{figures.local(storage.full_on):%Y-%m-%d}, in {days} days"
    return line((" Full ", "label"), (told, tone), (f"   {comes}", "dim"))


def growth_lines(space: Space, now: datetime, width: int, height: int) -> list[Line]:
    """What is stored over the last months, and (dimmer) what it will be if it goes on; `height` lines with the axis.

    Before the second day there is nothing to see.
    """
    if len({day.day for day in space.days}) < 2:
        return []
    inner = max(10, width - 9)
    ahead = inner // 5 if space.daily else 0
    back = inner - ahead
    totals = _stored_by_day(space, now)
    steps = [totals[index * (len(totals) - 1) // max(1, 2 * back - 1)] for index in range(2 * back)]
    coming = [totals[-1] + (space.daily or 0) * DAYS_AHEAD * index / (2 * ahead) for index in range(1, 2 * ahead + 1)]
    # What has been there all the time says nothing: the plot begins a little below the lowest value.
    lowest, top = min(steps), max(*steps, *coming, 1.0)
    floor = max(0.0, lowest - (top - lowest) / 4)
    lines: list[Line] = []
    for index, dots in enumerate(plot([one - floor for one in steps + coming], inner, height - 1)):
        edged = {0: top, height - 2: floor}
        scale = figures.size(edged[index]) if index in edged else ""
        edge = (f"{scale:>7} ", "dim"), ("┤" if index in edged else "│", "frame")
        lines.append(line(*edge, (dots[:back], "low"), (dots[back:], "dim")))
    first = f"{figures.local(now) - timedelta(days=len(totals) - 1):%m-%d}"
    then = f"{figures.local(now) + timedelta(days=DAYS_AHEAD):%m-%d}" if ahead else ""
    gap = max(1, back - len(first) - 5)
    text = f"{first}{'─' * gap}today{'─' * max(0, ahead - len(then))}{then}"
    lines.append(line(("        └", "frame"), (text, "dim")))
    return lines


def _stored_by_day(space: Space, now: datetime) -> list[float]:
    """The bytes stored at the end of each day, from the first one known (at most DAYS_BACK ago) until today."""
    came = {day.day: day.bytes_stored for day in space.days}
    today = now.date()
    count = min(DAYS_BACK, (today - min(came)).days + 1) if came else 1
    totals: list[float] = [float(space.totals.stored_bytes)]
    for number in range(max(1, count)):
        totals.append(max(0.0, totals[-1] - came.get(today - timedelta(days=number), 0)))
    return totals[::-1]


def task_columns(width: int, *, several: bool) -> tuple[Column, ...]:
    """The columns that fit."""
    columns = [Column("task", "TASK", 12, grow=True)]
    if several:
        columns.append(Column("repository", "IN", 8))
    columns += [
        Column("accounts", "ACCTS", 5, "right"), Column("live", "NOW", 6, "right"),
        Column("logical", "LOGICAL", 8, "right"),
    ]
    if width >= 100:
        columns += [Column("items", "ITEMS", 7, "right"), Column("versions", "VERSIONS", 8, "right")]
    return (*columns, Column("keep", "KEEP", 14), Column("gone", "OF GONE", 8), Column("held", "HELD", 5, "right"))


def task_cells(one: TaskSpace) -> Mapping[str, str | Line]:
    """What stands in the columns."""
    totals, plan = one.totals, one.plan
    removed = (Span("task removed", "dim"),)
    return {
        "task": totals.task, "repository": one.repository, "accounts": figures.short_number(totals.accounts),
        "live": figures.size(totals.live_bytes), "logical": figures.size(totals.logical_bytes),
        "items": figures.short_number(totals.items), "versions": figures.short_number(totals.versions),
        "keep": plan.keep if plan else removed, "gone": plan.keep_gone if plan else "",
        "held": (Span(f"{one.held}", "info" if one.held else "dim"),),
    }


def chore_lines(chores: Sequence[Chore], now: datetime) -> list[Line]:
    """When each chore was done last and how it ended, and when it is due."""
    lines: list[Line] = []
    for one in chores:
        row = one.row
        done: Line = (Span(f"{'not yet':<21}", "dim"),)
        if row.ended_at is not None and row.outcome is not None:
            done = (Span(f"{figures.moment(row.ended_at, now)} "), Span(f"{row.outcome:<9}", _TONES[str(row.outcome)]))
        due = "due now" if one.due_at <= now else f"next {figures.coming(one.due_at, now)}"
        name = Span(f"{CHORES.get(row.chore, row.chore):<23}", "label")
        lines.append((name, *done, Span(f"   {due}", "dim"), Span(f"   {row.note}", "err")))
    return lines
