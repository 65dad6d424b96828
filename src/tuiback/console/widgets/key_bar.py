"""The bottom line: F-keys and what they do here; a click presses the key."""

from collections.abc import Sequence

from textual import events

from tuiback.console.keys import Key
from tuiback.console.text import cell_width, fit
from tuiback.console.widgets.lines import LinePanel, Span


class KeyBar(LinePanel):
    """F-key labels spread over the line; the ones in `off` are grey and say so when pressed."""

    def __init__(self, keys: Sequence[Key], *, read_only: bool = False) -> None:
        super().__init__()
        self.keys = tuple(key for key in keys if not (read_only and key.changes))
        self.off: frozenset[str] = frozenset()
        self._ends: list[tuple[int, str]] = []

    def switch(self, off: frozenset[str]) -> None:
        """Grey out these actions."""
        if off != self.off:
            self.off = off
            self.repaint()

    def repaint(self) -> None:
        """Lay the labels out over the width there is."""
        width = self.size.width
        if not width or not self.keys:
            return
        shown = [(key.keys[0].upper(), key) for key in self.keys]
        spare = max(0, width - sum(cell_width(name) + cell_width(key.label) for name, key in shown))
        spans: list[Span] = []
        self._ends, used = [], 0
        for index, (name, key) in enumerate(shown):
            # Labels are at most four blanks apart, so that a wide screen does not tear the bar.
            room = cell_width(key.label) + min(4, spare // len(shown) + (1 if index < spare % len(shown) else 0))
            tone = "key-off" if key.action in self.off else "key-label"
            spans += [Span(name, "key"), Span(fit(key.label, room), tone)]
            used += cell_width(name) + room
            self._ends.append((used, key.keys[0]))
        spans.append(Span(" " * max(0, width - used), "key-label"))
        self.show([tuple(spans)])

    def on_resize(self) -> None:
        """The labels follow the width."""
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """A click on a label presses its key."""
        for end, key in self._ends:
            if event.x < end:
                self.app.simulate_key(key)
                return
