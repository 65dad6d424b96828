"""`bench`: measures this machine's store, alone or beside other backup tools."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, field
from tuiback.cli.wording import bytes_text
from tuiback.errors import UsageError

if TYPE_CHECKING:
    from tuiback.cli.benching.comparing import Plan

_MIB = 1 << 20
_QUICK_LARGE_BYTES = 48 * _MIB
_QUICK_MAIL_BYTES = 16 * _MIB
_LARGE_BYTES = 512 * _MIB
_MAIL_BYTES = 512 * _MIB
_ROUNDS = 3
_COLUMNS = (
    field("TOOL", "tool"),
    field("VERSION", "version"),
    field("DATA", "data"),
    field("PHASE", "phase"),
    Column("SECONDS", lambda row: f"{row['seconds']:.2f}", right=True),
    Column("CPU SECONDS", lambda row: f"{row['cpu_seconds']:.2f}", right=True),
    Column("MB/S", lambda row: f"{row['mb_s']:.1f}", right=True),
    Column("STORED", lambda row: bytes_text(row["stored_bytes"]), right=True),
    Column("CATALOG", lambda row: bytes_text(row["beside_bytes"]), right=True),
    Column("MEMORY", lambda row: bytes_text(row["rss"]), right=True),
)


_EPILOG = (
    "Everything is written below $TMPDIR: let it name a folder on the disk to be measured. tuiback opens its"
    " repository with a key file, restic with a password file, borg with a passphrase."
)


@click.command(epilog=_EPILOG)
@click.option("--against", metavar="TOOLS", default="", help="restic, borg or both, with a comma between them.")
@click.option("--quick", is_flag=True, help="Little data, once: under a minute.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Real data to copy and measure with: .eml files are the mail, all others the large files.",
)
@click.pass_obj
def bench(call: Invocation, against: str, data: Path | None, *, quick: bool) -> None:
    """Measure backup, restore and check on this machine."""
    from tuiback.cli.benching.comparing import Comparison

    plan = _plan(call, against, data, quick=quick)
    place = Path(tempfile.mkdtemp(prefix="tuiback-bench-"))
    try:
        results = [asdict(result) for result in Comparison(plan, place, call.output.progress).run()]
    finally:
        shutil.rmtree(place, ignore_errors=True)
        call.output.progress("")
    call.output.listing("bench", "results", results, _COLUMNS)


def _plan(call: Invocation, against: str, data: Path | None, *, quick: bool) -> "Plan":
    from tuiback.cli.benching.comparing import Plan
    from tuiback.cli.benching.tools import OWN, find_versions

    wanted = _named(against)
    versions = find_versions(wanted)
    for name in wanted:
        if name not in versions:
            call.output.trouble([f"{name} is not installed here, so it is left out"])
    return Plan(
        tools=(OWN, *versions),
        versions=versions,
        rounds=1 if quick else _ROUNDS,
        large_bytes=_QUICK_LARGE_BYTES if quick else _LARGE_BYTES,
        mail_bytes=_QUICK_MAIL_BYTES if quick else _MAIL_BYTES,
        data=data,
    )


def _named(against: str) -> Sequence[str]:
    from tuiback.cli.benching.tools import OTHERS

    names = list(dict.fromkeys(name.strip() for name in against.split(",") if name.strip()))
    for name in names:
        if name not in OTHERS:
            raise UsageError("can't be measured against", name, f"choose from {', '.join(OTHERS)}")
    return names
