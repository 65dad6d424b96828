"""The app's screens: each is made when it is first shown, and goes on as it was left."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tuiback.console.engine_app import EngineApp
from tuiback.console.screens.base import FullScreen

if TYPE_CHECKING:
    from tuiback.console.screens.restore import RestoreScreen

S = TypeVar("S", bound=FullScreen)


class ScreensApp(EngineApp):
    """Goes from screen to screen. The main screen lies below all others; a key of a screen brings one there."""

    restore_screen: "RestoreScreen | None" = None

    def _bring(self, name: str, make: Callable[[], S], prepare: Callable[[S], None] = lambda _: None) -> None:
        """Put the screen in front: uncovered where it lies below others, else on top of what is there."""
        if self.screen is not self.front:
            return  # a dialog is answered first
        if name not in self._installed_screens:
            self.install_screen(make(), name)
        screen: S = self.get_screen(name)  # type: ignore[assignment]  # installed under its name above
        prepare(screen)
        if screen in self.screen_stack:
            while self.screen is not screen:
                self.pop_screen()
        else:
            self.push_screen(name)

    def _go(self, name: str, make: Callable[[], S], prepare: Callable[[S], None] = lambda _: None) -> None:
        """Put the screen on the main one, whatever lay there."""
        self.action_show_main()
        self._bring(name, make, prepare)

    # ---- the screens with a key of their own

    def action_show_main(self) -> None:
        """To the main screen."""
        while len(self.screen_stack) > 1 and self.screen is self.front:
            self.pop_screen()

    def action_show_accounts(self) -> None:
        """To the list of accounts."""
        self.action_show_main()
        self.open_accounts()

    def action_show_restore(self) -> None:
        """To the restore browser, as it was left."""
        self.action_show_main()
        self.open_restore()

    def action_show_activity(self) -> None:
        """To what the engine did."""
        from tuiback.console.screens.activity import ActivityScreen

        self._go("activity", ActivityScreen)

    def action_show_storage(self) -> None:
        """To what is kept, and how much room there is."""
        from tuiback.console.screens.storage import StorageScreen

        self._go("storage", StorageScreen)

    def action_show_coverage(self) -> None:
        """To who is protected by no task."""
        from tuiback.console.screens.coverage import CoverageScreen

        self._go("coverage", CoverageScreen)

    def action_show_jobs(self) -> None:
        """To restores, exports, checks and prunes."""
        from tuiback.console.screens.jobs import JobsScreen

        self._go("jobs", JobsScreen)

    def action_show_tenants(self) -> None:
        """To the tenants."""
        from tuiback.console.screens.tenants import TenantsScreen

        self._go("tenants", TenantsScreen)

    def action_show_alerts(self) -> None:
        """To what asks for somebody."""
        from tuiback.console.screens.alerts import AlertsScreen

        self._go("alerts", AlertsScreen)

    # ---- the screens as others open them

    def open_restore(self, *, task: str | None = None, account_id: str | None = None) -> None:
        """Show the restore browser; with a task or an account, opened on it."""
        view = self.view
        if view is None:
            self.tell(self.why_no_view, "warn")
            return
        from tuiback.console.screens.restore import RestoreScreen

        def make() -> RestoreScreen:
            self.restore_screen = RestoreScreen(view)
            return self.restore_screen

        self._bring("restore", make)
        if self.restore_screen is not None and self.screen is self.restore_screen:
            self.restore_screen.open_on(task, account_id)

    def open_accounts(self, *, state: str = "") -> None:
        """Show the list of accounts, or those of one state."""
        from tuiback.console.screens.accounts import AccountsScreen

        self._bring("accounts", AccountsScreen, lambda screen: screen.show_state(state))

    def open_owed(self, *, task: str | None = None, account_id: str | None = None, called: str = "") -> None:
        """Show what a task or an account owes."""
        from tuiback.console.screens.owed import OwedScreen

        self._bring("owed", OwedScreen, lambda screen: screen.open_on(task, account_id, called or task or ""))

    def open_task(self, name: str) -> None:
        """Show a task's plan and its runs."""
        from tuiback.console.screens.task import TaskScreen

        self._bring("task", TaskScreen, lambda screen: screen.open_on(name))

    def open_about(self, kind: str, about: str) -> bool:
        """Show what an alert of this kind is about; False where there is no screen for it."""
        match kind:
            case "failed" | "late":
                self.open_task(about)
            case "partial":
                self.open_owed(task=about)
            case "gone":
                self.open_accounts(state="gone")
            case "credential" | "consent":
                self.action_show_tenants()
            case "low" | "full" | "missing" | "damage":
                self.action_show_storage()
            case _:
                return False
        return True
