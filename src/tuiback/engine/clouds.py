"""Says where each of Microsoft's clouds answers: https://learn.microsoft.com/graph/deployments."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tuiback.errors import UsageError

CUSTOM = "custom"
# The roots of Graph and of the sign-in.
CLOUDS = {
    "global": ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "gcc-high": ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "dod": ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "china": ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}


@dataclass(frozen=True, slots=True)
class Cloud:
    """Which Microsoft cloud a tenant lives in, and where that answers; `authority` names the tenant."""

    name: str
    graph_url: str
    authority: str


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
