import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.catalog.search_query import parse_query
from tuiback.errors import UsageError


@pytest.mark.parametrize(
    ("text", "fits", "does_not"),
    [("size:>1mb", 1_000_001, 1_000_000), ("size:>=1.5k", 1500, 1499), ("size:<10", 9, 10),
     ("size:<=2GB", 2 * 10**9, 2 * 10**9 + 1), ("size:1kb..2kb", 2000, 2001), ("size:1kb..2kb", 1000, 999)],
)  # fmt: skip
def test_sizes(text: str, fits: int, does_not: int) -> None:
    """Units are decimal, ranges include their ends."""
    query = parse_query(f"x {text}")
    assert query.fits(fits)
    assert not query.fits(does_not)


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "empty"), ("   ", "empty"), ("***", "end of a word"), ("*", "no letter"), ('"open', "quotation"),
     ('in"side', "quotation"), ('""', "no letter"), ("from:", "nothing follows from:"), ("type:a/b", "is no type"),
     ("size:5mb", "range of sizes"), ("size:>much", "range of sizes"), ("a*b", "end of a word"),
     ("\U0001f389", "no letter"), ("size:1..", "range of sizes")],
)  # fmt: skip
def test_bad_queries(text: str, says: str) -> None:
    """Each is a usage error that says how to do it."""
    with pytest.raises(UsageError, match=says) as caught:
        parse_query(text)
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_a_field_that_is_none_is_text() -> None:
    """Subjects begin with "Re:"."""
    assert parse_query("Re:invoice").expression == parse_query('"Re invoice"').expression


def _is_sound(text: str) -> None:
    try:
        query = parse_query(text)
    except UsageError:
        return
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5 (name, sender, recipients, facets, tokenize = 'ascii')")
    assert connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (query.expression,)).fetchall() == []
    connection.close()


@given(st.text(max_size=40))
def test_no_text_breaks_the_index(text: str) -> None:
    """Whatever is typed is a usage error or a valid expression, which finds nothing in an empty index."""
    _is_sound(text)


SIGNS = ['"', "*", ":", "from", "AND", "OR", "NOT", "NEAR(", ")", "{", "^", "+", "-", " ", "a"]


@given(st.lists(st.sampled_from(SIGNS)))
def test_no_syntax_of_the_index_leaks(pieces: list[str]) -> None:
    """Its own words and signs are text when people type them."""
    _is_sound("".join(pieces))
