"""Shows lines of toned spans and sends only the lines that changed to the terminal."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tuiback.console.text import cell_width, clip, safe_text
from tuiback.console.widgets.tones import tone_style


class Span(NamedTuple):
    """Text of one tone."""

    text: str
    tone: str = ""


Line = tuple[Span, ...]


def line(*spans: Span | tuple[str, str] | str) -> Line:
    """A line of spans; a bare string has no tone."""
    return tuple(Span(span) if isinstance(span, str) else Span(*span) for span in spans)


def line_width(spans: Line) -> int:
    """How many cells the line covers."""
    return sum(cell_width(safe_text(span.text)) for span in spans)


def fit_line(spans: Line, width: int, align: str = "left", pad_tone: str = "") -> Line:
    """The line in exactly `width` cells: clipped with an ellipsis, or padded."""
    fitted: list[Span] = []
    left = width
    for span in spans:
        text = clip(span.text, left)
        if text:
            fitted.append(Span(text, span.tone))
        left -= cell_width(text)
        if text != safe_text(span.text):
            break
    if left > 0:
        blanks = Span(" " * left, pad_tone)
        fitted.insert(0, blanks) if align == "right" else fitted.append(blanks)
    return tuple(fitted)


def spread(left: Line, right: Line, width: int, fill: str = " ", tone: str = "") -> Line:
    """One line with something at either end; the left end gives way where both don't fit."""
    shown_right = fit_line(right, min(line_width(right), width)) if right else ()
    room = width - line_width(shown_right)
    shown_left = fit_line(left, min(line_width(left), room))
    gap = room - line_width(shown_left)
    return (*shown_left, Span(fill * gap, tone), *shown_right)


class LinePanel(Widget):
    """A widget of lines. `show` compares with what stands there and repaints the difference only."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id, classes=classes, markup=False)
        self._lines: tuple[Line, ...] = ()
        self._styles_by_tone: dict[str, Style] = {}
        self._styled_for: tuple[str, Style] | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """What the panel shows now."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from the top; unchanged ones cost nothing."""
        before, self._lines = self._lines, tuple(lines)
        width = self.size.width
        changed = [
            Region(0, y, width, 1)
            for y in range(max(len(before), len(self._lines)))
            if (before[y] if y < len(before) else None) != (self._lines[y] if y < len(self._lines) else None)
        ]
        if changed and width:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """The line as the compositor wants it."""
        width = self.size.width
        base = self.rich_style
        spans = self._lines[y] if y < len(self._lines) else ()
        # Neighbours of one tone go out as one: a change of style costs 15 bytes on the line.
        runs = groupby(spans, key=lambda span: span.tone)
        segments = [Segment("".join(safe_text(one.text) for one in run), self.tone_style(tone)) for tone, run in runs]
        return Strip(segments).adjust_cell_length(width, base)

    def tone_style(self, tone: str) -> Style:
        """How the theme draws a tone on this widget."""
        # Component classes would cost Textual a style computation for every tone of every widget at each focus.
        base = self.rich_style
        if self._styled_for != (self.app.theme, base):
            self._styled_for = (self.app.theme, base)
            self._styles_by_tone = {"": base}
        if tone not in self._styles_by_tone:
            self._styles_by_tone[tone] = base + tone_style(tone, self.app.theme_variables)
        return self._styles_by_tone[tone]
