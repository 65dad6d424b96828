"""Tests of the wire: exact links, trusted addresses, and what a break means."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tuiback.errors import EnvironmentFault, UsageError
from tuiback.graph.transport import BREAKS, checked_url, failure_of_break, open_client, tls_context, web_origin

from .scripted import Reply, ScriptedServer


@pytest.fixture
async def wire() -> AsyncIterator[httpx.AsyncClient]:
    """The bare client."""
    async with open_client("agent/1") as client:
        yield client


async def _broken(wire: httpx.AsyncClient, method: str, url: str) -> tuple[BaseException, bool, bool]:
    try:
        response = await wire.request(method, url)
    except BREAKS as error:
        failure = failure_of_break(error)
        return error, failure.sent, failure.hopeless
    raise AssertionError(response)


@pytest.mark.parametrize(
    "target",
    [
        "/drives/b%21x/root:/a%2Fb%20c%23:/content?token=a%2Fb%3D%26%2B%21",
        "/v1.0/x('b!1')/delta?$skiptoken=a~b%27c'd",
        "/x?tempauth=v1.eyJ%2Bz%3D%3D&a=%C3%A9&b=1+2&c=%7B%7D",
        "/x%7Ey/%41?q=%41%7e",
    ],
)
async def test_a_link_goes_out_byte_for_byte(server: ScriptedServer, wire: httpx.AsyncClient, target: str) -> None:
    """No escape is rewritten: links are opaque and some are signed."""
    await wire.get(server.url + target)
    assert server.seen[-1].target == target


async def test_no_cookie_is_kept(server: ScriptedServer, wire: httpx.AsyncClient) -> None:
    """What one reply sets, the next request does not send."""
    server.on("GET", "/x", Reply(200, b"", {"Set-Cookie": "a=1; Path=/"}))
    await wire.get(f"{server.url}/x")
    await wire.get(f"{server.url}/x")
    assert "cookie" not in server.seen[-1].headers
    assert server.seen[-1].headers["user-agent"] == "agent/1"


async def test_no_redirect_is_followed(server: ScriptedServer, wire: httpx.AsyncClient) -> None:
    """A redirect is an answer: following it would carry the token along."""
    server.on("GET", "/x", Reply(302, b"", {"Location": "/y"}))
    assert (await wire.get(f"{server.url}/x")).status_code == 302
    assert server.asked("GET", "/y") == []


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_connection_was_not_sent(wire: httpx.AsyncClient, method: str) -> None:
    """Nothing listens: Microsoft can't have seen the request."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _, sent, hopeless = await _broken(wire, method, f"http://127.0.0.1:{unused.getsockname()[1]}/x")
    assert (sent, hopeless) == (False, False)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_hang_up_after_the_request_may_have_been_sent(
    server: ScriptedServer, wire: httpx.AsyncClient, method: str
) -> None:
    """It arrives as a connect timeout too, but the request was on the wire."""
    server.on(method, "/x", Reply(hang_up=True))
    error, sent, _ = await _broken(wire, method, f"{server.url}/x")
    assert sent
    assert isinstance(error, httpx.HTTPError)


async def test_a_truncated_body_may_have_been_sent(server: ScriptedServer, wire: httpx.AsyncClient) -> None:
    """Half a body is a break, not a short answer."""
    server.on("GET", "/x", Reply(200, b"x" * 1000, cut_after=400))
    assert (await _broken(wire, "GET", f"{server.url}/x"))[1]


async def test_garbage_instead_of_http_may_have_been_sent(wire: httpx.AsyncClient) -> None:
    """A server that does not speak HTTP is a break like others."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"NONSENSE\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as nonsense:
        port = nonsense.sockets[0].getsockname()[1]
        assert (await _broken(wire, "GET", f"http://127.0.0.1:{port}/x"))[1]


@pytest.fixture
def certificate_file(certificate_pem: str, tmp_path: Path) -> Path:
    """The key and certificate of a server on this machine."""
    path = tmp_path / "server.pem"
    path.write_text(certificate_pem)
    return path


async def _speak_tls(path: Path) -> asyncio.Server:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)


async def test_an_untrusted_connection_is_hopeless(wire: httpx.AsyncClient, certificate_file: Path) -> None:
    """A certificate that nobody vouches for is not tried again, and nothing was sent."""
    async with await _speak_tls(certificate_file) as server:
        port = server.sockets[0].getsockname()[1]
        _, sent, hopeless = await _broken(wire, "POST", f"https://127.0.0.1:{port}/x")
    assert (sent, hopeless) == (False, True)


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no authority."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
async def test_an_authority_from_the_environment_is_trusted(
    certificate_file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A file of authorities names that of a proxy that opens connections."""
    async with await _speak_tls(certificate_file) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv(name, str(certificate_file))
        async with open_client("agent/1") as client:
            assert (await client.get(f"https://127.0.0.1:{port}/x")).content == b"ok"


@pytest.mark.usefixtures("unset")
def test_authorities_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path is a fault of the environment, named; a folder of authorities may be empty."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert tls_context().get_ca_certs() == []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing.pem"))
    with pytest.raises(EnvironmentFault, match="can't be read"):
        tls_context()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://[::1]:1", "http://localhost:1", "https://graph.microsoft.com/"]
)
def test_good_addresses(url: str) -> None:
    """Encrypted anywhere, in clear on this machine; a final slash goes."""
    assert checked_url(url, "x") == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://graph.microsoft.com", "http://10.0.0.1", "http://localhost.evil.org", "ftp://127.0.0.1", "x", ""]
)
def test_bad_addresses(url: str) -> None:
    """Nothing goes over a network unencrypted."""
    with pytest.raises(UsageError):
        checked_url(url, "the address")


def test_origin() -> None:
    """Version and path are not part of the origin."""
    assert web_origin("https://graph.microsoft.com/v1.0") == "https://graph.microsoft.com"


async def test_a_proxy_from_the_environment_is_used(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY leads every request to the proxy, except to hosts that NO_PROXY names."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.on("GET", "http://graph.example/x%2Fy", Reply(200, b"through the proxy"))
    server.on("GET", "/direct", Reply(200, b"direct"))
    async with open_client("agent/1") as client:
        assert (await client.get("http://graph.example/x%2Fy")).content == b"through the proxy"
        assert (await client.get(f"{server.url}/direct")).content == b"direct"


async def test_a_proxy_gets_a_tunnel_and_no_more(
    certificate_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY sees the host's name; what is asked stays between us and the host."""
    seen: list[bytes] = []
    closed = asyncio.Event()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        closed.set()

    async with await _speak_tls(certificate_file) as far, await asyncio.start_server(tunnel, "127.0.0.1", 0) as near:
        port = far.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{near.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file))
        async with open_client("agent/1") as client:
            headers = {"Authorization": "Bearer s3cret"}
            assert (await client.get(f"https://127.0.0.1:{port}/secret", headers=headers)).content == b"ok"
        await closed.wait()
    assert len(seen) == 1
    assert seen[0].startswith(f"CONNECT 127.0.0.1:{port} ".encode())
    assert b"s3cret" not in seen[0]


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()
        await writer.wait_closed()
