"""The one-line box above the key bar, for searching and filtering."""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from tuiback.console.widgets.lines import LinePanel, line


class SearchBox(Horizontal):
    """Hidden until opened; tells every change of the text, Enter and Esc close it."""

    BINDINGS = [("escape", "close(False)"), ("tab", "close(True)")]  # noqa: RUF012  Textual reads a plain list

    @dataclass
    class Changed(Message):
        """The text while it is typed; `mode` is "find" or "filter"."""

        mode: str
        text: str

    @dataclass
    class Closed(Message):
        """Enter (`kept`) or Esc ended the typing."""

        mode: str
        text: str
        kept: bool

    def __init__(self) -> None:
        super().__init__(id="search")
        self.mode = "find"
        self.display = False

    def compose(self) -> ComposeResult:
        """A prompt and a line to type in."""
        yield LinePanel(id="search-prompt")
        # A blinking cursor costs 2 KB a second on the line.
        box = Input(compact=True, id="search-input")
        box.cursor_blink = False
        yield box

    def open(self, mode: str, text: str = "") -> None:
        """Show the box and take the keys."""
        self.mode = mode
        self.display = True
        self.query_one(LinePanel).show([line(("Find: " if mode == "find" else "Filter: ", "title"))])
        box = self.query_one(Input)
        with self.prevent(Input.Changed):
            box.value = text
        box.focus()

    def action_close(self, kept: bool) -> None:
        """Hide the box; the text counts only when kept."""
        self.display = False
        self.post_message(self.Closed(self.mode, self.query_one(Input).value if kept else "", kept))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(self.mode, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the text."""
        event.stop()
        self.action_close(True)
