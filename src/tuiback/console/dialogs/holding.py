"""Asks about holds: why something is to be kept whatever retention says, and whether that is over."""

from tuiback.console import figures
from tuiback.console.dialogs.confirm import ConfirmDialog
from tuiback.console.dialogs.reason import ReasonDialog
from tuiback.console.screens.list_screen import ListScreen
from tuiback.console.screens.list_view import V
from tuiback.model import Hold


def ask_about_hold(
    screen: ListScreen[V], what: str, hold: Hold | None, *, account_id: str = "", task: str = ""
) -> None:
    """Ask for the reason of a new hold of the account or the task, or whether the hold there is shall end."""
    if hold is None:
        text = f"Keep everything of {what}, whatever retention says, until the hold is removed."
        dialog = ReasonDialog("Hold", text, "Hold")
        screen.app.push_screen(dialog, lambda reason: _hold(screen, what, reason, account_id, task))
        return
    until = f"through {figures.local(hold.until):%Y-%m-%d}" if hold.until else "until it is removed"
    whole = f" The hold is for all accounts of task {hold.task}." if hold.task and account_id else ""
    text = f"{what} is kept {until} by {hold.made_by}: {hold.reason}.{whole} End the hold? Retention has its way again."
    buttons = [("end", "End the hold"), ("cancel", "Cancel")]
    screen.app.push_screen(ConfirmDialog("Hold", text, buttons), lambda answer: _end(screen, hold, answer))


def _hold(screen: ListScreen[V], what: str, reason: str | None, account_id: str, task: str) -> None:
    from tuiback.engine.commands import AddHold

    if reason:
        command = AddHold(account_id=account_id, task=task, reason=reason)
        screen.console_app.submit(command, screen.asked(f"{what} is held"))


def _end(screen: ListScreen[V], hold: Hold, answer: str | None) -> None:
    from tuiback.engine.commands import RemoveHold

    if answer == "end":
        screen.console_app.submit(RemoveHold(hold=hold.hold_id), screen.asked(f"Hold {hold.hold_id} ended"))
