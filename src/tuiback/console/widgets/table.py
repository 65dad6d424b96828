"""A table with a cursor over any number of rows; only changed lines reach the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

from textual import events
from textual.message import Message

from tuiback.console.keys import LIST, bindings
from tuiback.console.widgets.lines import Line, LinePanel, Span, fit_line
from tuiback.console.widgets.rows import Column, ListRows, Row, RowSource, V, column_widths, row_line

WHEEL_ROWS = 3


class Table(LinePanel, Generic[V], can_focus=True):
    """Rows under a header. The cursor stays on its row's key when rows come, go or change places."""

    BINDINGS = bindings(LIST)

    @dataclass
    class Moved(Message):
        """The cursor stands on another row."""

        table: "Table[Any]"

        @property
        def control(self) -> "Table[Any]":
            """The table, so that handlers can select by it."""
            return self.table

    @dataclass
    class Chosen(Message):
        """Enter or a double click on a row."""

        table: "Table[Any]"

        @property
        def control(self) -> "Table[Any]":
            """The table, so that handlers can select by it."""
            return self.table

    @dataclass
    class Folded(Message):
        """Left or right was pressed on a row: `collapse` says which."""

        table: "Table[Any]"
        collapse: bool

        @property
        def control(self) -> "Table[Any]":
            """The table, so that handlers can select by it."""
            return self.table

    @dataclass
    class HeaderClicked(Message):
        """A column's title was clicked."""

        table: "Table[Any]"
        column: str

    def __init__(self, columns: Sequence[Column], *, id: str | None = None, empty: str = "") -> None:  # noqa: A002
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.empty = empty
        self.source: RowSource[V] = ListRows[V]()
        self.cursor = 0
        self.top = 0
        self.tags: dict[str, V] = {}
        self.sorted_by: tuple[str, bool] | None = None
        self.header = True

    # ---- what is shown

    def set_rows(self, source: RowSource[V], *, keep_key: str | None = None) -> None:
        """Show other rows; the cursor goes to keep_key, else to where its row is now, else stays in place."""
        key = keep_key or self.cursor_key
        self.source = source
        place = source.index_of(key) if key is not None else None
        self.cursor = place if place is not None else min(self.cursor, max(0, source.count() - 1))
        self.repaint()

    @property
    def cursor_row(self) -> Row[V] | None:
        """The row under the cursor, None in an empty table."""
        return self.source.row(self.cursor) if 0 <= self.cursor < self.source.count() else None

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        row = self.cursor_row
        return row.key if row else None

    @property
    def body_rows(self) -> int:
        """How many rows are in sight."""
        return max(1, self.size.height - (1 if self.header else 0))

    def repaint(self) -> None:
        """Bring the lines in line with rows, cursor and tags."""
        if not self.size.width:
            return
        height, count = self.body_rows, self.source.count()
        self.top = min(max(self.top, self.cursor - height + 1), self.cursor, max(0, count - height))
        widths = column_widths(self.columns, self.size.width - 2)
        lines = [self._header_line(widths)] if self.header else []
        lines += [self._row_line(index, widths) for index in range(self.top, min(count, self.top + height))]
        if not count and self.empty:
            lines.append(fit_line((Span(f"  {self.empty}", "dim"),), self.size.width))
        self.show(lines)

    def _header_line(self, widths: Sequence[int]) -> Line:
        spans: list[Span] = [Span("  ", "header")]
        for index, (column, width) in enumerate(zip(self.columns, widths, strict=True)):
            chosen = self.sorted_by is not None and self.sorted_by[0] == column.key
            title = column.title
            if chosen and self.sorted_by is not None:
                title = f"{title[: max(0, width - 1)]}{'▽' if self.sorted_by[1] else '△'}"
            tone = "sorted" if chosen else "header"
            spans += [Span(" ", "header")] if index else []
            spans += fit_line((Span(title, tone),), width, column.align, tone)
        return tuple(spans)

    def _row_line(self, index: int, widths: Sequence[int]) -> Line:
        row = self.source.row(index)
        tagged = row.key in self.tags
        tone = "tag" if tagged else row.tone
        mark = (">" if index == self.cursor else " ") + ("*" if tagged else " ")
        spans = (Span(mark, tone), *row_line(row.cells, self.columns, widths, tone))
        if index == self.cursor:
            over = "cursor" if self.has_focus else "cursor-idle"
            return tuple(Span(span.text, over) for span in spans)
        return spans

    # ---- moving

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, the nearest there is."""
        target = min(max(0, index), max(0, self.source.count() - 1))
        if target != self.cursor:
            self.cursor = target
            self.post_message(self.Moved(self))
        self.repaint()

    def action_move(self, rows: int) -> None:
        """So many rows down, or up when negative."""
        self.move_to(self.cursor + rows)

    def action_pages(self, share: float) -> None:
        """So much of what is in sight down, or up when negative."""
        self.move_to(self.cursor + round(share * max(2, self.body_rows - 1)))

    def action_edge(self, bottom: bool) -> None:
        """To the first row or the last."""
        self.move_to(self.source.count() - 1 if bottom else 0)

    def action_choose(self) -> None:
        """Open the row."""
        if self.cursor_row:
            self.post_message(self.Chosen(self))

    def action_fold(self, collapse: bool) -> None:
        """Collapse or expand the row."""
        self.post_message(self.Folded(self, collapse))

    # ---- mouse and events

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there, a double click opens, a click on a title sorts."""
        index = self.top + event.y - (1 if self.header else 0)
        if self.header and event.y == 0:
            self._click_header(event.x)
        elif index < self.source.count():
            self.move_to(index)
            if event.chain == 2:
                self.action_choose()

    def _click_header(self, x: int) -> None:
        end = 2
        for column, width in zip(self.columns, column_widths(self.columns, self.size.width - 2), strict=True):
            end += width + 1
            if x < end:
                self.post_message(self.HeaderClicked(self, column.key))
                return

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor, as it does in htop."""
        event.stop()
        self.action_move(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor, as it does in htop."""
        event.stop()
        self.action_move(-WHEEL_ROWS)

    def on_resize(self) -> None:
        """Other sizes show other rows."""
        self.repaint()

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor shines where keys go."""
        super().watch_has_focus(has_focus)
        self.repaint()
