"""`limits`: how much may go on at once, shown and set."""

from typing import Any

import click

from tuiback.cli.engaging import open_home, reach_home
from tuiback.cli.invocation import Invocation


@click.command()
@click.option("--accounts", type=int, metavar="N", help="Accounts of a service at once.")
@click.option("--files", type=int, metavar="N", help="Files of a service at once.")
@click.option("--rate", metavar="R", help="50mbit, 'mon-fri 08-18 20mbit; 100mbit', or off.")
@click.option("--tz", metavar="ZONE", help="The zone of the hours in --rate: Europe/Berlin; else UTC.")
@click.pass_obj
def limits(call: Invocation, accounts: int | None, files: int | None, rate: str | None, tz: str | None) -> None:
    """Show how many accounts and files may be in work at once, and how fast they are read; or change that at once.

    Restores have a pace of their own. While a service throttles, less is taken by itself.
    """
    fields = _change(call, accounts=accounts, files=files, rate=rate, tz=tz)
    if call.output.as_json:
        call.output.document("limits", fields)
        return
    call.output.text(f"Accounts  {fields['accounts']} at once of each service, at most {fields['cap']}")
    call.output.text(f"Files     {fields['files']} at once of each service, at most {fields['cap']}")
    zone = f" ({fields['tz']})" if fields["tz"] else ""
    call.output.text(f"Rate      {fields['rate']}{zone}")


def _change(call: Invocation, **wanted: Any) -> dict[str, Any]:  # noqa: ANN401
    """Change what is given, through the engine where one runs; all settings after that."""
    from tuiback.engine.commands import SetLimits
    from tuiback.engine.home import ClosedHome
    from tuiback.engine.hosting.link import attach
    from tuiback.engine.settings.allotment import changed_limits, limit_fields, load_limits, machine_cap, save_limits

    home = reach_home(call)
    if all(value is None for value in wanted.values()) and not isinstance(home, ClosedHome):
        return limit_fields(load_limits(home.path))
    link = attach(home.path)
    if link is not None:
        try:
            return link.submit(SetLimits(**wanted)).result()
        finally:
            link.close()
    path = open_home(call).path
    after = changed_limits(load_limits(path), machine_cap(), **wanted)
    save_limits(path, after)
    return limit_fields(after)
