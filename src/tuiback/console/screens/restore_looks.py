"""How the restore browser is looked at: search, filter, order, deleted items, recovery points."""

from typing import TYPE_CHECKING

from textual import on

from tuiback.console import figures
from tuiback.console.dialogs.pick import PickDialog
from tuiback.console.finds import FOLDER, SCOPES
from tuiback.console.screens.restore_finds import RestoreFinds
from tuiback.console.widgets.item_table import ItemTable
from tuiback.console.widgets.rows import Column, Row
from tuiback.console.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from tuiback.catalog import Point

POINT_COLUMNS = (
    Column("point", "POINT", 7), Column("taken", "TAKEN", 16), Column("items", "ITEMS", 10, "right"),
    Column("size", "SIZE", 7, "right"), Column("outcome", "OUTCOME", 9, grow=True),
)


class RestoreLooks(RestoreFinds):
    """Keys that change what of a folder is shown, and as of when."""

    def action_find(self) -> None:
        """Search in the folder, or wider."""
        self.query_one(SearchBox).open("find", self.searched, SCOPES)

    def action_filter(self) -> None:
        """Show only accounts that match."""
        self.query_one(SearchBox).open("filter", self.browser.pattern)

    @on(SearchBox.Changed)
    def search_typed(self, event: SearchBox.Changed) -> None:
        """Follow the typing."""
        if event.mode == "filter":
            self.browser.pattern = event.text
            self.show_tree()
        else:
            self.searched = event.text
            if event.scope == FOLDER:
                self.items.find(event.text, 0)

    @on(SearchBox.Closed)
    def search_closed(self, event: SearchBox.Closed) -> None:
        """Keep what was typed, or forget it on Esc."""
        if event.mode == "filter":
            self.browser.pattern = event.text
            self.show_tree()
            self.places.focus()
        else:
            self.searched = event.text
            self.items.focus()
            if event.scope != FOLDER and event.text:
                self.find_at_all_times(event.text, event.scope)

    def action_find_next(self, direction: int) -> None:
        """The next match, or the one before."""
        self.items.find(self.searched, direction)

    @on(ItemTable.Counted)
    def counted(self) -> None:
        """The title tells how many there are."""
        self.show_lines()

    @on(ItemTable.Broken)
    def broken(self, event: ItemTable.Broken) -> None:
        """Say why the rest of a folder is missing."""
        self.tell(str(event.fault), "err")

    @on(ItemTable.Found)
    def found(self, event: ItemTable.Found) -> None:
        """Go to what was found."""
        if event.index is None:
            self.tell(f"Nothing here matches {self.searched}", "warn")
        elif event.rows is self.items.paged:
            self.items.move_to(event.index)

    def action_sort(self) -> None:
        """By date or by name."""
        self.items.order = "name" if self.items.order == "modified" else "modified"
        self.show_items(keep=True)

    def action_deleted(self) -> None:
        """Only what was deleted, or what is there."""
        self.items.deleted = not self.items.deleted
        self.show_items()

    # ---- points in time

    def action_step_point(self, direction: int) -> None:
        """The next earlier recovery point, or the next later one."""
        if self.place is None:
            return
        if self.browser.step(self.place.protected, direction):
            self.point_changed()
        else:
            self.tell("No earlier recovery point" if direction > 0 else "This is the latest recovery point", "warn")

    def action_point(self) -> None:
        """Pick a recovery point from the list."""
        if self.place is None:
            return
        here = self.browser.point(self.place.protected)
        rows = [point_row(point) for point in self.browser.points(self.place.protected)]
        title, start = f"Recovery points of {self.place.protected.title}", f"#{here.seq}" if here else None
        dialog: PickDialog[Point] = PickDialog(title, POINT_COLUMNS, rows, start=start)
        self.app.push_screen(dialog, self._take_point)

    def _take_point(self, point: "Point | None") -> None:
        if point is None or self.place is None:
            return
        newest = self.browser.points(self.place.protected)[0]
        self.browser.moment = None if point.seq == newest.seq else point.taken_at
        self.point_changed()

    def point_changed(self) -> None:
        """Show everything as it was at the point."""
        self.show_tree()
        self.show_items(keep=True)


def point_row(point: "Point") -> "Row[Point]":
    """A recovery point as a row."""
    cells = (
        f"#{point.seq}", figures.date_time(point.taken_at), figures.number(point.items), figures.size(point.bytes),
        str(point.outcome or "-"),
    )
    return Row(f"#{point.seq}", cells, point)
