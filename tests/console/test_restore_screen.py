"""The restore browser shows every account at every moment, and brings back only what a dry-run has shown."""

from pathlib import Path

import pytest

from tests.console.driving import driven, in_restore
from tests.console.fakes import FakeCatalog, FakeLink, account, busy_status, entry, office
from tuiback.console.widgets.key_bar import KeyBar
from tuiback.engine.commands import Export, Restore, Selection
from tuiback.errors import UsageError
from tuiback.model import AccountKind

# To anna's mailbox, unfolded, on its Inbox, into its mails.
TO_INBOX = ("j", "l", "j", "enter")
PLAN: dict[str, object] = {"planned": {"create": 2, "overwrite": 0, "skip": 1, "conflict": 0}}


@pytest.mark.parametrize("size", [(80, 24), (99, 24), (100, 30), (140, 40), (61, 16)])
async def test_no_line_wraps(size: tuple[int, int]) -> None:
    """Hostile subjects, wide characters and long names stay in their cells."""
    async with driven(size=size) as hands:
        await in_restore(hands, TO_INBOX)
        await hands.sees("Q3 contract")
        hands.assert_fits(*size)
        assert "\x1b" not in hands.text


async def test_accounts_folders_items_preview() -> None:
    """One pane leads to the next, down to the text of a mail."""
    async with driven() as hands:
        await in_restore(hands, TO_INBOX)
        await hands.sees("RESTORE exo-hq > anna@contoso.com > Inbox")
        await hands.sees("ITEMS 1-8 of 8")
        await hands.sees("Hi Anna,")
        await hands.sees("draft.pdf (9 bytes)")


async def test_a_text_file_previews_as_text() -> None:
    """A drive's file is read and shown."""
    async with driven() as hands:
        await in_restore(hands, ("enter", "j"))
        await hands.sees("month,amount")


async def test_wide_screens_have_three_panes() -> None:
    """From 100 columns the preview stands at the right."""
    async with driven(size=(140, 40)) as hands:
        await in_restore(hands, TO_INBOX)
        await hands.sees("Hi Anna,")
        line = next(line for line in hands.lines() if "ACCOUNTS" in line)
        assert line.index("ACCOUNTS") < line.index("ITEMS") < line.index("PREVIEW")


async def test_earlier_points_show_what_was() -> None:
    """[ goes to an earlier point, where a deleted mail still lay; ] comes back; at the ends it is told."""
    async with driven() as hands:
        await in_restore(hands, TO_INBOX)
        await hands.sees("#3")
        assert "Offer final" not in hands.text
        await hands.press("[")
        await hands.sees("EARLIER")
        await hands.sees("Offer final")
        await hands.press("]")
        await hands.sees("latest")
        await hands.press("]")
        await hands.sees("This is the latest recovery point")


async def test_a_point_is_picked_from_a_list() -> None:
    """The list of points opens with t; Enter looks at one."""
    async with driven() as hands:
        screen = await in_restore(hands, TO_INBOX)
        await hands.press("t")
        await hands.sees("Recovery points of anna@contoso.com")
        await hands.press("j", "j", "enter")
        await hands.until(lambda: screen.browser.moment is not None)
        await hands.sees("#1")


async def test_deleted_items_are_listed_alone() -> None:
    """D shows what was there once, marked D."""
    async with driven() as hands:
        await in_restore(hands, TO_INBOX)
        await hands.press("D")
        await hands.sees("DELETED 1-1 of 1")
        await hands.sees("D Offer final")


async def test_a_deleted_item_is_restored_from_when_it_was_there() -> None:
    """Its selection names the last snapshot that had it."""
    async with driven() as hands:
        await in_restore(hands, (*TO_INBOX, "D", "space", "x"))
        await hands.until(lambda: hands.link.commands)
        command = hands.link.commands[0]
        assert isinstance(command, Restore)
        assert command.selections == (Selection(account_id="mailbox:anna", seq=2, item_ids=("m-gone",)),)


async def test_tags_stay_over_folders_and_become_selections() -> None:
    """Items of a mailbox and a whole drive, each at the point they were tagged at."""
    async with driven() as hands:
        screen = await in_restore(hands, (*TO_INBOX, "space", "space", "escape", "g", "space"))
        await hands.sees("3 tagged")
        await hands.press("x")
        await hands.until(lambda: hands.link.commands)
        command = hands.link.commands[0]
        assert isinstance(command, Restore)
        assert command.dry_run
        assert command.selections == (
            Selection(account_id="drive:anna", seq=3),
            Selection(account_id="mailbox:anna", seq=3, item_ids=("m-0", "m-1")),
        )
        assert len(screen.chosen) == 3


async def test_a_restore_needs_a_dry_run_of_this_selection() -> None:
    """F9 is grey and does nothing, until a dry-run was shown; another selection makes it grey again."""
    link = FakeLink([busy_status()])
    link.answers[Restore] = PLAN
    async with driven(link=link) as hands:
        screen = await in_restore(hands, (*TO_INBOX, "space"))
        bar = screen.query_one(KeyBar)
        await hands.press("W")
        await hands.sees("F8 first")
        assert "restore" in bar.off
        await hands.press("f8")
        await hands.sees("2 create")
        await hands.press("escape")
        await hands.until(lambda: "restore" not in bar.off)
        await hands.press("space")
        assert "restore" in bar.off
        assert all(isinstance(command, Restore) and command.dry_run for command in link.commands)


async def test_restore_after_its_dry_run() -> None:
    """Cancel has the focus; F9 in the dialog starts exactly what was planned, and the outcome is told."""
    link = FakeLink([busy_status()])
    link.answers[Restore] = {**PLAN, "outcome": "ok", "restored": 2, "skipped": 1, "failed": 0}
    async with driven(link=link) as hands:
        await in_restore(hands, (*TO_INBOX, "space", "x"))
        await hands.sees("1 skip")
        assert hands.app.focused is not None
        assert hands.app.focused.id == "cancel"
        await hands.press("W")
        await hands.sees("Restore ok: restored 2, skipped 1, failed 0")
        dry, real = link.commands
        assert isinstance(dry, Restore)
        assert isinstance(real, Restore)
        assert (dry.dry_run, real.dry_run) == (True, False)
        assert dry.selections == real.selections
        assert (real.place, real.on_conflict, real.target_account_id) == ("new-folder", "skip", None)


async def test_another_wish_needs_another_dry_run() -> None:
    """Changing the place after the dry-run takes the right to start away; overwriting needs its word."""
    link = FakeLink([busy_status()])
    link.answers[Restore] = PLAN
    async with driven(link=link) as hands:
        await in_restore(hands, (*TO_INBOX, "space", "x"))
        await hands.sees("1 skip")
        await hands.press("tab", "tab", "tab", "right", "W")
        await hands.sees("No dry-run of this yet")
        await hands.press("tab", "right", "right", "f8")
        await hands.sees("1 skip")
        await hands.press("W")
        assert len(link.commands) == 2
        await hands.press("tab", *"RESTORE", "f9")
        await hands.until(lambda: len(link.commands) == 3)
        command = link.commands[2]
        assert isinstance(command, Restore)
        assert (command.place, command.on_conflict) == ("in-place", "overwrite")


async def test_restore_to_another_account() -> None:
    """An address becomes the account's id; one that is not protected is told."""
    link = FakeLink([busy_status()])
    link.answers[Restore] = PLAN
    async with driven(link=link) as hands:
        await in_restore(hands, (*TO_INBOX, "space", "x"))
        await hands.sees("1 skip")
        await hands.press("tab", "tab", *"nobody@contoso.com", "f8")
        await hands.sees("No such account is protected here")
        await hands.press("ctrl+u", *"ben@contoso.com", "f8")
        await hands.until(lambda: len(link.commands) == 2)
        command = link.commands[1]
        assert isinstance(command, Restore)
        assert command.target_account_id == "mailbox:ben"


async def test_a_failed_dry_run_is_told() -> None:
    """The engine's reason stands in the dialog."""
    link = FakeLink([busy_status()])
    link.answers[Restore] = UsageError("the target is a drive", "ben", "choose a mailbox")
    async with driven(link=link) as hands:
        await in_restore(hands, (*TO_INBOX, "x"))
        await hands.sees("ben: the target is a drive; choose a mailbox")


async def test_export_asks_for_a_folder(tmp_path: Path) -> None:
    """What is chosen goes to an absolute folder; the count is told."""
    link = FakeLink([busy_status()])
    link.answers[Export] = {"job": 1, "outcome": "ok", "files": 1, "bytes": 84_000}
    async with driven(link=link) as hands:
        await in_restore(hands, (*TO_INBOX, "e"))
        await hands.sees("Folder")
        await hands.press("ctrl+u", *str(tmp_path), "enter")
        await hands.sees("Export ok: 1 files, 82.0 KiB")
        assert link.commands == [
            Export(selections=(Selection(account_id="mailbox:anna", seq=3, item_ids=("m-0",)),), to=str(tmp_path))
        ]


async def test_versions_are_listed_and_one_is_tagged() -> None:
    """V lists the versions of a file; the one picked is tagged at its own snapshot."""
    async with driven() as hands:
        screen = await in_restore(hands, ("enter", "j", "V"))
        await hands.sees("Versions of Budget 2027.csv")
        await hands.press("j", "enter")
        await hands.until(lambda: screen.chosen)
        (choice,) = screen.chosen.values()
        assert (choice.item_id, choice.seq, choice.size) == ("d-budget", 1, 100_000)


async def test_search_in_the_folder() -> None:
    """/ goes to the first match while typing, n to the next."""
    async with driven() as hands:
        screen = await in_restore(hands, (*TO_INBOX, "/", *"contract"))
        await hands.press("enter", "n")
        await hands.until(lambda: screen.items.cursor == 1)
        await hands.press("/", "ctrl+u", *"nowhere")
        await hands.sees("Nothing here matches nowhere")


async def test_the_browser_of_a_task_shows_its_accounts() -> None:
    """The key r on a task narrows the accounts to it; Esc shows all again."""
    async with driven() as hands:
        await hands.sees("onedrive-all")
        await hands.press("/", *"onedrive-all", "enter", "r")
        await hands.until(lambda: hands.app.restore_screen)
        screen = hands.app.restore_screen
        assert screen is not None
        await hands.until(lambda: screen.place)
        assert screen.places.source.count() == 1
        await hands.press("escape")
        await hands.until(lambda: screen.places.source.count() == 3)


async def test_a_filter_narrows_the_accounts() -> None:
    """Only accounts that match stay."""
    async with driven() as hands:
        screen = await in_restore(hands, ("\\", *"ben", "enter"))
        assert screen.places.source.count() == 1


async def test_a_long_folder_is_counted_in_the_background() -> None:
    """The end of 3,000 mails is one key away, and few pages are read for it."""
    mails = [entry(f"m{n:05}", f"Mail {n:05}") for n in range(3000)]
    catalog = FakeCatalog([account(AccountKind.MAILBOX, "anna", "exo-hq", "anna@contoso.com")], mails)
    async with driven(catalog=catalog) as hands:
        screen = await in_restore(hands)
        await hands.until(lambda: screen.items.source.count() == 3000)
        await hands.press("enter", "G")
        await hands.sees("of 3 000")
        assert screen.items.cursor == 2999


async def test_without_accounts_the_screen_says_what_comes() -> None:
    """An empty repository explains itself."""
    async with driven(catalog=FakeCatalog()) as hands:
        await hands.press("3")
        await hands.sees("No account yet")


async def test_jobs_go_on_when_the_screen_is_left() -> None:
    """What was tagged and looked at is still there when one comes back."""
    async with driven() as hands:
        screen = await in_restore(hands, (*TO_INBOX, "space", "1", "3"))
        await hands.until(lambda: hands.app.screen is screen)
        assert len(screen.chosen) == 1
        assert screen.place is not None
        assert screen.place.name == "Inbox"


def test_the_office_is_hostile_enough() -> None:
    """The fakes hold an escape sequence, or these tests would prove nothing."""
    assert any("\x1b" in one.name for one in office().entries)
