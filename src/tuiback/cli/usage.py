"""`usage`: how much is kept in how little space, what came day by day, and when the volume will be full."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from tuiback.cli.engaging import open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Output, Row, field
from tuiback.cli.wording import bytes_text, time_text
from tuiback.errors import TuibackError

if TYPE_CHECKING:
    from tuiback.catalog import CatalogReader, DayGrowth, RunSavings
    from tuiback.engine.archives.view import View
    from tuiback.engine.home import RepositoryRef

# The document has them all.
_DAYS_SHOWN = 14
# The fields of RunSavings, as the document calls them.
_SAVED = {
    "bytes_read": "read_bytes",
    "bytes_decoded": "base64_bytes",
    "bytes_single_instance": "single_instance_bytes",
    "bytes_blocks": "block_bytes",
    "bytes_stored": "stored_bytes",
}

_TASK_COLUMNS = (
    field("TASK", "task"),
    field("ACCOUNTS", "accounts", right=True),
    field("ITEMS", "items", right=True),
    field("VERSIONS", "versions", right=True),
    Column("NOW", lambda row: bytes_text(row["live_bytes"]), right=True),
    Column("ALL VERSIONS", lambda row: bytes_text(row["logical_bytes"]), right=True),
)
_DAY_COLUMNS = (
    field("DAY", "day"),
    field("RUNS", "runs", right=True),
    Column("READ", lambda row: bytes_text(row["bytes_read"]), right=True),
    Column("STORED", lambda row: bytes_text(row["bytes_stored"]), right=True),
)


@dataclass(frozen=True, slots=True)
class RepositoryUsage:
    """How one repository stands. `free_bytes` is None where its volume can't be asked or has no end."""

    name: str
    logical_bytes: int
    unique_bytes: int
    stored_bytes: int
    catalog_bytes: int
    search_bytes: int
    by_task: Sequence[Row]
    days: "Sequence[DayGrowth]"
    free_bytes: int | None
    full_on: datetime | None
    saved: "RunSavings | None" = None


@click.command()
@click.pass_obj
def usage(call: Invocation) -> None:
    """Show how much is kept in how little space, what comes, and when the volume will be full."""
    with open_view(call) as view:
        fields = usage_fields(_usages(view, datetime.now(UTC)))
    if call.output.as_json:
        call.output.document("usage", fields)
    else:
        _show(call.output, fields)


def usage_fields(usages: Iterable[RepositoryUsage]) -> dict[str, Any]:
    """The document of `usage` over all repositories.

    The savings are what dedup (single instances of whole parts and equal blocks together, MIME's base64 included)
    and compression each take off; sealing and padding are in the latter. `saved_by_runs` tells the reasons apart for
    all that runs ever read, what has expired since too.
    """
    known = list(usages)
    logical, unique, stored = (
        sum(getattr(usage, name) for usage in known) for name in ("logical_bytes", "unique_bytes", "stored_bytes")
    )
    return {
        "logical_bytes": logical,
        "unique_bytes": unique,
        "stored_bytes": stored,
        "catalog_bytes": sum(usage.catalog_bytes for usage in known),
        "search_bytes": sum(usage.search_bytes for usage in known),
        "savings": {"dedup_bytes": logical - unique, "compression_bytes": unique - stored},
        "saved_by_runs": saved_by_runs(known),
        "by_task": [row for usage in known for row in usage.by_task],
        "history": _history(known),
        "full_on": min((usage.full_on for usage in known if usage.full_on), default=None),
        "repositories": [
            {"name": u.name, "stored_bytes": u.stored_bytes, "free_bytes": u.free_bytes, "full_on": u.full_on}
            for u in known
        ],
    }


def saved_by_runs(usages: Iterable[RepositoryUsage]) -> Row:
    """What came in, what of it was base64, a single instance or a block that was there, and what was stored."""
    sums: Counter[str] = Counter()
    for usage in usages:
        if usage.saved is not None:
            sums.update({key: getattr(usage.saved, name) for name, key in _SAVED.items()})
    return {key: sums[key] for key in _SAVED.values()}


def _usages(view: "View", now: datetime) -> Iterable[RepositoryUsage]:
    for name, reader in view.readers():
        yield _usage_of(view.home.repository(name), reader, now)


def _usage_of(ref: "RepositoryRef", reader: "CatalogReader", now: datetime) -> RepositoryUsage:
    from tuiback.engine.timing.forecast import full_on

    totals = reader.totals()
    days = reader.growth()
    free_bytes = _free_bytes(ref.url)
    return RepositoryUsage(
        name=ref.name,
        logical_bytes=totals.logical_bytes,
        unique_bytes=reader.unique_bytes(),
        stored_bytes=totals.stored_bytes,
        catalog_bytes=totals.catalog_bytes,
        search_bytes=reader.search_bytes(),
        by_task=[{"repository": ref.name, **asdict(task)} for task in reader.totals_by_task()],
        days=days,
        free_bytes=free_bytes,
        full_on=full_on(((day.day, day.bytes_stored) for day in days), free_bytes, now),
        saved=reader.run_savings(),
    )


def _free_bytes(url: str) -> int | None:
    from tuiback.store import open_backend

    try:
        used, total = open_backend(url).free_bytes()
    except (TuibackError, OSError):
        # What the catalog knows is told while the repository is not mounted, too.
        return None
    return total - used if total else None


def _history(usages: Iterable[RepositoryUsage]) -> list[Row]:
    figures: dict[str, Counter[str]] = {}
    for usage in usages:
        for day in usage.days:
            added = {"runs": day.runs, "bytes_read": day.bytes_read, "bytes_stored": day.bytes_stored}
            figures.setdefault(day.day.isoformat(), Counter()).update(added)
    return [{"day": day, **figures[day]} for day in sorted(figures)]


def _show(output: Output, fields: Row) -> None:
    logical, unique, stored = fields["logical_bytes"], fields["unique_bytes"], fields["stored_bytes"]
    output.text(f"All versions    {bytes_text(logical)}")
    output.text(f"Each part once  {bytes_text(unique)}{_less(unique, logical)}")
    output.text(f"Stored          {bytes_text(stored)}{_less(stored, unique)}")
    if told := reasons_text(fields["saved_by_runs"]):
        output.text(f"Of what came    {told}")
    output.text(f"Catalog         {bytes_text(fields['catalog_bytes'])}, search {bytes_text(fields['search_bytes'])}")
    full = fields["full_on"]
    output.text(f"Volume full     {time_text(full) if full else 'not in sight, or too early to tell'}")
    for rows, columns in ((fields["by_task"], _TASK_COLUMNS), (fields["history"][-_DAYS_SHOWN:], _DAY_COLUMNS)):
        if rows:
            output.text("")
            output.table(rows, columns)


def reasons_text(saved: Row) -> str:
    """Why what runs read took less room, from `saved_by_runs`; empty where nothing can be told."""
    read = saved["read_bytes"]
    shares = {
        "single instances": saved["single_instance_bytes"],
        "equal blocks": saved["block_bytes"],
        "base64": saved["base64_bytes"],
    }
    rest = read - sum(shares.values())
    if not 0 < rest <= read:
        return ""
    # What MIME is cut into can outgrow the mail by a few bytes: z keeps that from being "-0%".
    told = [f"{share / read:z.0%} {name}" for name, share in shares.items()]
    return ", ".join([*told, f"the rest compressed by {1 - saved['stored_bytes'] / rest:.0%}"])


def _less(size: int, before: int) -> str:
    return f"  ({(before - size) / before:.0%} less)" if 0 < size < before else ""
