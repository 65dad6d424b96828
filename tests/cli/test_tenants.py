"""Tests of tenants: which cloud, which credential, and that secrets stay secret."""

from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Tuiback
from tuiback.cli.tenants import CLOUDS, Cloud, choose_cloud
from tuiback.errors import UsageError

SECRET = "s3cret~value"
PEM = "".join(
    f"-----BEGIN {what}-----\nAA==\n-----END {what}-----\n" for what in ("CERTIFICATE", "PRIVATE KEY")
)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """A client secret as saved from the portal."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def add(tuiback: Tuiback, home: Path, *arguments: str | Path) -> Ended:
    """Add the tenant acme."""
    return tuiback(
        "--json", "--home", home, "tenant", "add", "acme", "--tenant-id", "t-1", "--client-id", "c-1", *arguments
    )


def test_add_and_list(tuiback: Tuiback, home: Path, secret_file: Path) -> None:
    """A tenant is listed with the kind of its credential, never with the credential."""
    assert add(tuiback, home, "--client-secret-file", secret_file).document == {
        "schema": "tuiback.tenant-add/1",
        "name": "acme",
    }
    (row,) = tuiback("--home", home, "tenant", "list", "--json").document["tenants"]
    assert row == {
        "name": "acme", "tenant_id": "t-1", "cloud": "global", "credential": {"kind": "secret", "expires_on": None},
        "consent": None, "repository": "main",
    }  # fmt: skip
    assert b"acme" in tuiback("--home", home, "tenant", "list").out


def test_the_secret_lies_nowhere_in_clear(tuiback: Tuiback, home: Path, secret_file: Path) -> None:
    """After adding a tenant no file of the home holds its secret."""
    assert add(tuiback, home, "--client-secret-file", secret_file).code == 0
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_a_certificate(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """PEM with certificate and key is a credential; half of it is wrong usage."""
    file = tmp_path / "app.pem"
    file.write_text(PEM.partition("-----BEGIN PRIVATE")[0])
    assert add(tuiback, home, "--certificate", file).code == 2
    file.write_text(PEM)
    assert add(tuiback, home, "--certificate", file).code == 0
    (row,) = tuiback("--home", home, "tenant", "list", "--json").document["tenants"]
    assert row["credential"]["kind"] == "certificate"


def test_names_are_taken_once(tuiback: Tuiback, home: Path, secret_file: Path) -> None:
    """A second tenant of the same name is refused instead of replacing the first."""
    assert add(tuiback, home, "--client-secret-file", secret_file).code == 0
    assert add(tuiback, home, "--client-secret-file", secret_file).code == 2


def test_bad_credentials(tuiback: Tuiback, home: Path, secret_file: Path, tmp_path: Path) -> None:
    """None, two, an empty one, a binary one and a missing one are each refused."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert add(tuiback, home).code == 2
    assert add(tuiback, home, "--client-secret-file", secret_file, "--certificate", secret_file).code == 2
    assert add(tuiback, home, "--client-secret-file", tmp_path / "empty").code == 2
    assert add(tuiback, home, "--client-secret-file", tmp_path / "binary").code == 2
    assert add(tuiback, home, "--client-secret-file", tmp_path / "missing").code == 7


def test_an_unknown_repository(tuiback: Tuiback, home: Path, secret_file: Path) -> None:
    """A tenant's data can only go where there is a repository."""
    assert add(tuiback, home, "--client-secret-file", secret_file, "--repository", "other").code == 6


def test_clouds() -> None:
    """The national clouds have addresses of their own."""
    assert choose_cloud("global", "t", None, None) == Cloud(
        "global", "https://graph.microsoft.com", "https://login.microsoftonline.com/t"
    )
    for name in CLOUDS:
        cloud = choose_cloud(name, "t", None, None)
        assert cloud.graph_url.startswith("https://")
        assert cloud.authority.endswith("/t")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:1", "127.9.9.9"])
def test_http_on_loopback(host: str) -> None:
    """The simulated tenant may be reached in clear on this machine."""
    cloud = choose_cloud("custom", "t", f"http://{host}/", f"http://{host}/t")
    assert (cloud.graph_url, cloud.authority) == (f"http://{host}", f"http://{host}/t")


@pytest.mark.parametrize(
    ("name", "graph_url", "authority"),
    [
        ("custom", "http://10.0.0.1", "https://login.example/t"),
        ("custom", "https://graph.example", "http://localhost.evil.example/t"),
        ("custom", "ftp://127.0.0.1", "http://127.0.0.1/t"),
        ("custom", "graph.example", "https://login.example/t"),
        ("custom", "https://graph.example", None),
        ("custom", None, None),
        ("global", "http://127.0.0.1", None),
        ("china", None, "https://login.example/t"),
    ],
)
def test_addresses_that_are_refused(name: str, graph_url: str | None, authority: str | None) -> None:
    """Clear text leaves this machine never, and only a custom cloud takes addresses."""
    with pytest.raises(UsageError):
        choose_cloud(name, "t", graph_url, authority)
