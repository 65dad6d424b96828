"""One of a few answers on one line: `(•) original  ( ) other`; left and right choose."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.geometry import Size
from textual.message import Message

from tuiback.console.text import cell_width
from tuiback.console.widgets.lines import LinePanel, Span


class Choices(LinePanel, can_focus=True):
    """Radio buttons on one line; `value` is the key of the chosen one."""

    BINDINGS = [  # noqa: RUF012  Textual reads a plain list
        ("left,h", "step(-1)"), ("right,l,space", "step(1)"),
        ("down", "app.focus_next"), ("up", "app.focus_previous"),
    ]

    @dataclass
    class Changed(Message):
        """Another answer was chosen."""

        choices: "Choices"

    def __init__(self, options: Sequence[tuple[str, str]], value: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.options = tuple(options)
        self.value = value

    def get_content_width(self, container: Size, _viewport: Size) -> int:
        """As wide as its answers."""
        return min(container.width, sum(cell_width(label) + 6 for _, label in self.options))

    def action_step(self, by: int) -> None:
        """The next answer, or the one before."""
        keys = [key for key, _ in self.options]
        self.choose(keys[(keys.index(self.value) + by) % len(keys)])

    def choose(self, key: str) -> None:
        """Choose an answer."""
        if key != self.value:
            self.value = key
            self.post_message(self.Changed(self))
        self.repaint()

    def repaint(self) -> None:
        """Draw the answers."""
        spans: list[Span] = []
        for key, label in self.options:
            chosen = key == self.value
            tone = ("cursor" if self.has_focus else "strong") if chosen else ""
            spans += [Span(f"({'•' if chosen else ' '}) {label}", tone), Span("  ")]
        self.show([tuple(spans)])

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        end = 0
        for key, label in self.options:
            end += cell_width(label) + 6
            if event.x < end:
                self.choose(key)
                return

    def on_resize(self) -> None:
        """Draw as soon as there is room."""
        self.repaint()

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor shines where keys go."""
        super().watch_has_focus(has_focus)
        self.repaint()
