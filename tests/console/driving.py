"""Starts the console over fakes and waits for what its threads bring."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from tests.console.fakes import FakeCatalog, FakeLink, FakeView, busy_status, office
from tuiback.console.app import Console
from tuiback.console.options import ConsoleOptions
from tuiback.console.screens.restore import RestoreScreen
from tuiback.console.text import cell_width

DEADLINE_SECONDS = 20.0
# A key climbs from its widget to the app, becomes a widget's message, and that climbs to the screen.
MESSAGE_HOPS = 40
QUIET_ROUNDS = 4


@dataclass
class Driven:
    """A running console and the hands on it."""

    app: Console
    pilot: Pilot[None]
    link: FakeLink

    def lines(self) -> list[str]:
        """What stands on the screen, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for strip in [strip] for segment in strip) for strip in strips]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines())

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the console work until something holds."""
        deadline = monotonic() + DEADLINE_SECONDS
        while not condition():
            assert monotonic() < deadline, f"this never came, focus {self.app.focused}:\n{self.text}"
            await self.pilot.pause(0.02)

    async def sees(self, text: str) -> None:
        """Wait until a text stands on the screen."""
        await self.until(lambda: text in self.text)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other; each is through with all it set off on this loop."""
        for key in keys:
            typed = len(key) == 1
            self.app.post_message(Key(_character_to_key(key) if typed else key, key if typed else None))
            await self.settle()

    async def settle(self) -> None:
        """Wait until the messages there are, and the ones they post in turn, are handled; no clock involved."""
        quiet = 0
        for _ in range(MESSAGE_HOPS):
            await self.pilot._wait_for_screen()
            nodes = [self.app, *self.app.screen.walk_children(with_self=True)]
            quiet = 0 if any(node.message_queue_size for node in nodes) else quiet + 1
            if quiet == QUIET_ROUNDS:
                return

    def assert_fits(self, width: int, height: int) -> None:
        """No line is longer or shorter than the screen, and there are just as many as it has."""
        lines = self.lines()
        assert len(lines) == height
        assert {cell_width(one) for one in lines} == {width}


@asynccontextmanager
async def driven(
    *, size: tuple[int, int] = (80, 24), link: FakeLink | None = None, catalog: FakeCatalog | None = None,
    view: FakeView | None = None, options: ConsoleOptions | None = None,
) -> AsyncIterator[Driven]:
    """A console over a busy engine and a small office."""
    engine = link or FakeLink([busy_status()])
    view = view or FakeView(catalog or office())
    app = Console(lambda: engine, lambda: view, options or ConsoleOptions(refresh_seconds=0.05))
    async with app.run_test(size=size) as pilot:
        hands = Driven(app, pilot, engine)
        await hands.until(lambda: app.view is not None)
        if engine.pictures:
            await hands.until(lambda: app.status is not None)
        yield hands


async def in_restore(hands: Driven, keys: Sequence[str] = ()) -> RestoreScreen:
    """Go to the restore browser and wait for its accounts."""
    await hands.press("3")
    screen = hands.app.restore_screen
    assert screen is not None
    await hands.until(lambda: screen.browser.accounts is not None and screen.place is not None)
    await hands.press(*keys)
    return screen
