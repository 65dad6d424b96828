"""Previews read little and never mistake bytes for text."""

from tests.console.fakes import FakeCatalog, entry, office
from tuiback.console.preview import FILE_BYTES, PreviewText, hex_lines, preview_lines, read_preview, text_of
from tuiback.console.widgets.lines import line_width
from tuiback.model import Kind


def test_a_mail_is_read_as_mail() -> None:
    """The MIME part becomes headers and text."""
    catalog = office()
    mail = next(one for one in catalog.entries if one.item_id == "m-0")
    preview = read_preview(mail, catalog, catalog)
    assert ("Subject", "Q3 contract draft") in preview.facts
    assert "Hi Anna" in preview.body


def test_a_text_file_is_read_as_text_and_a_picture_as_hex() -> None:
    """What is no text shows its bytes."""
    catalog = office()
    budget, logo = (next(one for one in catalog.entries if one.item_id == name) for name in ("d-budget", "d-logo"))
    assert read_preview(budget, catalog, catalog).body.startswith("month,amount")
    shown = read_preview(logo, catalog, catalog)
    assert shown.hexadecimal
    assert shown.body.startswith("000000  00 01 02 03")


def test_a_large_file_is_read_only_as_far_as_needed() -> None:
    """The preview of 10 MB stops after its head."""
    big = entry("big", "log.txt", Kind.FILE)
    catalog = FakeCatalog(entries=[big], contents={"big": {"file": b"line\n" * 2_000_000}})
    preview = read_preview(big, catalog, catalog)
    assert len(preview.body) < FILE_BYTES + 100
    assert "9.5 MiB in all" in preview.body


def test_an_item_without_content_says_so() -> None:
    """Nothing kept is told, not an empty pane."""
    lonely = entry("x", "x")
    assert "No content" in read_preview(lonely, FakeCatalog(entries=[lonely]), FakeCatalog()).body


def test_text_of_a_cut_character() -> None:
    """A character cut in two at the end does not make the file binary; one in the middle does."""
    assert text_of("grüße ü".encode()[:-1]) == "grüße "
    assert text_of(b"gr\xfc\xdfe in latin-1, long enough") is None
    assert text_of("\ufeffsum".encode("utf-16")) == "\ufeffsum"


def test_hex_lines_show_offset_bytes_and_ascii() -> None:
    """Sixteen bytes a line."""
    assert hex_lines(b"AB\x00" + bytes(14)).splitlines()[1].startswith("000010  00")
    assert hex_lines(b"AB\x00").endswith("AB.")


def test_the_facts_of_a_flat_pane_are_cut_only_where_they_must_be() -> None:
    """Each stands whole on the line it fits on; one that fits on neither is cut while enough of it can be read."""
    headers = (("From", "Contoso Procurement <orders@contoso.example>"), ("To", "Joni <joni@northwind.example>"))
    more = (("Subject", "in the list"), ("Date", "Wed, 07 Oct 2026 00:07:10 +0000"), ("Kept", "1 version"))
    lines = preview_lines(PreviewText(headers + more, ""), 78, flat=True)
    assert ["".join(span.text for span in one) for one in lines] == [
        "From Contoso Procurement <orders@contoso.example>",
        "To Joni <joni@northwind.example>  Date Wed, 07 Oct 2026 00:07:10 +0000",
    ]
    lines = preview_lines(PreviewText((*headers[1:], ("Cc", "x" * 90)), ""), 78, flat=True)
    assert [line_width(one) for one in lines] == [78]


def test_lines_never_exceed_the_pane() -> None:
    """Facts and body wrap."""
    preview = PreviewText((("From", "x" * 300), ("Attached", "y " * 200)), "word " * 500)
    for flat in (False, True):
        assert all(line_width(one) <= 40 for one in preview_lines(preview, 40, flat=flat))
