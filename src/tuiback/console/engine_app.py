"""The app's line to the engine: connects after the first frame, takes a picture a second, sends commands."""

import gc
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from textual import on, work
from textual.css.query import NoMatches
from textual.message import Message

from tuiback.console.header import SILENT_SECONDS
from tuiback.console.keys import SCREENS
from tuiback.console.options import ConsoleOptions
from tuiback.console.ports import ConsoleLink, ConsoleView
from tuiback.console.screens.base import FullScreen
from tuiback.console.themed_app import ThemedApp
from tuiback.console.widgets.notice import NoticeLine
from tuiback.errors import TuibackError
from tuiback.model import AlertStatus, EngineStatus

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode

    from tuiback.engine.commands import Command

CLOSED_KEPT = 50

Answer = Callable[[dict[str, object] | None, TuibackError | None], None]


class EngineApp(ThemedApp, inherit_bindings=False):
    """Holds the line to the engine. `connect` and `view` run in a thread once the first frame stands."""

    @dataclass
    class Connected(Message):
        """The engine is there."""

        link: ConsoleLink

    @dataclass
    class Opened(Message):
        """The catalogs can be read."""

        view: ConsoleView

    @dataclass
    class Closed(Message):
        """The catalogs can't be read here; what the engine shows can be seen all the same."""

        fault: TuibackError

    @dataclass
    class Failed(Message):
        """Something that ran in a thread failed for a reason people can read."""

        title: str
        fault: TuibackError

    @dataclass
    class Answered(Message):
        """A command's answer came."""

        future: "Future[dict[str, object]]"
        answer: Answer

    def __init__(
        self, connect: Callable[[], ConsoleLink], view: Callable[[], ConsoleView], options: ConsoleOptions
    ) -> None:
        self._connect_engine = connect
        self._open_view = view
        self.options = options
        self.read_only = options.read_only
        self.link: ConsoleLink | None = None
        self.view: ConsoleView | None = None
        self.why_no_view = "The repository is still being opened"
        self.status: EngineStatus | None = None
        self.display_paused = False
        self.meters_shown = True
        # What closed while this console was open, the newest first: nobody else remembers it but the log.
        self.closed_alerts: deque[tuple[AlertStatus, datetime]] = deque(maxlen=CLOSED_KEPT)
        # How many accounts no task covers, once the Coverage screen has asked.
        self.unprotected = 0
        self._news_at = 0.0
        super().__init__(options.theme)

    # ---- the engine

    def on_mount(self) -> None:
        """Paint first; the key is derived and the engine started behind the first frame."""
        self.call_after_refresh(self._after_first_frame)
        self.set_interval(self.options.refresh_seconds, self.tick)

    def _after_first_frame(self) -> None:
        gc.enable()
        self.start_engine()
        for fault in self.load_other_themes()[:1]:
            self.tell(fault, "warn")

    @work(thread=True, group="engine")
    def start_engine(self) -> None:
        """Connect, then open the catalogs."""
        try:
            self.post_message(self.Connected(self._connect_engine()))
        except TuibackError as fault:
            self.post_message(self.Failed("The engine can't be reached", fault))
            return
        try:
            self.post_message(self.Opened(self._open_view()))
        except TuibackError as fault:
            self.post_message(self.Closed(fault))

    @on(Connected)
    def take_connected(self, event: Connected) -> None:
        """Show the first picture at once, and look after the terminal's end from now on."""
        self.link = event.link
        self.tick()

    @on(Opened)
    def take_opened(self, event: Opened) -> None:
        """The catalogs can be asked from now on."""
        self.view = event.view
        for screen in self.screen_stack:
            if isinstance(screen, FullScreen):
                screen.view_opened()

    @on(Closed)
    def take_closed(self, event: Closed) -> None:
        """Say so now, and wherever the catalogs would be needed."""
        self.why_no_view = str(event.fault)
        self.tell(self.why_no_view, "warn")

    @on(Failed)
    def take_failed(self, event: Failed) -> None:
        """What failed is read and closed; the console stays."""
        from tuiback.console.dialogs.confirm import message_dialog

        self.push_screen(message_dialog(event.title, str(event.fault)))

    def tick(self) -> None:
        """Take the newest picture and hand it to the screen in front."""
        status = self.link.status() if self.link else None
        screen = self.front
        if screen is None:
            return
        if self.link is None and (busy_with := self.options.starting()):
            screen.tell(busy_with, "notice")
        # A closing app takes its widgets away before their screen.
        with suppress(NoMatches):
            self._show_news(screen, status)

    def _show_news(self, screen: FullScreen, status: EngineStatus | None) -> None:
        screen.query_one(NoticeLine).repaint()
        shown = self.status.number if self.status else None
        if status is not None and not self.display_paused and status.number != shown:
            self._note_closed_alerts(status)
            self.status, self._news_at = status, monotonic()
            screen.show_status(status)
        elif self.silent_seconds >= SILENT_SECONDS:
            screen.refresh_frame()

    def _note_closed_alerts(self, status: EngineStatus) -> None:
        open_now = {alert.alert for alert in status.alerts}
        for alert in self.status.alerts if self.status else ():
            if alert.alert not in open_now:
                self.closed_alerts.appendleft((alert, status.time))

    @property
    def silent_seconds(self) -> float:
        """How long the engine has sent no new picture, 0 before the first and while the display is paused."""
        return 0.0 if self.status is None or self.display_paused else monotonic() - self._news_at

    @property
    def front(self) -> FullScreen | None:
        """The topmost full screen that stands, below whatever dialog is open."""
        full = (screen for screen in reversed(self.screen_stack) if isinstance(screen, FullScreen))
        return next((screen for screen in full if screen.composed), None)

    def tell(self, text: str, tone: str = "notice") -> None:
        """Say something on whatever screen is in front."""
        if self.front is not None:
            self.front.tell(text, tone)

    @property
    def hosting(self) -> bool:
        """Whether the engine runs in this process."""
        return self.link is not None and self.link.hosted

    @property
    def role(self) -> str:
        """What the engine lets the person here do."""
        return self.link.role if self.link else "admin"

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: "DOMNode | None" = None,
        namespaces: "Mapping[str, DOMNode] | None" = None,
    ) -> bool:
        """Say at once that somebody who only looks on may not do this, before anything is asked."""
        if self.role == "viewer" and self.front is not None and self.screen is self.front:
            changing = {key.action for key in SCREENS[self.front.screen_name] if key.changes}
            if action in changing or (isinstance(action, str) and action.removeprefix("screen.") in changing):
                self.tell("You look on here as viewer: that needs the role operator", "warn")
                return True
        return await super().run_action(action, default_namespace, namespaces)

    def submit(self, command: "Command", answer: Answer) -> None:
        """Send a command; `answer` is called on this loop with the result or the error."""
        if self.link is None:
            answer(None, TuibackError("there is no engine yet", remedy="wait for the repository to open"))
            return
        future = self.link.submit(command)
        future.add_done_callback(lambda done: self.post_message(self.Answered(done, answer)))

    @on(Answered)
    def take_answered(self, event: Answered) -> None:
        """Hand a command's answer to whoever asked."""
        try:
            result = event.future.result()
        except TuibackError as fault:
            event.answer(None, fault)
        else:
            event.answer(result, None)

