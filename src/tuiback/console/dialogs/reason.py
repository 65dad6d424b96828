"""Asks why something is done; what is answered is kept with it and in the audit."""

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input

from tuiback.console.dialogs.base import Dialog, FieldLabel, TextBlock, button_row
from tuiback.console.dialogs.confirm import TEXT_WIDTH
from tuiback.console.text import wrap
from tuiback.console.widgets.lines import line


class ReasonDialog(Dialog[str]):
    """Answers the reason typed, None for Esc and Cancel. Where it is `needed` none means nothing is done."""

    BINDINGS = [("down", "app.focus_next"), ("up", "app.focus_previous")]  # noqa: RUF012  Textual reads a plain list

    def __init__(self, title: str, text: str, button: str, *, needed: bool = True) -> None:
        super().__init__(title)
        self.text = text
        self.button = button
        self.needed = needed

    def content(self) -> Iterable[Widget]:
        """What is done, and a line for the reason."""
        yield TextBlock([*(line(text) for text in wrap(self.text, TEXT_WIDTH, 12)), line()])
        box = Input(compact=True, id="reason", placeholder="needed" if self.needed else "may stay empty")
        box.cursor_blink = False
        yield Horizontal(FieldLabel("Reason"), box, classes="field")
        yield button_row([("do", self.button), ("cancel", "Cancel")], "cancel")

    def on_mount(self) -> None:
        """The reason can be typed at once."""
        self.query_one(Input).focus()
        self.on_input_changed()

    def on_input_changed(self) -> None:
        """Without a reason that is needed there is nothing to press."""
        self.query_one("#do", Button).disabled = self.needed and not self._reason

    @property
    def _reason(self) -> str:
        return self.query_one(Input).value.strip()

    def on_input_submitted(self) -> None:
        """Enter in the line does it."""
        if self._reason or not self.needed:
            self.dismiss(self._reason)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do it, or nothing."""
        self.dismiss(self._reason if event.button.id == "do" else None)
