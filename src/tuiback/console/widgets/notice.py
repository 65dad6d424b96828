"""The line above the key bar: what the screen shows, and for some seconds what just happened."""

from time import monotonic

from tuiback.console.widgets.lines import Line, LinePanel, Span, line_width, spread

NOTICE_SECONDS = 8.0


class NoticeLine(LinePanel):
    """A standing text at the right, a passing notice at the left."""

    def __init__(self) -> None:
        super().__init__(id="notice")
        self._notice: Span | None = None
        self._until = 0.0
        self._left: Line = ()
        self._right: Line = ()

    def stand(self, left: Line, right: Line) -> None:
        """What stands here while nothing happens."""
        self._left, self._right = left, right
        self.repaint()

    def tell(self, text: str, tone: str = "notice") -> None:
        """Say what just happened."""
        self._notice, self._until = Span(text, tone), monotonic() + NOTICE_SECONDS
        self.repaint()

    def hush(self) -> None:
        """What was told is over."""
        self._notice = None
        self.repaint()

    def repaint(self) -> None:
        """Show the notice as long as it counts; the 1 s timer calls this."""
        if self._notice and monotonic() > self._until:
            self._notice = None
        left: Line = (Span(" "), self._notice) if self._notice else self._left
        # A notice is told whole, before what stands here anyway.
        fits = line_width(left) + line_width(self._right) <= self.size.width
        if self.size.width:
            self.show([spread(left, self._right if fits or not self._notice else (), self.size.width)])

    def on_resize(self) -> None:
        """The ends follow the width."""
        self.repaint()
