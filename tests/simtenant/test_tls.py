"""Unmodified clients reach the tenant under Microsoft's names, through a proxy that leads nowhere else."""

import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509

from tests.simtenant.caller import SCOPE, Caller
from tuiback.simtenant import Plan, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A tenant with TLS."""
    folder = tmp_path_factory.mktemp("tls")
    with Server(Plan(users=2, messages=2, files_per_user=3, tls=folder / "made")) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client that is told of a proxy and an authority, and of nothing else."""
    context = ssl.create_default_context(cafile=server.endpoints.ca_file)
    with httpx.Client(proxy=server.endpoints.proxy_url, verify=context, trust_env=False) as made:
        yield made


def signed_in(client: httpx.Client, server: Server) -> dict[str, str]:
    """The headers of a signed-in client."""
    ends = server.endpoints
    authority = f"https://login.microsoftonline.com/{ends.tenant_id}"
    known = client.get(f"{authority}/v2.0/.well-known/openid-configuration").json()
    assert known["token_endpoint"] == f"{authority}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": ends.client_id, "client_secret": ends.client_secret}
    token = client.post(known["token_endpoint"], data={**form, "scope": SCOPE}).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_everything_lies_under_microsofts_names(client: httpx.Client, server: Server) -> None:
    """Sign-in, listing, next page and download use the hosts that the real service has."""
    headers = signed_in(client, server)
    page = client.get("https://graph.microsoft.com/v1.0/users?$top=1", headers=headers).json()
    assert page["@odata.nextLink"].startswith("https://graph.microsoft.com/v1.0/users?")
    user = client.get(page["@odata.nextLink"], headers=headers).json()["value"][0]["id"]
    url = f"https://graph.microsoft.com/v1.0/users/{user}/drive/root/delta"
    items = client.get(url, headers=headers).json()["value"]
    file = next(each for each in items if "file" in each)
    assert str(urlsplit(file["@microsoft.graph.downloadUrl"]).hostname).endswith(".sharepoint.com")
    assert len(client.get(file["@microsoft.graph.downloadUrl"]).content) == file["size"]


@pytest.mark.parametrize("host", ["login.windows.net", "login.microsoft.com", "sts.windows.net"])
def test_the_sign_in_service_has_other_names(client: httpx.Client, server: Server, host: str) -> None:
    """Those that its instance document tells lead to it too."""
    url = f"https://{host}/{server.endpoints.tenant_id}/.well-known/openid-configuration"
    assert client.get(url).json()["token_endpoint"].startswith(f"https://{host}/{server.endpoints.tenant_id}/")


def test_the_plain_root_is_served_beside(client: httpx.Client, server: Server) -> None:
    """The links of an answer have the scheme and host that the request came by."""
    signed_in(client, server)
    with Caller(server.endpoints) as caller:
        page = caller.get("/users?$top=1")
        assert page["@odata.nextLink"].startswith(server.endpoints.graph_url)
        items, _ = caller.walk(f"/users/{page['value'][0]['id']}/drive/root/delta")
        link = next(each["@microsoft.graph.downloadUrl"] for each in items if "file" in each)
        assert link.startswith("http://127.0.0.1:")
        assert caller.plain.get(link).status_code == 200


@pytest.mark.parametrize(
    "target", ["example.com:443", "graph.microsoft.com:80", "sharepoint.com.evil.example:443", "127.0.0.1:22"]
)
def test_the_proxy_leads_nowhere_else(server: Server, target: str) -> None:
    """Other hosts and other ports are refused before anything is opened."""
    place = urlsplit(server.endpoints.proxy_url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as sent:
        sent.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert sent.makefile("rb").readline().startswith(b"HTTP/1.1 403")


def test_plain_requests_are_no_business_of_the_proxy(server: Server) -> None:
    """A GET by an absolute URL is refused too."""
    with httpx.Client(proxy=server.endpoints.proxy_url, trust_env=False) as client:
        assert client.get("http://graph.microsoft.com/v1.0/users").status_code == 403


def test_certificates_are_what_strict_clients_want(server: Server) -> None:
    """The authority may sign and says so critically; the server's key is its owner's only."""
    authority = Path(server.endpoints.ca_file)
    certificate = x509.load_pem_x509_certificate(authority.read_bytes())
    for kind in (x509.BasicConstraints, x509.KeyUsage):
        assert certificate.extensions.get_extension_for_class(kind).critical
    key = authority.with_name("server-key.pem")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
