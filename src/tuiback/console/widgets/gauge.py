"""Draws bars as htop does: a label, brackets, strokes that change tone as they grow, and the figure inside."""

from tuiback.console.text import cell_width, clip
from tuiback.console.widgets.lines import Line, Span

# Below these shares of the whole a bar is low, then mid, then high.
LOW, MID = 0.6, 0.85


def bar(share: float, width: int, text: str = "", tone: str = "") -> Line:
    """`[|||||   text]` in exactly `width` cells. One tone for all strokes, or by how full it is where none is given."""
    inner = max(0, width - 2)
    figure = clip(text, inner)
    strokes = round(min(1.0, max(0.0, share)) * inner)
    body = ("|" * strokes).ljust(inner)
    cut = inner - cell_width(figure)
    plain = body[: min(strokes, cut)]
    spans = [Span("[", "strong")]
    spans += [Span(plain, tone)] if tone else _graded(plain, inner)
    spans += [Span(" " * (cut - len(plain))), Span(figure, "dim" if cut >= strokes else "strong"), Span("]", "strong")]
    return tuple(span for span in spans if span.text)


def _graded(strokes: str, inner: int) -> list[Span]:
    low, mid = int(inner * LOW), int(inner * MID)
    return [Span(strokes[:low], "low"), Span(strokes[low:mid], "mid"), Span(strokes[mid:], "high")]


def gauge(label: str, share: float, width: int, text: str, tone: str = "") -> Line:
    """A label and its bar in exactly `width` cells."""
    return (Span(label, "label"), *bar(share, width - cell_width(label), text, tone))


def plot(values: list[float], width: int, height: int) -> list[str]:
    """The newest values as columns of dots from the right, two values a cell, `height` rows from the top down."""
    shown = values[-2 * width :]
    top = max(shown, default=0.0)
    steps = height * 4
    levels = [round(value / top * steps) if top else 0 for value in shown]
    levels = [0] * (2 * width - len(levels)) + levels
    return [_plot_row(levels, (height - 1 - row) * 4) for row in range(height)]


# The dots of a braille cell from the bottom up, left column and right column.
_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)


def _plot_row(levels: list[int], floor: int) -> str:
    cells = []
    for index in range(0, len(levels), 2):
        dots = sum(_LEFT[: max(0, min(4, levels[index] - floor))])
        dots += sum(_RIGHT[: max(0, min(4, levels[index + 1] - floor))])
        cells.append(chr(0x2800 + dots) if dots else " ")
    return "".join(cells)
