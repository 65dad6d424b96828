"""What the restore browser shows: accounts and folders, items, a preview, and the point in time looked at."""

from collections.abc import Iterable

from textual.containers import Container
from textual.widget import Widget

from tuiback.console import figures
from tuiback.console.browse import TREE_COLUMNS, Browser, Choice, Place, size_of
from tuiback.console.dialogs.restore import Planned
from tuiback.console.ports import ConsoleView
from tuiback.console.restore_frame import crumbs_line, range_title, timeline_line
from tuiback.console.screens.base import FullScreen, job_line
from tuiback.console.task_detail import rule
from tuiback.console.widgets.item_table import ItemTable
from tuiback.console.widgets.lines import LinePanel, Span, line
from tuiback.console.widgets.notice import NoticeLine
from tuiback.console.widgets.preview_pane import PreviewPane
from tuiback.console.widgets.rows import ListRows
from tuiback.console.widgets.tag_table import TagTable
from tuiback.errors import TuibackError
from tuiback.model import EngineStatus

MILLER_WIDTH = 100


class RestoreView(FullScreen):
    """Three panes that follow each other: tree, items, preview."""

    screen_name = "Restore"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (MILLER_WIDTH, "-miller")]  # noqa: RUF012  Textual reads a plain list

    def __init__(self, view: ConsoleView) -> None:
        super().__init__()
        self.browser = Browser(view)
        self.place: Place | None = None
        self.searched = ""
        self.chosen: dict[str, Choice] = {}
        self.planned: Planned | None = None

    def body(self) -> Iterable[Widget]:
        """The panes and the lines that say where they stand."""
        yield LinePanel(id="tabs")
        yield LinePanel(id="crumbs")
        yield LinePanel(id="timeline")
        yield Container(
            LinePanel(id="tree-title"),
            LinePanel(id="cross-1", classes="split"),
            LinePanel(id="items-title"),
            LinePanel(id="cross-2", classes="split wide"),
            LinePanel(id="wide-title", classes="wide"),
            TagTable[Place](TREE_COLUMNS, id="tree", empty="Reading the accounts..."),
            LinePanel(id="split-1", classes="split"),
            ItemTable(self.browser),
            LinePanel(id="split-2", classes="split wide"),
            LinePanel(id="preview-title", classes="flat"),
            PreviewPane(self.browser),
            id="panes",
        )

    @property
    def places(self) -> TagTable[Place]:
        """Accounts and folders."""
        table: TagTable[Place] = self.query_one("#tree", TagTable)
        return table

    @property
    def items(self) -> ItemTable:
        """The items of the place under the tree's cursor."""
        return self.query_one(ItemTable)

    @property
    def preview(self) -> PreviewPane:
        """The content of the item under the cursor."""
        return self.query_one(PreviewPane)

    def show_status(self, _status: EngineStatus) -> None:
        """Jobs go on, and so does their line."""
        self.show_lines()

    def refresh_frame(self) -> None:
        """Lay everything out anew for the size there is."""
        self.items.relayout()
        self.show_tree()

    def show_tree(self, keep_key: str | None = None) -> None:
        """Show the accounts and what is unfolded of them."""
        table = self.places
        if self.browser.accounts is not None:
            nothing = "No account yet; run a task."
            table.empty = "No account fits." if self.browser.accounts else nothing
        table.set_rows(ListRows(self.browser.tree()), keep_key=keep_key)
        row = table.cursor_row
        self.place = row.value if row else None
        self.show_lines()

    def show_items(self, *, keep: bool = False) -> None:
        """Show the items of the place under the tree's cursor; `keep` leaves the cursor on its item."""
        try:
            self.items.show_place(self.place, self.now, keep_key=self.items.cursor_key if keep else None)
        except TuibackError as fault:
            self.tell(str(fault), "err")
        self.show_lines()
        self.show_preview()

    def show_preview(self) -> None:
        """Show what the cursor of the pane in use stands on."""
        row = self.items.cursor_row
        if self.place is None or row is None or self.focused is self.places:
            self.preview.show_place(self.place)
        else:
            self.preview.show_item(self.place, row.value)

    def show_lines(self) -> None:
        """Draw the lines around the panes."""
        width, app = self.size.width, self.console_app
        if not width:
            return
        self.show_tabs()
        self.query_one("#crumbs", LinePanel).show([crumbs_line(self.browser, self.place, width)])
        self.query_one("#timeline", LinePanel).show([timeline_line(self.browser, self.place, width)])
        self._show_titles()
        self._show_notice(app.status)

    def _show_titles(self) -> None:
        items, task = self.items, self.browser.task
        name = "DELETED" if items.deleted else "ITEMS"
        shown = range_title(name, items.top, items.body_rows, items.source.count(), complete=items.complete)
        order = "newest first" if items.deleted else f"by {'date' if items.order == 'modified' else 'name'}"
        self._title("tree-title", "ACCOUNTS", self.places, task or "")
        self._title("items-title", shown, items, order)
        self._title("preview-title", "PREVIEW", self.preview)
        self._title("wide-title", "PREVIEW", self.preview)
        for split, cross in (("split-1", "cross-1"), ("split-2", "cross-2")):
            panel = self.query_one(f"#{split}", LinePanel)
            panel.show([line(("│", "frame"))] * max(1, panel.size.height))
            self.query_one(f"#{cross}", LinePanel).show([line(("┬", "frame"))])

    def _title(self, name: str, title: str, pane: Widget, note: str = "") -> None:
        panel = self.query_one(f"#{name}", LinePanel)
        shown = rule(title, max(1, panel.size.width), note, "dim")
        if self.focused is pane:
            shown = tuple(Span(span.text, "tab-on") if span.tone == "title" else span for span in shown)
        panel.show([shown])

    def _show_notice(self, status: EngineStatus | None) -> None:
        size = size_of([*self.chosen.values()])
        told = f" {len(self.chosen)} tagged{'' if size is None else f'  {figures.size(size)}'}"
        left = line((told, "tag")) if self.chosen else line((" Space tags", "dim"))
        right = job_line(status) or line(("x dry-run, then W restores; e exports ", "dim"))
        self.query_one(NoticeLine).stand(left, right)
