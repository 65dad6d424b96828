"""Says in one line, as Nagios and its kin read it, whether the backups are well.

https://nagios-plugins.org/doc/guidelines.html
"""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum

from tuiback.cli.wording import count_text, safe_line
from tuiback.model import AlertStatus, EngineStatus, Task

# Of more trouble only the number is told: the line is read on a telephone.
_TOLD = 3


class State(IntEnum):
    """The exit codes of a monitoring plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_STATES = {"info": State.OK, "warning": State.WARNING, "critical": State.CRITICAL}


def monitor_line(picture: EngineStatus, tasks: Sequence[Task], now: datetime) -> tuple[State, str]:
    """The state, and the line with performance data.

    Alerts that somebody has acknowledged count for nothing. An engine that is not there is critical where `tasks` are
    to run by themselves; while it is away, what is late is found out here.
    """
    troubles = [(_STATES[alert.severity], f"{alert.subject}: {alert.text}") for alert in _fresh(picture.alerts)]
    if not picture.engine.pid:
        troubles += _of_dead_engine(picture, tasks, now)
    troubles.sort(key=lambda trouble: -trouble[0])
    state = max((state for state, _ in troubles), default=State.OK)
    told = [text for level, text in troubles if level is not State.OK]
    text = "; ".join(told[:_TOLD]) + (f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else "")
    well = f"{count_text(len(picture.tasks), 'task')}, all is well"
    return state, line_of(state, text or well, _performance(picture, now))


def line_of(state: State, text: str, performance: str = "") -> str:
    """The line; its text may hold anything."""
    told = f"TUIBACK {state.name} - {safe_line(text).replace('|', '/')}"
    return f"{told} | {performance}" if performance else told


def _fresh(alerts: Sequence[AlertStatus]) -> list[AlertStatus]:
    return [alert for alert in alerts if not alert.acked]


def _of_dead_engine(picture: EngineStatus, tasks: Sequence[Task], now: datetime) -> list[tuple[State, str]]:
    from tuiback.engine.timing.lateness import late_since

    troubles = []
    waiting = [task.name for task in tasks if task.mode != "manual" and not task.paused]
    if waiting:
        troubles.append((State.CRITICAL, f"no engine runs, so {count_text(len(waiting), 'task')} will not run"))
    known = {alert.alert for alert in picture.alerts}
    last_ok = {task.name: task.last_ok_at for task in picture.tasks}
    late = [task for task in tasks if late_since(task, last_ok.get(task.name), now) is not None]
    troubles += [
        (State.CRITICAL, f"{task.name}: no run was ok within {task.objective}")
        for task in late
        if f"late:{task.name}" not in known
    ]
    return troubles


def _performance(picture: EngineStatus, now: datetime) -> str:
    values = [
        f"tasks={len(picture.tasks)};;;0",
        f"running={sum(task.run is not None for task in picture.tasks)};;;0",
        f"owed={sum(task.owed for task in picture.tasks)};;;0",
        f"alerts={len(_fresh(picture.alerts))};;;0",
    ]
    ages = [(now - task.last_ok_at).total_seconds() for task in picture.tasks if task.last_ok_at is not None]
    if ages:
        values.append(f"oldest_ok={max(0, round(max(ages)))}s;;;0")
    for storage in picture.storage:
        values.append(f"'stored_{storage.name}'={storage.stored_bytes}B;;;0")
        if storage.disk_total:
            free = storage.disk_total - storage.disk_used
            values.append(f"'free_{storage.name}'={free}B;;;0;{storage.disk_total}")
    return " ".join(values)
