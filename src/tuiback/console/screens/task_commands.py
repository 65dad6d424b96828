"""What is done to tasks, on the main screen and on a task's own: run, pause, stop, and what they owe."""

from collections.abc import Callable

from tuiback.console.screens.base import FullScreen
from tuiback.errors import TuibackError
from tuiback.model import TaskState, TaskStatus

Answer = Callable[[dict[str, object] | None, TuibackError | None], None]


class TaskCommands(FullScreen):
    """Commands for the chosen tasks; a screen says which those are."""

    def chosen_tasks(self) -> list[TaskStatus]:
        """The tasks that a command is for, as the newest picture has them."""
        raise NotImplementedError

    def action_run_task(self) -> None:
        """Run the chosen tasks now."""
        from tuiback.engine.commands import RunTasks

        if tasks := self.chosen_tasks():
            names = tuple(task.name for task in tasks)
            self.console_app.submit(RunTasks(tasks=names, wait=False), self._answered(f"Started {', '.join(names)}"))

    def action_pause_task(self) -> None:
        """Pause the chosen tasks, or let paused ones go on."""
        from tuiback.engine.commands import PauseTask

        for task in self.chosen_tasks():
            paused = task.state is not TaskState.PAUSED
            told = f"{'Paused' if paused else 'Resumed'} {task.name}"
            self.console_app.submit(PauseTask(task=task.name, paused=paused), self._answered(told))

    def action_stop_task(self) -> None:
        """Ask, then stop the chosen tasks' runs."""
        running = [task.name for task in self.chosen_tasks() if task.run is not None]
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

    def _answered(self, told: str) -> Answer:
        def answer(_result: dict[str, object] | None, fault: TuibackError | None) -> None:
            self.console_app.tell(str(fault) if fault else told, "err" if fault else "notice")

        return answer

    def action_owed(self) -> None:
        """List what the task owes."""
        if tasks := self.chosen_tasks():
            self.console_app.open_owed(task=tasks[0].name)

