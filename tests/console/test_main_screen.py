"""The main screen shows the engine and commands it."""

import pytest
from textual.geometry import Region

from tests.console.driving import driven
from tests.console.fakes import FakeLink, busy_status
from tuiback.console.options import ConsoleOptions
from tuiback.console.screens.main import MainScreen
from tuiback.console.widgets.lines import LinePanel
from tuiback.engine.commands import PauseTask, RunTasks, StopTask
from tuiback.errors import HomeBusy


@pytest.mark.parametrize("size", [(80, 24), (99, 30), (100, 30), (140, 40), (61, 16)])
async def test_no_line_wraps(size: tuple[int, int]) -> None:
    """Every line is exactly as wide as the terminal, hostile names or not."""
    async with driven(size=size) as hands:
        await hands.sees("exo-shared")
        await hands.press("t")
        hands.assert_fits(*size)
        assert "\x1b" not in hands.text


async def test_states_are_words_and_the_worst_comes_first() -> None:
    """What failed stands at the top, and says so without colour."""
    async with driven() as hands:
        await hands.sees("onedrive-vip")
        lines = [line for line in hands.lines() if line.startswith(("> ", "  ")) and "[" in line]
        words = [next(word for word in ("ERR", "THR", "RUN", "WAIT", "IDLE") if f" {word} " in line) for line in lines]
        assert words == ["ERR", "THR", "RUN", "RUN", "WAIT", "IDLE"]


async def test_the_throttle_speaks_plainly() -> None:
    """Who asks for patience, how long, and how many requests are allowed at once."""
    async with driven() as hands:
        await hands.sees("SharePoint asks us to wait 47 s; 14 at once")
        await hands.sees("wait 47s !")


async def test_accounts_are_counted_by_state() -> None:
    """The summary counts accounts out of the catalog."""
    async with driven() as hands:
        await hands.sees("3 ok  0 late  0 failed  ! 2 alerts")


async def test_pictures_follow_each_other() -> None:
    """The gauges move with every picture."""
    link = FakeLink([busy_status(number) for number in range(1, 6)])
    async with driven(link=link) as hands:
        await hands.until(lambda: hands.app.status is not None and hands.app.status.number == 5)
        assert len(link.pictures) == 1


async def test_an_unchanged_picture_sends_nothing_to_the_terminal() -> None:
    """The same lines again repaint no line."""
    async with driven() as hands:
        await hands.sees("exo-shared")
        panel = hands.app.screen.query_one("#meters", LinePanel)
        repainted: list[object] = []

        def note(*regions: Region, **_: object) -> LinePanel:
            repainted.extend(regions)
            return panel

        panel.refresh = note  # type: ignore[method-assign]  # what would be sent is counted
        panel.show(panel.lines)
        assert repainted == []
        panel.show([*panel.lines[:-1], ()])
        assert len(repainted) == 1


async def test_a_paused_display_stands_still() -> None:
    """Z holds the picture and says so; pressed again it goes on."""
    link = FakeLink([busy_status(1)])
    async with driven(link=link) as hands:
        await hands.press("Z")
        await hands.sees("DISPLAY PAUSED")
        link.pictures = [busy_status(9)]
        await hands.pilot.pause(0.1)
        assert hands.app.status is not None
        assert hands.app.status.number == 1
        await hands.press("Z")
        await hands.until(lambda: hands.app.status and hands.app.status.number == 9)


async def test_the_cursor_follows_its_task() -> None:
    """Another order leaves the cursor on its task."""
    async with driven() as hands:
        await hands.sees("exo-hq")
        await hands.press("j", "j")
        screen = hands.app.screen
        assert isinstance(screen, MainScreen)
        assert screen.tasks.cursor_key == "exo-hq"
        await hands.press("F6".lower(), "I")
        assert screen.tasks.cursor_key == "exo-hq"
        assert "sort:TASK" in hands.text


async def test_filter_and_search() -> None:
    """The filter hides what does not match, Esc brings it back; the search goes from match to match."""
    async with driven() as hands:
        await hands.sees("teams-all")
        await hands.press("\\", *"onedrive", "enter")
        assert "teams-all" not in hands.text
        assert "filter:onedrive" in hands.text
        await hands.press("escape")
        await hands.sees("teams-all")
        await hands.press("/", *"exo", "enter")
        screen = hands.app.screen
        assert isinstance(screen, MainScreen)
        assert screen.tasks.cursor_key == "exo-shared"
        await hands.press("n")
        assert screen.tasks.cursor_key == "exo-hq"
        await hands.press("N")
        assert screen.tasks.cursor_key == "exo-shared"


async def test_the_tree_shows_accounts_at_work() -> None:
    """The key t unfolds all, left folds one, t folds all."""
    async with driven() as hands:
        await hands.press("t")
        await hands.sees("└ sales-share")
        await hands.press("t")
        assert "sales-share" not in hands.text


async def test_run_and_pause_go_to_the_engine() -> None:
    """R runs the tagged tasks, p pauses the one under the cursor."""
    async with driven() as hands:
        await hands.sees("exo-shared")
        await hands.press("space", "space", "R")
        await hands.press("U", "p")
        run = hands.link.commands[0]
        assert isinstance(run, RunTasks)
        assert set(run.tasks) == {"exo-shared", "sites-collab"}
        assert not run.wait
        assert hands.link.commands[1] == PauseTask(task="exo-hq", paused=True)


async def test_stop_asks_and_cancel_is_the_default() -> None:
    """Enter without thinking stops nothing; the other button does."""
    async with driven() as hands:
        await hands.sees("exo-hq")
        await hands.press("j", "K")
        await hands.sees("Stop the run of sites-collab")
        await hands.press("enter")
        assert hands.link.commands == []
        await hands.press("f9", "left", "enter")
        assert hands.link.commands == [StopTask(task="sites-collab")]


async def test_a_refused_command_is_told() -> None:
    """The engine's reason stands above the key bar."""
    link = FakeLink([busy_status()])
    link.answers[RunTasks] = HomeBusy("the engine is stopping", "home", "try again")
    async with driven(link=link) as hands:
        await hands.sees("exo-shared")
        await hands.press("f8")
        await hands.sees("home: the engine is stopping; try again")


async def test_help_is_made_of_the_key_table() -> None:
    """F1 lists keys of the screen and the meaning of the states."""
    async with driven() as hands:
        await hands.press("f1")
        await hands.sees("Pause the task or let it go on")
        await hands.sees("Microsoft asks for patience")
        hands.assert_fits(80, 24)
        await hands.press("q")
        assert "KEYS" not in hands.text


async def test_the_palette_runs_commands() -> None:
    """A command found by its name does what its key does."""
    async with driven() as hands:
        await hands.press(":")
        await hands.sees("Search a task  (F3 /)")
        await hands.press(*"nexttheme")
        await hands.sees("Next theme")
        await hands.press("enter")
        await hands.until(lambda: hands.app.theme != "okabe-ito")


async def test_meters_can_be_hidden() -> None:
    """# gives their lines to the tasks."""
    async with driven() as hands:
        await hands.sees("RAM [")
        await hands.press("#")
        await hands.until(lambda: "RAM [" not in hands.text)


async def test_read_only_offers_no_changes() -> None:
    """With read_only neither key bar nor keys run anything."""
    async with driven(options=ConsoleOptions(refresh_seconds=0.02, read_only=True)) as hands:
        await hands.sees("exo-shared")
        await hands.press("R", "p", "K")
        assert hands.link.commands == []
        assert "F8" not in hands.lines()[-1]


async def test_every_theme_draws_the_screen() -> None:
    """T goes round all themes."""
    async with driven() as hands:
        seen = set()
        for _ in hands.app.themes:
            await hands.press("T")
            seen.add(hands.app.theme)
            hands.assert_fits(80, 24)
        assert seen == set(hands.app.themes)


async def test_a_click_on_the_key_bar_presses_the_key() -> None:
    """The bar works with a mouse."""
    async with driven() as hands:
        await hands.pilot.click(offset=(3, 23))
        await hands.sees("WHAT IT DOES")


async def test_a_small_terminal_is_told() -> None:
    """Below 60x16 there is a word instead of ruins, and the screen comes back with the room."""
    async with driven(size=(50, 12)) as hands:
        await hands.sees("terminal too small")
        await hands.pilot.resize_terminal(80, 24)
        await hands.sees("exo-shared")


async def test_who_looks_on_is_told_so() -> None:
    """The role stands in the header; a key that it does not allow says so before it asks anything."""
    link = FakeLink([busy_status()])
    link.role = "viewer"
    async with driven(link=link) as hands:
        await hands.sees("you: viewer")
        await hands.press("j", "K")
        await hands.sees("needs the role operator")
        assert len(hands.app.screen_stack) == 1
        await hands.press("R", "p")
        assert link.commands == []
        await hands.press("f1")
        await hands.until(lambda: len(hands.app.screen_stack) == 2)
