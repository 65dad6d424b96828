"""The Textual app: the keys that work everywhere, and what becomes of the engine when one leaves."""

import signal

from textual import on, work
from textual.command import Provider
from textual.driver import Driver
from textual.screen import Screen

from tuiback.console.engine_app import EngineApp
from tuiback.console.keys import EVERYWHERE, bindings
from tuiback.console.screens.main import MainScreen
from tuiback.console.screens_app import ScreensApp
from tuiback.errors import TuibackError


def _commands() -> type[Provider]:
    # The palette's machinery is only loaded when it is opened.
    from tuiback.console.palette import KeyCommands

    return KeyCommands


class Console(ScreensApp):
    """tuiback's console."""

    CSS_PATH = "tuiback.tcss"
    TITLE = "tuiback"
    BINDINGS = bindings(EVERYWHERE)
    COMMANDS = {_commands}  # noqa: RUF012  Textual reads a plain set

    _end_when_connected: str | None = None
    _ended_by_signal = False
    _exit_code = 0

    def get_driver_class(self) -> type[Driver]:
        """The driver that survives a terminal's hang-up."""
        from tuiback.console.terminal import TerminalDriver

        return TerminalDriver

    def get_default_screen(self) -> Screen[None]:
        """The main screen is the one below all others."""
        return MainScreen()

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG. Without the attribute some renderers drop blanks where a run of text begins."""
        picture = super().export_screenshot(title=title, simplify=simplify)
        return picture.replace("<text ", '<text xml:space="preserve" ')

    # ---- keys that work everywhere

    def action_help(self) -> None:
        """The keys of the screen in front."""
        from tuiback.console.screens.help import HelpScreen

        if self.front is not None and self.screen is self.front:
            self.push_screen(HelpScreen(self.front.screen_name))

    async def action_back(self) -> None:
        """Leave the screen in front; the main screen stays."""
        if self.front is not None and not self.front.step_back() and len(self.screen_stack) > 1:
            self.pop_screen()

    def action_meters(self) -> None:
        """Meters on or off."""
        self.meters_shown = not self.meters_shown
        if self.front:
            self.front.show_meters(shown=self.meters_shown)

    def action_pause_display(self) -> None:
        """Hold the picture still; the engine goes on."""
        self.display_paused = not self.display_paused
        if self.front:
            self.front.refresh_frame()

    def action_next_theme(self) -> None:
        """The next of tuiback's themes."""
        self.tell(f"Theme {self.turn_theme()}")

    def action_suspend(self) -> None:
        """Suspend this process, unless the engine lives in it."""
        if self.hosting:
            self.tell("Refused: this terminal hosts the engine, which would stop", "warn")
        else:
            self.action_suspend_process()

    # ---- leaving

    def action_leave(self) -> None:
        """Back from a screen; from the main screen quit, asking first what becomes of a hosted engine."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.hosting:
            self._ask_to_leave()
        else:
            self.finish(None)

    def _ask_to_leave(self) -> None:
        from tuiback.console.dialogs.confirm import quit_dialog

        can_keep = self.options.keep_running is not None
        self.push_screen(quit_dialog(can_keep=can_keep), self._leave_hosted)

    async def action_quit(self) -> None:
        """Textual's own quit asks like every other."""
        self.action_leave()

    def _leave_hosted(self, answer: str | None) -> None:
        if answer is not None:
            self.finish(answer)

    @work(thread=True, group="engine")
    def finish(self, answer: str | None) -> None:
        """Keep or stop the hosted engine, or hang up, then end; a thread, because stopping may take seconds."""
        self.call_later(self.tell, "Stopping the engine at a checkpoint..." if answer == "stop" else "Leaving...")
        told = None
        try:
            self._part(answer)
        except TuibackError as fault:
            told = str(fault)
        self.call_later(self.exit, return_code=self._exit_code, message=told)

    def _part(self, answer: str | None) -> None:
        link = self.link
        if link is not None and answer == "keep" and self.options.keep_running:
            self.options.keep_running(link)
        elif link is not None and answer == "stop" and self.options.stop:
            self.options.stop(link)
        elif link is not None:
            link.close()

    # ---- signals

    def on_load(self) -> None:
        """A terminal that hangs up leaves the engine running where it can; SIGTERM and SIGINT stop it cleanly."""
        if self._loop is not None and not self.is_headless:
            on_hang_up = "keep" if self.options.keep_running else "stop"
            self._loop.add_signal_handler(signal.SIGHUP, self._end_by_signal, on_hang_up)
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._end_by_signal, "stop", 128 + number)

    def _end_by_signal(self, answer: str, code: int = 0) -> None:
        if self._ended_by_signal:
            # The closing goes on undisturbed.
            return
        self._ended_by_signal = True
        self._exit_code = code
        if self.link is None:
            # What is just being opened must be closed too: the end waits for it.
            self._end_when_connected = answer
        else:
            self.finish(answer if self.hosting else None)

    @on(EngineApp.Connected)
    @on(EngineApp.Failed)
    def end_if_wanted(self) -> None:
        """Carry out the end that a signal asked for while the engine was being opened."""
        if self._end_when_connected is not None:
            self.finish(self._end_when_connected if self.hosting else None)
