"""A task as it is configured, in words: its scope, its hours, what it keeps, and when it counts as late."""

from datetime import datetime

from tuiback.console import figures
from tuiback.console.services import plain_service
from tuiback.console.standing import hold_sentence
from tuiback.console.task_rows import STATE_TONES
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.model import Hold, Task, TaskState, TaskStatus


def plan_lines(task: Task, status: TaskStatus | None, hold: Hold | None, now: datetime) -> list[Line]:
    """Seven lines: how it stands, whom it protects, when it runs and when next, what it keeps, and when it is late."""
    return [
        standing_line(task, status),
        line(("Scope  ", "label"), *_scope(task)),
        line(("When   ", "label"), _when(task)),
        line(("Next   ", "label"), _next(task, status, now)),
        line(("Keep   ", "label"), _keeping(task)),
        line(("Hold   ", "label"), (hold_sentence(hold), "info") if hold else ("none; H keeps everything", "dim")),
        line(("Late   ", "label"), *_lateness(task, status, now)),
    ]


def standing_line(task: Task | TaskStatus, status: TaskStatus | None) -> Line:
    """What a task is, and how it stands."""
    about = f"   {plain_service(task.service)} of {task.tenant}"
    if status is None:
        return line((task.name, "title"), (about, "dim"))
    told = f"   {status.accounts} accounts, {status.gone} gone, {status.owed} owed"
    if status.run is not None:
        eta = f", {figures.duration(status.eta_seconds)} to go" if status.eta_seconds is not None else ""
        told = f" #{status.run}   {status.accounts_done} of {status.accounts} accounts{eta}"
    state = Span(status.state.value, STATE_TONES[status.state])
    return (Span(task.name, "title"), Span(about, "dim"), Span("   "), state, Span(told))


def _scope(task: Task) -> list[str]:
    if task.everything:
        told = "all accounts of today only" if task.fixed else "all accounts, new ones too"
    else:
        named = ", ".join(task.accounts[:3]) + (f" and {len(task.accounts) - 3} more" if len(task.accounts) > 3 else "")
        groups = f"groups {', '.join(task.groups)}" if task.groups else ""
        told = "; ".join(part for part in (groups, named) if part)
    if task.exclude:
        told += f"; except {len(task.exclude)} account{'s' * (len(task.exclude) > 1)}"
    if task.exclude_paths:
        told += f"; without {', '.join(task.exclude_paths)}"
    return [told]


def _when(task: Task) -> str:
    zone = task.tz or "UTC"
    plan = {"manual": "when told to", "continuous": "continuously"}.get(task.mode, f"at '{task.cron}' {zone}")
    window = f", within {task.window}" if task.window else ""
    named = f" {zone}" if window and task.mode != "scheduled" else ""
    first = f", priority {task.priority}" if task.priority else ""
    return f"{plan}{window}{named}{first}"


def _next(task: Task, status: TaskStatus | None, now: datetime) -> Span:
    """When it runs next or must pause, and what keeps it from running now."""
    from tuiback.engine.timing.due import closes_at, hours_of

    if task.paused:
        return Span("paused by you; p lets it go on", "info")
    if status is None:
        return Span("no engine runs it", "dim")
    closed = bool(task.window) and not hours_of(task).is_open(now)
    if status.run is not None:
        ends = None if closed else closes_at(task, now)
        return Span(f"runs now{f'; its window ends {figures.moment(ends, now)}' if ends else ''}", "ok")
    if status.next_run_at is None:
        return Span("never by itself; R runs it", "dim")
    coming = "now" if status.next_run_at <= now else figures.coming(status.next_run_at, now)
    why = "; its window is closed now" if closed else ""
    if status.state is TaskState.DISK:
        why = "; it waits for room on the disk"
    elif status.last_outcome == "paused":
        why = f": paused{' by its window' if closed else ''}, it goes on where it was"
    return Span(f"{coming}{why}", "info")


def _keeping(task: Task) -> str:
    kept = "everything" if task.keep == "all" else task.keep
    gone = "for ever" if task.keep_gone == "forever" else task.keep_gone
    return f"{kept}; accounts that left: {gone}"


def _lateness(task: Task, status: TaskStatus | None, now: datetime) -> list[Span]:
    from tuiback.engine.timing.lateness import late_since

    last_ok_at = status.last_ok_at if status else None
    last = f"last ok {figures.moment(last_ok_at, now)}" if last_ok_at else "never ok yet"
    if not task.objective:
        return [Span(f"never: it has no --objective   {last}", "dim")]
    since = late_since(task, last_ok_at, now)
    told = Span(f"after {task.objective} without an ok run   {last}   ")
    return [told, Span(f"LATE since {figures.moment(since, now)}", "err") if since else Span("in time", "ok")]
