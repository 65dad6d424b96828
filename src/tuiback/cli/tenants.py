"""`tenant add` and `tenant list`: the organisations that are backed up."""

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from tuiback.cli.arguments import check_name
from tuiback.cli.engaging import engine_link, open_home, open_view
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Column, Row, field
from tuiback.errors import EnvironmentFault, UsageError

CUSTOM = "custom"
# https://learn.microsoft.com/graph/deployments
CLOUDS = {
    "global": ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "gcc-high": ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "dod": ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "china": ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}

_COLUMNS = (
    field("NAME", "name"),
    field("TENANT ID", "tenant_id"),
    field("CLOUD", "cloud"),
    Column("CREDENTIAL", lambda row: str(row["credential"]["kind"])),
    Column("EXPIRES", lambda row: row["credential"]["expires_on"] or "-"),
)


@dataclass(frozen=True, slots=True)
class Cloud:
    """Which Microsoft cloud a tenant lives in, and where that answers."""

    name: str
    graph_url: str
    authority: str


@click.group()
def tenant() -> None:
    """Add and list the organisations to back up."""


@tenant.command("add")
@click.argument("name", callback=check_name)
@click.option("--tenant-id", required=True, help="The directory's id, or one of its domains.")
@click.option("--client-id", required=True, help="The id of the app registration.")
@click.option("--client-secret-file", metavar="FILE", help="Holds the app's client secret; - is stdin.")
@click.option("--certificate", metavar="FILE", help="PEM with the app's certificate and private key; - is stdin.")
@click.option("--cloud", type=click.Choice([*CLOUDS, CUSTOM]), default="global", show_default=True)
@click.option("--graph-url", metavar="URL", help="With --cloud custom: the root before /v1.0.")
@click.option("--authority", metavar="URL", help="With --cloud custom: where the tenant signs in.")
@click.option("--repository", default="main", show_default=True, help="Where its data goes.")
@click.pass_obj
def add_tenant(
    call: Invocation, /, name: str, client_secret_file: str | None, certificate: str | None, **given: Any  # noqa: ANN401
) -> None:
    """Make a tenant known, with the app to sign in with."""
    from tuiback.engine.commands import PutTenant

    kind, credential = read_credential(client_secret_file, certificate)
    cloud = choose_cloud(given["cloud"], given["tenant_id"], given["graph_url"], given["authority"])
    home = open_home(call)
    home.repository(given["repository"])
    with open_view(call) as view:
        known = {tenant.name for _, tenant in view.tenants()}
    if name in known:
        raise UsageError("a tenant of this name is there already", name, "choose another name")
    with engine_link(home) as link:
        link.submit(
            PutTenant(
                name=name,
                tenant_id=given["tenant_id"],
                client_id=given["client_id"],
                cloud=cloud.name,
                graph_url=cloud.graph_url,
                authority=cloud.authority,
                credential_kind=kind,
                credential=credential,
                repository=given["repository"],
            )
        ).result()
    call.output.added("tenant-add", name, f"Tenant {name} added. Next: tuiback task add NAME --tenant {name} ...")


@tenant.command("list")
@click.pass_obj
def list_tenants(call: Invocation) -> None:
    """List the tenants."""
    with open_view(call) as view:
        rows: list[Row] = [
            {
                "name": tenant.name,
                "tenant_id": tenant.tenant_id,
                "cloud": tenant.cloud,
                "credential": {"kind": tenant.credential_kind, "expires_on": tenant.credential_expires_on},
                # Consent is only known to a check that asks Microsoft.
                "consent": None,
                "repository": repository,
            }
            for repository, tenant in view.tenants()
        ]
    call.output.listing("tenant-list", "tenants", rows, _COLUMNS)


def choose_cloud(name: str, tenant_id: str, graph_url: str | None, authority: str | None) -> Cloud:
    """The addresses of a cloud; those of a custom one are given. Raises UsageError where they can't be used."""
    if name != CUSTOM:
        if graph_url or authority:
            raise UsageError("--graph-url and --authority are for --cloud custom", name, "leave them out")
        graph, login = CLOUDS[name]
        return Cloud(name, graph, f"{login}/{tenant_id}")
    if not graph_url or not authority:
        raise UsageError("--cloud custom needs --graph-url and --authority", remedy="give both")
    for url in (graph_url, authority):
        _check_address(url)
    return Cloud(name, graph_url.rstrip("/"), authority.rstrip("/"))


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("is no http(s) address", url, "give a whole URL")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        # Secrets and mail would cross the network in clear.
        raise UsageError("http is for this machine only", url, "use https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_credential(client_secret_file: str | None, certificate: str | None) -> tuple[str, str]:
    """The kind of the credential, "secret" or "certificate", and its text."""
    if (client_secret_file is None) == (certificate is None):
        raise UsageError("give either --client-secret-file or --certificate", remedy="see 'tuiback tenant add --help'")
    if client_secret_file is not None:
        return "secret", _read_credential_file(client_secret_file)
    pem = _read_credential_file(str(certificate))
    if "PRIVATE KEY-----" not in pem or "BEGIN CERTIFICATE-----" not in pem:
        raise UsageError("must hold a certificate and its private key as PEM", str(certificate), "name the right file")
    return "certificate", pem


def _read_credential_file(name: str) -> str:
    try:
        with click.open_file(name, encoding="utf-8-sig") as file:
            text = str(file.read()).strip()
    except OSError as error:
        raise EnvironmentFault(f"can't be read ({error.strerror})", name, "check its path and owner") from error
    except UnicodeDecodeError as error:
        raise UsageError("holds no text", name, "name the file with the secret or the PEM") from error
    if not text:
        raise UsageError("is empty", name, "name the file with the secret or the PEM")
    return text
