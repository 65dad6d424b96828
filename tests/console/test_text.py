"""Text is harmless and fits."""

import unicodedata

from hypothesis import example, given, strategies

from tests.console.fakes import HOSTILE
from tuiback.console.text import cell_width, clip, clip_left, fit, safe_text, wrap


@given(strategies.text())
@example(HOSTILE)
@example("\udc80 lone surrogate")
@example("Z\u0363\u036b\u0343\u036a\u0302algo")
@example("\U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd \u2764\ufe0f")
def test_safe_text_has_nothing_that_steers_a_terminal(text: str) -> None:
    """No control, format, surrogate or line separator character is left, and it can be encoded."""
    safe = safe_text(text)
    assert {unicodedata.category(character) for character in safe}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    safe.encode()


@given(strategies.text())
def test_safe_text_of_safe_text_is_the_same(text: str) -> None:
    """Doing it twice changes nothing, so every layer may do it."""
    assert safe_text(safe_text(text)) == safe_text(text)


@given(strategies.text(), strategies.integers(min_value=1, max_value=40))
@example(HOSTILE, 9)
@example("会議のお知らせ", 4)
def test_fit_covers_exactly_the_cells(text: str, width: int) -> None:
    """A cell of a table is as wide as its column whatever is in it."""
    assert cell_width(fit(text, width)) == width
    assert cell_width(fit(text, width, "right")) == width


def test_clip_marks_what_is_missing() -> None:
    """An ellipsis stands where text was left out, at the end or at the beginning."""
    assert clip("Quarterly report", 8) == "Quarter…"
    assert clip_left("Inbox > Projects", 9) == "…Projects"
    assert clip("short", 8) == "short"


def test_escape_sequences_are_shown_not_obeyed() -> None:
    """ESC becomes its picture; direction overrides become dots."""
    assert safe_text("\x1b[31mred") == "␛[31mred"
    assert safe_text("cod\u202egpj.exe") == "cod·gpj.exe"


@given(strategies.text(), strategies.integers(min_value=4, max_value=60))
def test_wrap_keeps_lines_in_width(text: str, width: int) -> None:
    """No wrapped line is wider than asked for, and there are no more than allowed."""
    lines = wrap(text, width, 50)
    assert len(lines) <= 50
    assert all(cell_width(line) <= width for line in lines)
