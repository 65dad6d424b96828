"""A scripted server and a client of it for each test."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tuiback.graph import AppIdentity, GraphClient

from .clocks import InstantClock
from .scripted import TENANT, ScriptedServer


@pytest.fixture
def clock() -> InstantClock:
    """Time that costs none."""
    return InstantClock()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A server with nothing but sign-in scripted."""
    async with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def app(server: ScriptedServer) -> AppIdentity:
    """The app as the scripted server knows it."""
    return AppIdentity(TENANT, "client-1", server.url, server.url, "secret", "s3cret-value")


@pytest.fixture
def notices() -> list[tuple[str, float, int]]:
    """What the client told about throttling."""
    return []


@pytest.fixture
async def client(
    app: AppIdentity, clock: InstantClock, notices: list[tuple[str, float, int]]
) -> AsyncIterator[GraphClient]:
    """A client on the instant clock whose chances are the same every time."""
    client = GraphClient(
        app, clock=clock, notice=lambda *notice: notices.append(notice), chance=random.Random(7)
    )
    yield client
    await client.close()


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """A private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def certificate_pem(key: rsa.RSAPrivateKey) -> str:
    """The key and its certificate in one PEM text."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tuiback test")])
    start = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (key_pem + certificate.public_bytes(Encoding.PEM)).decode()
