"""The screens of one list show how everything stands in the morning, and command the engine."""

import re
from collections.abc import Sequence

import pytest
from textual.widgets import Button

from tests.console import morning
from tests.console.driving import Driven, driven
from tests.console.fakes import FakeCatalog, FakeLink, busy_status
from tuiback.catalog import JobRow
from tuiback.console.app import Console
from tuiback.console.keys import EVERYWHERE, LIST, SCREENS, TAGS
from tuiback.console.options import ConsoleOptions
from tuiback.console.ports import ConsoleView
from tuiback.console.screens.accounts import AccountsScreen
from tuiback.console.screens.activity import ActivityScreen
from tuiback.console.screens.alerts import AlertsScreen
from tuiback.console.screens.base import FullScreen
from tuiback.console.screens.coverage import CoverageScreen
from tuiback.console.screens.jobs import JobsScreen
from tuiback.console.screens.main import MainScreen
from tuiback.console.screens.owed import OwedScreen
from tuiback.console.screens.restore import RestoreScreen
from tuiback.console.screens.storage import StorageScreen
from tuiback.console.screens.task import TaskScreen
from tuiback.console.screens.tenants import TenantsScreen
from tuiback.console.widgets.tag_table import TagTable
from tuiback.engine.commands import (
    AckAlert,
    AckOwed,
    AddHold,
    CancelJob,
    Check,
    CheckTenant,
    EditTask,
    FindCoverage,
    PauseTask,
    Prune,
    RemoveHold,
    ResumeJob,
    RunTasks,
    UndoJob,
)
from tuiback.errors import EnvironmentFault, HomeBusy
from tuiback.model import Outcome, Tenant

SCREEN_CLASSES: tuple[type[FullScreen], ...] = (
    MainScreen, AccountsScreen, RestoreScreen, ActivityScreen, StorageScreen, CoverageScreen, JobsScreen,
    TenantsScreen, AlertsScreen, TaskScreen, OwedScreen,
)
# What each screen shows once it has read.
SEEN = {
    "2": "room-berlin", "4": "sites-collab", "5": "in 211 days", "6": "bare@contoso.com", "7": "sampled check",
    "8": "2026-12-02 in 9 d", "A": "no run was ok",
}


def link() -> FakeLink:
    """An engine in the morning that answers what the screens ask."""
    engine = FakeLink([morning.status()])
    bare = {"account": "bare@contoso.com", "account_id": "", "kind": "mailbox", "tenant": "contoso"}
    engine.answers[FindCoverage] = {"rows": [{**bare, "reason": "no task covers it"}], "troubles": []}
    engine.answers[Prune] = {"expired_versions": 38, "expired_bytes": 13_000_000, "last_copies": 2}
    engine.answers[CheckTenant] = {
        "ok": False, "permissions": [{"name": "Mail.Read", "granted": False, "needed_for": "exchange"}]
    }
    return engine


async def shown(hands: Driven, key: str) -> None:
    """Go to a screen and wait until it has read."""
    await hands.press(key)
    await hands.sees(SEEN[key])


@pytest.mark.parametrize("screen", SCREEN_CLASSES, ids=lambda screen: screen.screen_name)
def test_every_key_does_something(screen: type[FullScreen]) -> None:
    """No key of the table, and so none of the key bar and the help, is without an action."""
    for key in (*SCREENS[screen.screen_name], *EVERYWHERE, *LIST, *TAGS):
        name = f"action_{key.action.partition('(')[0]}"
        assert any(hasattr(place, name) for place in (screen, Console, TagTable)), f"{screen.screen_name}: {name}"


@pytest.mark.parametrize("size", [(80, 24), (61, 16), (140, 40)])
async def test_no_line_of_any_screen_wraps(size: tuple[int, int]) -> None:
    """Every screen fills the terminal exactly, hostile names or not, and says its name."""
    async with driven(size=size, link=link(), view=morning.view()) as hands:
        for key, text in SEEN.items():
            await shown(hands, key)
            hands.assert_fits(*size)
            assert "\x1b" not in hands.text, text
            assert f"{key} " in hands.lines()[0]
        await hands.press("1", "o")
        await hands.sees("known")
        hands.assert_fits(*size)


async def test_accounts_tell_the_worst_first_and_why() -> None:
    """Failed, late and gone ones stand at the top; the pane gives the reason; s shows one state after the other."""
    async with driven(link=link(), view=morning.view()) as hands:
        await shown(hands, "2")
        table = [line.split() for line in hands.lines()[3:6]]
        assert [words[-6] for words in table] == ["failed", "late", "gone"]
        await hands.sees("Microsoft denies access (ErrorAccessDenied)")
        await hands.press("j")
        await hands.sees("no run was ok within 26h: the last was")
        await hands.press("j")
        await hands.sees("left the tenant on 2026-11-20; its last recovery point stays")
        await hands.press("s")
        await hands.sees("only failed, of 1 failed  1 late  1 gone  2 ok")
        assert "ben " not in hands.text
        await hands.press("escape", "\\", *"case", "enter")
        await hands.sees("Nothing fits the filter")
        await hands.press("escape", "G")
        await hands.sees("kept until it is removed (1a2b3c4d, by anna): case 17/2026")


async def test_accounts_are_run_held_and_excluded() -> None:
    """R runs what is tagged and refuses the gone; H asks why, or whether a hold ends; X asks first."""
    async with driven(link=link(), view=morning.view()) as hands:
        await shown(hands, "2")
        await hands.press("space", "space", "R", "U")
        run = RunTasks(tasks=("exo-shared", "exo-hq"), accounts=(morning.FAILED, morning.LATE), wait=False, now=True)
        assert hands.link.commands == [run]
        await hands.press("R")
        await hands.sees("A gone account can't be run")
        await hands.press("g", "H", "enter", *"case 18", "enter")
        assert hands.link.commands[1:] == [AddHold(account_id=morning.FAILED, reason="case 18")]
        await hands.press("G", "H")
        await hands.sees("Retention has its way again")
        await hands.press("left", "enter")
        assert hands.link.commands[2:] == [RemoveHold(hold="1a2b3c4d")]
        await hands.press("g", "j", "X", "enter")
        assert hands.link.commands[3:] == []
        await hands.press("X", "left", "enter")
        assert hands.link.commands[3:] == [EditTask(task="exo-hq", exclude=("x", morning.LATE))]


async def test_a_button_that_waits_for_a_reason_shows_its_label_in_an_ansi_theme() -> None:
    """Textual frames a disabled button there, and in one line nothing but the frame's top would be seen."""
    options = ConsoleOptions(refresh_seconds=0.05, theme="ansi-dark")
    async with driven(options=options, link=link(), view=morning.view()) as hands:
        await shown(hands, "2")
        await hands.press("H")
        assert hands.app.screen.query_one("#do", Button).disabled
        await hands.until(lambda: re.search(r" Hold +Cancel ", hands.text))


async def test_debts_are_tried_again_and_acknowledged() -> None:
    """What nobody knows of comes first; a needs a reason; R runs the accounts that owe."""
    async with driven(link=link(), view=morning.view()) as hands:
        await shown(hands, "2")
        await hands.press("/", *"onedrive", "enter", "o")
        await hands.sees("of anna@contoso.com: 1 new, 1 known")
        await hands.press("/", *"locked", "enter", "R", "a", "enter")
        assert [type(command) for command in hands.link.commands] == [RunTasks]
        await hands.press(*"known", "enter")
        assert hands.link.commands[1:] == [AckOwed(owed_id="d-logo", account_id="drive:anna", reason="known")]
        await hands.press("escape")
        await hands.sees("ACCOUNTS")


async def test_alerts_open_are_known_and_close() -> None:
    """The worst asks first; Enter goes where it is about; what the next picture has no more has closed."""
    engine = link()
    async with driven(link=engine, view=morning.view()) as hands:
        await shown(hands, "A")
        await hands.press("j", "a", *"on it", "enter")
        assert engine.commands == [AckAlert(alert="late:exo-hq", reason="on it")]
        engine.pictures = [busy_status(2)]
        await hands.sees("closed critical")
        await hands.press("g", "enter")
        await hands.sees("exo-shared   Exchange of contoso   ERR")
        await hands.press("A")
        await hands.sees("2 open  1 known  1 closed")


async def test_a_task_tells_its_plan_and_its_runs() -> None:
    """Scope, hours, what keeps it from running now, retention and lateness in words; p, R and o act on it."""
    async with driven(link=link(), view=morning.view()) as hands:
        await hands.press("/", *"exo-hq", "enter", "enter")
        await hands.sees("all accounts, new ones too; except 1 account; without *.iso")
        await hands.sees("at '0 22 * * *' Europe/Berlin, within mon-fri 20:00-06:00,sat-sun")
        await hands.sees("7d,4w,12m,3y; accounts that left: 365d")
        await hands.sees("in time")
        await hands.sees("84 287 of 136 000 items, 14.0 GiB, 84.2 items/s")
        await hands.press("j", "j", "j", "j")
        await hands.sees("accounts failed 1")
        await hands.press("p", "H", *"law", "enter", "o")
        assert hands.link.commands == [PauseTask(task="exo-hq", paused=True), AddHold(task="exo-hq", reason="law")]
        await hands.sees("of exo-hq: ")


async def test_a_running_job_can_be_cancelled() -> None:
    """Progress, outcomes and what went wrong; one that ended can't be cancelled, the default is to let it go on."""
    async with driven(link=link(), view=morning.view()) as hands:
        await shown(hands, "7")
        await hands.sees("340 of 1 200 done, 3.0 GiB, 2 failed   now: Inbox")
        await hands.press("K", "enter", "K", "left", "enter")
        assert hands.link.commands == [CancelJob(job=9)]
        await hands.press("j", "K")
        await hands.sees("Only a job that is running")
        await hands.press("j")
        await hands.sees("Sent/x: it can't be read")


async def test_an_ended_job_can_be_undone_or_go_on() -> None:
    """One key asks and undoes only a restore that has ended, another resumes only what left something undone."""
    view = morning.view()
    began = view.past_jobs[0].created_at
    view.past_jobs += [
        JobRow(5, "restore", "ben to ben", "ended", Outcome.OK, 3, 3, b"", b"[]", began, began),
        JobRow(4, "restore", "eve to eve", "running", None, 1, 3, b"", b"", began, began),
    ]
    async with driven(link=link(), view=view) as hands:
        await shown(hands, "7")
        await hands.press("u", "R")
        await hands.sees("Only a restore or export that was not finished can go on")
        await hands.press("/", *"ben", "enter", "R", "u")
        await hands.sees("what restore 5 (ben to ben) wrote?")
        await hands.press("enter", "u", "left", "enter")
        assert hands.link.commands == [UndoJob(job=5, wait=False)]
        await hands.press("/", *"eve", "enter")
        await hands.sees("R lets it go on.")
        await hands.press("R")
        assert hands.link.commands[1:] == [ResumeJob(job=4, wait=False)]


async def test_storage_foretells_and_prunes_after_asking() -> None:
    """Forecast, low-water mark, retention and upkeep; P shows what would go before it asks, C checks."""
    async with driven(link=link(), view=morning.view()) as hands:
        await shown(hands, "5")
        for text in ("runs wait below 46.6G free", "8.0 GiB a day", "failed      next tomorrow", "7d,4w,12m,3y"):
            await hands.sees(text)
        await hands.press("P")
        await hands.sees("Would expire 38 versions, 12.4 MiB.")
        await hands.press("enter")
        assert hands.link.commands == [Prune(dry_run=True)]
        await hands.press("P", "left", "enter", "C", "left", "enter")
        assert hands.link.commands[1:] == [Prune(dry_run=True), Prune(wait=False), Check(percent=1.0, wait=False)]


async def test_coverage_and_tenants_ask_microsoft() -> None:
    """Who no task covers is asked once and with F8; a tenant's check shows what is missing first."""
    async with driven(link=link(), view=morning.view()) as hands:
        await shown(hands, "6")
        await hands.press("1", "6", "f8")
        assert [type(command) for command in hands.link.commands] == [FindCoverage, FindCoverage]
        await hands.press("1")
        await hands.sees("1 gone  1 unprotected  ! 3 alerts (A)")
        await shown(hands, "8")
        await hands.press("f8")
        await hands.sees("missing  Mail.Read")


async def test_coverage_says_that_all_are_protected_only_where_it_knows() -> None:
    """Not where there is no tenant, and not where Microsoft could not be asked."""

    class Untouched(FakeCatalog):
        def tenants(self) -> Sequence[Tenant]:
            return []

    engine = link()
    engine.answers[FindCoverage] = {"rows": [], "troubles": []}
    async with driven(link=engine, view=morning.view()) as hands:
        await hands.press("6")
        await hands.sees("Everybody is protected by a task.")
        engine.answers[FindCoverage] = HomeBusy("the engine is stopping", "home", "try again")
        await hands.press("f8")
        await hands.sees("Nobody is known to be unprotected")
    engine.answers[FindCoverage] = {"rows": [], "troubles": []}
    async with driven(link=engine, catalog=Untouched()) as hands:
        await hands.press("6")
        await hands.sees("No tenant yet.")


async def test_late_tasks_and_accounts_show_on_the_main_screen() -> None:
    """The summary counts late accounts as the command line does, and a late task has a mark."""
    async with driven(link=link(), view=morning.view()) as hands:
        await hands.sees("2 ok  1 late  1 failed  1 gone  ! 3 alerts (A)")
        await hands.sees(" 3h!")


async def test_read_only_and_refusals() -> None:
    """With read_only nothing is changed; what the engine refuses is told."""
    engine = link()
    engine.answers[Prune] = HomeBusy("the engine is stopping", "home", "try again")
    options = ConsoleOptions(refresh_seconds=0.05, read_only=True)
    async with driven(link=engine, view=morning.view(), options=options) as hands:
        await shown(hands, "2")
        await hands.press("R", "X", "H")
        assert engine.commands == []
        await shown(hands, "5")
        await hands.press("x")
        await hands.sees("home: the engine is stopping; try again")


async def test_without_catalogs_the_picture_is_shown() -> None:
    """Who may not read the home's files is told so, and sees what the engine shows."""
    def closed() -> ConsoleView:
        raise EnvironmentFault("the files are somebody else's", "/srv/tuiback", "ask its owner")

    engine = link()
    app = Console(lambda: engine, closed, ConsoleOptions(refresh_seconds=0.05))
    async with app.run_test(size=(80, 24)) as pilot:
        hands = Driven(app, pilot, engine)
        await hands.until(lambda: app.status is not None)
        await hands.press("2")
        await hands.sees("/srv/tuiback: the files are somebody else's; ask its owner")
        await hands.press("7")
        await hands.sees("340 of 1 200 done")
        await hands.press("1", "enter")
        await hands.sees("exo-shared   Exchange of contoso   ERR")
