"""What screens of one list show: the list, and a pane about the row under the cursor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, ClassVar, Generic, TypeVar

from textual import on, work
from textual.widget import Widget

from tuiback.console.ports import ConsoleView
from tuiback.console.screens.base import FullScreen, job_share
from tuiback.console.task_detail import rule
from tuiback.console.widgets.lines import Line, LinePanel, Span, line
from tuiback.console.widgets.notice import NoticeLine
from tuiback.console.widgets.rows import Column, MadeRows, Row
from tuiback.console.widgets.table import Table
from tuiback.console.widgets.tag_table import TagTable
from tuiback.console.widgets.text_pane import TextPane
from tuiback.errors import TuibackError
from tuiback.model import EngineStatus

V = TypeVar("V")

# Accounts become late while nothing happens at all.
REREAD_AT_REST_SECONDS = 60.0
# Terminals of so many lines give the lower pane more of them.
TALL = 34


class ListContent(FullScreen, Generic[V]):
    """Subclasses say what is read, how a row looks, and what is told of the row under the cursor."""

    list_title: ClassVar[str] = ""
    about_title: ClassVar[str] = "DETAIL"
    # What stands above the key bar.
    hint: ClassVar[str] = ""
    tagging: ClassVar[bool] = False
    detail_rows: ClassVar[tuple[int, int]] = (6, 12)
    # What the catalogs say is read again while one looks, but not with every picture.
    reread_seconds: ClassVar[float] = 5.0
    sort_keys: ClassVar[Mapping[str, Callable[[Any], Any]]]

    def __init__(self) -> None:
        super().__init__()
        self.values: Sequence[V] | None = None
        self.shown: Sequence[V] = ()
        self.pattern = ""
        self.searched = ""
        self.sort = next(iter(self.sort_keys))
        self.inverted = False
        self._read_at = float("-inf")
        self._seen: object = None

    def read(self, view: ConsoleView) -> Sequence[V]:
        """The values, out of the catalogs; called in a thread. Raises what the catalogs raise."""
        raise NotImplementedError

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        raise NotImplementedError

    def key(self, value: V) -> str:
        """Names the value over readings."""
        raise NotImplementedError

    def cells(self, value: V) -> Mapping[str, str | Line]:
        """What stands in the columns, by their keys."""
        raise NotImplementedError

    def words(self, value: V) -> str:
        """What search and filter look at."""
        raise NotImplementedError

    def details(self, value: V, width: int) -> list[Line]:
        """What is told of the value under the cursor."""
        raise NotImplementedError

    def wanted(self, _value: V) -> bool:
        """Whether the screen shows the value at all."""
        return True

    def counts(self) -> str:
        """What stands at the right of the title: how many of which."""
        return ""

    def nothing(self) -> str:
        """What an empty screen says: the next key."""
        return "Nothing here."

    def head(self) -> Iterable[Widget]:
        """What stands above the list."""
        return ()

    def show_head(self) -> None:
        """Draw what stands above the list."""


class ListView(ListContent[V]):
    """Reads the values in a thread, and shows them."""

    # ---- layout

    def body(self) -> Iterable[Widget]:
        """Tabs, the list under its title, and the pane about the row."""
        yield LinePanel(id="tabs")
        yield from self.head()
        yield LinePanel(id="list-title")
        table: Table[V] = (TagTable if self.tagging else Table)((), id="list", empty="Reading...")
        yield table
        yield LinePanel(id="about-title")
        yield TextPane(id="about")

    @property
    def table(self) -> Table[V]:
        """The list."""
        table: Table[V] = self.query_one("#list", Table)
        return table

    @property
    def current(self) -> V | None:
        """What the cursor stands on."""
        row = self.table.cursor_row
        return row.value if row else None

    def chosen(self) -> list[V]:
        """What is tagged; where nothing is, what the cursor stands on."""
        if self.table.tags:
            return list(self.table.tags.values())
        return [] if self.current is None else [self.current]

    # ---- reading

    def on_mount(self) -> None:
        """The list takes the keys."""
        self.table.focus()

    def on_screen_resume(self) -> None:
        """What stands here may be old."""
        self.reread()

    def view_opened(self) -> None:
        """The catalogs can be asked from now on."""
        self.reread()

    def show_status(self, status: EngineStatus) -> None:
        """Read again when something happened, and let ages grow."""
        seen = tuple((task.run, task.accounts_done, task.owed, task.gone, task.last_run_at) for task in status.tasks)
        rest = REREAD_AT_REST_SECONDS if (seen, len(status.jobs)) == self._seen else self.reread_seconds
        if monotonic() - self._read_at > rest:
            self._seen = seen, len(status.jobs)
            self.reread()
        if self.values is None:
            self.refresh_frame()
        elif self.size.width:
            self.table.repaint()
            self.show_lines()

    def reread(self) -> None:
        """Read the values again."""
        self._read_at = monotonic()
        if self.console_app.view is not None:
            self._read(self.console_app.view)

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _read(self, view: ConsoleView) -> None:
        try:
            values = self.read(view)
        except TuibackError as fault:
            self.call_later(self.tell, str(fault), "err")
        else:
            self.call_later(self.take, values)

    def take(self, values: Sequence[V]) -> None:
        """Show other values."""
        self.values = values
        self.show_values()

    # ---- showing

    def refresh_frame(self) -> None:
        """Draw everything for the size and time there are."""
        if self.size.width:
            self.show_values()

    def show_values(self) -> None:
        """Choose and order the values, and show them."""
        pattern = self.pattern.casefold()
        shown = [one for one in self.values or () if self.wanted(one) and pattern in self.words(one).casefold()]
        shown.sort(key=self.sort_keys[self.sort], reverse=self.inverted)
        self.shown = shown
        table = self.table
        table.columns = self.columns(self.size.width)
        table.sorted_by = (self.sort, self.inverted)
        if self.values is not None:
            table.empty = "Nothing fits the filter; Esc clears it." if self.values else self.nothing()
        elif self.console_app.view is None:
            table.empty = self.console_app.why_no_view
        table.set_rows(MadeRows(shown, self.key, self._row))
        self.show_lines()

    def _row(self, value: V) -> Row[V]:
        cells = self.cells(value)
        return Row(self.key(value), tuple(cells.get(column.key, "") for column in self.table.columns), value)

    def show_lines(self) -> None:
        """Draw the lines around the list, and the pane about its row."""
        width, height = self.size
        self.show_tabs()
        self.show_head()
        table = self.table
        count = len(self.shown)
        first = table.top + 1 if count else 0
        title = f"{self.list_title} {first}-{min(table.top + table.body_rows, count)} of {count}"
        self.query_one("#list-title", LinePanel).show([rule(title, width, self.counts(), "dim")])
        about = self.query_one("#about", TextPane)
        about.styles.height = self.detail_rows[0] if height < TALL else self.detail_rows[1]
        about.put([(Span(" "), *one) for one in self.about(width - 2)], keep=True)
        self.query_one("#about-title", LinePanel).show([rule(self.about_title, width)])
        self._show_notice()

    def about(self, width: int) -> list[Line]:
        """What stands in the lower pane."""
        current = self.current
        return self.details(current, width) if current is not None else []

    def _show_notice(self) -> None:
        right: list[Span] = []
        if job := job_share(self.console_app.status):
            right.append(Span(f"{job}  ", "label"))
        if self.table.tags:
            right.append(Span(f"{len(self.table.tags)} tagged  ", "tag"))
        if self.pattern:
            right.append(Span(f"filter:{self.pattern}  ", "match"))
        right.append(Span(f"sort:{self.sort.upper()} ", "dim"))
        self.query_one(NoticeLine).stand(line((self.hint, "dim")), tuple(right))

    @on(Table.Moved)
    def row_changed(self) -> None:
        """The pane follows the cursor."""
        self.show_lines()
