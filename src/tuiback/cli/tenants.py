"""`tenant add`, `edit`, `remove` and `list`: the organisations that are backed up."""

from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.arguments import check_name
from tuiback.cli.engaging import engine_link, open_home, open_view, reach_home
from tuiback.cli.groups import WholeGroup
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.cli.registering import register_tenant
from tuiback.cli.renewing import keygen, renew_tenant
from tuiback.cli.status import current_picture
from tuiback.cli.tenant_checks import check_tenant
from tuiback.cli.tenant_options import cloud_options, credential_options, read_credential
from tuiback.cli.tenant_rows import check_new, get_tenant, tenant_fields
from tuiback.engine.clouds import CLOUDS, CUSTOM, choose_cloud
from tuiback.errors import UsageError

if TYPE_CHECKING:
    from tuiback.model import Tenant

_COLUMNS = (
    field("NAME", "name"),
    field("TENANT ID", "tenant_id"),
    field("CLOUD", "cloud"),
    Column("CREDENTIAL", lambda row: str(row["credential"]["kind"])),
    Column("EXPIRES", lambda row: row["credential"]["expires_on"] or "-"),
    field("CONSENT", "consent"),
)


@click.group(cls=WholeGroup)
def tenant() -> None:
    """Add and list the organisations to back up."""


for _command in (register_tenant, check_tenant, renew_tenant, keygen):
    tenant.add_command(_command)


@tenant.command("add")
@click.argument("name", callback=check_name)
@click.option("--tenant-id", required=True, help="The directory's id, or one of its domains.")
@click.option("--client-id", required=True, help="The id of the app registration.")
@credential_options
@cloud_options
@click.option("--repository", default="main", show_default=True, help="Where its data goes.")
@click.pass_obj
def add_tenant(
    call: Invocation, /, name: str, client_secret_file: str | None, certificate: str | None, **given: Any  # noqa: ANN401
) -> None:
    """Make a tenant known, with the app to sign in with."""
    from tuiback.engine.commands import PutTenant
    from tuiback.engine.home import ClosedHome

    credential = read_credential(client_secret_file, certificate, given["expires_on"])
    cloud = choose_cloud(given["cloud"], given["tenant_id"], given["graph_url"], given["authority"])
    home = reach_home(call)
    if isinstance(home, ClosedHome):
        check_new(current_picture(call).tenants, name)
    else:
        home.repository(given["repository"])
        with open_view(call) as view:
            check_new((tenant for _, tenant in view.tenants()), name)
    with engine_link(home) as link:
        link.submit(
            PutTenant(
                name=name,
                tenant_id=given["tenant_id"],
                client_id=given["client_id"],
                cloud=cloud.name,
                graph_url=cloud.graph_url,
                authority=cloud.authority,
                credential_kind=credential.kind,
                credential=credential.text,
                credential_expires_on=credential.expires_on,
                repository=given["repository"],
            )
        ).result()
    call.output.added("tenant-add", name, f"Tenant {name} added. Next: tuiback tenant check {name}")


@tenant.command("edit")
@click.argument("name")
@click.option("--tenant-id", help="The directory's id, or one of its domains.")
@click.option("--client-id", help="The id of the app registration.")
@credential_options
@click.option("--cloud", type=click.Choice([*CLOUDS, CUSTOM]), help="Where it lives.")
@click.option("--graph-url", metavar="URL", help="The root before /v1.0, of a custom cloud.")
@click.option("--authority", metavar="URL", help="Where the tenant signs in, in a custom cloud.")
@click.pass_obj
def edit_tenant(
    call: Invocation,
    /,
    name: str,
    client_secret_file: str | None,
    certificate: str | None,
    expires_on: str | None,
    **given: Any,  # noqa: ANN401
) -> None:
    """Change a tenant; only the options given change anything."""
    from tuiback.engine.commands import EditTenant

    changes: dict[str, Any] = {"tenant_id": given["tenant_id"], "client_id": given["client_id"]}
    with open_view(call) as view:
        before = get_tenant(view, name)
    if any(given[option] for option in ("tenant_id", "cloud", "graph_url", "authority")):
        changes |= _addresses(before, given)
    if client_secret_file or certificate:
        credential = read_credential(client_secret_file, certificate, expires_on)
        changes |= {"credential_kind": credential.kind, "credential": credential.text}
        expires_on = credential.expires_on
    elif expires_on and before.credential_kind != "secret":
        raise UsageError("a certificate says itself when it ends", name, "leave --expires-on out")
    with engine_link(open_home(call)) as link:
        link.submit(EditTenant(tenant=name, credential_expires_on=expires_on, **changes)).result()
    call.output.added("tenant-edit", name, f"Tenant {name} changed. Next: tuiback tenant check {name}")


def _addresses(before: "Tenant", given: Row) -> dict[str, str]:
    """Cloud and addresses after the change: a cloud of Microsoft's brings its own."""
    name = given["cloud"] or before.cloud
    graph_url, authority = given["graph_url"], given["authority"]
    if name == CUSTOM and before.cloud == CUSTOM:
        graph_url, authority = graph_url or before.graph_url, authority or before.authority
    cloud = choose_cloud(name, given["tenant_id"] or before.tenant_id, graph_url, authority)
    return {"cloud": cloud.name, "graph_url": cloud.graph_url, "authority": cloud.authority}


@tenant.command("remove")
@click.argument("name")
@click.pass_obj
def remove_tenant(call: Invocation, name: str) -> None:
    """Forget a tenant and its credential; what was backed up of it stays. Its app stays in Entra."""
    from tuiback.engine.commands import RemoveTenant

    with engine_link(reach_home(call)) as link:
        link.submit(RemoveTenant(tenant=name)).result()
    call.output.added("tenant-remove", name, f"Tenant {name} removed; delete its app in Entra")


@tenant.command("list")
@click.pass_obj
def list_tenants(call: Invocation) -> None:
    """List the tenants."""
    with open_view(call) as view:
        rows: list[Row] = [
            {**tenant_fields(tenant), "repository": repository} for repository, tenant in view.tenants()
        ]
    call.output.listing("tenant-list", "tenants", rows, _COLUMNS)
