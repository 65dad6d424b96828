"""`check` and `rebuild-catalog`: proves repositories whole, and makes catalogs anew from them."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.adopting import shortfall_fields, shortfall_warnings
from tuiback.cli.engaging import open_home, secret_source
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output
from tuiback.cli.wording import count_text
from tuiback.errors import Damage

if TYPE_CHECKING:
    from tuiback.engine.adoption import Shortfall
    from tuiback.store import CheckReport


@click.command()
@click.option("--read-data", is_flag=True, help="Read and verify every byte, not only that all is there.")
@click.pass_obj
def check(call: Invocation, read_data: bool) -> int:
    """Prove that the repository is whole."""
    from tuiback.engine.archive import open_repository
    from tuiback.engine.clock import SystemClock
    from tuiback.store import check as check_repository

    home = open_home(call)
    secret_of = secret_source()
    reports: dict[str, CheckReport] = {}
    for name, ref in home.repositories.items():
        repository = open_repository(ref, secret_of(ref), SystemClock(), to_write=False)
        reports[name] = check_repository(repository, read_data=read_data, progress=_progress(call.output, name))
    call.output.progress("")
    fields = check_fields(reports)
    if call.output.as_json:
        call.output.document("check", fields)
    return _tell(call.output, fields)


def check_fields(reports: "Mapping[str, CheckReport]") -> dict[str, Any]:
    """The document of `check` over all repositories; nothing is repaired or put aside by it."""
    findings = [
        {"repository": name, "kind": finding.kind, "name": finding.name, "what": finding.what}
        for name, report in reports.items()
        for finding in report.damaged
    ]
    return {
        "ok": all(report.ok for report in reports.values()),
        "packs": sum(report.packs for report in reports.values()),
        "chunks": sum(report.chunks for report in reports.values()),
        "commits": sum(report.commits for report in reports.values()),
        "damaged": len(findings),
        "repaired": 0,
        "quarantined": 0,
        "findings": findings,
    }


@click.command("rebuild-catalog")
@click.pass_obj
def rebuild_catalog(call: Invocation) -> None:
    """Make the catalog anew from what the repository holds."""
    from tuiback.catalog import CatalogReader
    from tuiback.engine.adoption import rebuild
    from tuiback.engine.archive import open_repository
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.host import HomeLock

    begun = time.monotonic()
    items = 0
    shortfalls: list[Shortfall] = []
    home = open_home(call)
    secret_of = secret_source()
    lock = HomeLock(home.path)
    try:
        for name, ref in home.repositories.items():
            call.output.progress(f"{name}: reading the commits")
            repository = open_repository(ref, secret_of(ref), SystemClock(), to_write=False)
            shortfalls.append(rebuild(home, name, repository, SystemClock()))
            reader = CatalogReader(home.catalog_path(name))
            items += reader.totals().items
            reader.close()
    finally:
        lock.release()
    seconds = round(time.monotonic() - begun, 3)
    call.output.progress("")
    if call.output.as_json:
        fields = {"items": items, "seconds": seconds, **shortfall_fields(shortfalls)}
        call.output.document("rebuild-catalog", fields)
    call.output.trouble(shortfall_warnings(shortfalls))
    call.output.note(f"The catalog is new: {count_text(items, 'item')} in {seconds:.1f} s")


def _progress(output: Output, name: str) -> Callable[[int, int], None]:
    return lambda done, total: output.progress(f"{name}: {done:,} of {count_text(total, 'pack')}")


def _tell(output: Output, fields: dict[str, Any]) -> int:
    looked_at = f"{count_text(fields['packs'], 'pack')}, {count_text(fields['chunks'], 'chunk')}"
    if fields["ok"]:
        output.note(f"Whole: {looked_at}")
        return 0
    findings = [f"{f['repository']}: {f['kind']} {f['name']}: {f['what']}" for f in fields["findings"]]
    output.trouble([f"damage found in {looked_at}; restore what is listed from a second copy", *findings])
    return Damage.exit_code
