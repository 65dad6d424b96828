"""`alerts`: what asks for somebody, and that somebody knows."""

import os
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import open_home, reach_home
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, field
from tuiback.cli.wording import time_text

if TYPE_CHECKING:
    from tuiback.catalog import AlertRow
    from tuiback.engine.home import Home

_COLUMNS = (
    field("ID", "id"),
    field("SEVERITY", "severity"),
    Column("SINCE", lambda row: time_text(row["since"])),
    field("SUBJECT", "subject"),
    field("WHAT", "text"),
    Column("KNOWN", lambda row: "yes" if row["acked"] else "no"),
    field("WHAT TO DO", "remedy"),
)


@click.group(cls=WholeGroup, invoke_without_command=True)
@click.pass_context
def alerts(ctx: click.Context) -> None:
    """List what asks for somebody, the oldest first."""
    if ctx.invoked_subcommand is None:
        call: Invocation = ctx.obj
        call.output.lines("alerts", map(alert_fields, open_alerts(open_home(call))), _COLUMNS)


@alerts.command("ack")
@click.argument("alert", metavar="ID")
@click.option("--reason", default="", metavar="R", help="Why it needs nobody more.")
@click.pass_obj
def ack(call: Invocation, alert: str, reason: str) -> None:
    """Say that somebody knows; it counts again when more of it happens."""
    from tuiback.engine.commands import AckAlert
    from tuiback.engine.hosting.link import attach

    home = reach_home(call)
    link = attach(home.path)
    if link is not None:
        try:
            link.submit(AckAlert(alert=alert, reason=reason)).result()
        finally:
            link.close()
    else:
        _ack_at_rest(open_home(call), alert, reason)
    call.output.added("alerts-ack", alert, f"Alert {alert} is acknowledged")


def alert_fields(row: "AlertRow") -> dict[str, Any]:
    """One line of `alerts`."""
    return {
        "id": row.alert,
        "severity": row.severity,
        "since": row.since,
        "subject": row.subject,
        "text": row.text,
        "remedy": row.remedy,
        "acked": row.acked_at is not None,
        "acked_at": row.acked_at,
        "acked_by": row.acked_by,
        "ack_reason": row.ack_reason,
    }


def open_alerts(home: "Home") -> "tuple[AlertRow, ...]":
    """What was open when an engine looked last; a running one looks every few seconds."""
    from tuiback.catalog import AlertBook
    from tuiback.engine.home import alerts_path

    path = alerts_path(home)
    if not path.exists():
        return ()
    book = AlertBook.open(path)
    try:
        return book.alerts()
    finally:
        book.close()


def _ack_at_rest(home: "Home", alert: str, reason: str) -> None:
    from tuiback.catalog import AlertBook
    from tuiback.engine.asking import user_name
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.home import alerts_path

    book = AlertBook.open(alerts_path(home))
    try:
        book.ack(alert, SystemClock().now(), user_name(os.getuid()), reason)
    finally:
        book.close()
