"""The Accounts screen: every protected account, the worst first; run, hold, exclude or restore one."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on

from tuiback.console.keys import ACCOUNTS, bindings
from tuiback.console.ports import ConsoleView
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.standing import (
    STATES,
    Standing,
    account_cells,
    account_columns,
    account_details,
    accounts_of,
    counted,
    read_standings,
    reason_of,
)
from tuiback.console.text import shared_domain
from tuiback.console.widgets.lines import Line
from tuiback.console.widgets.rows import Column
from tuiback.console.widgets.table import Table


class AccountsScreen(ListScreen[Standing]):
    """Who is late, failed or gone, and why."""

    BINDINGS = bindings(ACCOUNTS)
    screen_name = "Accounts"
    list_title = "ACCOUNTS"
    about_title = "ACCOUNT"
    hint = " R run  o owed  r restore  s state  H hold  X exclude"
    tagging = True
    sort_keys: ClassVar = {
        "state": lambda one: (STATES.index(one.overview.state), one.name.casefold(), one.account.account_id),
        "account": lambda one: (one.name.casefold(), one.account.account_id),
        "task": lambda one: (one.account.task, one.name.casefold()),
        "last": lambda one: (one.overview.last_ok_at is not None, one.overview.last_ok_at or 0, one.name),
        "owed": lambda one: (-len(one.debts), one.name.casefold()),
        "items": lambda one: (-one.overview.items, one.name.casefold()),
        "size": lambda one: (-one.overview.bytes, one.name.casefold()),
    }

    def __init__(self) -> None:
        super().__init__()
        self.state = ""
        self.domain = ""

    # ---- what is shown

    def read(self, view: ConsoleView) -> Sequence[Standing]:
        """Every account of every repository."""
        return read_standings(view, self.now)

    def take(self, values: Sequence[Standing]) -> None:
        """Addresses are shown without what they all share."""
        self.domain = shared_domain(one.account.address for one in values)
        super().take(values)

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        return account_columns(width)

    def key(self, value: Standing) -> str:
        """Its id, which lasts over new addresses."""
        return value.account.account_id

    def cells(self, value: Standing) -> Mapping[str, str | Line]:
        """How it stands."""
        return account_cells(value, self.now, self.domain)

    def words(self, value: Standing) -> str:
        """Whatever somebody may know of it."""
        aliases = " ".join(alias.address for alias in value.overview.aliases)
        account = value.account
        return f"{value.name} {account.name} {aliases} {account.task} {value.overview.state} {reason_of(value)}"

    def details(self, value: Standing, width: int) -> list[Line]:
        """All that is known of it."""
        return account_details(value, self.now, width)

    def wanted(self, value: Standing) -> bool:
        """Those of the state that was asked for."""
        return self.state in {"", value.overview.state}

    def counts(self) -> str:
        """How many are in which state."""
        told = counted(self.values or ()) + (f"  {self.domain}" if self.domain else "")
        return f"only {self.state}, of {told}" if self.state else told

    def nothing(self) -> str:
        """Accounts come with the first run."""
        return "No account yet: the first run finds them. 1 goes to the tasks."

    # ---- what is done

    def show_state(self, state: str) -> None:
        """Show only accounts of one state, "" for all."""
        self.state = state
        if self.composed:
            self.show_values()

    def action_state(self) -> None:
        """The next state that any account is in, all after the last."""
        there = {one.overview.state for one in self.values or ()}
        states = ["", *(state for state in STATES if state in there)]
        place = states.index(self.state) if self.state in states else 0
        self.show_state(states[(place + 1) % len(states)])

    def step_back(self) -> bool:
        """Esc clears the filter, then the state."""
        if super().step_back():
            return True
        chosen, self.state = bool(self.state), ""
        if chosen:
            self.show_values()
        return chosen

    @on(Table.Chosen)
    def action_restore(self) -> None:
        """Open the restore browser on the account; Enter does that too."""
        if (one := self.current) is not None:
            self.console_app.open_restore(task=one.account.task, account_id=one.account.account_id)

    def action_owed(self) -> None:
        """List what the account owes."""
        if (one := self.current) is not None:
            self.console_app.open_owed(account_id=one.account.account_id, called=one.name)

    def action_run(self) -> None:
        """Run the chosen accounts now, whatever their task's window says."""
        from tuiback.engine.commands import RunTasks

        tasks, ids = accounts_of(self.chosen())
        if not ids:
            self.tell("A gone account can't be run: there is nobody to ask", "warn")
            return
        told = f"Started {len(ids)} account{'s' * (len(ids) > 1)} of {', '.join(tasks)}"
        self.console_app.submit(RunTasks(tasks=tasks, accounts=ids, wait=False, now=True), self.asked(told))

    def action_exclude(self) -> None:
        """Ask, then leave the account out of its task."""
        one = self.current
        if one is None or one.task is None:
            self.tell("No task protects it any more", "warn")
            return
        from tuiback.console.dialogs.confirm import ConfirmDialog

        text = (
            f"Leave {one.name} out of task {one.task.name} from now on? Nothing new of it is backed up;"
            " what is there stays."
        )
        buttons = [("exclude", "Exclude"), ("cancel", "Cancel")]
        self.app.push_screen(ConfirmDialog("Exclude", text, buttons), lambda answer: self._exclude(one, answer))

    def _exclude(self, one: Standing, answer: str | None) -> None:
        from tuiback.engine.commands import EditTask

        if answer == "exclude" and one.task is not None:
            excluded = tuple(dict.fromkeys((*one.task.exclude, one.account.account_id)))
            command = EditTask(task=one.task.name, exclude=excluded)
            self.console_app.submit(command, self.asked(f"Excluded {one.name} from {one.task.name}"))

    def action_hold(self) -> None:
        """Hold the account, or end the hold that keeps it."""
        from tuiback.console.dialogs.holding import ask_about_hold

        if (one := self.current) is not None:
            ask_about_hold(self, one.name, one.hold, account_id=one.account.account_id)
