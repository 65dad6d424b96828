"""The main screen: its keys turned into commands for the engine."""

from tuiback.console.keys import MAIN, bindings
from tuiback.console.screens.main_moves import MainMoves
from tuiback.console.task_rows import TaskLine
from tuiback.errors import TuibackError
from tuiback.model import TaskState, TaskStatus


class MainScreen(MainMoves):
    """Watches the engine and commands its tasks."""

    BINDINGS = bindings(MAIN)

    def _chosen_tasks(self) -> list[TaskStatus]:
        """The tagged tasks, else the one under the cursor, as the newest picture has them."""
        status = self.console_app.status
        row = self.tasks.cursor_row
        names = {value.task.name for value in self.tasks.tags.values()} or ({row.value.task.name} if row else set())
        return [task for task in status.tasks if task.name in names] if status else []

    def action_run_task(self) -> None:
        """Run the chosen tasks now."""
        from tuiback.engine.commands import RunTasks

        if tasks := self._chosen_tasks():
            names = tuple(task.name for task in tasks)
            self.console_app.submit(RunTasks(tasks=names, wait=False), self._answered(f"Started {', '.join(names)}"))

    def action_pause_task(self) -> None:
        """Pause the chosen tasks, or let paused ones go on."""
        from tuiback.engine.commands import PauseTask

        for task in self._chosen_tasks():
            paused = task.state is not TaskState.PAUSED
            told = f"{'Paused' if paused else 'Resumed'} {task.name}"
            self.console_app.submit(PauseTask(task=task.name, paused=paused), self._answered(told))

    def action_stop_task(self) -> None:
        """Ask, then stop the chosen tasks' runs."""
        running = [task.name for task in self._chosen_tasks() if task.run is not None]
        if not running:
            self.tell("Nothing runs here", "warn")
            return
        from tuiback.console.dialogs.confirm import ConfirmDialog

        text = f"Stop the run of {', '.join(running)} at the next checkpoint? What was read stays in the repository."
        buttons = [("stop", "Stop"), ("cancel", "Cancel")]
        self.app.push_screen(ConfirmDialog("Stop", text, buttons), lambda answer: self._stop(running, answer))

    def _stop(self, names: list[str], answer: str | None) -> None:
        from tuiback.engine.commands import StopTask

        if answer == "stop":
            for name in names:
                self.console_app.submit(StopTask(task=name), self._answered(f"Stopping {name}"))

    def _answered(self, told: str) -> "_Answer":
        return _Answer(self, told)

    def action_restore(self) -> None:
        """Open the restore browser on the row's task, or on the account at work."""
        row = self.tasks.cursor_row
        if row:
            value: TaskLine = row.value
            account_id = value.at_work.account_id if value.at_work else None
            self.console_app.open_restore(task=value.task.name, account_id=account_id)


class _Answer:
    """Tells the screen how a command ended."""

    def __init__(self, screen: MainScreen, told: str) -> None:
        self.screen = screen
        self.told = told

    def __call__(self, _result: dict[str, object] | None, fault: TuibackError | None) -> None:
        self.screen.tell(str(fault) if fault else self.told, "err" if fault else "notice")
