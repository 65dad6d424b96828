"""What the main screen shows: meters, the task table, activity; from 130 columns a task's detail and a plot."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from time import monotonic

from textual import work
from textual.containers import Horizontal
from textual.widget import Widget

from tuiback.console import figures
from tuiback.console.header import late_tasks, meter_lines
from tuiback.console.screens.base import FullScreen, job_line
from tuiback.console.services import throttle_sentence, waiting
from tuiback.console.task_detail import Throughput, activity_lines, detail_lines
from tuiback.console.task_rows import WIDE, TaskLine, TaskOrder, columns_for, task_rows
from tuiback.console.widgets.lines import LinePanel, Span, line
from tuiback.console.widgets.notice import NoticeLine
from tuiback.console.widgets.rows import ListRows
from tuiback.console.widgets.tag_table import TagTable
from tuiback.errors import TuibackError
from tuiback.model import EngineStatus, TaskStatus

# The lower panes need this many lines; below, the task table keeps them.
TALL = 34
# Accounts are counted anew when a run got further, but never more often than this.
RECOUNT_SECONDS = 3.0
# Accounts become late while nothing happens at all.
RECOUNT_AT_REST_SECONDS = 60.0


class MainView(FullScreen):
    """Watches the engine: one picture at a time goes through show_status()."""

    screen_name = "Main"

    def __init__(self) -> None:
        super().__init__()
        self.order = TaskOrder()
        self.throughput = Throughput()
        self.states: dict[str, int] | None = None
        self.meters_shown = True
        self._progress: tuple[tuple[int | None, int, int, int], ...] = ()
        self._counted_at = 0.0

    # ---- layout

    def body(self) -> Iterable[Widget]:
        """Meters, tabs, tasks, detail, activity."""
        yield LinePanel(id="meters")
        yield LinePanel(id="tabs")
        yield TagTable[TaskLine](columns_for(80), id="tasks", empty="Waiting for the engine...")
        yield Horizontal(LinePanel(id="detail"), LinePanel(id="plot"), id="lower")
        yield LinePanel(id="activity")

    @property
    def tasks(self) -> TagTable[TaskLine]:
        """The task table."""
        table: TagTable[TaskLine] = self.query_one("#tasks", TagTable)
        return table

    def on_mount(self) -> None:
        """The table takes the keys."""
        self.tasks.focus()

    def on_screen_resume(self) -> None:
        """What happened while another screen was in front shows at once."""
        self.refresh_frame()

    def show_meters(self, *, shown: bool) -> None:
        """Give the meters' lines to the tasks, or back."""
        self.meters_shown = shown
        self.refresh_frame()

    # ---- showing

    def show_status(self, status: EngineStatus) -> None:
        """Show a new picture of the engine."""
        self.throughput.add(status)
        self._show(status)
        progress = tuple((task.run, task.accounts_done, task.owed, task.gone) for task in status.tasks)
        every = RECOUNT_SECONDS if progress != self._progress else RECOUNT_AT_REST_SECONDS
        if monotonic() - self._counted_at > every:
            self._progress, self._counted_at = progress, monotonic()
            self.count_states()

    def view_opened(self) -> None:
        """Count the accounts for the first time."""
        self.count_states()

    def refresh_frame(self) -> None:
        """Show the picture there is, as it fits now."""
        self._show(self.console_app.status)

    def _show(self, status: EngineStatus | None) -> None:
        width, height = self.size
        if not width:
            return
        facts = replace(self.facts(), states=self.states)
        meters = meter_lines(status, facts, width)
        panel = self.query_one("#meters", LinePanel)
        panel.display = self.meters_shown
        panel.styles.height = len(meters)
        panel.show(meters)
        self.show_tabs()
        self._show_tasks(status, width)
        self._show_lower(status, width, height)
        self._show_notice(status)

    def current_task(self, status: EngineStatus | None) -> TaskStatus | None:
        """The task under the cursor, as the picture has it now."""
        row = self.tasks.cursor_row
        if row is None or status is None:
            return None
        return next((task for task in status.tasks if task.name == row.value.task.name), None)

    def _show_tasks(self, status: EngineStatus | None, width: int) -> None:
        table = self.tasks
        table.columns = columns_for(width)
        table.sorted_by = (self.order.sort, self.order.inverted)
        if status is None:
            table.repaint()
            return
        nothing = "No tasks yet. 'tuiback task add' makes one."
        table.empty = "No task matches the filter." if self.order.pattern else nothing
        rows = task_rows(status.tasks, self.order, table.columns, status.time, late_tasks(status))
        table.set_rows(ListRows(rows))

    def _show_lower(self, status: EngineStatus | None, width: int, height: int) -> None:
        lower = self.query_one("#lower")
        lower.display = width >= WIDE and height >= TALL
        if lower.display:
            plot_width = width // 3
            detail, plot = self.query_one("#detail", LinePanel), self.query_one("#plot", LinePanel)
            detail.styles.width, plot.styles.width = width - plot_width, plot_width
            detail.show(detail_lines(self.current_task(status), width - plot_width, 10))
            plot.show(self.throughput.lines(plot_width, 10))
        rows = 4 if height < TALL else 8
        activity = self.query_one("#activity", LinePanel)
        activity.styles.height = rows
        asked = waiting(status.throttles) if status else []
        zone = figures.zone_name(status.time) if status else ""
        lines = status.activity if status else ()
        activity.show(activity_lines(lines, throttle_sentence(asked[0]) if asked else "", zone, width, rows))

    def _show_notice(self, status: EngineStatus | None) -> None:
        tasks = status.tasks if status else ()
        states = Counter(task.state.value for task in tasks)
        told = "  ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
        late = late_tasks(status) if status else ()
        told += f"  {len(late)} late!" if late else ""
        left = job_line(status) or (line((f" Tasks {len(tasks)}: ", "label"), told) if tasks else ())
        right = [Span(f"{len(self.tasks.tags)} tagged  ", "tag")] if self.tasks.tags else []
        right += [Span(f"filter:{self.order.pattern}  ", "match")] if self.order.pattern else []
        right.append(Span(f"sort:{self.order.sort.upper()} ", "dim"))
        self.query_one(NoticeLine).stand(left, tuple(right))

    @work(thread=True, exclusive=True, group="states", exit_on_error=False)
    def count_states(self) -> None:
        """Count the accounts by state, out of the catalogs."""
        from tuiback.engine.timing.lateness import ok_since

        view, now = self.console_app.view, self.now
        if view is None:
            return
        states: Counter[str] = Counter()
        try:
            for _, reader in view.readers():
                states.update(reader.count_states(ok_since(reader.tasks(), now)))
        except TuibackError as fault:
            self.app.call_from_thread(self.tell, str(fault), "err")
            return
        self.app.call_from_thread(self._take_states, dict(states))

    def _take_states(self, states: dict[str, int]) -> None:
        self.states = states
        self.refresh_frame()
