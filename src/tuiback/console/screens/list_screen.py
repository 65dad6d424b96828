"""The screens of one list: rows that can be searched, filtered, ordered and tagged."""


from textual import on

from tuiback.console.screens.list_view import ListView, V
from tuiback.console.widgets.search_box import SearchBox
from tuiback.console.widgets.table import Table
from tuiback.console.widgets.tag_table import TAG_LIMIT, TagTable
from tuiback.errors import TuibackError


class ListScreen(ListView[V]):
    """Search, filter, order and tags."""

    @on(TagTable.Tagged)
    def tags_changed(self, event: TagTable.Tagged) -> None:
        """Say how many are tagged."""
        if event.refused:
            self.tell(f"More than {TAG_LIMIT} rows: filter first", "warn")
        self.show_lines()

    # ---- search, filter, order

    def action_find(self) -> None:
        """Search as it is typed."""
        self.query_one(SearchBox).open("find", self.searched)

    def action_filter(self) -> None:
        """Show only what matches."""
        self.query_one(SearchBox).open("filter", self.pattern)

    @on(SearchBox.Changed)
    @on(SearchBox.Closed)
    def searched_for(self, event: SearchBox.Changed | SearchBox.Closed) -> None:
        """Follow the typing; Esc forgets it."""
        closed = isinstance(event, SearchBox.Closed)
        if event.mode == "filter":
            self.pattern = event.text
            self.show_values()
        else:
            self.searched = event.text
            if not closed:
                self.action_find_next(0)
        if closed:
            self.table.focus()

    def action_find_next(self, direction: int) -> None:
        """The next match, the one before, or (0) the first from the cursor on."""
        wanted, count = self.searched.casefold(), len(self.shown)
        if not wanted or not count:
            return
        for distance in range(abs(direction), count + 1):
            index = (self.table.cursor + distance * (direction or 1)) % count
            if wanted in self.words(self.shown[index]).casefold():
                self.table.move_to(index)
                return
        self.tell(f"Nothing matches {self.searched}", "warn")

    def action_sort(self) -> None:
        """Sort by the next column."""
        keys = list(self.sort_keys)
        self.sort = keys[(keys.index(self.sort) + 1) % len(keys)]
        self.show_values()

    def action_invert_sort(self) -> None:
        """Turn the order round."""
        self.inverted = not self.inverted
        self.show_values()

    @on(Table.HeaderClicked)
    def header_clicked(self, event: Table.HeaderClicked) -> None:
        """Sort by the column, or turn it round when it is sorted by it."""
        if event.column == self.sort:
            self.action_invert_sort()
        elif event.column in self.sort_keys:
            self.sort = event.column
            self.show_values()

    def step_back(self) -> bool:
        """Esc clears the filter."""
        filtered, self.pattern = bool(self.pattern), ""
        if filtered:
            self.show_values()
        return filtered

    # ---- commands

    def asked(self, told: str) -> "Answered":
        """For submit(): says how a command ended, and reads again."""
        return Answered(self, told)


class Answered:
    """Tells how a command ended on whatever screen is in front then, and has its own screen read again."""

    def __init__(self, screen: ListScreen[V], told: str) -> None:
        self.screen = screen
        self.told = told

    def __call__(self, _result: dict[str, object] | None, fault: TuibackError | None) -> None:
        """The command has ended."""
        self.screen.console_app.tell(str(fault) if fault else self.told, "err" if fault else "notice")
        if self.screen.is_current:
            self.screen.reread()
