"""Drawn posts are the same each time, and their text has a place for all that hangs on them."""

from datetime import UTC, datetime

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import Company
from tuiback.simtenant.content.page_content import CREATABLE, draw_canvas, page_file, web_parts
from tuiback.simtenant.content.post_content import PostContent, draw_post, with_quote
from tuiback.simtenant.content.words import ENGLISH

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_seed_gives_the_same_posts() -> None:
    """Whoever asks, in whatever order."""
    people = Company(Chance(1), 3).people
    drawn = [draw_post(Chance(1), people, people[0], MOMENT, ("k", turn), is_root=True) for turn in range(40)]
    again = draw_post(Chance(1), people, people[0], MOMENT, ("k", 7), is_root=True)
    assert (again.html, again.attachments, again.reactions) == (drawn[7].html, drawn[7].attachments, drawn[7].reactions)
    for each in drawn:
        assert each.html.count("<attachment ") == len(each.attachments)
        assert each.html.count("../hostedContents/") == len(each.pictures)
        assert each.html.count("<at ") == len(each.mentions)


def test_a_quotation_has_no_markup() -> None:
    """It tells how the other post began."""
    person = Company(Chance(1), 1).people[0]
    content = with_quote(PostContent("<p>yes</p>"), 12, person, "<p>Is <b>that</b> so?</p>")
    assert '"messagePreview": "Is that so?"' in str(content.attachments[0].content)
    assert content.html.endswith("<p>yes</p>")


def test_only_home_pages_can_not_be_made_again() -> None:
    """They have news, which is no web part for others to make; every part is in the page's file."""
    for is_home in (False, True):
        canvas = draw_canvas(Chance(1), ENGLISH, 1, is_home=is_home)
        kinds = {each["webPartType"] for each in web_parts(canvas) if "webPartType" in each}
        assert (kinds <= CREATABLE) != is_home
        content = page_file("t", canvas).decode()
        assert all(each["id"] in content for each in web_parts(canvas))
