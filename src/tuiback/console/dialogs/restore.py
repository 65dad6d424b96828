"""Asks how to restore; only what a dry-run of exactly this has shown can be started."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input

from tuiback.console.dialogs.base import Dialog, FieldLabel, TextBlock, button_row
from tuiback.console.keys import Key, bindings
from tuiback.console.widgets.choices import Choices
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.errors import TuibackError

if TYPE_CHECKING:
    from tuiback.engine.commands import Restore

PLACES = (("new-folder", "new folder"), ("in-place", "in place"))
CONFLICTS = (("skip", "skip what is there"), ("keep-both", "keep both"), ("overwrite", "overwrite"))
TARGETS = (("original", "original"), ("other", "other account:"))
OVERWRITE_WORD = "RESTORE"


@dataclass(frozen=True, slots=True)
class Planned:
    """A dry-run's answer and the command it was made for."""

    command: "Restore"
    report: dict[str, object]


@dataclass(frozen=True, slots=True)
class RestoreQuestion:
    """What the dialog is about. `find_target` gives the account id for an address, None where it fits none or many.

    `gone` says why the original account can't take it back; then another account is preselected.
    """

    what: str
    command: "Restore"
    find_target: Callable[[str], str | None]
    dry_run: Callable[["Restore", Callable[[dict[str, object] | None, TuibackError | None], None]], None]
    planned: Planned | None = None
    gone: str = ""
    start_dry_run: bool = False


class RestoreDialog(Dialog["Planned"]):
    """Answers the planned command to start, None for Cancel. `planned` keeps the last dry-run either way."""

    BINDINGS = bindings((
        Key("dry_run", ("f8", "x"), "Dry-run"),
        Key("start", ("f9", "W"), "Restore"),
    ))

    def __init__(self, question: RestoreQuestion) -> None:
        super().__init__("Restore")
        self.question = question
        self.planned = question.planned
        self.fault = ""

    def content(self) -> Iterable[Widget]:
        """The questions, the plan, the buttons."""
        yield TextBlock([line(self.question.what)])
        if self.question.gone:
            yield TextBlock([line((self.question.gone, "warn"))])
        target = Input(compact=True, id="target", placeholder="address")
        word = Input(compact=True, id="word", placeholder=f"type {OVERWRITE_WORD} to overwrite")
        target.cursor_blink = word.cursor_blink = False
        start = "other" if self.question.gone else "original"
        yield _field("To", Choices(TARGETS, start, id="to"), target)
        yield _field("Place", Choices(PLACES, "new-folder", id="place"))
        yield _field("Conflict", Choices(CONFLICTS, "skip", id="conflict"))
        yield _field("Confirm", word)
        yield TextBlock([line()], id="plan")
        yield button_row([("dry", "F8 Dry-run"), ("start", "F9 Restore"), ("cancel", "Cancel")], "cancel")

    def on_mount(self) -> None:
        """Cancel has the focus; a dry-run asked for starts at once."""
        self.query_one("#cancel", Button).focus()
        self._show()
        if self.question.start_dry_run:
            self.action_dry_run()

    # ---- what is asked for

    def command(self) -> "Restore | None":
        """The command as the fields stand; None while the other account is not known."""
        command = self.question.command
        target: str | None = None
        if self._value("to") == "other":
            target = self.question.find_target(self.query_one("#target", Input).value)
            if target is None:
                return None
        return msgspec.structs.replace(
            command, target_account_id=target, place=self._value("place"), on_conflict=self._value("conflict")
        )

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Choices).value

    @property
    def ready(self) -> bool:
        """Whether a dry-run of exactly this exists, and overwriting was confirmed by its word."""
        confirmed = self._value("conflict") != "overwrite" or self.query_one("#word", Input).value == OVERWRITE_WORD
        return self.planned is not None and self.planned.command == self.command() and confirmed

    # ---- doing

    def action_dry_run(self) -> None:
        """Ask the engine what would be written."""
        command = self.command()
        if command is None:
            self.fault = "No such account is protected here, or several are: write its address or id."
            self._show()
            return
        self.fault = "Dry-run..."
        self._show()
        trial = msgspec.structs.replace(command, dry_run=True)
        self.question.dry_run(trial, lambda report, fault: self._take(command, report, fault))

    def _take(self, command: "Restore", report: dict[str, object] | None, fault: TuibackError | None) -> None:
        self.fault = str(fault) if fault else ""
        if report is not None:
            self.planned = Planned(command, report)
        if self.is_mounted:
            self._show()

    def action_start(self) -> None:
        """Start, if a dry-run has shown what that means."""
        if self.ready:
            self.dismiss(self.planned)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Dry-run, restore or cancel."""
        if event.button.id == "dry":
            self.action_dry_run()
        elif event.button.id == "start":
            self.action_start()
        else:
            self.dismiss(None)

    def on_choices_changed(self) -> None:
        """Another wish needs another dry-run."""
        self.fault = ""
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another wish needs another dry-run; an address typed means the other account."""
        if event.input.id == "target" and event.value:
            self.query_one("#to", Choices).choose("other")
        self.fault = ""
        self._show()

    def _show(self) -> None:
        self.query_one("#start", Button).disabled = not self.ready
        self.query_one("#plan", TextBlock).put([line(), *self._plan_lines()])

    def _plan_lines(self) -> list[Line]:
        if self.fault:
            return [line((self.fault, "warn"))]
        if self.planned is None or self.planned.command != self.command():
            return [line(("No dry-run of this yet: F8 shows what would be written.", "dim"))]
        return [plan_line(self.planned.report)]


def plan_line(report: dict[str, object]) -> Line:
    """What a dry-run counted."""
    planned = report.get("planned")
    counts = planned if isinstance(planned, dict) else {}
    spans = [Span("DRY-RUN  ", "title")]
    for name, tone in (("create", "ok"), ("overwrite", "warn"), ("skip", "dim"), ("conflict", "warn")):
        spans += [Span(f"{counts.get(name, 0)} ", "strong"), Span(f"{name}   ", tone)]
    return tuple(spans)


def _field(label: str, *widgets: Widget) -> Horizontal:
    return Horizontal(FieldLabel(label), *widgets, classes="field")

