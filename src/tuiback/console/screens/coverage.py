"""The Coverage screen: who is in the tenants and protected by no task, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tuiback.console import figures
from tuiback.console.keys import COVERAGE, bindings
from tuiback.console.ports import ConsoleView
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.screens.tenants import NO_TENANT
from tuiback.console.text import wrap
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.errors import TuibackError
from tuiback.model import EngineStatus

UNCOVERED = "no task covers it"


@dataclass(frozen=True, slots=True)
class Bare:
    """An account that no task protects."""

    account: str
    account_id: str
    kind: str
    tenant: str
    reason: str


class CoverageScreen(ListScreen[Bare]):
    """Microsoft is asked when the screen is first shown, and with F8."""

    BINDINGS = bindings(COVERAGE)
    screen_name = "Coverage"
    list_title = "UNPROTECTED"
    about_title = "ACCOUNT"
    hint = " 'tuiback task edit TASK' covers more accounts"
    detail_rows = (4, 6)
    sort_keys: ClassVar = {
        "account": lambda one: (one.account.casefold(), one.account_id),
        "kind": lambda one: (one.kind, one.account.casefold()),
        "reason": lambda one: (one.reason, one.account.casefold()),
    }

    def __init__(self) -> None:
        super().__init__()
        self.asking = False
        self.asked_at: datetime | None = None
        self.troubles: Sequence[str] = ()

    # ---- what is asked

    def read(self, view: ConsoleView) -> Sequence[Bare]:  # noqa: ARG002  the engine answers, not the catalogs
        """What was answered last."""
        return self.values or ()

    def reread(self) -> None:
        """Ask once; later only F8 asks Microsoft again."""
        if self.values is None and not self.asking and self.console_app.link is not None:
            self.action_ask()

    def show_status(self, _status: EngineStatus) -> None:
        """The answer is of its moment; only the frame follows the picture."""
        self.reread()
        self.refresh_frame()

    def action_ask(self) -> None:
        """Ask Microsoft who is there now."""
        from tuiback.engine.commands import FindCoverage

        self.asking, self.asked_at = True, self.now
        self.console_app.submit(FindCoverage(), self._answered)
        self.refresh_frame()

    def _answered(self, result: dict[str, object] | None, fault: TuibackError | None) -> None:
        self.asking = False
        if fault is not None or result is None:
            self.values, self.troubles = self.values or (), (str(fault),)
            self.console_app.tell(str(fault), "err")
        else:
            rows, troubles = result.get("rows"), result.get("troubles")
            fields = Bare.__dataclass_fields__
            self.values = [
                Bare(**{name: str(row.get(name, "")) for name in fields}) for row in rows if isinstance(row, dict)
            ] if isinstance(rows, Sequence) else ()
            self.console_app.unprotected = sum(one.reason == UNCOVERED for one in self.values)
            self.troubles = [str(one) for one in troubles] if isinstance(troubles, Sequence) else ()
        if self.is_current:
            self.refresh_frame()

    # ---- what is shown

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        return (
            Column("account", "ACCOUNT", 28 if width < 100 else 40), Column("kind", "KIND", 7),
            Column("tenant", "TENANT", 10 if width < 100 else 20), Column("reason", "WHY", 20, grow=True),
        )

    def key(self, value: Bare) -> str:
        """Its id; what has none is called by its name."""
        return f"{value.tenant}\0{value.kind}\0{value.account_id or value.account}"

    def cells(self, value: Bare) -> Mapping[str, str | Line]:
        """Who, and why."""
        bare = value.reason == UNCOVERED
        return {
            "account": value.account, "kind": (Span(value.kind, "label"),), "tenant": value.tenant,
            "reason": (Span(value.reason, "warn" if bare else "dim"),),
        }

    def words(self, value: Bare) -> str:
        """Who, and why."""
        return f"{value.account} {value.kind} {value.tenant} {value.reason}"

    def details(self, value: Bare, width: int) -> list[Line]:
        """The whole reason."""
        return [
            line((value.account, "title"), (f"   {value.kind} of {value.tenant}", "dim")),
            *(line((text, "warn")) for text in wrap(value.reason, width, 3)),
            line((value.account_id, "dim")),
        ]

    def counts(self) -> str:
        """What could not be asked."""
        if self.asking:
            return "asking Microsoft..."
        if self.troubles:
            return f"not all could be asked: {self.troubles[0]}"
        return f"asked {figures.moment(self.asked_at, self.now)}; F8 asks again"

    def nothing(self) -> str:
        """Good news, where everybody could be asked about."""
        view = self.console_app.view
        if self.asking:
            return "Asking Microsoft..."
        if self.troubles:
            return "Nobody is known to be unprotected; but not all could be asked."
        if view is not None and not any(reader.tenants() for _, reader in view.readers()):
            return NO_TENANT
        return "Everybody is protected by a task."
