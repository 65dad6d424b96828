import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.catalog.paths import Segment, ends_like_short_id, read_segment, short_id, split, unescape, write_segment

NAMES = st.text(max_size=20) | st.text(alphabet="/%#@ab2F", max_size=12) | st.sampled_from(["@inbox", "a#0123abcd"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Inbox", "Inbox"),
        ("a/b", "a%2Fb"),
        ("100 %", "100 %25"),
        ("C# notes", "C# notes"),
        ("@inbox", "%40inbox"),
        ("@home", "@home"),
        ("ticket#0123abcd", "ticket%230123abcd"),
        ("..", ".."),
        ("\x1b[31m", "\x1b[31m"),
    ],
)
def test_only_what_would_be_misread_is_escaped(name: str, text: str) -> None:
    """Ordinary names look as they are."""
    assert write_segment(name, "id", alone=True) == text
    assert read_segment(text) == Segment(name)


@given(NAMES, st.text())
def test_every_name_comes_back(name: str, item_id: str) -> None:
    """Alone or with its short id, the text stands for exactly this name and never spans two segments."""
    alone, together = (write_segment(name, item_id, alone=alone) for alone in (True, False))
    assert "/" not in alone + together
    assert read_segment(together) == Segment(name, short_id(item_id))
    assert read_segment(alone) == Segment(name, "" if name else short_id(item_id))
    assert split(f"{together}/{alone}") == ([together, alone], False)


def test_what_people_type_is_taken_as_meant() -> None:
    """A lone percent sign stays, slashes around and doubled ones are no names, the last one says folder."""
    assert unescape("50%ab 2%2f3") == "50%ab 2/3"
    assert split("/Inbox//x/") == (["Inbox", "x"], True)
    assert split("/") == ([], True)
    assert split("") == ([], False)
    assert ends_like_short_id("x#0123abcd")
    assert not ends_like_short_id("x#12")
