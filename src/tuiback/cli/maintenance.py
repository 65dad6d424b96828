"""`check` and `rebuild-catalog`: proves repositories whole, and makes catalogs anew from them."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.adopting import shortfall_fields, shortfall_warnings
from tuiback.cli.engaging import engine_link, open_home, reach_home, secret_source
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output
from tuiback.cli.waiting import await_answer, job_line
from tuiback.cli.wording import count_text
from tuiback.errors import Damage, UsageError

if TYPE_CHECKING:
    from tuiback.engine.home import Home
    from tuiback.engine.upkeep.adoption import Shortfall
    from tuiback.engine.upkeep.checking import Checked, Extent
    from tuiback.engine.upkeep.repairing import LostItem, Repair

    Result = tuple[Checked, Repair | None]


@click.command()
@click.option("--scrub", is_flag=True, help="Compare the checksum of everything stored, the longest unseen first.")
@click.option("--read-data", is_flag=True, help="Read, decrypt and verify every byte.")
@click.option(
    "--sample",
    "percent",
    type=click.FloatRange(0, 100, min_open=True),
    metavar="PERCENT",
    help="Verify so much of it, the longest unseen first, and bring some items back: 1 a day sees all in 100 days.",
)
@click.option(
    "--repair",
    is_flag=True,
    help="Save what is whole, put the rest aside, and owe what can be fetched again. Ends with 0 when all is whole"
    " then, with 9 when anything is lost.",
)
@click.pass_obj
def check(call: Invocation, scrub: bool, read_data: bool, percent: float | None, repair: bool) -> int:
    """Prove that the repository is whole, or name what is not.

    Without an option: that everything is there and each item's content can be found. A check that was cut off goes
    on where it was.
    """
    from tuiback.engine.home import ClosedHome
    from tuiback.engine.upkeep.checking import Extent

    if scrub + read_data + (percent is not None) > 1:
        raise UsageError("--scrub, --read-data and --sample exclude each other", remedy="choose one of them")
    if not (scrub or read_data or repair) and isinstance(reached := reach_home(call), ClosedHome):
        return _check_by_engine(call, reached, percent or 0.0)
    home = open_home(call)
    extent = Extent(scrub, read_data, percent or 0.0)
    if repair:
        from tuiback.engine.hosting.host import HomeLock

        lock = HomeLock(home.path)
        try:
            results = _check_all(call, home, extent, repair=True)
        finally:
            lock.release()
    else:
        results = _check_all(call, home, extent, repair=False)
    call.output.progress("")
    fields = check_fields(results)
    if call.output.as_json:
        call.output.document("check", fields)
    return tell(call.output, fields)


def _check_by_engine(call: Invocation, home: "Home", percent: float) -> int:
    """What the engine can do beside backups, for somebody who can't read the repository; the exit code."""
    from tuiback.engine.commands import Check

    kind = "sampled check" if percent else "structure check"
    with engine_link(home) as link:
        answer = await_answer(link, link.submit(Check(percent=percent)), call.output, job_line(kind))
    ok = answer["outcome"] == "ok"
    if call.output.as_json:
        # How many chunks there are the engine does not tell; it repairs nothing.
        known = {name: answer[name] for name in ("job", "packs", "packs_verified", "damaged", "errors")}
        call.output.document("check", {"ok": ok, "chunks": None, "repaired": 0, "quarantined": 0, **known})
    call.output.trouble(answer["errors"])
    if ok:
        call.output.note(f"Whole: {count_text(answer['packs'], 'pack')}")
    return 0 if ok else Damage.exit_code


def _check_all(call: Invocation, home: "Home", extent: "Extent", *, repair: bool) -> "dict[str, Result]":
    from tuiback.engine.archives.archive import open_repository
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.home import alerts_path
    from tuiback.engine.signalling.damage import note_check
    from tuiback.engine.upkeep.checking import check_repository
    from tuiback.engine.upkeep.repairing import repair_all

    clock = SystemClock()
    secret_of = secret_source()
    results: dict[str, Result] = {}
    for name, ref in home.repositories.items():
        secret, folder = secret_of(ref), Path(ref.catalog)
        repository = open_repository(ref, secret, clock, to_write=False)
        progress = _progress(call.output, name)
        checked = check_repository(folder, repository, clock, extent, progress)
        repaired = None
        if repair and not checked.report.ok:
            repository = open_repository(ref, secret, clock, to_write=True)
            repaired = repair_all(folder, repository, checked.report, extent, clock, progress)
        results[name] = (checked, repaired)
        damaged, whole = len(checked.report.damaged), repaired is not None and repaired.whole
        note_check(alerts_path(home), clock, name, extent, damaged, repaired=whole)
    return results


def check_fields(results: "Mapping[str, Result]") -> dict[str, Any]:
    """The document of `check` over all repositories. `damaged` counts what was found, before any repair."""
    reports = [checked.report for checked, _ in results.values()]
    repairs = [repaired for _, repaired in results.values() if repaired]
    findings = [
        {"repository": name, "kind": finding.kind, "name": finding.name, "what": finding.what}
        for name, (checked, _) in results.items()
        for finding in checked.report.damaged
    ]
    return {
        "ok": all(repaired.whole if repaired else checked.report.ok for checked, repaired in results.values()),
        "packs": sum(report.packs for report in reports),
        "chunks": sum(report.chunks for report in reports),
        "commits": sum(report.commits for report in reports),
        "segments": sum(report.segments for report in reports),
        "packs_verified": sum(report.looked_into for report in reports if report.depth),
        "bytes_read": sum(report.bytes_read for report in reports),
        "items_compared": sum(checked.items_compared for checked, _ in results.values()),
        "damaged": len(findings),
        "repaired": sum(len(repaired.repaired) for repaired in repairs),
        "quarantined": sum(len(repaired.quarantined) for repaired in repairs),
        "owed": sum(repaired.owed for repaired in repairs),
        "known_lost": sum(version.known for report in reports for version in report.lost),
        "findings": findings,
        "lost": [
            {"repository": name, **_lost_fields(item)}
            for name, (_, repaired) in results.items()
            for item in (repaired.lost if repaired else ())
        ],
        "lost_accounts": [
            {"repository": name, "account_id": account_id}
            for name, (_, repaired) in results.items()
            for account_id in (repaired.lost_accounts if repaired else ())
        ],
        "left": [
            {"repository": name, "kind": finding.kind, "name": finding.name, "what": finding.what}
            for name, (_, repaired) in results.items()
            for finding in (repaired.left if repaired else ())
        ],
    }


def _lost_fields(item: "LostItem") -> dict[str, Any]:
    return {
        "account_id": item.account_id,
        "id": item.item_id,
        "path": item.path,
        "version": item.from_seq,
        "live": item.live,
        "parts": item.parts,
    }


@click.command("rebuild-catalog")
@click.pass_obj
def rebuild_catalog(call: Invocation) -> None:
    """Make the catalog anew from what the repository holds."""
    from tuiback.catalog import CatalogReader
    from tuiback.engine.archives.archive import open_repository
    from tuiback.engine.clock import SystemClock
    from tuiback.engine.hosting.host import HomeLock
    from tuiback.engine.upkeep.adoption import rebuild

    begun = time.monotonic()
    items = 0
    shortfalls: list[Shortfall] = []
    home = open_home(call)
    secret_of = secret_source()
    lock = HomeLock(home.path)
    try:
        for name, ref in home.repositories.items():
            call.output.progress(f"{name}: looking at the commits")
            repository = open_repository(ref, secret_of(ref), SystemClock(), to_write=False)
            progress = _progress(call.output, name, "step")
            shortfalls.append(rebuild(home, name, repository, SystemClock(), progress))
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


def _progress(output: Output, name: str, unit: str = "pack") -> Callable[[int, int], None]:
    return lambda done, total: output.progress(f"{name}: {done:,} of {count_text(total, unit)}")


def tell(output: Output, fields: dict[str, Any]) -> int:
    """Say what the document says, to people; the exit code."""
    looked_at = f"{count_text(fields['packs'], 'pack')}, {count_text(fields['chunks'], 'chunk')}"
    if not fields["findings"]:
        known = f"; {count_text(fields['known_lost'], 'version')} lost before, as told then"
        output.note(f"Whole: {looked_at}{known if fields['known_lost'] else ''}")
        return 0
    found = [f"{f['repository']}: {f['kind']} {f['name']}: {f['what']}" for f in fields["findings"]]
    if fields["ok"]:
        done = f"{fields['repaired']} repaired, {fields['quarantined']} put aside; nothing is lost"
        output.trouble([f"damage was found in {looked_at}, and all is whole again: {done}", *found])
        return 0
    if not (fields["lost"] or fields["lost_accounts"] or fields["left"]):
        remedy = "restore what is listed from a second copy, or save what can be with 'tuiback check --repair'"
        output.trouble([f"damage found in {looked_at}; {remedy}", *found])
        return Damage.exit_code
    done = f"{fields['repaired']} repaired, {fields['quarantined']} put aside, {fields['owed']} owed to the next run"
    lost = [_lost_line(item) for item in fields["lost"]]
    left = [f"{f['repository']}: {f['kind']} {f['name']}: {f['what']}" for f in fields["left"]]
    left += [
        f"{f['repository']}: {f['account_id'] or 'the history of runs'}: not all of its history could be read"
        for f in fields["lost_accounts"]
    ]
    output.trouble([f"damage found in {looked_at}: {done}; not whole yet:", *left, *lost])
    return Damage.exit_code


def _lost_line(item: Mapping[str, Any]) -> str:
    what = "fetched again by the next run" if item["live"] else "an older version, lost"
    place = item["path"] or item["id"]
    return f"{item['repository']}: {item['account_id']} {place}, version #{item['version']}: {what}"
