"""`tenant check` names what is missing and what is lost without it."""

from pathlib import Path

from tests.administrator import Administrator
from tests.cli.conftest import Ended, Tuiback
from tuiback.simtenant import Server

SECRET = "Qx8~only-for-this-test"


def add(tuiback: Tuiback, home: Path, server: Server, admin: Administrator, roles: list[str] | None) -> None:
    """Make an app with these permissions known; None: with all."""
    at = server.endpoints
    made = admin.control("/applications", {"secret": SECRET, "roles": roles})
    file = home.parent / "secret"
    file.write_text(SECRET)
    added = tuiback(
        "--home", home, "tenant", "add", "acme", "--tenant-id", at.tenant_id, "--client-id", made["client_id"],
        "--client-secret-file", file, "--cloud", "custom", "--graph-url", at.graph_url, "--authority", at.authority,
    )  # fmt: skip
    assert added.code == 0, added.err


def add_task(tuiback: Tuiback, home: Path, service: str) -> None:
    """A task for all of a service."""
    line = ["task", "add", service, "--tenant", "acme", "--service", service, "--all"]
    assert tuiback("--home", home, *line).code == 0


def check(tuiback: Tuiback, home: Path) -> Ended:
    """The check, as JSON."""
    return tuiback("--json", "--home", home, "tenant", "check", "acme")


def test_all_is_granted(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """With every permission nothing is missing, and cron is told nothing."""
    add(tuiback, home, server, admin, None)
    ended = check(tuiback, home)
    assert (ended.code, ended.err) == (0, "")
    assert ended.document["schema"] == "tuiback.tenant-check/1"
    assert ended.document["ok"] is True
    rows = ended.document["permissions"]
    assert all(row["granted"] and row["needed_for"] for row in rows)
    assert len({row["name"] for row in rows}) == len(rows)
    assert abs(ended.document["clock_skew_seconds"]) < 60
    listed = tuiback("--json", "--home", home, "tenant", "list").document["tenants"]
    assert listed[0]["consent"] == "granted"


def test_only_restore_lacks(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """Permissions to write back are granted on demand: their lack is no failure, and the table says so."""
    add(tuiback, home, server, admin, ["User.Read.All", "Mail.Read", "Files.Read.All"])
    add_task(tuiback, home, "exchange")
    ended = check(tuiback, home)
    assert ended.code == 0
    rows = {row["name"]: row for row in ended.document["permissions"]}
    assert (rows["Mail.Read"]["granted"], rows["Mail.ReadWrite"]["granted"]) == (True, False)
    assert rows["Calendars.Read"] | {"services": []} == {
        "name": "Calendars.Read", "granted": False, "needed_for": "exchange backup: calendars", "kind": "backup",
        "services": [], "weight": "part",
    }  # fmt: skip
    table = tuiback("--home", home, "tenant", "check", "acme").out.decode()
    line = next(line for line in table.splitlines() if line.startswith("Mail.ReadWrite "))
    assert "no, on demand" in line
    assert "exchange restore: mail" in line
    assert "ChannelMessage" not in table


def test_a_service_of_a_task_lacks(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """Backup of a task's service is impossible: exit 8, with the permission's name; without the task it is none."""
    add(tuiback, home, server, admin, ["User.Read.All", "Mail.Read"])
    assert check(tuiback, home).code == 0
    add_task(tuiback, home, "onedrive")
    ended = check(tuiback, home)
    assert (ended.code, ended.document["ok"], ended.document["impossible"]) == (8, False, ["onedrive"])
    assert "acme: lacks Files.Read.All, needed for onedrive backup: files" in ended.err
    assert "User.Read.All" not in ended.err


def test_an_app_without_any_permission(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """The sign-in works and that is all: exit 8, and the address where an administrator consents."""
    add(tuiback, home, server, admin, [])
    ended = check(tuiback, home)
    assert (ended.code, ended.document["consent"]) == (8, None)
    assert "/v2.0/adminconsent?client_id=" in ended.document["consent_url"]


def test_a_wrong_credential_tells_no_secret(
    tuiback: Tuiback, home: Path, server: Server, admin: Administrator
) -> None:
    """Whatever fails, neither the answer nor --debug nor any file of the home holds the secret."""
    add(tuiback, home, server, admin, [])
    client_id = tuiback("--json", "--home", home, "tenant", "check", "acme").document["consent_url"]
    client_id = client_id.partition("client_id=")[2].partition("&")[0]
    admin.control("/applications", {"client_id": client_id, "secret": "another", "roles": []})
    said = []
    for verb in ("check", "renew"):
        ended = tuiback("--json", "--debug", "--home", home, "tenant", verb, "acme")
        assert ended.code == 8
        said.append(ended.out.decode() + ended.err)
    assert "AADSTS7000215" in said[0]
    assert not [text for text in said if SECRET in text]
    files = [path for path in home.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_nobody_answers(tuiback: Tuiback, home: Path, server: Server, admin: Administrator) -> None:
    """A sign-in that gets no answer is a failure of the network, not of the app."""
    add(tuiback, home, server, admin, [])
    line = ["tenant", "edit", "acme", "--authority", f"http://127.0.0.1:9/{server.endpoints.tenant_id}"]
    assert tuiback("--home", home, *line).code == 0
    ended = check(tuiback, home)
    assert (ended.code, ended.document["code"]) == (1, "unreachable")
