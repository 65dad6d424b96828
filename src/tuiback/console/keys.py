"""The one table of keys: bindings, help, palette and key bar are all made from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """One action and the keys that reach it; the first key is the one shown.

    `label` puts it into the key bar; `changes` marks what --read-only takes away.
    """

    action: str
    keys: tuple[str, ...]
    title: str
    label: str = ""
    changes: bool = False

    @property
    def shown(self) -> str:
        """The keys as the help writes them."""
        return " ".join(_SHOWN.get(key, key.upper() if _is_function_key(key) else key) for key in self.keys)

    @property
    def palette_action(self) -> str:
        """The action without anything typed, "" where it only makes sense under a cursor."""
        return "" if self.action.startswith(("move", "pages", "edge", "fold", "choose")) else self.action


_SHOWN = {
    "escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab", "shift+tab": "S-Tab", "up": "↑", "down": "↓",
    "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End",
    "ctrl+d": "^D", "ctrl+u": "^U", "ctrl+p": "^P", "ctrl+q": "^Q", "ctrl+c": "^C", "ctrl+z": "^Z",
}


def _is_function_key(key: str) -> bool:
    return key[0] == "f" and key[1:].isdigit()


EVERYWHERE = (
    Key("help", ("f1", "?"), "This help", "Help"),
    Key("command_palette", (":", "ctrl+p"), "Find a command by name"),
    Key("show_main", ("1",), "Main: the engine and its tasks"),
    Key("show_restore", ("3",), "Restore: every account at every moment"),
    Key("focus_next", ("tab",), "Next pane"),
    Key("focus_previous", ("shift+tab",), "Previous pane"),
    Key("back", ("escape",), "Back, or clear the search"),
    Key("meters", ("#",), "Meters on or off"),
    Key("pause_display", ("Z",), "Pause the display; the engine goes on"),
    Key("next_theme", ("T",), "Next theme"),
    Key("suspend", ("ctrl+z",), "Suspend (refused while this terminal hosts the engine)"),
    Key("leave", ("f10", "q", "ctrl+q", "ctrl+c"), "Back or quit", "Quit"),
)

MOTION = (
    Key("move(1)", ("j", "down"), "Down"),
    Key("move(-1)", ("k", "up"), "Up"),
    Key("pages(0.5)", ("ctrl+d",), "Half a page down"),
    Key("pages(-0.5)", ("ctrl+u",), "Half a page up"),
    Key("pages(1)", ("pagedown",), "A page down"),
    Key("pages(-1)", ("pageup",), "A page up"),
    Key("edge(False)", ("g", "home"), "To the top"),
    Key("edge(True)", ("G", "end"), "To the bottom"),
)

LIST = (
    *MOTION,
    Key("choose", ("enter",), "Open"),
    Key("fold(True)", ("h", "left"), "Collapse, or to the parent"),
    Key("fold(False)", ("l", "right"), "Expand, or to the child"),
)

TAGS = (
    Key("tag", ("space",), "Tag the row"),
    Key("tag_range", ("v",), "Tag a range: v, move, v"),
    Key("invert_tags", ("i",), "Invert the tags"),
    Key("untag", ("U",), "Untag all"),
)

MAIN = (
    Key("find", ("f3", "/"), "Search a task", "Find"),
    Key("find_next(1)", ("n",), "Next match"),
    Key("find_next(-1)", ("N",), "Previous match"),
    Key("filter", ("f4", "\\"), "Show only what matches", "Filter"),
    Key("tree", ("f5", "t"), "Accounts at work under their task", "Tree"),
    Key("expand_all(True)", ("+",), "Expand all"),
    Key("expand_all(False)", ("-",), "Collapse all"),
    Key("sort", ("f6", ">"), "Sort by the next column", "Sort"),
    Key("invert_sort", ("I",), "Invert the order"),
    Key("pause_task", ("f7", "p"), "Pause the task or let it go on", "Pause", changes=True),
    Key("run_task", ("f8", "R"), "Run the task now", "Run", changes=True),
    Key("stop_task", ("f9", "K"), "Stop the task's run (asks)", "Stop", changes=True),
    Key("restore", ("r",), "Restore browser of the task or account"),
)

RESTORE = (
    Key("find", ("f3", "/"), "Search the folder; Tab widens it to all points in time", "Find"),
    Key("find_next(1)", ("n",), "Next match"),
    Key("find_next(-1)", ("N",), "Previous match"),
    Key("filter", ("f4", "\\"), "Show only accounts that match", "Filter"),
    Key("point", ("f5", "t"), "Pick a recovery point", "Point"),
    Key("step_point(1)", ("[",), "Earlier recovery point"),
    Key("step_point(-1)", ("]",), "Later recovery point"),
    Key("sort", ("f6", ">"), "By name or by date", "Sort"),
    Key("deleted", ("D",), "Only what is deleted, newest first"),
    Key("versions", ("V",), "Versions of the item"),
    Key("export", ("f7", "e"), "Export what is tagged as files", "Export", changes=True),
    Key("dry_run", ("f8", "x"), "Dry-run: what a restore would do", "DryRun", changes=True),
    Key("restore", ("f9", "W"), "Restore what is tagged (after a dry-run)", "Restore", changes=True),
)

SCREENS = {"Main": MAIN + TAGS, "Restore": RESTORE + TAGS}


def bindings(keys: Sequence[Key]) -> list[BindingType]:
    """The table's rows as Textual wants them; the action names each binding, so that it can be remapped."""
    return [Binding(",".join(key.keys), key.action, key.title, show=False, id=key.action) for key in keys]


def labelled(keys: Sequence[Key]) -> tuple[Key, ...]:
    """What the key bar shows, in the order of the F-keys."""
    return tuple(sorted((key for key in keys if key.label), key=lambda key: int(key.keys[0][1:])))
