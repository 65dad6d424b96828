"""What every full screen shares: notice line, key bar, and a word when the terminal is too small."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from tuiback.console import figures
from tuiback.console.header import HeaderFacts, tab_line
from tuiback.console.keys import EVERYWHERE, SCREENS, labelled
from tuiback.console.widgets.gauge import bar
from tuiback.console.widgets.key_bar import KeyBar
from tuiback.console.widgets.lines import Line, LinePanel, Span, line
from tuiback.console.widgets.notice import NoticeLine
from tuiback.console.widgets.search_box import SearchBox
from tuiback.model import EngineStatus

if TYPE_CHECKING:
    from tuiback.console.app import Console

SMALLEST_WIDTH, SMALLEST_HEIGHT = 60, 16


def job_line(status: EngineStatus | None) -> Line:
    """The restore or export that runs now and how far it is; empty when there is none."""
    running = [job for job in (status.jobs if status else ()) if job.state != "ended"]
    if not running:
        return ()
    job = running[0]
    more = f" and {len(running) - 1} more" if len(running) > 1 else ""
    figure = f" {job.done}/{job.total} items  {figures.size(job.bytes_done)}"
    failed = (Span(f"  {job.failed} failed", "err"),) if job.failed else ()
    share = job.done / job.total if job.total else 0.0
    # What it is about comes last: where room is short that gives way.
    return (
        Span(f" {job.kind} ", "label"), *bar(share, 14, "", "low"), Span(figure), *failed, Span(more),
        Span(f"  {job.subject}", "dim"),
    )


def job_share(status: EngineStatus | None) -> str:
    """The job that runs now in a word and a figure, where there is no room for a line: restore 28%."""
    running = [job for job in (status.jobs if status else ()) if job.state != "ended"]
    if not running:
        return ""
    job = running[0]
    more = f" +{len(running) - 1}" if len(running) > 1 else ""
    return f"{job.kind} {job.done / job.total:.0%}{more}" if job.total else f"{job.kind}{more}"


class FullScreen(Screen[None]):
    """A screen of the console; `body` is what lies between the tabs and the notice line."""

    screen_name: ClassVar[str] = ""
    ALLOW_SELECT = False
    # Set when the widgets stand; a screen just pushed is on the stack before it has any.
    composed = False

    @property
    def console_app(self) -> "Console":
        """The app, by its own type."""
        return cast("Console", self.app)

    @property
    def now(self) -> datetime:
        """The engine's time, by which ages are told."""
        status = self.console_app.status
        return status.time if status else datetime.now(UTC)

    def facts(self) -> HeaderFacts:
        """How this console stands to the engine."""
        app = self.console_app
        return HeaderFacts(
            hosted=app.hosting,
            demo=app.options.demo,
            paused=app.display_paused,
            silent_seconds=app.silent_seconds,
            refresh_seconds=app.options.refresh_seconds,
            role=app.role,
            unprotected=app.unprotected,
        )

    def show_tabs(self) -> None:
        """Draw the line of screens."""
        shown = tab_line(self.screen_name, self.console_app.status, self.facts(), self.size.width)
        self.query_one("#tabs", LinePanel).show([shown])

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        yield from self.body()
        yield SearchBox()
        yield NoticeLine()
        keys = labelled((*SCREENS[self.screen_name], *EVERYWHERE))
        yield KeyBar(keys, read_only=self.console_app.read_only)
        small = LinePanel(id="small")
        small.display = False
        yield small

    def on_mount(self) -> None:
        """From here on the screen can be shown things."""
        self.composed = True

    def body(self) -> Iterable[Widget]:
        """The screen's own widgets."""
        return ()

    def show_status(self, status: EngineStatus) -> None:
        """Show a new picture of the engine."""

    def view_opened(self) -> None:
        """The catalogs can be asked from now on."""

    def refresh_frame(self) -> None:
        """Show what changes without a new picture: pause, theme, meters."""

    def show_meters(self, *, shown: bool) -> None:
        """Show or hide the meters, where the screen has any."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002  Textual's
        """With --read-only, what changes something is no key at all."""
        changing = {key.action for key in SCREENS[self.screen_name] if key.changes}
        return not (self.console_app.read_only and action in changing)

    def step_back(self) -> bool:
        """Undo one step of what Esc undoes here; False when there is none, and the screen may be left."""
        return False

    def tell(self, text: str, tone: str = "notice") -> None:
        """Say what just happened."""
        self.query_one(NoticeLine).tell(text, tone)

    def on_resize(self, event: events.Resize) -> None:
        """Below 60x16 say so instead of breaking."""
        small = event.size.width < SMALLEST_WIDTH or event.size.height < SMALLEST_HEIGHT
        panel = self.query_one("#small", LinePanel)
        if small:
            panel.show([line(("terminal too small", "warn")), line(f"needs {SMALLEST_WIDTH}x{SMALLEST_HEIGHT}")])
        self.set_class(small, "-small")
        panel.display = small
        if not small:
            self.call_after_refresh(self.refresh_frame)
