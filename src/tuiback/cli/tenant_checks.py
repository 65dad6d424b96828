"""`tenant check`: signs in as a tenant's app and says which permissions it lacks, and what is lost without them."""

from collections.abc import Sequence

import click

from tuiback.cli.engaging import engine_link, reach_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Output, Row, field
from tuiback.errors import MicrosoftRefuses

# A clock that is further off than this makes Microsoft refuse what a certificate signs.
_MOST_SKEW_SECONDS = 300

def _granted(row: Row) -> str:
    if row["granted"]:
        return "yes"
    return "no, on demand" if row["kind"] == "restore" else "no"


_COLUMNS = (
    field("PERMISSION", "name"),
    Column("GRANTED", _granted),
    field("NEEDED FOR", "needed_for"),
)


@click.command("check")
@click.argument("name")
@click.pass_obj
def check_tenant(call: Invocation, name: str) -> int:
    """Sign in, and say which permissions are missing and what is lost without each."""
    from tuiback.engine.commands import CheckTenant

    with engine_link(reach_home(call)) as link:
        fields = link.submit(CheckTenant(tenant=name)).result()
    if call.output.as_json:
        call.output.document("tenant-check", fields)
    else:
        _show(call.output, fields)
    call.output.flush()
    call.output.trouble(_trouble(fields))
    return 0 if fields["ok"] else MicrosoftRefuses.exit_code


def _show(output: Output, fields: Row) -> None:
    services = set(fields["services"])
    rows: Sequence[Row] = [row for row in fields["permissions"] if services.intersection(row["services"])]
    output.table(sorted(rows, key=lambda row: (row["kind"], row["granted"], row["name"])), _COLUMNS)
    if fields["consent_url"]:
        output.text(f"Let an administrator consent at {fields['consent_url']}")


def _trouble(fields: Row) -> list[str]:
    lines = []
    if not fields["ok"]:
        lost = set(fields["impossible"])
        lacking = [
            row
            for row in fields["permissions"]
            if row["weight"] == "backup" and not row["granted"] and lost.intersection(row["services"])
        ]
        lines += [f"{fields['name']}: lacks {row['name']}, needed for {row['needed_for']}" for row in lacking]
        services = ", ".join(fields["impossible"])
        lines.append(f"{fields['name']}: can't back up {services}; grant what is missing in Entra")
    if abs(fields["clock_skew_seconds"]) > _MOST_SKEW_SECONDS:
        way = "behind" if fields["clock_skew_seconds"] > 0 else "ahead of"
        seconds = abs(fields["clock_skew_seconds"])
        lines.append(f"this machine's clock is {seconds:.0f} s {way} Microsoft's; let it follow a time server")
    return lines
