"""Base64 text is taken back to bytes only where the same text can be made of them again."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.mails import base64_text
from tests.store.test_writer import content
from tuiback.store.base64_lines import Base64Lines, find_layout

layouts = st.one_of(
    st.just(Base64Lines(0, b"")),
    st.builds(
        Base64Lines, st.integers(1, 256).map(lambda quanta: 4 * quanta), st.sampled_from((b"\n", b"\r\n"))
    ),
)


def made_again(text: bytes, layout: Base64Lines) -> bytes:
    """What encode() makes of what decode() gives."""
    return b"".join(layout.encode(layout.decode(text, 0, len(text))))


@given(st.binary(min_size=1, max_size=3000), layouts)
def test_every_layout_is_found_again(data: bytes, layout: Base64Lines) -> None:
    """Text of any layout gives its bytes, and they give the text."""
    text = base64_text(data, layout.line_characters, layout.line_end)
    found = find_layout(text, 0, len(text))
    assert found is not None
    assert found[0] == layout or b"\n" not in text
    assert found[1] == data == b"".join(found[0].decode(text, 0, len(text)))
    assert made_again(text, found[0]) == text


@given(st.binary(min_size=1, max_size=400), layouts, st.data())
def test_changed_text_is_refused_or_still_exact(data: bytes, layout: Base64Lines, draw: st.DataObject) -> None:
    """Wherever bytes are put in, taken out or exchanged: never a layout that makes other text."""
    text = base64_text(data, layout.line_characters, layout.line_end)
    start = draw.draw(st.integers(0, len(text)))
    end = draw.draw(st.integers(start, min(start + 3, len(text))))
    put_in = draw.draw(st.one_of(st.sampled_from((b"\n", b"\r", b"=", b" ", b"A", b"B")), st.binary(max_size=3)))
    changed = text[:start] + put_in + text[end:]
    found = find_layout(changed, 0, len(changed))
    assert found is None or made_again(changed, found[0]) == changed


@given(st.binary(min_size=1, max_size=2000), layouts, st.lists(st.integers(0, 2000)))
def test_text_does_not_depend_on_the_pieces(data: bytes, layout: Base64Lines, places: list[int]) -> None:
    """However the bytes come, the text is the same."""
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    expected = base64_text(data, layout.line_characters, layout.line_end)
    assert b"".join(layout.encode(pieces)) == expected


@pytest.mark.parametrize(("line_characters", "line_end"), [(76, b"\r\n"), (64, b"\n"), (0, b""), (1024, b"\r\n")])
@pytest.mark.parametrize("size", [1_000_000, 1_000_001, 1_000_002])
def test_long_text_is_worked_on_in_windows(size: int, line_characters: int, line_end: bytes) -> None:
    """Megabytes come in pieces far smaller, and a change in any window is seen."""
    data = content(1, size)
    text = base64_text(data, line_characters, line_end)
    found = find_layout(b"before" + text, 6, 6 + len(text))
    assert found is not None
    layout, whole = found
    assert whole is None
    assert layout == Base64Lines(line_characters, line_end)
    pieces = list(layout.decode(text, 0, len(text)))
    assert max(map(len, pieces)) < 200_000
    assert b"".join(pieces) == data
    assert made_again(text, layout) == text
    for place in range(0, len(text), 111_111):
        changed = text[:place] + b"!" + text[place + 1 :]
        assert find_layout(changed, 0, len(changed)) is None


@pytest.mark.parametrize(
    "text",
    [
        b"QUJD\r\nQUJD\n",
        b"QUJD\nQUJDQUJD",
        b"QUJD\nQU\nQUJD",
        b"QUJD\n\nQUJD",
        b"QUJD\r\nQUJD\nQUJD",
        b"QUJD\rQUJD",
        b"QUJDQ\nQUJDQ\nQU",
        b"QUI",
        b"QQ==QUJD",
        b"QQ==\nQUJD",
        b"QR==",
        b"QUL=",
        b"QUJD QUJD",
        b"====",
        b"\nQUJD",
        b"-_-_",
        b"QUJDQUJD\nQUJDQU",
        b"QUJDQU\nJDQUJD\nQUJD",
        b"QUJD\r\nQUJD\rQ\nUJD\r\nQUJD",
    ],
)
def test_text_that_would_come_out_otherwise_is_refused(text: bytes) -> None:
    """Mixed line ends, uneven lines, wrong padding, unused bits, another alphabet."""
    assert find_layout(text, 0, len(text)) is None


def test_layout_looks_at_its_span_only() -> None:
    """What lies around the text does not matter."""
    mail = b"\n!QUJD\r\nQQ==!!"
    assert find_layout(mail, 2, 12) == (Base64Lines(4, b"\r\n"), b"ABCA")
    assert b"".join(Base64Lines(4, b"\r\n").decode(mail, 2, 12)) == b"ABCA" == base64.b64decode(b"QUJDQQ==")
