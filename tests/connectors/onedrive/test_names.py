"""Names for OneDrive and SharePoint."""

import pytest

from tuiback.connectors.onedrive.names import acceptable_name


@pytest.mark.parametrize(
    "name", ["Plan 2026.docx", "#1 100%.txt", "отчёт.pdf", "a.b.c", "résumé", ".gitignore", "日本.txt"]
)
def test_accepted_names_stay(name: str) -> None:
    """A name that the service accepts is not touched."""
    assert acceptable_name(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('a"b*c:d<e>f?g/h\\i|j', "a_b_c_d_e_f_g_h_i_j"),
        (" padded ", "padded"),
        ("folder.", "folder"),
        ("~$owner.docx", "_$owner.docx"),
        ("CON", "_CON"),
        ("lpt7", "_lpt7"),
        ("desktop.ini", "_desktop.ini"),
        (".lock", "_.lock"),
        ("my_vti_file", "my-vti-file"),
        ("line\nbreak", "line_break"),
        ("...", "_"),
        ("", "_"),
    ],
)
def test_hostile_names_become_acceptable(name: str, expected: str) -> None:
    """What the service refuses is replaced, and the result needs no further change."""
    assert acceptable_name(name) == expected
    assert acceptable_name(expected) == expected
