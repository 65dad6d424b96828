"""A pane of lines that scrolls under the list keys."""

from collections.abc import Sequence

from textual import events

from tuiback.console.keys import MOTION, bindings
from tuiback.console.widgets.lines import Line, LinePanel

WHEEL_LINES = 3


class TextPane(LinePanel, can_focus=True):
    """Shows a part of many lines; keys and wheel move it."""

    BINDINGS = bindings(MOTION)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._text: tuple[Line, ...] = ()
        self.top = 0

    def put(self, text: Sequence[Line], *, keep: bool = False) -> None:
        """Show another text from its beginning; with `keep` the same text stays where it was moved to."""
        self.top = self.top if keep and tuple(text) == self._text else 0
        self._text = tuple(text)
        self.repaint()

    def repaint(self) -> None:
        """Show the part that fits."""
        height = max(1, self.size.height)
        self.top = max(0, min(self.top, len(self._text) - height))
        self.show(self._text[self.top : self.top + height])

    def action_move(self, lines: int) -> None:
        """So many lines down, or up when negative."""
        self.top += lines
        self.repaint()

    def action_pages(self, share: float) -> None:
        """So much of what is in sight down, or up when negative."""
        self.action_move(round(share * max(2, self.size.height - 1)))

    def action_edge(self, bottom: bool) -> None:
        """To the beginning or the end."""
        self.top = len(self._text) if bottom else 0
        self.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls."""
        event.stop()
        self.action_move(WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel scrolls."""
        event.stop()
        self.action_move(-WHEEL_LINES)

    def on_resize(self) -> None:
        """Another height shows another part."""
        self.repaint()
