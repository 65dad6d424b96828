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
    Key("show_accounts", ("2",), "Accounts: how each one stands"),
    Key("show_restore", ("3",), "Restore: every account at every moment"),
    Key("show_activity", ("4",), "Activity: what the engine did"),
    Key("show_storage", ("5",), "Storage: what is kept, and when the disk is full"),
    Key("show_coverage", ("6",), "Coverage: who is protected by no task"),
    Key("show_jobs", ("7",), "Jobs: restores, exports, checks and prunes"),
    Key("show_tenants", ("8",), "Tenants: credentials and consent"),
    Key("show_alerts", ("A",), "Alerts: what asks for somebody"),
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

def searching(noun: str) -> tuple[Key, ...]:
    """The keys that find, narrow and order the rows of a list."""
    return (
        Key("find", ("f3", "/"), f"Search {noun}", "Find"),
        Key("find_next(1)", ("n",), "Next match"),
        Key("find_next(-1)", ("N",), "Previous match"),
        Key("filter", ("f4", "\\"), "Show only what matches", "Filter"),
        Key("sort", ("f6", ">"), "Sort by the next column", "Sort"),
        Key("invert_sort", ("I",), "Invert the order"),
    )


TASK_COMMANDS = (
    Key("pause_task", ("f7", "p"), "Pause the task or let it go on", "Pause", changes=True),
    Key("run_task", ("f8", "R"), "Run the task now", "Run", changes=True),
    Key("stop_task", ("f9", "K"), "Stop the task's run (asks)", "Stop", changes=True),
    Key("owed", ("o",), "What the task or account owes"),
    Key("restore", ("r",), "Restore browser of the task or account"),
)

MAIN = (
    *searching("a task"),
    Key("tree", ("f5", "t"), "Accounts at work under their task", "Tree"),
    Key("expand_all(True)", ("+",), "Expand all"),
    Key("expand_all(False)", ("-",), "Collapse all"),
    *TASK_COMMANDS,
)

TASK = (
    *searching("a run"),
    *TASK_COMMANDS,
    Key("hold", ("H",), "Hold the task's accounts, or end the hold (asks)", changes=True),
)

ACCOUNTS = (
    *searching("an account"),
    Key("state", ("f5", "s"), "Only late, failed, never, gone, ok ones, or all", "State"),
    Key("owed", ("f7", "o"), "What the account owes", "Owed"),
    Key("run", ("f8", "R"), "Run the account now, or all tagged ones", "Run", changes=True),
    Key("exclude", ("X",), "Leave the account out of its task (asks)", changes=True),
    Key("hold", ("H",), "Hold the account, or end its hold (asks)", changes=True),
    Key("restore", ("r",), "Restore browser of the account"),
)

OWED = (
    *searching("a debt"),
    Key("ack", ("f7", "a"), "Acknowledge: put up with it (asks why)", "Ack", changes=True),
    Key("retry", ("f8", "R"), "Try it again now, or all tagged ones", "Retry", changes=True),
    Key("restore", ("r",), "Restore browser of the account"),
)

ALERTS = (
    *searching("an alert"),
    Key("ack", ("f7", "a"), "Acknowledge: somebody knows (asks why)", "Ack", changes=True),
)

JOBS = (
    *searching("a job"),
    Key("undo_job", ("f7", "u"), "Undo: take away what the restore wrote (asks)", "Undo", changes=True),
    Key("resume_job", ("f8", "R"), "Let a restore or export go on that was not finished", "GoOn", changes=True),
    Key("cancel_job", ("f9", "K"), "Cancel the job (asks)", "Cancel", changes=True),
)

STORAGE = (
    *searching("a task"),
    Key("check", ("f7", "C"), "Check the repositories now (asks how)", "Check", changes=True),
    Key("dry_run", ("f8", "x"), "What retention would let go now", "DryRun"),
    Key("prune", ("P",), "Prune: let go what retention allows (asks)", changes=True),
)

ACTIVITY = searching("a line")

COVERAGE = (*searching("an account"), Key("ask", ("f8", "R"), "Ask Microsoft who is there now", "Ask"))

TENANTS = (*searching("a tenant"), Key("check", ("f8", "C"), "Sign in and see what the app may do", "Check"))

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

SCREENS = {
    "Main": MAIN + TAGS, "Accounts": ACCOUNTS + TAGS, "Restore": RESTORE + TAGS, "Activity": ACTIVITY,
    "Storage": STORAGE, "Coverage": COVERAGE, "Jobs": JOBS, "Tenants": TENANTS, "Alerts": ALERTS + TAGS,
    "Task": TASK, "Owed": OWED + TAGS,
}


def bindings(keys: Sequence[Key]) -> list[BindingType]:
    """The table's rows as Textual wants them; the action names each binding, so that it can be remapped."""
    return [Binding(",".join(key.keys), key.action, key.title, show=False, id=key.action) for key in keys]


def labelled(keys: Sequence[Key]) -> tuple[Key, ...]:
    """What the key bar shows, in the order of the F-keys."""
    return tuple(sorted((key for key in keys if key.label), key=lambda key: int(key.keys[0][1:])))
