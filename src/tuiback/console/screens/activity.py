"""The Activity screen: what the engine did, the newest first."""

from collections.abc import Mapping
from typing import ClassVar

from tuiback.console import figures
from tuiback.console.keys import ACTIVITY, bindings
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.task_detail import LEVEL_TONES, LEVEL_WORDS
from tuiback.console.text import wrap
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.model import ActivityLine, EngineStatus

_WORST_FIRST = ("error", "throttle", "warn", "info", "ok")


class ActivityScreen(ListScreen[ActivityLine]):
    """The lines of the newest picture, and those of the pictures before that this screen has seen."""

    BINDINGS = bindings(ACTIVITY)
    screen_name = "Activity"
    list_title = "ACTIVITY"
    about_title = "LINE"
    detail_rows = (4, 8)
    sort_keys: ClassVar = {
        "time": lambda one: -one.number,
        "level": lambda one: (_WORST_FIRST.index(one.level) if one.level in _WORST_FIRST else 9, -one.number),
        "subject": lambda one: (one.subject, -one.number),
    }

    def reread(self) -> None:
        """Take the lines out of the newest picture."""
        if self.console_app.status is not None:
            self.show_status(self.console_app.status)

    def show_status(self, status: EngineStatus) -> None:
        """Follow every picture; another engine begins to count anew."""
        known = {one.number: one for one in self.values or ()}
        if any(known.get(one.number, one) != one for one in status.activity):
            known.clear()
        known.update({one.number: one for one in status.activity})
        self.take(list(known.values()))

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        return (
            Column("time", "TIME", 8), Column("level", "LEVEL", 5),
            Column("subject", "WHO", 16 if width < 100 else 28), Column("text", "WHAT", 20, grow=True),
        )

    def key(self, value: ActivityLine) -> str:
        """Its number."""
        return f"{value.number}"

    def cells(self, value: ActivityLine) -> Mapping[str, str | Line]:
        """When, how bad, who and what."""
        return {
            "time": (Span(figures.clock_time(value.time), "dim"),),
            "level": (Span(LEVEL_WORDS.get(value.level, value.level), LEVEL_TONES.get(value.level, "info")),),
            "subject": (Span(value.subject, "strong"),),
            "text": value.text,
        }

    def words(self, value: ActivityLine) -> str:
        """Everything it says."""
        return f"{value.level} {value.subject} {value.text}"

    def details(self, value: ActivityLine, width: int) -> list[Line]:
        """The whole line."""
        when = figures.date_time(value.time)
        tone = LEVEL_TONES.get(value.level, "info")
        return [
            line((when, "dim"), "  ", (value.level, tone), "  ", (value.subject, "title")),
            *(line(text) for text in wrap(value.text, width, 8)),
        ]

    def counts(self) -> str:
        """Where the rest is."""
        return f"times in {figures.zone_name(self.now)}; 'tuiback logs' has all"

    def nothing(self) -> str:
        """Nothing has happened yet."""
        return "Nothing happened yet. 1 goes to the tasks."
