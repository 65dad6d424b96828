"""`tenant register`: makes tuiback's own app in a tenant, with an administrator at a browser."""

from typing import TYPE_CHECKING, Any

import click

from tuiback.cli.arguments import check_name
from tuiback.cli.engaging import engine_link, open_home, open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Output
from tuiback.cli.tenant_options import cloud_options
from tuiback.cli.tenant_rows import check_new
from tuiback.engine.tenancy.permissions import SERVICES

if TYPE_CHECKING:
    from tuiback.engine.commands import PutTenant
    from tuiback.engine.hosting.link import Link
    from tuiback.engine.tenancy.registration import Guide, Order
    from tuiback.graph.device_login import DeviceCode

_SHARED = (
    "this tenant has an app of tuiback's already: Microsoft throttles similar apps together and calls several of them "
    "for SharePoint, OneDrive and Teams files an abuse; one app serves all tasks"
)


@click.command("register")
@click.argument("name", callback=check_name)
@click.option("--tenant-id", default="", metavar="T", help="Else that of whoever signs in.")
@click.option(
    "--service", "services", multiple=True, type=click.Choice(SERVICES),
    help="Ask for the permissions of these only; else of all that this version backs up.",
)
@click.option("--restore", is_flag=True, help="Ask for the permissions to write back too.")
@click.option(
    "--print-consent-url", is_flag=True, help="Grant nothing: print the address where a Global Administrator consents."
)
@cloud_options
@click.option("--repository", default="main", show_default=True, help="Where its data goes.")
@click.pass_obj
def register_tenant(
    call: Invocation, /, name: str, services: tuple[str, ...], print_consent_url: bool, **given: Any  # noqa: ANN401
) -> None:
    """Make an app with a certificate in Entra for a tenant, and add the tenant. An administrator enters a code."""
    from tuiback.cli.unwinding import run_unwinding
    from tuiback.connectors import CONNECTORS
    from tuiback.engine.tenancy.consent import consent_url
    from tuiback.engine.tenancy.registration import Guide, Order

    services = services or tuple(connector.service for connector in CONNECTORS)
    order = Order(name=name, services=services, grants=not print_consent_url, **given)
    home = open_home(call)
    home.repository(order.repository)
    known = _known_tenant_ids(call, name)
    output = call.output
    guide = Guide(
        show=lambda code: show_code(output, code), tell=output.progress, warn=lambda line: output.trouble([line])
    )
    with engine_link(home) as link:
        made = run_unwinding(_register(order, guide, link))
    output.progress("")
    _warn(output, made, known, services)
    url = consent_url(made.authority, made.graph_url, made.client_id) if print_consent_url else None
    if output.as_json:
        fields = {"name": name, "tenant_id": made.tenant_id, "client_id": made.client_id, "consent_url": url}
        output.document("tenant-register", fields)
    elif url:
        output.text(url)
    then = "open the address above" if url else f"tuiback task add NAME --tenant {name} ..."
    output.note(f"Tenant {name} registered. Next: {then}")


async def _register(order: "Order", guide: "Guide", link: "Link") -> "PutTenant":
    from asyncio import wrap_future

    from tuiback.engine.clock import SystemClock
    from tuiback.engine.tenancy.registration import registered

    async with registered(order, guide, SystemClock()) as tenant:
        await wrap_future(link.submit(tenant))
        return tenant


def show_code(output: Output, code: "DeviceCode") -> None:
    """Tell whoever administers the tenant what to do."""
    minutes = code.seconds / 60
    output.prompt(f"As an administrator, open {code.url} and enter the code {code.user_code} within {minutes:.0f} min")


def _known_tenant_ids(call: Invocation, name: str) -> set[str]:
    with open_view(call) as view:
        check_new((tenant for _, tenant in view.tenants()), name)
        return {tenant.tenant_id for _, tenant in view.tenants()}


def _warn(output: Output, made: "PutTenant", known: set[str], services: tuple[str, ...]) -> None:
    from tuiback.engine.tenancy.registration import share_one_allowance

    if made.tenant_id in known and share_one_allowance(services):
        output.trouble([f"{made.name}: {_SHARED}"])
