"""The preview: an item's content as text once the cursor rests on it, or facts about an account."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.timer import Timer

from tuiback.console import figures
from tuiback.console.browse import Browser, Place
from tuiback.console.preview import PreviewText, preview_lines, read_preview
from tuiback.console.widgets.lines import Span
from tuiback.console.widgets.text_pane import TextPane
from tuiback.errors import TuibackError

if TYPE_CHECKING:
    from tuiback.catalog import Entry

# Passing over a list reads nothing: content is read when the cursor has rested so long.
REST_SECONDS = 0.15

# A pane this low has no room for a line a fact.
FLAT_HEIGHT = 8


class PreviewPane(TextPane):
    """Shows one thing at a time; the newest wish wins."""

    @dataclass
    class Read(Message):
        """An item's content came, or why it couldn't."""

        key: str
        preview: PreviewText

    def __init__(self, browser: Browser) -> None:
        super().__init__(id="preview")
        self.browser = browser
        self._wanted = ""
        self._preview: PreviewText | None = None
        self._rest: Timer | None = None

    def show_item(self, place: Place, entry: "Entry") -> None:
        """Show the item's content when nothing else is wanted meanwhile."""
        key = f"{entry.account_id}\0{entry.item_id}\0{entry.from_seq}"
        if key == self._wanted:
            return
        self._wanted = key
        self._stop_rest()
        self._rest = self.set_timer(REST_SECONDS, lambda: self._read(place, entry, key))

    def show_place(self, place: Place | None) -> None:
        """Show facts about the account."""
        self._stop_rest()
        self._wanted, self._preview = "", None if place is None else PreviewText(place_facts(place), "")
        self._draw()

    def _stop_rest(self) -> None:
        if self._rest is not None:
            self._rest.stop()

    @work(thread=True, exclusive=True, group="preview", exit_on_error=False)
    def _read(self, place: Place, entry: "Entry", key: str) -> None:
        try:
            repository = place.protected.repository
            self.browser.view.note_preview(repository, entry.account_id, entry.name)
            content = self.browser.view.content(repository)
            preview = read_preview(entry, self.browser.reader(place.protected), content)
        except TuibackError as fault:
            preview = PreviewText((), str(fault))
        except RecursionError:
            # Mail of a thousand parts within parts is made to do this.
            preview = PreviewText((), "Nested too deeply to be shown.")
        self.post_message(self.Read(key, preview))

    def on_preview_pane_read(self, event: Read) -> None:
        """Show what came, if it is still wanted."""
        event.stop()
        if event.key == self._wanted:
            self._preview = event.preview
            self._draw()

    def _draw(self) -> None:
        width = self.size.width - 2
        flat = self.size.height <= FLAT_HEIGHT and bool(self._preview and self._preview.body)
        lines = preview_lines(self._preview, width, flat=flat) if self._preview and width > 0 else []
        self.put([(Span(" "), *one) for one in lines])

    def on_resize(self) -> None:
        """Lines break anew."""
        self._draw()


def place_facts(place: Place) -> tuple[tuple[str, str], ...]:
    """What is known of an account without asking anyone."""
    overview, account = place.protected.overview, place.protected.account
    last = figures.date_time(overview.last_ok_at) if overview.last_ok_at else "never"
    owed = f", {overview.owed} owed" if overview.owed else ""
    return (
        ("Account", f"{account.name}  {account.address}"),
        ("State", f"{overview.state}, last ok {last}{owed}"),
        ("Holds", f"{figures.number(overview.items)} items, {figures.size(overview.bytes)}"),
        ("Id", account.account_id),
    ) + ((("Folder", place.name),) if place.folder else ())


