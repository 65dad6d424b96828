"""Tests of tenants: add, edit, remove, list, and that secrets stay secret."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Tuiback
from tuiback.graph.certificates import make_key_pair

SECRET = "s3cret~value"


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


def test_a_certificate(tuiback: Tuiback, home: Path, tmp_path: Path, pem_file: Path) -> None:
    """PEM with certificate and key is a credential that says when it ends; half of it, or dross, is wrong usage."""
    file = tmp_path / "half.pem"
    pem = pem_file.read_text()
    for broken in (pem.partition("-----BEGIN CERT")[0], "no PEM at all", pem.replace("MII", "AAA")):
        file.write_text(broken)
        assert add(tuiback, home, "--certificate", file).code == 2
    assert add(tuiback, home, "--certificate", pem_file, "--expires-on", "2030-01-01").code == 2
    assert add(tuiback, home, "--certificate", pem_file).code == 0
    credential = tenant_row(tuiback, home)["credential"]
    assert credential["kind"] == "certificate"
    assert date.fromisoformat(credential["expires_on"]) > datetime.now(UTC).date() + timedelta(days=700)


def tenant_row(tuiback: Tuiback, home: Path) -> dict[str, Any]:
    """The only tenant as `list` tells it."""
    (row,) = tuiback("--home", home, "tenant", "list", "--json").document["tenants"]
    assert isinstance(row, dict)
    return row


@pytest.fixture(scope="module")
def pem_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key with its certificate."""
    file = tmp_path_factory.mktemp("pem") / "app.pem"
    file.write_text(make_key_pair("acme", datetime.now(UTC), bits=2048).pem)
    return file


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


def test_edit(tuiback: Tuiback, home: Path, secret_file: Path, pem_file: Path) -> None:
    """Only what is given changes; a new credential brings its own end, and a cloud its own addresses."""
    assert add(tuiback, home, "--client-secret-file", secret_file, "--expires-on", "2027-01-31").code == 0
    expiring = {"kind": "secret", "expires_on": "2027-01-31"}
    assert tenant_row(tuiback, home)["credential"] == expiring
    assert tuiback("--json", "--home", home, "status").document["tenants"][0]["credential"] == expiring
    assert b"acme, secret until 2027-01-31, not checked yet" in tuiback("--home", home, "status").out
    line = ["--json", "--home", home, "tenant", "edit"]
    assert tuiback(*line, "acme", "--client-id", "c-2", "--cloud", "china").document["name"] == "acme"
    assert tenant_row(tuiback, home)["cloud"] == "china"
    assert tuiback(*line, "acme", "--certificate", pem_file).code == 0
    credential = tenant_row(tuiback, home)["credential"]
    assert (credential["kind"], len(credential["expires_on"])) == ("certificate", 10)
    assert tuiback(*line, "acme", "--expires-on", "2030-01-01").code == 2
    assert tuiback(*line, "acme", "--graph-url", "https://graph.example").code == 2
    assert tuiback(*line, "nobody", "--client-id", "c").code == 6


def test_remove(tuiback: Tuiback, home: Path, secret_file: Path) -> None:
    """A tenant goes when no task uses it any more."""
    add(tuiback, home, "--client-secret-file", secret_file)
    task = ["task", "add", "mail", "--tenant", "acme", "--service", "exchange", "--all"]
    assert tuiback("--home", home, *task).code == 0
    refused = tuiback("--json", "--home", home, "tenant", "remove", "acme")
    assert (refused.code, refused.document["what"]) == (2, "tasks use the tenant: mail")
    assert tuiback("--home", home, "task", "remove", "mail", "--data", "keep").code == 0
    assert tuiback("--json", "--home", home, "tenant", "remove", "acme").document["name"] == "acme"
    assert tuiback("--json", "--home", home, "tenant", "list").document["tenants"] == []
    assert tuiback("--home", home, "tenant", "remove", "acme").code == 6


def test_failures_tell_no_secret(tuiback: Tuiback, home: Path, secret_file: Path, pem_file: Path) -> None:
    """However a verb that took a credential fails, nothing that it prints holds any of it."""
    key_lines = [line for line in pem_file.read_text().splitlines() if len(line) > 40]
    half = pem_file.with_name("half.pem")
    half.write_text(pem_file.read_text().partition("-----BEGIN CERT")[0])
    assert add(tuiback, home, "--client-secret-file", secret_file).code == 0
    place = ["--tenant-id", "t", "--client-id", "c"]
    for code, line in (
        (2, ["add", "acme", *place, "--client-secret-file", secret_file]),
        (2, ["add", "other", *place, "--certificate", secret_file]),
        (2, ["add", "other", *place, "--certificate", half]),
        (6, ["add", "other", *place, "--client-secret-file", secret_file, "--repository", "none"]),
        (6, ["edit", "nobody", "--client-secret-file", secret_file]),
        (2, ["edit", "acme", "--certificate", pem_file, "--expires-on", "2030-01-01"]),
    ):
        ended = tuiback("--json", "--debug", "--home", home, "tenant", *line)
        assert ended.code == code, ended.err
        said = ended.out.decode() + ended.err
        assert not [secret for secret in (SECRET, *key_lines) if secret in said]
