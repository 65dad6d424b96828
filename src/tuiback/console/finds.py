"""Finds items of an account, of a task or of all at all points in time, for the restore browser."""

from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from tuiback.console import figures
from tuiback.console.browse import Browser, Protected
from tuiback.console.widgets.rows import Column, Row

if TYPE_CHECKING:
    from tuiback.catalog import Hit

FOLDER, ACCOUNT, TASK, EVERYTHING = "folder", "account", "task", "everything"
SCOPES = (FOLDER, ACCOUNT, TASK, EVERYTHING)
# A list that nobody reads to its end.
MOST = 200
# Counting further would take longer than searching.
_LAG_COUNTED = 10_000

COLUMNS = (
    Column("date", "DATE", 10), Column("account", "ACCOUNT", 18), Column("point", "POINT", 6, "right"),
    Column("name", "NAME", 10, grow=True),
)


@dataclass(frozen=True, slots=True)
class Finds:
    """What was found, the newest first; `missing` is how much could not be searched yet."""

    rows: "tuple[Row[Hit], ...]"
    missing: int


def find(browser: Browser, text: str, scope: str, here: Protected | None) -> Finds:
    """Search the scope around `here`; may take a moment, so from a thread. Raises UsageError for a bad query.

    Where nothing has the last word of the text, what has one that begins so is found.
    """
    from tuiback.catalog import SearchScope, parse_query

    around = here.account if here and scope != EVERYTHING else None
    narrowed = SearchScope(
        account_id=around.account_id if around and scope == ACCOUNT else None,
        task=around.task if around and scope == TASK else None,
    )
    readers = [
        reader for name, reader in browser.view.readers() if here is None or around is None or name == here.repository
    ]

    def rows(wanted: str) -> "tuple[Row[Hit], ...]":
        query = parse_query(wanted)
        hits = merge(*(reader.search(query, narrowed) for reader in readers), key=attrgetter("modified"), reverse=True)
        return tuple(find_row(hit) for hit in islice(hits, MOST))

    found = rows(text) or (rows(f"{text}*") if text[-1:].isalnum() else ())
    return Finds(found, sum(reader.search_lag(_LAG_COUNTED) for reader in readers))


def find_row(hit: "Hit") -> "Row[Hit]":
    """One find; what its account no longer has is marked D."""
    name = f"D {hit.name}" if hit.deleted_at else hit.name
    cells = (hit.modified[:10] or "-", hit.account, f"#{hit.snapshot}", name)
    return Row(f"{hit.account_id}\0{hit.item_id}", cells, hit, "gone" if hit.deleted_at else "")


def find_hint(finds: Finds) -> str:
    """What the list says below itself."""
    hint = "Enter shows and tags it as it was at that point, Esc leaves"
    if len(finds.rows) == MOST:
        hint = f"The newest {MOST}. {hint}"
    if finds.missing:
        more = "+" if finds.missing >= _LAG_COUNTED else ""
        hint = f"{figures.number(finds.missing)}{more} items are not indexed yet. {hint}"
    return hint
