"""How one moves on the main screen: search, filter, order, tree."""

from textual import on

from tuiback.console.screens.main_view import MainView
from tuiback.console.task_rows import SORT_KEYS
from tuiback.console.widgets.search_box import SearchBox
from tuiback.console.widgets.table import Table
from tuiback.console.widgets.tag_table import TagTable


class MainMoves(MainView):
    """Keys that change what is shown and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.searched = ""

    def action_find(self) -> None:
        """Search a task by name."""
        self.query_one(SearchBox).open("find", self.searched)

    def action_filter(self) -> None:
        """Show only tasks that match."""
        self.query_one(SearchBox).open("filter", self.order.pattern)

    @on(SearchBox.Changed)
    def search_typed(self, event: SearchBox.Changed) -> None:
        """Follow the typing."""
        if event.mode == "filter":
            self.order.pattern = event.text
            self.refresh_frame()
        else:
            self.searched = event.text
            self._find(0)

    @on(SearchBox.Closed)
    def search_closed(self, event: SearchBox.Closed) -> None:
        """Keep what was typed, or forget it on Esc."""
        if event.mode == "filter":
            self.order.pattern = event.text
        else:
            self.searched = event.text
        self.tasks.focus()
        self.refresh_frame()

    def step_back(self) -> bool:
        """Esc clears the filter."""
        filtered, self.order.pattern = bool(self.order.pattern), ""
        self.refresh_frame()
        return filtered

    def action_find_next(self, direction: int) -> None:
        """The next match, or the one before."""
        self._find(direction)

    def _find(self, direction: int) -> None:
        table, wanted = self.tasks, self.searched.casefold()
        count = table.source.count()
        if not wanted or not count:
            return
        step = direction or 1
        for distance in range(abs(direction), count + 1):
            index = (table.cursor + distance * step) % count
            value = table.source.row(index).value
            name = value.at_work.address if value.at_work else value.task.name
            if wanted in name.casefold():
                table.move_to(index)
                return
        self.tell(f"Nothing matches {self.searched}", "warn")

    def action_sort(self) -> None:
        """Sort by the next column."""
        keys = list(SORT_KEYS)
        self.order.sort = keys[(keys.index(self.order.sort) + 1) % len(keys)]
        self.refresh_frame()

    def action_invert_sort(self) -> None:
        """Turn the order round."""
        self.order.inverted = not self.order.inverted
        self.refresh_frame()

    @on(Table.HeaderClicked)
    def header_clicked(self, event: Table.HeaderClicked) -> None:
        """Sort by the column, or turn it round when it is sorted by it."""
        if event.column == self.order.sort:
            self.order.inverted = not self.order.inverted
        elif event.column in SORT_KEYS:
            self.order.sort = event.column
        self.refresh_frame()

    def action_tree(self) -> None:
        """Unfold every task, or fold all when any is unfolded."""
        self.action_expand_all(not self.order.open)

    def action_expand_all(self, expand: bool) -> None:
        """Show the accounts at work under every task, or under none."""
        status = self.console_app.status
        self.order.open = {task.name for task in status.tasks} if expand and status else set()
        self.refresh_frame()

    @on(Table.Chosen)
    def row_chosen(self) -> None:
        """Enter opens the task: its plan and its runs."""
        row = self.tasks.cursor_row
        if row:
            self.console_app.open_task(row.value.task.name)

    @on(Table.Folded)
    def row_folded(self, event: Table.Folded) -> None:
        """Left folds the task, right unfolds it."""
        row = self.tasks.cursor_row
        if row is None:
            return
        name = row.value.task.name
        self.order.open = self.order.open - {name} if event.collapse else self.order.open | {name}
        self.tasks.move_to(self.tasks.source.index_of(name) or 0)
        self.refresh_frame()

    @on(Table.Moved)
    @on(TagTable.Tagged)
    def cursor_moved(self) -> None:
        """The detail follows the cursor."""
        self.refresh_frame()
