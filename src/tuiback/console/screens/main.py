"""The main screen: its keys turned into commands for the engine."""

from tuiback.console.keys import MAIN, bindings
from tuiback.console.screens.main_moves import MainMoves
from tuiback.console.screens.task_commands import TaskCommands
from tuiback.console.task_rows import TaskLine
from tuiback.model import TaskStatus


class MainScreen(MainMoves, TaskCommands):
    """Watches the engine and commands its tasks."""

    BINDINGS = bindings(MAIN)

    def chosen_tasks(self) -> list[TaskStatus]:
        """The tagged tasks, else the one under the cursor, as the newest picture has them."""
        status = self.console_app.status
        row = self.tasks.cursor_row
        names = {value.task.name for value in self.tasks.tags.values()} or ({row.value.task.name} if row else set())
        return [task for task in status.tasks if task.name in names] if status else []

    def action_restore(self) -> None:
        """Open the restore browser on the row's task, or on the account at work."""
        row = self.tasks.cursor_row
        if row:
            value: TaskLine = row.value
            account_id = value.at_work.account_id if value.at_work else None
            self.console_app.open_restore(task=value.task.name, account_id=account_id)
