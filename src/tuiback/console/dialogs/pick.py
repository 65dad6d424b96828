"""Lets the user pick one row of a list: a recovery point, a version."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic

from textual.widget import Widget

from tuiback.console.dialogs.base import Dialog, TextBlock
from tuiback.console.widgets.lines import line
from tuiback.console.widgets.rows import Column, ListRows, Row, V
from tuiback.console.widgets.table import Table

LIST_ROWS = 12


class PickDialog(Dialog[V], Generic[V]):
    """Answers the value of the row that Enter was pressed on, None for Esc."""

    def __init__(
        self, title: str, columns: Sequence[Column], rows: Sequence[Row[V]], *, start: str | None = None, hint: str = ""
    ) -> None:
        super().__init__(title)
        self.columns = columns
        self.rows = rows
        self.start = start
        self.hint = hint

    def content(self) -> Iterable[Widget]:
        """The list, and what to do with it."""
        table: Table[V] = Table(self.columns, id="pick", empty="Nothing here.")
        table.styles.height = min(LIST_ROWS, len(self.rows)) + 1
        yield table
        yield TextBlock([line((self.hint or "Enter picks, Esc leaves it as it is", "dim"))])

    def on_mount(self) -> None:
        """Begin at the row that counts now."""
        table: Table[V] = self.query_one("#pick", Table)
        table.set_rows(ListRows(self.rows), keep_key=self.start)
        table.focus()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Enter answers."""
        table: Table[Any] = event.table
        row = table.cursor_row
        if row:
            self.dismiss(row.value)
