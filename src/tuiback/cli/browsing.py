"""`points`, `ls` and `cat`: what there is to bring back, and one item's bytes."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import open_view, secret_source
from tuiback.cli.invocation import Invocation
from tuiback.cli.itemrows import Listing, item_rows
from tuiback.cli.output import Column, Row, field
from tuiback.cli.wording import bytes_text, stated_time_text, time_text
from tuiback.engine.restores.naming import NamedAccount, get_account, get_entry, get_point
from tuiback.errors import NoSuchThing, UsageError
from tuiback.model import FOLDER_KINDS, Kind, StoredPart

if TYPE_CHECKING:
    from tuiback.catalog import Entry, Point

_POINT_COLUMNS = (
    Column("POINT", lambda row: f"#{row['snapshot']}", right=True),
    Column("TAKEN", lambda row: time_text(row["taken_at"])),
    Column("VERIFIED UNTIL", lambda row: time_text(row["verified_until"])),
    field("RUN", "run", right=True),
    field("ITEMS", "items", right=True),
    Column("SIZE", lambda row: bytes_text(row["bytes"]), right=True),
    field("OUTCOME", "outcome"),
)
_ITEM_COLUMNS = (
    field("KIND", "kind"),
    Column("SIZE", lambda row: bytes_text(row["size"]) if row["kind"] not in FOLDER_KINDS else "-", right=True),
    Column("MODIFIED", lambda row: stated_time_text(row["modified"])),
    field("VERSIONS", "versions", right=True),
    field("PATH", "path"),
)
# The part that holds an item as its users know it; all else of an item is told by its properties.
_CONTENT_PARTS = {Kind.MESSAGE: "mime", Kind.FILE: "file"}
_PROPERTIES = "properties"


@click.command()
@click.argument("account")
@click.option("--task", help="The task that protects it.")
@click.pass_obj
def points(call: Invocation, account: str, task: str | None) -> None:
    """List the recovery points of an account, newest first."""
    with open_view(call) as view:
        named = get_account(view, account, task)
        rows = map(point_row, named.reader.points(named.account_id))
        call.output.lines("points", rows, _POINT_COLUMNS)


@click.command()
@click.argument("account")
@click.argument("path", default="")
@click.option("--task", help="The task that protects the account.")
@click.option("--at", metavar="POINT", help="#118, latest, 2026-11-21, 2026-11-21T22:00 or '2 days ago'.")
@click.option("--recursive", "-R", is_flag=True, help="All that lies below, too.")
@click.option("--deleted", is_flag=True, help="What was deleted until then, instead.")
@click.option("--kind", type=click.Choice(Kind, case_sensitive=False), help="Only items of this kind.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.pass_obj
def ls(
    call: Invocation,
    /,
    account: str,
    path: str,
    task: str | None,
    at: str | None,
    limit: int | None,
    **filters: Any,  # noqa: ANN401 - click's keywords, which are Listing's fields
) -> None:
    """List folders and items of an account as they were at a point in time."""
    with open_view(call) as view:
        named = get_account(view, account, task)
        point = get_point(named, at)
        start = named.reader.resolve_path(named.account_id, path, point.seq)
        rows = item_rows(Listing(named, point.seq, **filters), start)
        call.output.lines("ls", islice(rows, limit), _ITEM_COLUMNS)


@click.command()
@click.argument("account")
@click.argument("path", default="")
@click.option("--id", "item_id", help="The item's id, in place of PATH.")
@click.option("--task", help="The task that protects the account.")
@click.option("--at", metavar="POINT", help="The point in time; the latest without it.")
@click.pass_obj
def cat(call: Invocation, account: str, path: str, item_id: str | None, task: str | None, at: str | None) -> None:
    """Print one item's bytes: a message as EML, a file as it is, all else as JSON."""
    if (item_id is None) == (path == ""):
        raise UsageError("give either a PATH or --id", account, "see 'tuiback ls'")
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.upkeep.auditing import deed_by_hand, note_deed

    with open_view(call) as view:
        named = get_account(view, account, task)
        entry = _find(named, path, item_id, at)
        part = content_part(entry, named.reader.parts(named.account_id, entry.item_id, entry.from_seq))
        reader = view.content(named.repository, secret_source())
        told = f"{entry.name} ({entry.item_id}) of #{entry.from_seq}"
        note_deed(view.home, named.repository, SystemClock(), deed_by_hand("cat", told, accounts=(named.account_id,)))
        for piece in reader.read(part):
            call.output.raw(piece)


def content_part(entry: "Entry", parts: Iterable[StoredPart]) -> StoredPart:
    """The part of an item that `cat` prints. Raises UsageError for a folder, NoSuchThing where none is stored."""
    if entry.kind in FOLDER_KINDS:
        raise UsageError("is a folder", entry.name, "see 'tuiback ls', or take it whole with 'tuiback export'")
    wanted = _CONTENT_PARTS.get(entry.kind, _PROPERTIES)
    for part in parts:
        if part.name == wanted:
            return part
    raise NoSuchThing("has no content in the backup", entry.name, "see 'tuiback owed'")


def point_row(point: "Point") -> Row:
    """One line of `points`."""
    return {
        "snapshot": point.seq,
        "taken_at": point.taken_at,
        "verified_until": point.verified_until,
        "run": point.run,
        "items": point.items,
        "bytes": point.bytes,
        "outcome": point.outcome,
    }


def _find(named: NamedAccount, path: str, item_id: str | None, at: str | None) -> "Entry":
    if item_id is not None:
        # An id without a point means the last version that existed, deleted or not.
        return get_entry(named, item_id, get_point(named, at).seq if at is not None else None)
    entry = named.reader.resolve_path(named.account_id, path, get_point(named, at).seq)
    if entry is None:
        raise UsageError("is the whole account", named.account.address, "give the PATH of one item")
    return entry
