"""`search`: finds items of all accounts at all points in time."""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.engaging import open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Output, Row, field
from tuiback.cli.wording import stated_time_text, time_text
from tuiback.engine.restores.naming import check_task, get_account, parse_moment
from tuiback.errors import EnvironmentFault
from tuiback.model import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from tuiback.catalog import CatalogReader, Hit, SearchQuery, SearchScope
    from tuiback.engine.archives.view import View

# Without an engine nobody else does it; so much takes half a second.
_FILLED_FIRST = 20_000
# A person reads no more; who wants all says so, or asks for JSON.
_SHOWN = 100
# To count a million takes about a second.
_MOST_COUNTED = 1_000_000
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

_COLUMNS = (
    Column("MODIFIED", lambda row: stated_time_text(row["modified"])),
    field("ACCOUNT", "account"),
    field("KIND", "kind"),
    Column("POINT", lambda row: f"#{row['snapshot']}", right=True),
    Column("LAST SEEN", lambda row: time_text(row["last_seen"])),
    Column("DELETED", lambda row: time_text(row["deleted_at"])),
    field("PATH", "path"),
)


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--account", metavar="ACCOUNT", help="Only in this account.")
@click.option("--task", help="Only in the accounts of this task.")
@click.option("--kind", type=click.Choice(Kind, case_sensitive=False), help="Only items of this kind.")
@click.option("--from", "since", metavar="TIME", help="Only items received or modified then or later.")
@click.option("--until", metavar="TIME", help="Only items received or modified then or earlier.")
@click.option("--deleted", is_flag=True, help="Only items that their account no longer has.")
@click.option("--limit", type=click.IntRange(1), help=f"At most so many; a table has {_SHOWN} without it.")
@click.pass_obj
def search(
    call: Invocation,
    /,
    query: tuple[str, ...],
    account: str | None,
    limit: int | None,
    **narrowed: Any,  # noqa: ANN401 - click's keywords, which _scope takes
) -> None:
    """Find items at all points in time, newest first.

    QUERY is words that must all occur in names, subjects or people; "a phrase"; begin*; and from: to: subject:
    name: type:pdf size:>1mb.
    """
    from tuiback.catalog import parse_query

    wanted = parse_query(" ".join(query))
    with open_view(call) as view:
        readers, scope = _scope(view, account, **narrowed)
        for repository, reader in readers.items():
            _bring_up_to_date(view.home.catalog_path(repository), reader, call.output)
        rows = _rows(readers.values(), wanted, scope)
        most = limit or (None if call.output.as_json else _SHOWN)
        call.output.lines("search", islice(rows, most), _COLUMNS)
        if limit is None and most and next(rows, None) is not None:
            call.output.note(f"These are the newest {most}; there are more: see --limit")


def _scope(
    view: "View",
    account: str | None,
    *,
    task: str | None,
    kind: Kind | None,
    since: str | None,
    until: str | None,
    deleted: bool,
) -> "tuple[dict[str, CatalogReader], SearchScope]":
    """The catalogs to search, by repository, and where in them."""
    from tuiback.catalog import SearchScope

    check_task(view, task)
    named = get_account(view, account, task) if account is not None else None
    scope = SearchScope(
        account_id=named.account_id if named else None,
        task=task,
        kind=kind,
        since=_first_moment(since) if since is not None else None,
        until=parse_moment(until) if until is not None else None,
        deleted=deleted,
    )
    return ({named.repository: named.reader} if named else dict(view.readers())), scope


def _first_moment(text: str) -> datetime:
    """As parse_moment, but a date alone begins with its first moment."""
    return parse_moment(f"{text}T00:00" if _DATE.fullmatch(text) else text)


def _bring_up_to_date(catalog: "Path", reader: "CatalogReader", output: Output) -> None:
    """Index what the engine has not come to, where that is little; tell how much is not indexed otherwise."""
    from tuiback.catalog import SearchFiller

    lag = reader.search_lag(_MOST_COUNTED)
    if 0 < lag <= _FILLED_FIRST:
        # Who may only read searches what there is.
        with suppress(EnvironmentFault):
            filler = SearchFiller(catalog)
            with closing(filler):
                while reader.search_lag(1) and filler.step():
                    pass
        lag = reader.search_lag(_MOST_COUNTED)
    if lag:
        least = "at least " if lag == _MOST_COUNTED else ""
        are = "item is" if lag == 1 else "items are"
        output.trouble([f"{least}{lag:,} {are} not indexed yet and can't be found; a running engine goes on with it"])


def _rows(readers: "Iterable[CatalogReader]", query: "SearchQuery", scope: "SearchScope") -> Iterator[Row]:
    found = merge(*(_found(reader, query, scope) for reader in readers), key=_modified, reverse=True)
    for reader, hit in found:
        yield hit_row(hit, reader.path_of(hit.account_id, hit.item_id, hit.snapshot))


def _found(
    reader: "CatalogReader", query: "SearchQuery", scope: "SearchScope"
) -> "Iterator[tuple[CatalogReader, Hit]]":
    return ((reader, hit) for hit in reader.search(query, scope))


def _modified(found: "tuple[CatalogReader, Hit]") -> str:
    return found[1].modified


def hit_row(hit: "Hit", path: str) -> Row:
    """One line of `search`."""
    return {
        "id": hit.item_id,
        "account_id": hit.account_id,
        "account": hit.account,
        "task": hit.task,
        "path": path,
        "name": hit.name,
        "kind": hit.kind,
        "size": hit.size,
        "modified": hit.modified or None,
        "snapshot": hit.snapshot,
        "first_seen": hit.first_seen,
        "last_seen": hit.last_seen,
        "deleted_at": hit.deleted_at,
    }
