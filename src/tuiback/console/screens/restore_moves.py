"""How one moves in the restore browser: among accounts, folders and panes."""

from textual import on, work

from tuiback.console.browse import Place, Protected
from tuiback.console.screens.restore_view import RestoreView
from tuiback.console.widgets.table import Table
from tuiback.errors import TuibackError

# Runs find accounts and make recovery points while one looks.
REREAD_SECONDS = 10.0


class RestoreMoves(RestoreView):
    """Keys that go from pane to pane and from folder to folder."""

    def on_mount(self) -> None:
        """The tree takes the keys; the accounts are read again now and then."""
        self.places.focus()
        self.set_interval(REREAD_SECONDS, self._read_again)

    def _read_again(self) -> None:
        if self.is_current:
            self.read_accounts(None)

    # ---- accounts

    def open_on(self, task: str | None, account_id: str | None) -> None:
        """Look at a task's accounts, or at one account unfolded; at neither, stay where it was left."""
        if task is not None:
            self.browser.task, self.browser.pattern = task, ""
        if account_id is not None:
            self.browser.open.add(f"{account_id}\0")
        self.read_accounts(f"{account_id}\0" if account_id else None)

    @work(thread=True, exclusive=True, group="accounts", exit_on_error=False)
    def read_accounts(self, start: str | None) -> None:
        """Read the list of accounts, and forget the points known: runs make more of them."""
        try:
            accounts = self.browser.load(self.now)
        except TuibackError as fault:
            self.call_later(self.tell, str(fault), "err")
        else:
            self.call_later(self._take_accounts, accounts, start)

    def _take_accounts(self, accounts: tuple[Protected, ...], start: str | None) -> None:
        self.browser.accounts = accounts
        self.browser.forget_points()
        before = self.place
        self.show_tree(start)
        # A list that is being read does not move under the eyes.
        if before is None or self.place is None or before.key != self.place.key or self.focused is self.places:
            self.show_items(keep=True)

    # ---- panes

    def on_descendant_focus(self) -> None:
        """The pane in use is marked, and the preview follows it."""
        self.show_lines()
        self.show_preview()

    @on(Table.Moved, "#tree")
    def place_changed(self) -> None:
        """The items follow the tree."""
        row = self.places.cursor_row
        self.place = row.value if row else None
        self.show_items()

    @on(Table.Moved, "#items")
    def item_changed(self) -> None:
        """The preview follows the items."""
        self.show_preview()
        self.show_lines()

    @on(Table.Chosen)
    def row_chosen(self, event: Table.Chosen) -> None:
        """Enter goes one pane further to the right."""
        if event.table is self.items:
            self.preview.focus()
        elif self.place is not None:
            self.browser.open.add(self.place.key)
            self.show_tree()
            if self.items.source.count():
                self.items.focus()

    @on(Table.Folded, "#items")
    def leave_items(self, event: Table.Folded) -> None:
        """Left to the tree, right to the preview."""
        (self.places if event.collapse else self.preview).focus()

    @on(Table.Folded, "#tree")
    def fold_tree(self, event: Table.Folded) -> None:
        """Unfold, or go down; fold, or go to the parent."""
        place = self.place
        if place is None:
            return
        unfolded = place.key in self.browser.open
        if event.collapse and not unfolded:
            self.places.move_to(self._parent_of(place))
        elif not event.collapse and unfolded:
            self.places.action_move(1)
        else:
            self.browser.open ^= {place.key}
            self.show_tree()

    def _parent_of(self, place: Place) -> int:
        places = self.places
        for index in range(places.cursor, -1, -1):
            above = places.source.row(index).value
            if above.folder is None or len(above.parents) < len(place.parents):
                return index
        return 0

    def step_back(self) -> bool:
        """Esc clears a filter, then goes to the tree, then leaves."""
        if self.browser.pattern or self.browser.task:
            self.browser.pattern, self.browser.task = "", None
            self.show_tree()
            return True
        if self.focused is not self.places:
            self.places.focus()
            return True
        return False
