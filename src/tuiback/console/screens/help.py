"""The help: every key of the screen it was asked on, out of the one key table."""

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from tuiback.console.dialogs.base import Dialog, TextBlock
from tuiback.console.keys import EVERYWHERE, LIST, SCREENS, Key, bindings
from tuiback.console.task_rows import STATE_TONES
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column, ListRows, Row
from tuiback.console.widgets.table import Table
from tuiback.model import TaskState

STATE_MEANINGS = {
    TaskState.RUNNING: "running", TaskState.THROTTLED: "Microsoft asks for patience",
    TaskState.WAITING: "waits its turn",
    TaskState.ERROR: "last run failed", TaskState.PARTIAL: "something is owed", TaskState.IDLE: "nothing to do",
    TaskState.PAUSED: "paused by you", TaskState.DISK: "no space",
}
_COLUMNS = (Column("keys", "KEYS", 22), Column("what", "WHAT IT DOES", 20, grow=True))


class HelpScreen(Dialog[None]):
    """Keys in groups; any list key moves in it, Esc, q and F1 leave it."""

    BINDINGS = bindings((Key("cancel", ("f1", "?", "q", "f10"), "Leave the help"),))

    def __init__(self, screen_name: str) -> None:
        super().__init__(f"tuiback help: {screen_name}")
        self.groups = ((screen_name, SCREENS[screen_name]), ("Lists", LIST), ("Everywhere", EVERYWHERE))

    def content(self) -> Iterable[Widget]:
        """The table of keys, and what the state words mean."""
        table: Table[None] = Table(_COLUMNS, id="keys")
        yield table
        yield TextBlock([line(), *_state_lines()])

    def on_mount(self) -> None:
        """Show the keys as high as the terminal allows."""
        rows = help_rows(self.groups)
        table = self.query_one(Table)
        table.styles.height = max(4, min(len(rows) + 1, self.app.size.height - 9))
        table.set_rows(ListRows(rows))
        table.focus()


def help_rows(groups: Sequence[tuple[str, Sequence[Key]]]) -> list[Row[None]]:
    """One row a key, under the name of its group."""
    rows: list[Row[None]] = []
    for name, keys in groups:
        rows.append(Row(name, ((Span(name, "title"),), ""), None))
        rows += [Row(f"{name} {key.action}", ((Span(f"  {key.shown}", "label"),), key.title), None) for key in keys]
    return rows


def _state_lines() -> list[Line]:
    told = [
        (Span(f"{state.value:<5}", STATE_TONES[state]), Span(f"{meaning:<30}"))
        for state, meaning in STATE_MEANINGS.items()
    ]
    return [(*told[index], *told[index + 1]) for index in range(0, len(told), 2)]
