"""An app that wears one of tuiback's themes, or one of the user's own."""

from collections.abc import Sequence

from textual.app import App

from tuiback.console.themes import DEFAULT_THEME, NO_COLOR_THEME, VARIABLES, chosen_theme, load_themes, theme_folders


class ThemedApp(App[None], inherit_bindings=False):
    """Begins with the theme that is asked for; load_other_themes() finds the rest behind the first frame."""

    def __init__(self, theme: str | None) -> None:
        super().__init__()
        # Only what the first frame needs.
        wanted = {theme, DEFAULT_THEME, *((NO_COLOR_THEME,) if self.no_color else ())}
        self.themes, _ = load_themes(theme_folders(), only=wanted)
        self._offer()
        self.theme = chosen_theme(theme, self.themes, no_color=self.no_color)

    def load_other_themes(self) -> Sequence[str]:
        """Load all themes; which files are none, and why."""
        self.themes, faults = load_themes(theme_folders())
        self._offer()
        return faults

    def _offer(self) -> None:
        for theme in self.themes.values():
            self.register_theme(theme)

    def turn_theme(self) -> str:
        """Put on the next of the themes; its name."""
        names = sorted(self.themes)
        place = names.index(self.theme) if self.theme in names else -1
        self.theme = chosen_theme(names[(place + 1) % len(names)], self.themes, no_color=self.no_color)
        return self.theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The variables that tuiback.tcss names, for themes that don't set them."""
        return dict(VARIABLES)
