"""Asks one question with a few answers; the safe one is the default."""

from collections.abc import Iterable, Sequence

from textual.widget import Widget
from textual.widgets import Button

from tuiback.console.dialogs.base import Dialog, TextBlock, button_row
from tuiback.console.text import wrap
from tuiback.console.widgets.lines import line

TEXT_WIDTH = 72


class ConfirmDialog(Dialog[str]):
    """Answers the id of the button pressed, None for Esc."""

    BINDINGS = [("left", "app.focus_previous"), ("right", "app.focus_next")]  # noqa: RUF012

    def __init__(self, title: str, text: str, buttons: Sequence[tuple[str, str]], default: str = "cancel") -> None:
        super().__init__(title)
        self.text = text
        self.buttons = tuple(buttons)
        self.default = default

    def content(self) -> Iterable[Widget]:
        """The question and the answers."""
        yield TextBlock([line(text) for text in wrap(self.text, TEXT_WIDTH, 12)])
        yield button_row(self.buttons, self.default)

    def on_mount(self) -> None:
        """Enter without thinking does no harm."""
        self.query_one(f"#{self.default}", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The button is the answer; cancel is none."""
        name = event.button.id
        self.dismiss(None if name == "cancel" else name)


def message_dialog(title: str, text: str) -> ConfirmDialog:
    """Tells something that must be read."""
    return ConfirmDialog(title, text, [("ok", "OK")], default="ok")


def quit_dialog(*, can_keep: bool) -> ConfirmDialog:
    """Asks what becomes of the engine that this terminal hosts: answers keep, stop or None."""
    keep = [("keep", "Keep running")] if can_keep else []
    text = "This terminal hosts the engine. " + (
        "Keep running lets backups go on in the background; the next console attaches to them.\n" if can_keep else ""
    )
    text += "Stop ends runs at a checkpoint: nothing that was read is lost."
    buttons = [*keep, ("stop", "Stop the engine"), ("cancel", "Cancel")]
    return ConfirmDialog("Quit tuiback", text, buttons, default="keep" if can_keep else "cancel")
