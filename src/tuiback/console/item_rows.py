"""Makes rows out of items: a mail shows subject, sender, date, size; a file name, date, size."""

from datetime import datetime
from typing import TYPE_CHECKING

from tuiback.console import figures
from tuiback.console.widgets.lines import Span
from tuiback.console.widgets.rows import Cell, Column, Row
from tuiback.model import FOLDER_KINDS, AccountKind, Kind

if TYPE_CHECKING:
    from tuiback.catalog import Entry

# Every kind that isn't a folder stands in the item list.
ITEM_KINDS = tuple(kind for kind in Kind if kind not in FOLDER_KINDS)
NARROW, ROOMY = 44, 70

_MAIL_KINDS = frozenset({AccountKind.MAILBOX, AccountKind.ARCHIVE})


def item_columns(kind: AccountKind | None, width: int) -> tuple[Column, ...]:
    """The columns for an account's items in a pane of so many cells."""
    day = Column("date", "DATE", 10 if width >= ROOMY else 5, "right")
    if kind in _MAIL_KINDS:
        size = Column("size", "SIZE", 5, "right")
        if width < NARROW:
            return (Column("name", "SUBJECT", 8, grow=True), day, size)
        sender = Column("from", "FROM", 22 if width >= ROOMY else 11)
        return (Column("name", "SUBJECT", 8, grow=True), sender, Column("has", "@", 1), day, size)
    return (
        Column("name", "NAME", 8, grow=True), Column("versions", "VER", 3, "right"), day,
        Column("size", "SIZE", 6, "right"),
    )


def item_title(entry: "Entry") -> str:
    """What an item is called on the screen; a mail without a subject says so."""
    if entry.kind is Kind.MESSAGE:
        return entry.attrs.get("subject") or entry.name or "(no subject)"
    return entry.name


def sender_name(sender: str) -> str:
    """The name of `Name <address>`, the address where there is no name."""
    name, bracket, address = sender.partition("<")
    return name.strip().strip('"') or address.rstrip(">") if bracket else sender


def item_row(entry: "Entry", columns: tuple[Column, ...], today: datetime, *, deleted: bool) -> Row["Entry"]:
    """One item as a row; what was deleted is marked D."""
    title = f"D {item_title(entry)}" if deleted else item_title(entry)
    day = next(column.width for column in columns if column.key == "date")
    cells: dict[str, Cell] = {
        "name": title,
        "from": sender_name(entry.attrs.get("from", "")),
        "has": "@" if entry.attrs.get("attachments") == "1" else "",
        "versions": (Span(f"v{entry.versions}", "info"),) if entry.versions > 1 else "",
        "date": figures.stamp(entry.attrs.get("date") or entry.modified, today, day),
        "size": figures.size(entry.size),
    }
    key = f"{entry.account_id}\0{entry.item_id}"
    return Row(key, tuple(cells[column.key] for column in columns), entry, "gone" if deleted else "")
