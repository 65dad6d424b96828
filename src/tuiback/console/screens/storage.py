"""The Storage screen: what is kept in how little space, when the volume is full, retention, and upkeep."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from textual.widget import Widget

from tuiback.console import figures
from tuiback.console.keys import STORAGE, bindings
from tuiback.console.ports import ConsoleView
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.screens.list_view import TALL
from tuiback.console.space import (
    Chore,
    Space,
    TaskSpace,
    chore_lines,
    forecast_line,
    growth_lines,
    read_chores,
    read_space,
    task_cells,
    task_columns,
    totals_lines,
    volume_line,
)
from tuiback.console.widgets.lines import Line, LinePanel, line
from tuiback.console.widgets.notice import NoticeLine
from tuiback.console.widgets.rows import Column
from tuiback.errors import TuibackError
from tuiback.model import StorageStatus

# What is asked goes through whole tables.
REREAD_SECONDS = 60.0
VOLUMES_SHOWN = 3


class StorageScreen(ListScreen[TaskSpace]):
    """Volumes, growth and forecast at the top, the tasks with their retention, and what was done to keep order."""

    BINDINGS = bindings(STORAGE)
    screen_name = "Storage"
    list_title = "TASKS"
    about_title = "UPKEEP BY ITSELF"
    hint = " P prunes, x shows what that would let go, C checks"
    detail_rows = (3, 3)
    reread_seconds = REREAD_SECONDS
    sort_keys: ClassVar = {
        "logical": lambda one: (-one.totals.logical_bytes, one.totals.task),
        "task": lambda one: one.totals.task,
        "live": lambda one: (-one.totals.live_bytes, one.totals.task),
        "held": lambda one: (-one.held, one.totals.task),
    }

    def __init__(self) -> None:
        super().__init__()
        self.spaces: Sequence[Space] = ()
        self.chores: Sequence[Chore] = ()

    # ---- what is shown

    def read(self, view: ConsoleView) -> Sequence[TaskSpace]:
        """Space and upkeep of every repository."""
        spaces = read_space(view, self.now)
        self.chores = read_chores(view, self.now)
        self.spaces = spaces
        return [task for space in spaces for task in space.tasks]

    def head(self) -> Iterable[Widget]:
        """Volumes, totals, forecast, growth."""
        yield LinePanel(id="space")

    def show_head(self) -> None:
        """Draw what the picture and the catalogs say of space."""
        width, height = self.size
        status = self.console_app.status
        volumes = sorted(status.storage if status else (), key=lambda one: -_fullness(one))
        lines = [volume_line(one, width, alone=len(volumes) == 1) for one in volumes[:VOLUMES_SHOWN]]
        if self.spaces:
            lines += totals_lines(self.spaces, width)
            fullest = next(
                (one for one in self.spaces if volumes and one.repository == volumes[0].name), self.spaces[0]
            )
            lines.append(forecast_line(fullest, volumes[0] if volumes else None, self.now))
            lines += growth_lines(fullest, self.now, width, 10 if height >= TALL else 5)
        panel = self.query_one("#space", LinePanel)
        panel.styles.height = max(1, len(lines))
        panel.show(lines)

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        return task_columns(width, several=len(self.spaces) > 1)

    def key(self, value: TaskSpace) -> str:
        """The task, of its repository."""
        return f"{value.repository}\0{value.totals.task}"

    def cells(self, value: TaskSpace) -> Mapping[str, str | Line]:
        """What it takes, and what it keeps."""
        return task_cells(value)

    def words(self, value: TaskSpace) -> str:
        """Its name and its retention."""
        return f"{value.totals.task} {value.repository} {value.plan.keep if value.plan else ''}"

    def about(self, _width: int) -> list[Line]:
        """What the engine does by itself."""
        nothing = "Nothing yet: an engine that stays ('tuiback serve', this console) prunes and checks at 03:00."
        return chore_lines(self.chores, self.now) or [line((nothing, "dim"))]

    def counts(self) -> str:
        """Whose retention it is."""
        return "what retention keeps, and what holds keep"

    def nothing(self) -> str:
        """How to begin."""
        return "No task yet. 'tuiback task add' makes one."

    # ---- what is done

    def action_dry_run(self) -> None:
        """Ask what a prune would let go."""
        self._ask_prune(self._show_trial)

    def action_prune(self) -> None:
        """Show what a prune would let go, and ask."""
        self._ask_prune(self._confirm)

    def _ask_prune(self, then: Callable[[str], None]) -> None:
        from tuiback.engine.commands import Prune

        def answer(result: dict[str, object] | None, fault: TuibackError | None) -> None:
            if result is None:
                self.console_app.tell(str(fault), "err")
            elif self.is_current:
                self.query_one(NoticeLine).hush()
                then(would_text(result))

        self.tell("Looking what retention lets go...")
        self.console_app.submit(Prune(dry_run=True), answer)

    def _show_trial(self, text: str) -> None:
        from tuiback.console.dialogs.confirm import message_dialog

        self.app.push_screen(message_dialog("Dry-run of a prune", text))

    def _confirm(self, text: str) -> None:
        from tuiback.console.dialogs.confirm import ConfirmDialog

        text += "\nWhat is let go can't be restored any more. Backups go on meanwhile; space leaves a day later."
        buttons = [("prune", "Prune"), ("cancel", "Cancel")]
        self.app.push_screen(ConfirmDialog("Prune", text, buttons), self._prune)

    def _prune(self, answer: str | None) -> None:
        from tuiback.engine.commands import Prune

        if answer == "prune":
            told = self.asked("Prune started; 7 shows how far it is")
            self.console_app.submit(Prune(wait=False), told)

    def action_check(self) -> None:
        """Ask how, then check."""
        from tuiback.console.dialogs.confirm import ConfirmDialog

        text = (
            "Structure: that everything is there and each item's content can be found.\n"
            "Sample: also reads and verifies 1 % of it, the longest unseen first. Backups go on meanwhile."
        )
        buttons = [("structure", "Structure"), ("sample", "Sample"), ("cancel", "Cancel")]
        self.app.push_screen(ConfirmDialog("Check", text, buttons), self._check)

    def _check(self, answer: str | None) -> None:
        from tuiback.engine.commands import Check

        if answer in {"structure", "sample"}:
            command = Check(percent=1.0 if answer == "sample" else 0.0, wait=False)
            self.console_app.submit(command, self.asked("Check started; 7 shows how far it is"))


def would_text(answer: Mapping[str, object]) -> str:
    """What a prune would do, in words."""

    def count(name: str) -> int:
        value = answer.get(name)
        return value if isinstance(value, int) else 0

    expired = count("expired_versions")
    versions = f"{figures.number(expired)} version{'s' * (expired != 1)}"
    lines = [
        f"Would expire {versions}, {figures.size_text(count('expired_bytes'))}.",
        f"The last copy of {figures.number(count('last_copies'))} items is kept." if count("last_copies") else "",
        f"{figures.size_text(count('reclaimable_bytes'))} that nothing needs now could go.",
    ]
    return "\n".join(text for text in lines if text)


def _fullness(storage: StorageStatus) -> float:
    return storage.disk_used / storage.disk_total if storage.disk_total else 0.0
