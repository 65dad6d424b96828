"""The Owed screen: what failed and stays owed; try it again, or put up with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tuiback.console import figures
from tuiback.console.keys import OWED, bindings
from tuiback.console.ports import ConsoleView
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.standing import answer_of
from tuiback.console.text import clip_left, wrap
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.model import Account, AccountState

if TYPE_CHECKING:
    from tuiback.model import Owed

WIDE = 130


@dataclass(frozen=True, slots=True)
class Debt:
    """Something owed, and whose it is; `runs` says whether its task could try it again."""

    owed: "Owed"
    account: Account | None
    runs: bool

    @property
    def name(self) -> str:
        """Whose it is."""
        return (self.account.address or self.account.name) if self.account else self.owed.account_id


class OwedScreen(ListScreen[Debt]):
    """The debts of all accounts, of a task or of one account; what nobody knows of yet comes first."""

    BINDINGS = bindings(OWED)
    screen_name = "Owed"
    list_title = "OWED"
    about_title = "DEBT"
    hint = " every run tries again; R tries now, a puts up with it"
    tagging = True
    sort_keys: ClassVar = {
        "state": lambda one: (bool(one.owed.ack), -one.owed.since.timestamp(), one.name, one.owed.path),
        "account": lambda one: (one.name.casefold(), one.owed.path),
        "path": lambda one: one.owed.path.casefold(),
        "since": lambda one: one.owed.since,
        "tries": lambda one: -one.owed.tries,
    }

    def __init__(self) -> None:
        super().__init__()
        self.of_task: str | None = None
        self.account_id: str | None = None
        self.whose = ""

    def open_on(self, task: str | None, account_id: str | None, called: str) -> None:
        """Show the debts of a task or an account; with neither all of them."""
        self.of_task, self.account_id, self.whose = task, account_id, called
        self.values = None

    # ---- what is shown

    def read(self, view: ConsoleView) -> Sequence[Debt]:
        """The debts of every repository."""
        found: list[Debt] = []
        for _, reader in view.readers():
            tasks = {task.name for task in reader.tasks()}
            accounts = {one.account.account_id: one.account for one in reader.account_overview()}
            for owed in reader.owed(self.account_id, self.of_task):
                account = accounts.get(owed.account_id)
                there = account is not None and account.state is AccountState.ACTIVE and account.task in tasks
                found.append(Debt(owed, account, there))
        return found

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        wide = width >= WIDE
        columns = [
            Column("state", "STATE", 6), Column("account", "ACCOUNT", 30 if wide else 20),
            Column("path", "WHAT", 20, grow=True),
        ]
        if wide:
            columns.append(Column("error", "WHY", 40))
        return (*columns, Column("since", "SINCE", 11), Column("tries", "TRIES", 5, "right"))

    def key(self, value: Debt) -> str:
        """The item, of that account."""
        return f"{value.owed.account_id}\0{value.owed.container_id}\0{value.owed.item_id}"

    def cells(self, value: Debt) -> Mapping[str, str | Line]:
        """What it is, and since when."""
        owed, known = value.owed, bool(value.owed.ack)
        room = self.table.size.width - sum(one.width + 1 for one in self.table.columns if not one.grow) - 2
        return {
            "state": (Span("known" if known else "owed", "dim" if known else "warn"),),
            "account": value.name,
            # What it is called matters more than the way there.
            "path": clip_left(owed.path or "the account itself", max(20, room)),
            "error": (Span(answer_of(owed.error), "dim"),),
            "since": figures.moment(owed.since, self.now),
            "tries": str(owed.tries),
        }

    def words(self, value: Debt) -> str:
        """Whose, what and why."""
        return f"{value.name} {value.owed.path} {value.owed.error} {'known' if value.owed.ack else 'owed'}"

    def details(self, value: Debt, width: int) -> list[Line]:
        """All that is known of it."""
        owed = value.owed
        request = f"  request {owed.request_id}" if owed.request_id and owed.request_id not in owed.error else ""
        lines = [line((text, "strong")) for text in wrap(owed.path or "the account itself", width, 2)]
        lines += [line((text, "warn")) for text in wrap(owed.error, width, 4)]
        tried = f"{owed.tries} {'try' if owed.tries == 1 else 'tries'} since {figures.date_time(owed.since)}{request}"
        lines.append(line(tried))
        if owed.ack:
            lines.append(line(("Known   ", "label"), owed.ack))
        if not value.runs:
            lines.append(line(("Its account is gone or has no task: nothing can be tried again.", "info")))
        lines.append(line(("Id      ", "label"), (owed.item_id or owed.container_id or owed.account_id, "dim")))
        return lines

    def counts(self) -> str:
        """How many nobody knows of yet."""
        values = self.values
        if values is None:
            return ""
        known = sum(bool(one.owed.ack) for one in values)
        of = f"of {self.whose}: " if self.whose else ""
        return f"{of}{len(values) - known} new, {known} known"

    def nothing(self) -> str:
        """Good news."""
        return f"{self.whose or 'Nobody'} owes nothing: every item that was listed was backed up."

    # ---- what is done

    def action_ack(self) -> None:
        """Ask why, then put up with what is chosen."""
        from tuiback.console.dialogs.reason import ReasonDialog

        debts = self.chosen()
        if not debts:
            self.tell("Nothing is owed here", "warn")
            return
        what = debts[0].owed.path or debts[0].name if len(debts) == 1 else f"{len(debts)} debts"
        text = f"Put up with {what}: it stays listed and is tried again, but makes no run partial any more."
        self.app.push_screen(ReasonDialog("Acknowledge", text, "Acknowledge"), lambda reason: self._ack(debts, reason))

    def _ack(self, debts: Sequence[Debt], reason: str | None) -> None:
        from tuiback.engine.commands import AckOwed

        if reason:
            self.table.tags.clear()
            for debt in debts:
                owed = debt.owed
                named = owed.item_id or owed.container_id or owed.account_id
                command = AckOwed(owed_id=named, account_id=owed.account_id, reason=reason)
                self.console_app.submit(command, self.asked(f"Acknowledged {owed.path or debt.name}"))

    def action_retry(self) -> None:
        """Run the accounts of what is chosen now: a run begins with what is owed."""
        from tuiback.engine.commands import RunTasks

        accounts = [one.account for one in self.chosen() if one.account is not None and one.runs]
        if not accounts:
            self.tell("Nothing here can be tried again", "warn")
            return
        tasks = tuple(dict.fromkeys(account.task for account in accounts))
        ids = tuple(dict.fromkeys(account.account_id for account in accounts))
        command = RunTasks(tasks=tasks, accounts=ids, trigger="retry", now=True, wait=False)
        told = f"Trying {len(ids)} account{'s' * (len(ids) > 1)} of {', '.join(tasks)} again"
        self.console_app.submit(command, self.asked(told))

    def action_restore(self) -> None:
        """Open the restore browser on the account."""
        one = self.current
        if one is not None and one.account is not None:
            self.console_app.open_restore(task=one.account.task, account_id=one.account.account_id)
