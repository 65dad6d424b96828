"""Loads the colour themes: TOML files of the package, overridden by name by the user's own."""

import os
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tuiback.errors import UsageError

DEFAULT_THEME = "okabe-ito"
NO_COLOR_THEME = "mono"

# What tuiback.tcss names beside Textual's own variables, so that Textual's built-in themes work too.
VARIABLES: Mapping[str, str] = {
    "meter-low": "#2FBF94", "meter-mid": "#E69F00", "meter-high": "#F0763B",
    "state-ok": "#2FBF94", "state-info": "#56B4E9", "state-warn": "#F0E442", "state-err": "#FF8A4C",
    "text-dim": "#7D8896", "text-strong": "#FFFFFF", "text-label": "#56B4E9", "text-tag": "#F0E442",
    "text-folder": "#8CCBF2", "text-gone": "#CC79A7", "frame": "#3D4A5A",
    "header-text": "#0D1117", "header-background": "#2FBF94", "sorted-background": "#56B4E9",
    "cursor-text": "#0D1117", "cursor-background": "#56B4E9",
    "cursor-idle-text": "#D3DAE3", "cursor-idle-background": "#2A3644",
    "key-text": "#D3DAE3", "key-label-text": "#0D1117", "key-label-background": "#56B4E9", "key-off-text": "#4F6475",
    "match-text": "#0D1117", "match-background": "#E69F00",
}

_SWITCHES = frozenset({"dark", "ansi"})
_NUMBERS = frozenset({"luminosity_spread", "text_alpha"})
_FIELDS = frozenset(field.name for field in fields(Theme)) - {"name"}


def theme_folders() -> tuple[Traversable, ...]:
    """Where themes lie, the user's last: the wheel's folder or the checkout's, then the user's configuration."""
    packaged: Traversable = files("tuiback") / "themes"
    if not packaged.is_dir():
        packaged = Path(__file__).parents[3] / "themes"
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return packaged, Path(settings) / "tuiback" / "themes"


def load_themes(
    folders: Iterable[Traversable], only: Collection[str | None] | None = None
) -> tuple[dict[str, Theme], tuple[str, ...]]:
    """Themes by name, and one line for every file that is none; later folders override by name.

    With `only`, files of other names are not looked at.
    """
    themes: dict[str, Theme] = {}
    faults: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            continue
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            name = file.name.removesuffix(".toml")
            if file.name.endswith(".toml") and (only is None or name in only):
                try:
                    themes[name] = theme_from(name, tomllib.loads(file.read_text(encoding="utf-8")))
                except (UsageError, tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as fault:
                    faults.append(f"theme {file.name}: {fault}")
    return themes, tuple(faults)


def theme_from(name: str, settings: Mapping[str, Any]) -> Theme:
    """The theme that a file's settings describe. UsageError names the first key that is unknown or no colour."""
    unknown = sorted(set(settings) - _FIELDS)
    if unknown:
        raise UsageError(f"unknown key {unknown[0]}", remedy="keys are the fields of textual.theme.Theme")
    if "primary" not in settings:
        raise UsageError("the key primary is missing")
    for key, value in settings.items():
        _check(key, value)
    return Theme(name=name, **settings)


def _check(key: str, value: object) -> None:
    if key == "variables":
        if not isinstance(value, dict):
            raise UsageError("variables must be a table")
        for variable, content in value.items():
            # Variables that end so hold a style, not a colour.
            if not variable.endswith("-text-style"):
                _check_colour(variable, content)
    elif key in _SWITCHES:
        if not isinstance(value, bool):
            raise UsageError(f"{key} must be true or false")
    elif key in _NUMBERS:
        if not isinstance(value, (int, float)):
            raise UsageError(f"{key} must be a number")
    else:
        _check_colour(key, value)


def _check_colour(key: str, value: object) -> None:
    try:
        Color.parse(str(value).split(" ")[0])
    except ColorParseError as fault:
        raise UsageError(f"{key} is no colour: {value}") from fault


def chosen_theme(wanted: str | None, themes: Mapping[str, Theme], *, no_color: bool) -> str:
    """The theme to start with. NO_COLOR forces one of true colours: it turns grey, an ansi one black on black."""
    name = wanted if wanted is not None and wanted in themes else DEFAULT_THEME
    return NO_COLOR_THEME if no_color and themes[name].ansi else name
