"""The app starts before the engine, tells what fails, and asks before it leaves."""

import subprocess
import sys
from threading import Event

from tests.console.driving import Driven, driven
from tests.console.fakes import FakeLink, FakeView, busy_status, office
from tuiback.console.app import Console
from tuiback.console.options import ConsoleOptions
from tuiback.console.ports import ConsoleLink
from tuiback.errors import EnvironmentFault, WrongKey


async def test_the_first_frame_does_not_wait_for_the_engine() -> None:
    """The screen stands while connect() still derives the key."""
    may_go = Event()

    def connect() -> FakeLink:
        assert may_go.wait(20)
        return FakeLink([busy_status()])

    app = Console(connect, lambda: FakeView(office()), ConsoleOptions(refresh_seconds=0.02))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = "\n".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
        assert "connecting" in text
        assert app.link is None
        may_go.set()
        while app.status is None:
            await pilot.pause(0.01)


async def test_a_long_start_says_what_it_is_busy_with() -> None:
    """As after an upgrade, when databases are copied."""
    may_go = Event()

    def connect() -> ConsoleLink:
        assert may_go.wait(20)
        return FakeLink([busy_status()])

    options = ConsoleOptions(refresh_seconds=0.02, starting=lambda: "catalog.db: copying, 45 %")
    app = Console(connect, lambda: FakeView(office()), options)
    async with app.run_test(size=(80, 24)) as pilot:
        text = ""
        while "catalog.db: copying, 45 %" not in text:
            await pilot.pause(0.01)
            text = "\n".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
        assert app.link is None
        may_go.set()
        while app.status is None:
            await pilot.pause(0.01)


async def test_a_failing_start_is_a_dialog() -> None:
    """The reason stands in a dialog; the console stays open and can be left."""

    def connect() -> ConsoleLink:
        raise WrongKey("the passphrase does not fit", "/nas/[bold]repo", "try another")

    app = Console(connect, lambda: FakeView(office()), ConsoleOptions())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        while len(app.screen_stack) < 2:
            await pilot.pause(0.01)
        await pilot.pause()
        text = "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
        assert "/nas/[bold]repo: the passphrase does not fit; try another" in text
        await pilot.press("enter")
        assert len(app.screen_stack) == 1


async def test_an_attached_console_leaves_without_asking() -> None:
    """Leaving hangs up; the engine is not ours."""
    async with driven() as hands:
        await hands.press("q")
        await hands.until(lambda: hands.link.closed)


async def test_a_hosting_console_asks_and_cancel_stays() -> None:
    """Nothing happens to the engine on Esc."""
    async with driven(link=FakeLink([busy_status()], hosted=True)) as hands:
        await hands.sees("THIS TERMINAL - schedules stop when you leave")
        await hands.press("f10")
        await hands.sees("This terminal hosts the engine")
        await hands.press("escape")
        assert not hands.link.closed
        assert hands.app.is_running


async def test_keep_running_is_the_default_where_it_can_be() -> None:
    """Enter in the quit dialog hands the engine over instead of stopping it."""
    kept: list[ConsoleLink] = []
    options = ConsoleOptions(refresh_seconds=0.02, keep_running=kept.append)
    async with driven(link=FakeLink([busy_status()], hosted=True), options=options) as hands:
        await hands.press("q", "enter")
        await hands.until(lambda: kept)
        assert kept == [hands.link]
        assert not hands.link.closed


async def test_stop_ends_the_hosted_engine() -> None:
    """Stop closes the link, which checkpoints the runs."""
    async with driven(link=FakeLink([busy_status()], hosted=True)) as hands:
        await hands.press("q", "left", "enter")
        await hands.until(lambda: hands.link.closed)


async def test_suspending_is_refused_while_hosting() -> None:
    """ctrl+z would stop the engine with the terminal."""
    async with driven(link=FakeLink([busy_status()], hosted=True)) as hands:
        await hands.press("ctrl+z")
        await hands.sees("Refused: this terminal hosts the engine")


def test_the_first_frame_loads_nothing_heavy() -> None:
    """Up to the first frame neither the engine, nor SQLite, nor HTTP, nor cryptography is imported."""
    heavy = ("tuiback.engine", "tuiback.catalog", "tuiback.store", "tuiback.graph", "sqlite3", "httpx", "msal",
             "cryptography", "aiohttp", "email.parser")
    code = f"import sys, tuiback.console.app; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_options_and_ports_load_no_textual() -> None:
    """The command line can name the options without paying for the screen."""
    code = "import sys, tuiback.console; print('textual' in sys.modules or 'rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


async def test_a_home_of_somebody_else_can_be_watched() -> None:
    """The engine shows what goes on; where the catalogs would be needed the reason stands instead."""

    def closed() -> FakeView:
        raise EnvironmentFault("the home can't be read", "/srv/nas", "ask its engine")

    engine = FakeLink([busy_status()])
    app = Console(lambda: engine, closed, ConsoleOptions(refresh_seconds=0.05))
    async with app.run_test(size=(80, 24)) as pilot:
        hands = Driven(app, pilot, engine)
        await hands.sees("the home can't be read; ask its engine")
        await hands.sees("exo-shared")
        await hands.press("3")
        assert len(app.screen_stack) == 1
        await hands.sees("the home can't be read; ask its engine")
