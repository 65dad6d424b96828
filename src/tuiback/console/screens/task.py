"""The Task screen: a task's plan in words, its next run, its hold, and its runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

from tuiback.console.keys import TASK, bindings
from tuiback.console.ports import ConsoleView
from tuiback.console.run_rows import live_cells, live_details, outcome_of, run_cells, run_columns, run_details
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.screens.task_commands import TaskCommands
from tuiback.console.task_plan import plan_lines, standing_line
from tuiback.console.widgets.lines import Line, LinePanel, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.model import Account, AccountKind, Hold, Task, TaskStatus

if TYPE_CHECKING:
    from tuiback.model import RunRow

RUNS_SHOWN = 200
PLAN_ROWS = 7


class TaskScreen(ListScreen["RunRow"], TaskCommands):
    """One task; the newest run stands first."""

    BINDINGS = bindings(TASK)
    screen_name = "Task"
    list_title = "RUNS"
    about_title = "RUN"
    hint = " R run  p pause  o owed  r restore  H hold"
    detail_rows = (5, 6)
    sort_keys: ClassVar = {
        "run": lambda one: -one.run,
        "outcome": lambda one: (str(one.outcome), -one.run),
        "took": lambda one: (-((one.ended_at or one.started_at) - one.started_at).total_seconds(), -one.run),
        "new": lambda one: (-one.counters.items_new, -one.run),
        "read": lambda one: (-one.counters.bytes_read, -one.run),
    }

    def __init__(self) -> None:
        super().__init__()
        self.task_name = ""
        self.plan: Task | None = None
        self.held: Hold | None = None

    def open_on(self, name: str) -> None:
        """Show this task."""
        if name != self.task_name:
            self.task_name, self.plan, self.held, self.values = name, None, None, None

    # ---- what is shown

    def head(self) -> Iterable[Widget]:
        """The plan."""
        panel = LinePanel(id="plan-of-task")
        panel.styles.height = PLAN_ROWS
        yield panel

    def show_head(self) -> None:
        """Draw the plan as it stands now."""
        status = self.status_of_task
        lines: list[Line] = [standing_line(status, status) if status else line((self.task_name, "title"))]
        if self.plan is not None:
            lines = plan_lines(self.plan, status, self.held, self.now)
        elif self.values is not None:
            lines.append(line(("This task was removed; what it backed up is in the restore browser.", "dim")))
        self.query_one("#plan-of-task", LinePanel).show([(Span(" "), *one) for one in lines])

    @property
    def status_of_task(self) -> TaskStatus | None:
        """The task as the newest picture has it."""
        status = self.console_app.status
        return next((task for task in status.tasks if task.name == self.task_name), None) if status else None

    def read(self, view: ConsoleView) -> "Sequence[RunRow]":
        """The task's plan, what holds it, and its newest runs."""
        from tuiback.engine.upkeep.holds import find_hold

        for _, reader in view.readers():
            plan = next((task for task in reader.tasks() if task.name == self.task_name), None)
            if plan is not None:
                # A hold of the task keeps whatever account: one that is none stands for them all.
                anyone = Account("", AccountKind.MAILBOX, plan.tenant, plan.name, "", "", "")
                holds = tuple(hold for hold in reader.holds() if hold.task)
                self.plan, self.held = plan, find_hold(holds, anyone, self.now)
                return reader.runs(self.task_name, RUNS_SHOWN)
        return ()

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        return run_columns(width)

    def key(self, value: "RunRow") -> str:
        """Its number."""
        return f"{value.run}"

    @property
    def run_now(self) -> int | None:
        """The run in progress."""
        status = self.status_of_task
        return status.run if status else None

    def cells(self, value: "RunRow") -> Mapping[str, str | Line]:
        """What it did; of the run in progress what the newest picture says."""
        cells = run_cells(value, self.run_now, self.now)
        status = self.status_of_task
        return cells if status is None or value.run != status.run else cells | live_cells(status)

    def words(self, value: "RunRow") -> str:
        """Its number, how it ended, and why it began."""
        return f"#{value.run} {outcome_of(value, self.run_now)} {value.trigger}"

    def details(self, value: "RunRow", _width: int) -> list[Line]:
        """All its counters, which are written down when it ends."""
        if value.run == self.run_now and (status := self.status_of_task) is not None:
            return live_details(status, value.started_at)
        return run_details(value)

    def nothing(self) -> str:
        """How to get a first one."""
        return "No run yet. R starts one."

    # ---- what is done

    def chosen_tasks(self) -> list[TaskStatus]:
        """This task."""
        status = self.status_of_task
        return [status] if status else []

    def action_restore(self) -> None:
        """Open the restore browser on the task's accounts."""
        self.console_app.open_restore(task=self.task_name)

    def action_hold(self) -> None:
        """Hold the task's accounts, or end their hold."""
        from tuiback.console.dialogs.holding import ask_about_hold

        if self.plan is not None:
            ask_about_hold(self, f"all accounts of {self.task_name}", self.held, task=self.task_name)
