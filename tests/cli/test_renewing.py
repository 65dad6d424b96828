"""`tenant renew` of apps that may renew themselves, and `tenant keygen`."""

import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.administrator import Administrator
from tests.cli.conftest import Tuiback
from tuiback.graph.certificates import KeyPair, make_key_pair, read_key_pair
from tuiback.simtenant import Server

pytestmark = pytest.mark.usefixtures("ready_keys")


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    """The certificate of an app that was registered by hand."""
    return make_key_pair("by hand", datetime.now(UTC), bits=2048)


def add(tuiback: Tuiback, home: Path, server: Server, client_id: str, *credential: str | Path) -> None:
    """Make the tenant known with an app that may do everything."""
    at = server.endpoints
    added = tuiback(
        "--home", home, "tenant", "add", "acme", "--tenant-id", at.tenant_id, "--client-id", client_id, *credential,
        "--cloud", "custom", "--graph-url", at.graph_url, "--authority", at.authority,
    )  # fmt: skip
    assert added.code == 0, added.err


def app(admin: Administrator, client_id: str) -> dict[str, Any]:
    """The app as Entra shows it."""
    found: dict[str, Any] = admin.graph("GET", f"/applications(appId='{client_id}')").json()
    return found


def renew(tuiback: Tuiback, home: Path, *options: str) -> dict[str, Any]:
    """The answer of a renewal that works."""
    ended = tuiback("--json", "--home", home, "tenant", "renew", "acme", *options)
    assert ended.code == 0, ended.err
    assert tuiback("--home", home, "tenant", "check", "acme").code == 0
    return ended.document


def test_a_certificate_by_hand(
    tuiback: Tuiback, home: Path, server: Server, admin: Administrator, pair: KeyPair, tmp_path: Path
) -> None:
    """The app is looked up, the old certificate found by its thumbprint, and both count until the next renewal."""
    client_id = admin.control("/applications", {"certificate": pair.certificate})["client_id"]
    file = tmp_path / "app.pem"
    file.write_text(pair.pem)
    add(tuiback, home, server, client_id, "--certificate", file)
    (old,) = [key["keyId"] for key in app(admin, client_id)["keyCredentials"]]
    answer = renew(tuiback, home)
    assert (answer["name"], answer["removed"]) == ("acme", 0)
    two_years = datetime.now(UTC).date() + timedelta(days=730)
    assert abs(date.fromisoformat(answer["credential"]["expires_on"]) - two_years) <= timedelta(days=1)
    assert old in {key["keyId"] for key in app(admin, client_id)["keyCredentials"]}
    assert renew(tuiback, home)["removed"] == 1
    keys = {key["keyId"] for key in app(admin, client_id)["keyCredentials"]}
    assert len(keys) == 2
    assert old not in keys


def test_a_secret(tuiback: Tuiback, home: Path, server: Server, admin: Administrator, tmp_path: Path) -> None:
    """A new secret is made; with --remove-old the one before goes, found by its first characters."""
    client_id = admin.control("/applications", {"secret": "old~secret-of-the-app"})["client_id"]
    file = tmp_path / "secret"
    file.write_text("old~secret-of-the-app")
    add(tuiback, home, server, client_id, "--client-secret-file", file)
    answer = renew(tuiback, home, "--remove-old")
    assert (answer["credential"]["kind"], answer["removed"]) == ("secret", 1)
    (listed,) = tuiback("--json", "--home", home, "tenant", "list").document["tenants"]
    assert listed["credential"] == answer["credential"]
    assert len(app(admin, client_id)["passwordCredentials"]) == 1


def test_what_does_not_prove_itself_is_not_kept(
    tuiback: Tuiback, home: Path, server: Server, admin: Administrator, pair: KeyPair, tmp_path: Path
) -> None:
    """When Entra refuses the addition the old credential stays in use."""
    client_id = admin.control("/applications", {"certificate": pair.certificate})["client_id"]
    file = tmp_path / "app.pem"
    file.write_text(pair.pem)
    add(tuiback, home, server, client_id, "--certificate", file)
    body = {"error": {"code": "Request_BadRequest", "message": "no"}}
    admin.control("/fault", {"match": "POST .*/addKey", "status": 400, "times": -1, "body": body})
    before = tuiback("--json", "--home", home, "tenant", "list").document
    assert tuiback("--home", home, "tenant", "renew", "acme").code == 1
    admin.control("/fault", {"clear": True})
    assert tuiback("--json", "--home", home, "tenant", "list").document == before
    assert tuiback("--home", home, "tenant", "check", "acme").code == 0


def test_an_unknown_tenant(tuiback: Tuiback, home: Path) -> None:
    """There is nothing to renew: exit 6."""
    assert tuiback("--home", home, "tenant", "renew", "nobody").code == 6


def test_keygen_into_files(tuiback: Tuiback, tmp_path: Path) -> None:
    """The key is its owner's only, the certificate for Entra lies beside; nothing is overwritten."""
    out = tmp_path / "app.pem"
    made = tuiback("--json", "tenant", "keygen", "acme", "--out", out, "--days", "10").document
    pair = read_key_pair(out.read_text(), "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert (made["thumbprint"], made["expires_on"]) == (pair.thumbprint, pair.expires_on)
    public = Path(made["certificate_file"]).read_text()
    assert public == pair.certificate
    assert "PRIVATE" not in public
    assert x509.load_pem_x509_certificate(public.encode()).subject.rfc4514_string() == "CN=acme"
    assert tuiback("tenant", "keygen", "--out", out).code == 7


def test_keygen_prints(tuiback: Tuiback) -> None:
    """Without a file both are printed."""
    pair = read_key_pair(tuiback("tenant", "keygen").out.decode(), "")
    assert not pair.is_expired(datetime.now(UTC))
