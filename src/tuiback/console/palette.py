"""The palette's commands: the rows of the key table that make sense on the screen in front."""

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tuiback.console.keys import EVERYWHERE, SCREENS, Key


class KeyCommands(Provider):
    """Finds commands by what they do or by their key."""

    def _keys(self) -> Iterator[tuple[str, Key]]:
        keys = (*SCREENS.get(getattr(self.screen, "screen_name", ""), ()), *EVERYWHERE)
        read_only = bool(getattr(self.app, "read_only", False))
        for key in keys:
            if key.palette_action and not (read_only and key.changes):
                yield f"{key.title}  ({key.shown})", key

    async def _press(self, action: str) -> None:
        """Run an action where its key would have: in the pane in use, on the screen, or in the app."""
        name = f"action_{action.partition('(')[0]}"
        nodes = (self.screen.focused, self.screen, self.app)
        node = next(node for node in nodes if node is not None and hasattr(node, name))
        await self.app.run_action(action, default_namespace=node)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for title, key in self._keys():
            yield DiscoveryHit(title, partial(self._press, key.action))

    async def search(self, query: str) -> Hits:
        """The ones that match, the best first."""
        matcher = self.matcher(query)
        for title, key in self._keys():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), partial(self._press, key.action))
