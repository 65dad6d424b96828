"""The one-line box above the key bar, for searching and filtering."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from tuiback.console.widgets.lines import LinePanel, line


class SearchBox(Horizontal):
    """Hidden until opened; tells every change of the text, Enter and Esc close it.

    Tab widens where to search, to the next of the scopes; without scopes it closes like Enter.
    """

    BINDINGS = [("escape", "close(False)"), ("tab", "widen")]  # noqa: RUF012  Textual reads a plain list

    @dataclass
    class Changed(Message):
        """The text while it is typed; `mode` is "find" or "filter", `scope` one of those given to open()."""

        mode: str
        text: str
        scope: str

    @dataclass
    class Closed(Message):
        """Enter (`kept`) or Esc ended the typing."""

        mode: str
        text: str
        kept: bool
        scope: str

    def __init__(self) -> None:
        super().__init__(id="search")
        self.mode = "find"
        self.scopes: Sequence[str] = ("",)
        self.scope = ""
        self.display = False

    def compose(self) -> ComposeResult:
        """A prompt and a line to type in."""
        yield LinePanel(id="search-prompt")
        # A blinking cursor costs 2 KB a second on the line.
        box = Input(compact=True, id="search-input")
        box.cursor_blink = False
        yield box

    def open(self, mode: str, text: str = "", scopes: Sequence[str] = ("",)) -> None:
        """Show the box and take the keys."""
        self.mode = mode
        self.scopes, self.scope = scopes, scopes[0]
        self.display = True
        self._show_prompt()
        box = self.query_one(Input)
        with self.prevent(Input.Changed):
            box.value = text
        box.focus()

    def _show_prompt(self) -> None:
        name = "Find" if self.mode == "find" else "Filter"
        prompt = f"{name} {self.scope}: " if self.scope else f"{name}: "
        panel = self.query_one(LinePanel)
        panel.styles.width = max(9, len(prompt))
        panel.show([line((prompt, "title"))])

    def action_widen(self) -> None:
        """Search in the next scope, after the last in the first again."""
        if len(self.scopes) == 1:
            self.action_close(True)
            return
        self.scope = self.scopes[(self.scopes.index(self.scope) + 1) % len(self.scopes)]
        self._show_prompt()
        self.post_message(self.Changed(self.mode, self.query_one(Input).value, self.scope))

    def action_close(self, kept: bool) -> None:
        """Hide the box; the text counts only when kept."""
        self.display = False
        self.post_message(self.Closed(self.mode, self.query_one(Input).value if kept else "", kept, self.scope))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(self.mode, event.value, self.scope))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the text."""
        event.stop()
        self.action_close(True)
