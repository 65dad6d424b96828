"""What a table shows: columns, rows, and where rows come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from tuiback.console.widgets.lines import Line, Span, fit_line

T = TypeVar("T")
V = TypeVar("V")

Cell = str | Line


@dataclass(frozen=True, slots=True)
class Column:
    """One column; with `grow` it takes the room that the others leave."""

    key: str
    title: str
    width: int
    align: str = "left"
    grow: bool = False


@dataclass(frozen=True, slots=True)
class Row(Generic[V]):
    """One row: `key` names it over refreshes, `value` is what it stands for, `tone` colours its plain cells."""

    key: str
    cells: tuple[Cell, ...]
    value: V
    tone: str = ""


class RowSource(Protocol[V]):
    """Rows by number, however many there are."""

    def count(self) -> int:
        """How many rows are known."""
        ...

    def row(self, index: int) -> Row[V]:
        """The row at 0 <= index < count()."""
        ...

    def index_of(self, key: str) -> int | None:
        """Where the row with that key stands, None when it isn't there (or nobody knows cheaply)."""
        ...


@dataclass(slots=True)
class ListRows(Generic[V]):
    """Rows held in memory."""

    rows: Sequence[Row[V]] = ()
    _places: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = {row.key: index for index, row in enumerate(self.rows)}

    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def row(self, index: int) -> Row[V]:
        """The row at that place."""
        return self.rows[index]

    def index_of(self, key: str) -> int | None:
        """Where the row with that key stands."""
        return self._places.get(key)


class MadeRows(Generic[T, V]):
    """Rows made out of values when they are looked at: thousands of them cost nothing until they are in sight."""

    def __init__(self, values: Sequence[T], key: Callable[[T], str], make: Callable[[T], Row[V]]) -> None:
        self._values = values
        self._make = make
        self._places = {key(value): index for index, value in enumerate(values)}

    def count(self) -> int:
        """How many rows there are."""
        return len(self._values)

    def row(self, index: int) -> Row[V]:
        """The row at that place."""
        return self._make(self._values[index])

    def index_of(self, key: str) -> int | None:
        """Where the row with that key stands."""
        return self._places.get(key)


def column_widths(columns: Sequence[Column], width: int, gap: int = 1) -> tuple[int, ...]:
    """The columns' widths in a table of so many cells; growing columns share what is left."""
    fixed = sum(column.width for column in columns) + gap * max(0, len(columns) - 1)
    growing = [index for index, column in enumerate(columns) if column.grow]
    widths = [column.width for column in columns]
    spare = max(0, width - fixed)
    for place, index in enumerate(growing):
        widths[index] += spare // len(growing) + (1 if place < spare % len(growing) else 0)
    return tuple(widths)


def row_line(cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], tone: str = "") -> Line:
    """The cells of one row side by side, one blank between; plain cells take the row's tone."""
    spans: list[Span] = []
    for index, (cell, column, width) in enumerate(zip(cells, columns, widths, strict=True)):
        if index:
            spans.append(Span(" ", tone))
        content = (Span(cell, tone),) if isinstance(cell, str) else cell
        spans.extend(fit_line(content, width, column.align, tone))
    return tuple(spans)
