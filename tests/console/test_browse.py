"""The browser's state: points, choices, timeline."""

from datetime import timedelta

from tests.console.fakes import NOW, FakeView, entry, office
from tuiback.console.browse import Browser, Choice, choice_of_item, selections_of, timeline
from tuiback.console.screens.restore import describe
from tuiback.engine.commands import Selection
from tuiback.model import AccountKind


def loaded() -> Browser:
    """A browser over the small office."""
    browser = Browser(FakeView(office()))
    browser.accounts = browser.load(NOW)
    return browser


def test_each_account_shows_its_newest_point_at_or_before_the_moment() -> None:
    """No moment is the latest; before the first point there is none."""
    browser = loaded()
    assert browser.accounts is not None
    first = browser.accounts[0]
    points = browser.points(first)
    assert browser.point(first) == points[0]
    browser.moment = points[1].taken_at + timedelta(hours=1)
    assert browser.point(first) == points[1]
    browser.moment = NOW - timedelta(days=400)
    assert browser.point(first) is None


def test_stepping_ends_at_both_ends() -> None:
    """Earlier to the oldest, later to the latest, and then no further."""
    browser = loaded()
    assert browser.accounts is not None
    account = browser.accounts[0]
    assert [browser.step(account, 1) for _ in range(3)] == [True, True, False]
    assert [browser.step(account, -1) for _ in range(3)] == [True, True, False]
    assert browser.moment is None


def test_a_whole_account_swallows_its_items() -> None:
    """The account's choice selects everything of that snapshot; other snapshots stay apart."""
    choices = [
        Choice("mailbox:a", 3, "m1", "", 1, folder=False), Choice("mailbox:a", 3, "", "", 1, folder=True),
        Choice("mailbox:a", 2, "m2", "", 1, folder=False), Choice("mailbox:a", 2, "m2", "", 1, folder=False),
    ]
    assert selections_of(choices) == (
        Selection(account_id="mailbox:a", seq=2, item_ids=("m2",)), Selection(account_id="mailbox:a", seq=3),
    )


def test_what_is_chosen_is_told_as_far_as_it_is_known() -> None:
    """A mail folder has no size of its own: then no size is told, and never a wrong one."""
    drafts = Choice("mailbox:a", 3, "f", "Drafts", 0, folder=True)
    mails = [Choice("mailbox:a", 3, f"m{number}", f"M{number}", 2048, folder=False) for number in range(2)]
    assert describe(mails) == "2 items, 4.0 KiB, as of #3: M0 and 1 more"
    assert describe([drafts, *mails]) == "1 folder and 2 items, as of #3: Drafts and 2 more"
    assert describe([drafts]) == "1 folder, as of #3: Drafts"


def test_a_choice_names_a_snapshot_that_had_the_item() -> None:
    """Live items at the point, deleted ones at their last snapshot, old versions at their own."""
    assert choice_of_item(entry("m", "m"), 7, "m").seq == 7
    assert choice_of_item(entry("m", "m", until_seq=5), 7, "m").seq == 4
    assert choice_of_item(entry("m", "m", from_seq=2, until_seq=5), 3, "m").seq == 3


def test_the_timeline_marks_points_and_the_one_looked_at() -> None:
    """Oldest at the left, newest at the right, always as wide as asked for."""
    browser = loaded()
    assert browser.accounts is not None
    points = browser.points(browser.accounts[0])
    for here in (*points, None):
        drawn = "".join(span.text for span in timeline(points, here, 21))
        assert len(drawn) == 21
        assert drawn[0] in "|#"
        assert drawn[-1] in "|#"
        assert drawn.count("#") == (here is not None)


def test_an_account_is_found_by_address_within_its_kind() -> None:
    """The same person's mailbox and drive are told apart; strangers are not found."""
    browser = loaded()
    found = browser.find_account(" Anna@Contoso.com ", AccountKind.DRIVE)
    assert found is not None
    assert found.account_id == "drive:anna"
    assert browser.find_account("nobody@contoso.com", AccountKind.MAILBOX) is None
