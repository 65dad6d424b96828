import unicodedata

import pytest

from tuiback.catalog.search_text import day_of, document, fold, place_of, size_facet, version_at


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Größe ÄÖÜ", "grosse aou"),
        ("Crème Brûlée_№5", "creme brulee no5"),
        ("\uff26\uff35\uff2c\uff2c\u3000\uff37\uff49\uff44\uff54\uff48 é", "full width e"),
        ("İstanbul", "istanbul"),
        ("Ελλάδα", "ελλαδα"),
        ("e\u0301te\u0301", "ete"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    """Case, accents, widths and composition make no difference."""
    assert fold(text).split() == folded.split()
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize("text", ["会議資料2026年", "한국어 회의록", "がぎぐ", "การประชุม", "カタカナ"])
def test_scripts_without_spaces_become_pairs(text: str) -> None:
    """Every place of a run begins a pair, the last stands alone; composed and decomposed are one."""
    assert fold(text) == fold(unicodedata.normalize("NFD", text))
    assert fold("会議資").split() == ["会議", "議資", "資"]


def test_ascii_is_left_to_the_index() -> None:
    """The usual text costs nothing."""
    text = "RE: [List] report_final-v2.docx"
    assert fold(text) is text


def test_a_message() -> None:
    """Its name and the people are searched, what else is shown of it is not."""
    row = (7, 3, "message", "Hello", 900, "2026-11-20T10:00:00Z", '{"from":"A <a@b.c>","to":"x","cc":"y","read":"1"}')
    found = document(row)
    assert (found.name, found.sender, found.recipients) == ("Hello", "A <a@b.c>", "x, y")
    assert found.facets.split() == ["a3", "kmessage", size_facet(900)]
    assert found.place == place_of(day_of("2026-11-20"), 7)
    assert version_at(found.place) == 7


def test_a_file_is_found_by_its_extension() -> None:
    """Only files have one; what is no time is day 0."""
    for kind, has in (("file", True), ("folder", False)):
        found = document((7, 3, kind, "a.b.PDF", 0, "", "{}"))
        assert ("ePDF" in found.facets) == has
        assert found.place == 7
