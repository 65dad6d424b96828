"""The Jobs screen: restores, exports, checks and prunes; what runs can be cancelled, what ended undone or resumed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from tuiback.console.job_lines import RUNNING, JobLine, job_cells, job_columns, job_details, job_lines
from tuiback.console.keys import JOBS, bindings
from tuiback.console.ports import ConsoleView
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.widgets.lines import Line
from tuiback.console.widgets.rows import Column
from tuiback.model import EngineStatus

if TYPE_CHECKING:
    from tuiback.catalog import JobRow


class JobsScreen(ListScreen[JobLine]):
    """What runs stands first, then the newest."""

    BINDINGS = bindings(JOBS)
    screen_name = "Jobs"
    list_title = "JOBS"
    about_title = "JOB"
    hint = " u undoes a restore, R lets go on what was not finished"
    sort_keys: ClassVar = {
        "started": lambda one: (one.state != RUNNING, -(one.started_at.timestamp() if one.started_at else 0), -one.job),
        "job": lambda one: (one.job, one.subject),
        "kind": lambda one: (one.kind, -one.job),
        "state": lambda one: (one.state, -one.job),
    }

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[JobRow] = ()

    # ---- what is shown

    def read(self, view: ConsoleView) -> Sequence[JobLine]:
        """What is kept of jobs; what runs has its figures from the engine."""
        self._rows = view.jobs()
        return self._joined()

    def _joined(self) -> list[JobLine]:
        status = self.console_app.status
        return job_lines(self._rows, status.jobs if status else ())

    def reread(self) -> None:
        """Read what is kept; where that can't be read, the engine's picture has the newest."""
        super().reread()
        if self.console_app.view is None:
            self.take(self._joined())

    def show_status(self, status: EngineStatus) -> None:
        """Progress comes with every picture."""
        super().show_status(status)
        if self.values is not None:
            self.take(self._joined())

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        return job_columns(width)

    def key(self, value: JobLine) -> str:
        """Its number, of its kind: repositories number their jobs apart."""
        return f"{value.job} {value.kind} {value.subject}"

    def cells(self, value: JobLine) -> Mapping[str, str | Line]:
        """How far it is."""
        return job_cells(value, self.now)

    def words(self, value: JobLine) -> str:
        """What it is about."""
        return f"{value.job} {value.kind} {value.subject} {value.state}"

    def details(self, value: JobLine, width: int) -> list[Line]:
        """What it did, and what went wrong."""
        return job_details(value, width)

    def counts(self) -> str:
        """How many run."""
        running = sum(one.state == RUNNING for one in self.values or ())
        return f"{running} running" if running else "none is running"

    def nothing(self) -> str:
        """Where jobs come from."""
        return "No job yet. 3 opens the restore browser; 5 checks and prunes."

    # ---- what is done

    def action_cancel_job(self) -> None:
        """Ask, then stop the job."""
        from tuiback.console.dialogs.confirm import ConfirmDialog

        job = self.current
        if job is None or job.state != RUNNING:
            self.tell("Only a job that is running can be cancelled", "warn")
            return
        text = f"Cancel {job.kind} {job.job}, {job.subject}? What it has done so far stays."
        buttons = [("do", "Cancel the job"), ("cancel", "Let it go on")]
        self.app.push_screen(ConfirmDialog("Cancel", text, buttons), lambda answer: self._cancel(job, answer))

    def _cancel(self, job: JobLine, answer: str | None) -> None:
        from tuiback.engine.commands import CancelJob

        if answer == "do":
            self.console_app.submit(CancelJob(job=job.job), self.asked(f"Cancelled {job.kind} {job.job}"))

    def action_undo_job(self) -> None:
        """Ask, then take away what the restore wrote."""
        from tuiback.console.dialogs.confirm import ConfirmDialog

        job = self.current
        if job is None or job.kind != "restore" or job.state == RUNNING:
            self.tell("Only a restore that has ended can be undone", "warn")
            return
        text = (
            f"Take away again what restore {job.job} ({job.subject}) wrote? It goes where the service keeps deleted"
            " items for a while; what was changed since, or took the place of another item, stays."
        )
        buttons = [("do", "Undo the restore"), ("cancel", "Cancel")]
        self.app.push_screen(ConfirmDialog("Undo", text, buttons), lambda answer: self._undo(job, answer))

    def _undo(self, job: JobLine, answer: str | None) -> None:
        from tuiback.engine.commands import UndoJob

        if answer == "do":
            self.console_app.submit(UndoJob(job=job.job, wait=False), self.asked(f"Undoing restore {job.job}"))

    def action_resume_job(self) -> None:
        """Let the job go on where it was."""
        from tuiback.engine.commands import ResumeJob

        job = self.current
        if job is None or not job.can_go_on:
            self.tell("Only a restore or export that was not finished can go on", "warn")
            return
        self.console_app.submit(ResumeJob(job=job.job, wait=False), self.asked(f"{job.kind} {job.job} goes on"))
