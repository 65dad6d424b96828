"""Makes and changes tasks from what commands say, and refuses plans that can't work."""

from datetime import datetime

from msgspec.structs import replace

from tuiback.engine.commands import EditTask, PutTask
from tuiback.engine.duration import parse_duration
from tuiback.engine.settings.left_out import LeftOut
from tuiback.engine.settings.retention import parse_keep, parse_keep_gone
from tuiback.engine.timing.due import check_plan
from tuiback.errors import UsageError
from tuiback.model import Task

_FIELDS = tuple(name for name in Task.__struct_fields__ if name not in ("name", "former_names"))


def planned(command: PutTask, now: datetime) -> Task:
    """A new task. Raises UsageError."""
    given = {name: getattr(command, name) for name in _FIELDS if hasattr(command, name)}
    task = Task(command.name, **given, created_at=now)
    _check(task)
    return task


def edited(before: Task, command: EditTask) -> Task:
    """The task with the fields that the command gives. Raises UsageError."""
    given = {name: value for name in _FIELDS if (value := getattr(command, name, None)) is not None}
    task = replace(before, **given)
    if task.mode != "scheduled" and command.cron is None:
        # Another mode has no use for the timetable of before.
        task = replace(task, cron="")
    _check(task)
    return task


def renamed(before: Task, name: str) -> Task:
    """The task under another name; it remembers those it had."""
    former = (before.name, *(old for old in before.former_names if old != name))
    return replace(before, name=name, former_names=former)


def _check(task: Task) -> None:
    parse_keep(task.keep)
    parse_keep_gone(task.keep_gone)
    check_plan(task)
    if task.objective:
        parse_duration(task.objective)
    if not (task.everything or task.accounts or task.groups):
        raise UsageError("the task names no account", task.name, "give --all, --group or --account")
    LeftOut(task.exclude_paths)
