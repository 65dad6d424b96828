"""`tenant renew` and `tenant keygen`: new credentials for a tenant's app."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.arguments import check_name
from tuiback.cli.engaging import engine_link, open_home, open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.registering import show_code
from tuiback.cli.tenant_rows import get_tenant
from tuiback.cli.waiting import await_answer
from tuiback.errors import AccessDenied, EnvironmentFault, MicrosoftRefuses

if TYPE_CHECKING:
    from tuiback.model import EngineStatus, Tenant

_FILE = click.Path(dir_okay=False, path_type=Path)
_ADMIN = "let an administrator do it with --admin"


@click.command("renew")
@click.argument("name")
@click.option("--remove-old", is_flag=True, help="Remove the old one too, once the new one is proven and stored.")
@click.option("--admin", is_flag=True, help="An administrator signs in by a code; else the app renews by itself.")
@click.pass_obj
def renew_tenant(call: Invocation, name: str, remove_old: bool, admin: bool) -> None:
    """Give the tenant's app a new certificate or secret; the old one stays good until the next renewal."""
    with open_view(call) as view:
        tenant = get_tenant(view, name)
    answer = _renew(call, tenant, remove_old, admin)
    if call.output.as_json:
        call.output.document("tenant-renew", answer)
    call.output.note(f"The {answer['credential']['kind']} of {name} is good until {answer['credential']['expires_on']}")


def _renew(call: Invocation, tenant: "Tenant", remove_old: bool, admin: bool) -> dict[str, Any]:
    from tuiback.engine.commands import RenewTenant

    output, line = call.output, partial(_newest_line, tenant.name)
    with engine_link(open_home(call)) as link:
        if not admin:
            command = RenewTenant(tenant=tenant.name, remove_old=remove_old)
            try:
                return await_answer(link, link.submit(command), output, line)
            except (MicrosoftRefuses, AccessDenied) as error:
                if not output.watched:
                    raise MicrosoftRefuses(error.what, error.subject, _ADMIN) from error
                output.note(f"The app may not do this by itself ({error.what})")
        command = RenewTenant(tenant=tenant.name, remove_old=remove_old, token=_admin_token(call, tenant))
        return await_answer(link, link.submit(command), output, line)


def _admin_token(call: Invocation, tenant: "Tenant") -> str:
    import asyncio

    from tuiback.engine.clock import SystemClock
    from tuiback.engine.tenancy.registration import administrator_token

    return asyncio.run(administrator_token(tenant, lambda code: show_code(call.output, code), SystemClock()))


def _newest_line(tenant: str, picture: "EngineStatus") -> str:
    told = [line for line in picture.activity if line.subject == tenant]
    return told[-1].text if told else "renewing"


@click.command("keygen")
@click.argument("name", callback=check_name, default="tuiback")
@click.option("--out", type=_FILE, metavar="FILE", help="Where key and certificate go.")
@click.option("--days", type=click.IntRange(1, 3650), default=730, show_default=True, help="How long it is good.")
@click.pass_obj
def keygen(call: Invocation, name: str, out: Path | None, days: int) -> None:
    """Make a key with a self-signed certificate, to be registered by hand.

    Key and certificate are for 'tenant add --certificate'; the certificate alone, FILE.cer, is uploaded in Entra.
    Without --out both are printed.
    """
    from tuiback.engine.clock import SystemClock
    from tuiback.graph.certificates import make_key_pair

    pair = make_key_pair(name, SystemClock().now(), days=days)
    fields: dict[str, object] = {"thumbprint": pair.thumbprint, "expires_on": pair.expires_on}
    if out is not None:
        public = out.with_name(f"{out.name}.cer")
        _write(out, pair.pem, 0o600)
        _write(public, pair.certificate, 0o644)
        fields |= {"file": str(out), "certificate_file": str(public)}
        call.output.note(f"{public} (thumbprint {pair.thumbprint}) is for Entra, {out} for 'tuiback tenant add'")
    elif call.output.as_json:
        fields["pem"] = pair.pem
    else:
        call.output.text(pair.pem.rstrip())
    if call.output.as_json:
        call.output.document("tenant-keygen", fields)


def _write(path: Path, text: str, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise EnvironmentFault(f"can't be written ({error.strerror})", str(path), "name another place") from error
