"""The Alerts screen: what asks for somebody, that somebody knows, and what has closed while this console was open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on

from tuiback.console import figures
from tuiback.console.keys import ALERTS, bindings
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.text import wrap
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.console.widgets.table import Table
from tuiback.model import AlertStatus, EngineStatus

SEVERITIES = ("critical", "warning", "info")
TONES = {"critical": "err", "warning": "warn", "info": "info"}


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert and when it closed, None while it is open."""

    alert: AlertStatus
    closed_at: datetime | None = None

    @property
    def state(self) -> str:
        """open, known (somebody acknowledged it) or closed."""
        return "closed" if self.closed_at else "known" if self.alert.acked else "open"


STATES = ("open", "known", "closed")


class AlertsScreen(ListScreen[Shown]):
    """Open alerts first, the worst of them at the top. Enter goes to where each is about."""

    BINDINGS = bindings(ALERTS)
    screen_name = "Alerts"
    list_title = "ALERTS"
    about_title = "ALERT"
    hint = " a acknowledges; Enter goes to what it is about"
    tagging = True
    sort_keys: ClassVar = {
        "state": lambda one: (
            STATES.index(one.state), SEVERITIES.index(one.alert.severity), -one.alert.since.timestamp(), one.alert.alert
        ),
        "severity": lambda one: (SEVERITIES.index(one.alert.severity), one.alert.alert),
        "since": lambda one: (-one.alert.since.timestamp(), one.alert.alert),
        "subject": lambda one: (one.alert.subject, one.alert.alert),
    }

    # ---- what is shown: the picture has it all

    def reread(self) -> None:
        """Take the alerts out of the newest picture."""
        if self.console_app.status is not None:
            self.show_status(self.console_app.status)

    def show_status(self, status: EngineStatus) -> None:
        """Follow every picture."""
        closed = [Shown(alert, at) for alert, at in self.console_app.closed_alerts]
        self.take([*(Shown(alert) for alert in status.alerts), *closed])

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns that fit."""
        return (
            Column("state", "STATE", 6), Column("severity", "SEVERITY", 8), Column("since", "SINCE", 11),
            Column("subject", "SUBJECT", 16 if width < 100 else 24), Column("text", "WHAT", 20, grow=True),
        )

    def key(self, value: Shown) -> str:
        """Its stable id; what has closed may be open again beside that."""
        return f"{value.alert.alert}\0{value.closed_at or ''}"

    def cells(self, value: Shown) -> Mapping[str, str | Line]:
        """What it says; what is known or over stands back."""
        alert, asks = value.alert, value.state == "open"
        return {
            "state": (Span(value.state, "strong" if asks else "dim"),),
            "severity": (Span(alert.severity, TONES[alert.severity] if asks else "dim"),),
            "since": (Span(figures.moment(alert.since, self.now), "" if asks else "dim"),),
            "subject": (Span(alert.subject, "" if asks else "dim"),),
            "text": (Span(alert.text, "" if asks else "dim"),),
        }

    def words(self, value: Shown) -> str:
        """Everything it says."""
        alert = value.alert
        return f"{alert.subject} {alert.text} {alert.severity} {value.state} {alert.alert}"

    def details(self, value: Shown, width: int) -> list[Line]:
        """The whole text, and what to do."""
        alert = value.alert
        lines = [line((alert.severity, TONES[alert.severity]), "  ", (alert.subject, "title"))]
        lines += [line(text) for text in wrap(alert.text, width, 4)]
        if alert.remedy:
            lines += [line((text, "notice")) for text in wrap(alert.remedy, width, 2)]
        since = f"since {figures.date_time(alert.since)}"
        over = f", closed {figures.date_time(value.closed_at)}" if value.closed_at else ""
        lines.append(line((f"{since}{over}   {alert.alert}", "dim")))
        return lines

    def counts(self) -> str:
        """How many ask for somebody."""
        states = [one.state for one in self.values or ()]
        return "  ".join(f"{states.count(state)} {state}" for state in STATES if state in states)

    def nothing(self) -> str:
        """Good news."""
        return "No alert is open: nothing asks for somebody."

    # ---- what is done

    def action_ack(self) -> None:
        """Ask why, then say that somebody knows."""
        from tuiback.console.dialogs.reason import ReasonDialog

        alerts = [one.alert for one in self.chosen() if one.state == "open"]
        if not alerts:
            self.tell("Only an open alert can be acknowledged", "warn")
            return
        what = f"{alerts[0].subject}: {alerts[0].text}" if len(alerts) == 1 else f"{len(alerts)} alerts"
        text = f"Somebody knows of {what}. It asks for nobody until there is more of it."
        dialog = ReasonDialog("Acknowledge", text, "Acknowledge", needed=False)
        self.app.push_screen(dialog, lambda reason: self._ack(alerts, reason))

    def _ack(self, alerts: Sequence[AlertStatus], reason: str | None) -> None:
        from tuiback.engine.commands import AckAlert

        if reason is not None:
            self.table.tags.clear()
            for alert in alerts:
                told = self.asked(f"Acknowledged {alert.subject}: {alert.text}")
                self.console_app.submit(AckAlert(alert=alert.alert, reason=reason), told)

    @on(Table.Chosen)
    def row_chosen(self) -> None:
        """Go to what the alert is about."""
        if (one := self.current) is not None:
            kind, _, about = one.alert.alert.partition(":")
            if not self.console_app.open_about(kind, about):
                self.tell(one.alert.remedy or "There is no screen for this", "notice")
