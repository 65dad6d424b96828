"""The list of a folder's items: any number, read page by page as it is looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from textual import work
from textual.message import Message

from tuiback.catalog import Entry, page_key
from tuiback.console.browse import Browser, Place
from tuiback.console.item_rows import ITEM_KINDS, item_columns, item_row
from tuiback.console.paging import KeysetRows, Walked
from tuiback.console.ports import Order
from tuiback.console.widgets.rows import ListRows, Row
from tuiback.console.widgets.tag_table import TagTable
from tuiback.errors import TuibackError
from tuiback.model import AccountKind


class ItemTable(TagTable[Entry]):
    """Shows one place of the browser; a thread counts what is longer than a page."""

    @dataclass
    class Counted(Message):
        """A step of the count is done."""

        rows: KeysetRows[Entry, Entry]
        walked: Walked

    @dataclass
    class Broken(Message):
        """The catalog could not be read."""

        fault: TuibackError

    @dataclass
    class Found(Message):
        """A search ended: the row's number, or None."""

        rows: KeysetRows[Entry, Entry]
        index: int | None

    def __init__(self, browser: Browser) -> None:
        super().__init__(item_columns(None, 0), id="items", empty="Nothing here.")
        self.browser = browser
        self.order: Order = "modified"
        self.deleted = False
        self.paged: KeysetRows[Entry, Entry] | None = None
        self._kind: AccountKind | None = None
        self._today = datetime.now(UTC)

    @property
    def complete(self) -> bool:
        """Whether all rows are counted."""
        return self.paged is None or self.paged.complete

    def show_place(self, place: Place | None, today: datetime, *, keep_key: str | None = None) -> None:
        """Show a place's items at the point looked at. Raises what the catalog raises."""
        self._kind, self._today = (place.protected.account.kind if place else None), today
        self.columns = item_columns(self._kind, self.size.width)
        self.sorted_by = None if self.deleted else (("date", True) if self.order == "modified" else ("name", False))
        if keep_key is None:
            self.cursor = self.top = 0
        self.paged = self._read(place) if place else None
        self.empty = self._nothing(place)
        self.set_rows(self.paged if self.paged is not None else ListRows[Entry](), keep_key=keep_key or "")
        if self.paged is not None and not self.paged.complete:
            self._walk(self.paged)

    def _nothing(self, place: Place | None) -> str:
        if self.deleted:
            return "Nothing deleted here; D shows what is there."
        if place is not None and self.paged is None:
            return "No recovery point yet: the next run makes one."
        return "All of it lies in folders: Enter unfolds them." if place and place.folder is None else "Nothing here."

    def relayout(self) -> None:
        """Columns for the size there is now; cursor and rows stay."""
        self.columns = item_columns(self._kind, self.size.width)
        if self.paged is not None:
            self.paged.redraw(self._row_maker())
        self.repaint()

    def _row_maker(self) -> Callable[[Entry], Row[Entry]]:
        columns, today, deleted = self.columns, self._today, self.deleted
        return lambda entry: item_row(entry, columns, today, deleted=deleted)

    def _read(self, place: Place) -> KeysetRows[Entry, Entry] | None:
        point = self.browser.point(place.protected)
        if point is None:
            return None
        pages, order, deleted = self.browser.reader(place.protected), self.order, self.deleted

        def fetch(after: tuple[str, str] | None, limit: int) -> list[Entry]:
            found = pages.children(
                place.account_id, point.seq, place.item_id,
                after=after, limit=limit, kinds=ITEM_KINDS, order=order, deleted=deleted,
            )
            return list(found)

        return KeysetRows(fetch, lambda entry: page_key(entry, order, deleted=deleted), self._row_maker())

    @work(thread=True, exclusive=True, group="walk", exit_on_error=False)
    def _walk(self, rows: KeysetRows[Entry, Entry]) -> None:
        try:
            for walked in rows.walk():
                if self.paged is not rows:
                    return
                self.post_message(self.Counted(rows, walked))
        except TuibackError as fault:
            self.post_message(self.Broken(fault))

    def on_item_table_counted(self, event: Counted) -> None:
        """Know some more rows."""
        event.rows.take(event.walked)

    def find(self, text: str, direction: int) -> None:
        """Look for the next row (1), the one before (-1), or from the cursor on (0); Found tells."""
        if self.paged is not None and text:
            self._find(self.paged, text.casefold(), self.cursor + direction, direction or 1)

    @work(thread=True, exclusive=True, group="find", exit_on_error=False)
    def _find(self, rows: KeysetRows[Entry, Entry], text: str, start: int, direction: int) -> None:
        def wanted(row: Row[Entry]) -> bool:
            sender = row.value.attrs.get("from", "")
            return text in f"{row.value.attrs.get('subject', '')} {row.value.name} {sender}".casefold()

        index = rows.find(wanted, start % max(1, rows.count()), direction)
        self.post_message(self.Found(rows, index))
