"""The restore browser finds items at all points in time, wherever one looks."""

from datetime import timedelta

from tests.console.driving import driven, in_restore
from tests.console.fakes import HOSTILE, NOW, FakeCatalog, FakeView, office
from tests.console.test_restore_screen import TO_INBOX
from tuiback.catalog import Hit, SearchScope, parse_query
from tuiback.console.browse import Browser
from tuiback.console.finds import EVERYTHING, MOST, TASK, Finds, find, find_hint
from tuiback.model import Kind

EARLIER = NOW - timedelta(days=2)


def hit(item_id: str, name: str, account_id: str = "mailbox:anna", snapshot: int = 3, *, deleted: bool = False) -> Hit:
    """A find in a mailbox."""
    return Hit(
        item_id, account_id, "anna@contoso.com", "exo-hq", Kind.MESSAGE, name, 10, "2026-11-20T14:02:00Z", 1, snapshot,
        EARLIER, EARLIER, NOW if deleted else None,
    )  # fmt: skip


def found_in(*hits: Hit, lag: int = 0) -> FakeCatalog:
    """The office, with these finds."""
    catalog = office()
    catalog.hits, catalog.lag = list(hits), lag
    return catalog


async def test_tab_widens_and_enter_finds() -> None:
    """Of what was found one is picked: it is tagged as it was at its point, and shown."""
    catalog = found_in(hit("m-0", "Q3 contract draft"), hit("m-gone", "Offer final", snapshot=2, deleted=True), lag=7)
    async with driven(catalog=catalog) as hands:
        screen = await in_restore(hands, TO_INBOX)
        await hands.press("/", *"offer", "tab")
        await hands.sees("Find account: offer")
        await hands.press("tab", "tab")
        await hands.sees("Find everything: offer")
        await hands.press("enter")
        await hands.sees("Found: offer")
        await hands.sees("D Offer final")
        await hands.sees("7 items are not indexed yet")
        await hands.press("j", "enter")
        await hands.sees("1 tagged")
        (choice,) = screen.chosen.values()
        assert (choice.account_id, choice.item_id, choice.seq) == ("mailbox:anna", "m-gone", 2)
        assert catalog.searched[0][1] == SearchScope()


async def test_tab_comes_round_to_the_folder() -> None:
    """There the list itself is searched, as without Tab."""
    catalog = found_in()
    async with driven(catalog=catalog) as hands:
        screen = await in_restore(hands, TO_INBOX)
        await hands.press("/", "tab", "tab", "tab", "tab", *"Minutes", "enter")
        await hands.until(lambda: screen.items.cursor_row and screen.items.cursor_row.value.item_id == "m-3")
        assert catalog.searched == []


async def test_nothing_found_and_bad_queries_are_told() -> None:
    """In the line at the bottom; no dialog opens."""
    async with driven(catalog=found_in(lag=3)) as hands:
        await in_restore(hands, TO_INBOX)
        await hands.press("/", "tab", *"zzz", "enter")
        await hands.sees("Nothing in the account ever matched zzz; 3 items")
        await hands.press("/", "tab", "tab", "tab", *"zzz", "enter")
        await hands.sees("Nothing anywhere ever matched")
        await hands.press("/", "tab", *":*", "enter")
        await hands.sees("no letter or digit")


async def test_hostile_names_stay_in_their_cells() -> None:
    """What a sender wrote reaches the terminal as text."""
    async with driven(catalog=found_in(hit("m-0", HOSTILE)), size=(80, 24)) as hands:
        await in_restore(hands, TO_INBOX)
        await hands.press("/", "tab", *"red", "enter")
        await hands.sees("Found:")
        hands.assert_fits(80, 24)
        assert "\x1b" not in hands.text


def test_half_a_word_finds_what_begins_so() -> None:
    """Only where no whole word is found, and only where the text ends in one."""
    catalog = found_in()
    browser = Browser(FakeView(catalog))
    for text in ("from:anna offe", "offe*", '"last offe"'):
        assert find(browser, text, EVERYTHING, None).rows == ()
    asked = ["from:anna offe", "from:anna offe*", "offe*", '"last offe"']
    assert [query for query, _ in catalog.searched] == [parse_query(text) for text in asked]
    catalog.hits = [hit("m", "offe")]
    assert len(find(browser, "offe", EVERYTHING, None).rows) == 1
    assert len(catalog.searched) == len(asked) + 1


def test_a_scope_is_the_account_or_its_task() -> None:
    """And the list stays short, and says so."""
    catalog = found_in(*(hit(f"m{number}", "x") for number in range(MOST + 5)), lag=20_000)

    browser = Browser(FakeView(catalog))
    here = browser.load(NOW)[0]
    finds = find(browser, "x", TASK, here)
    assert catalog.searched[-1][1] == SearchScope(task=here.account.task)
    find(browser, "x", "account", here)
    assert catalog.searched[-1][1] == SearchScope(account_id=here.account.account_id)
    find(browser, "x", EVERYTHING, here)
    assert catalog.searched[-1][1] == SearchScope()
    assert len(finds.rows) == MOST
    assert "10 000+ items are not indexed" in find_hint(finds)
    assert f"The newest {MOST}" in find_hint(finds)
    assert find_hint(Finds((), 0)).startswith("Enter")
