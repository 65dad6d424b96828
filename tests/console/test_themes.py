"""Themes load, override each other, and fail one by one."""

import re
from pathlib import Path

import pytest

import tuiback.console
from tuiback.console.themes import DEFAULT_THEME, VARIABLES, chosen_theme, load_themes, theme_folders, theme_from
from tuiback.console.widgets.tones import TONES
from tuiback.errors import UsageError


def test_the_shipped_themes_load() -> None:
    """All four are there and set every variable that the stylesheet names."""
    themes, faults = load_themes(theme_folders()[:1])
    assert faults == ()
    assert set(themes) == {"okabe-ito", "ansi-dark", "mono", "htop-like"}
    assert all(set(VARIABLES) <= set(theme.variables) for theme in themes.values())


def test_the_stylesheet_uses_known_variables() -> None:
    """Every own variable of the stylesheet has a default, so that Textual's themes work too."""
    sheet = (Path(tuiback.console.__file__).parent / "tuiback.tcss").read_text()
    textual_own = {"background", "foreground", "surface", "panel"}
    assert set(re.findall(r"\$([a-z-]+)", sheet)) - textual_own <= set(VARIABLES)


def test_tones_use_known_variables() -> None:
    """Every tone's variables have a default."""
    named = {variable for tone in TONES.values() for variable in (tone.text, tone.ground)} - {""}
    assert named <= set(VARIABLES)


def test_a_user_theme_overrides_by_name(tmp_path: Path) -> None:
    """The user's file wins over the packaged one of the same name."""
    (tmp_path / "mono.toml").write_text('primary = "#123456"\n')
    themes, _ = load_themes((theme_folders()[0], tmp_path))
    assert themes["mono"].primary == "#123456"


@pytest.mark.parametrize(
    ("content", "told"),
    [('primary = "#12"', "primary is no colour"), ('primary = "red"\nbutton = 1', "unknown key button"),
     ('secondary = "red"', "primary is missing"), ("= broken", "bad.toml"),
     ('primary = "red"\n[variables]\nframe = "nocolour"', "frame is no colour")],
)
def test_a_broken_theme_is_told_and_left_out(tmp_path: Path, content: str, told: str) -> None:
    """One bad file costs one line, not the others."""
    (tmp_path / "bad.toml").write_text(content)
    (tmp_path / "good.toml").write_text('primary = "red"')
    themes, faults = load_themes((tmp_path,))
    assert set(themes) == {"good"}
    assert len(faults) == 1
    assert told in faults[0]


def test_no_color_never_meets_an_ansi_theme() -> None:
    """NO_COLOR with an ansi theme would be black on black."""
    themes, _ = load_themes(theme_folders()[:1])
    assert chosen_theme("ansi-dark", themes, no_color=True) == "mono"
    assert chosen_theme("ansi-dark", themes, no_color=False) == "ansi-dark"
    assert chosen_theme("unheard-of", themes, no_color=False) == DEFAULT_THEME


def test_switches_must_be_switches() -> None:
    """A text where true or false belongs is refused."""
    with pytest.raises(UsageError, match="ansi must be true or false"):
        theme_from("x", {"primary": "red", "ansi": "yes"})
