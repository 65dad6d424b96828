"""What the tones of spans look like in a theme."""

from collections.abc import Mapping
from typing import NamedTuple

from rich.style import Style
from textual.color import Color


class Tone(NamedTuple):
    """Theme variables for text and ground ("" leaves it as it is), and whether the text is bold."""

    text: str = ""
    ground: str = ""
    bold: bool = False


# State is never told by tone alone: a word or a mark stands beside it.
TONES: Mapping[str, Tone] = {
    "": Tone(),
    "dim": Tone("text-dim"),
    "strong": Tone("text-strong", bold=True),
    "title": Tone("text-strong", bold=True),
    "label": Tone("text-label"),
    "ok": Tone("state-ok"),
    "info": Tone("state-info"),
    "warn": Tone("state-warn", bold=True),
    "err": Tone("state-err", bold=True),
    "notice": Tone("state-info", bold=True),
    "low": Tone("meter-low"),
    "mid": Tone("meter-mid"),
    "high": Tone("meter-high"),
    "frame": Tone("frame"),
    "header": Tone("header-text", "header-background"),
    "sorted": Tone("header-text", "sorted-background"),
    "cursor": Tone("cursor-text", "cursor-background"),
    "cursor-idle": Tone("cursor-idle-text", "cursor-idle-background"),
    "tag": Tone("text-tag", bold=True),
    "folder": Tone("text-folder"),
    "gone": Tone("text-gone"),
    "key": Tone("key-text"),
    "key-label": Tone("key-label-text", "key-label-background"),
    "key-off": Tone("key-off-text", "key-label-background"),
    "tab": Tone("text-dim"),
    "tab-on": Tone("header-text", "header-background", bold=True),
    "match": Tone("match-text", "match-background"),
}


def tone_style(tone: str, variables: Mapping[str, str]) -> Style:
    """The style that a theme's variables give a tone; what it leaves open stays the widget's own."""
    text, ground, bold = TONES[tone]
    return Style(
        color=Color.parse(variables[text]).rich_color if text else None,
        bgcolor=Color.parse(variables[ground]).rich_color if ground else None,
        bold=bold or None,
    )
