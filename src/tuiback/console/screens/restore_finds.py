"""How the restore browser finds items at all points in time, and takes up what was found."""

from typing import TYPE_CHECKING

from textual import work

from tuiback.console import figures
from tuiback.console.browse import Place, choice_of_item
from tuiback.console.dialogs.pick import PickDialog
from tuiback.console.finds import COLUMNS, EVERYTHING, Finds, find, find_hint
from tuiback.console.item_rows import item_title
from tuiback.console.screens.restore_moves import RestoreMoves
from tuiback.errors import TuibackError

if TYPE_CHECKING:
    from tuiback.catalog import Entry, Hit


class RestoreFinds(RestoreMoves):
    """Searches wider than the folder that is looked at."""

    @work(thread=True, exclusive=True, group="finds", exit_on_error=False)
    def find_at_all_times(self, text: str, scope: str) -> None:
        """Search, and show what was found to pick from."""
        try:
            finds = find(self.browser, text, scope, self.place.protected if self.place else None)
        except TuibackError as fault:
            self.call_later(self.tell, str(fault), "warn")
        else:
            self.call_later(self._show_finds, text, scope, finds)

    def _show_finds(self, text: str, scope: str, finds: Finds) -> None:
        if not self.is_current:
            return
        if not finds.rows:
            missing = f"; {figures.number(finds.missing)} items are not indexed yet" if finds.missing else ""
            where = "anywhere" if scope == EVERYTHING else f"in the {scope}"
            self.tell(f"Nothing {where} ever matched {text}{missing}", "warn")
            return
        dialog: PickDialog[Hit] = PickDialog(f"Found: {text}", COLUMNS, finds.rows, hint=find_hint(finds))
        self.app.push_screen(dialog, self._take_find)

    def _take_find(self, hit: "Hit | None") -> None:
        owner = next(
            (one for one in self.browser.accounts or () if hit and one.account.account_id == hit.account_id), None
        )
        if hit is None or owner is None:
            return
        entry = self.browser.reader(owner).find_entry(hit.account_id, hit.item_id, hit.snapshot)
        if entry is not None:
            self.take_version(Place(owner), entry, hit.snapshot)

    def take_version(self, place: Place, version: "Entry", seq: int) -> None:
        """Tag an item as it was at a snapshot, and show it."""
        key = f"{version.account_id}\0{version.item_id}"
        self.items.tags[key] = version
        self.chosen[key] = choice_of_item(version, seq, item_title(version))
        self.items.focus()
        self.items.repaint()
        self.show_lines()
        self.preview.show_item(place, version)
