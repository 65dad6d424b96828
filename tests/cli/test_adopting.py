"""Tests of adopt: a bare machine gets everything back from the repository and one secret."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import FIRST_HELLO, MAILBOX, seed
from tests.cli.test_end_to_end import add_tenant, control
from tuiback.engine.home import Home
from tuiback.engine.settings.channels import Channels
from tuiback.simtenant import Plan, Server

pytestmark = pytest.mark.usefixtures("cheap_scrypt")


@pytest.fixture
def passphrase(tuiback: Tuiback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one thing that its owner kept. Set after `tuiback` has cleared the settings of whoever runs the tests."""
    del tuiback
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    monkeypatch.setenv("TUIBACK_PASSPHRASE_FILE", str(file))
    return file


def counts(document: dict[str, Any]) -> tuple[int, int, int, int]:
    """What an adoption tells that came back."""
    return document["tenants"], document["tasks"], document["accounts"], document["items"]


def commits_of(repository: Path) -> list[Path]:
    """The commit objects of a repository, oldest first."""
    return sorted((repository / "commits").glob("*/*"))


@pytest.mark.usefixtures("passphrase")
def test_what_a_copy_lacks_is_fetched_again(tuiback: Tuiback, tmp_path: Path) -> None:
    """Items whose pack is missing in the copy are owed; the next run fetches them, and then all is there."""
    home, place = tmp_path / "home", tmp_path / "nas"
    assert tuiback("init", "--home", home, "--repository", place).code == 0
    with Server(Plan(users=1, messages=6, files_per_user=4)) as server:
        add_tenant(tuiback, home, server, server.endpoints.client_secret)
        assert tuiback("--home", home, "run", "mail").code == 0
        address = tuiback("--json", "--home", home, "account", "list", "mail").rows[0]["address"]
        shutil.rmtree(home)
        for pack in (place / "packs").glob("*/*"):
            pack.unlink()
        ended = tuiback("--json", "--home", home, "adopt", place)
        assert (ended.code, ended.document["owed"]) == (0, 6)
        (run,) = tuiback("--json", "--home", home, "run", "mail").document["runs"]
    assert (run["outcome"], run["owed"]) == ("ok", 0)
    messages = [row for row in tuiback("--json", "--home", home, "ls", address, "-R").rows if row["kind"] == "message"]
    assert len(messages) == 6
    for row in messages:
        assert tuiback("--home", home, "cat", address, "--id", row["id"]).code == 0


@pytest.mark.usefixtures("passphrase")
def test_only_the_passphrase_is_needed(tuiback: Tuiback, tmp_path: Path) -> None:
    """Home deleted, adopted with the passphrase alone: the next run asks for changes only and fetches nothing."""
    home, place = tmp_path / "home", tmp_path / "nas"
    assert tuiback("init", "--home", home, "--repository", place).code == 0
    with Server(Plan(users=2, messages=6, files_per_user=4)) as server:
        add_tenant(tuiback, home, server, server.endpoints.client_secret)
        runs = tuiback("--json", "--home", home, "run", "--all").document["runs"]
        assert {run["outcome"] for run in runs} == {"ok"}
        before = tuiback("--json", "--home", home, "account", "list").rows
        shutil.rmtree(home)

        ended = tuiback("--json", "--home", home, "adopt", place)
        assert ended.code == 0, ended.err
        assert set(ended.document) >= {"schema", "repository_id", "tenants", "tasks", "accounts", "items", "seconds"}
        assert counts(ended.document)[:3] == (1, 2, 4)
        assert tuiback("--json", "--home", home, "account", "list").rows == before
        asked_before = control(server, "stats")["by_route"]
        again = tuiback("--json", "--home", home, "run", "--all").document["runs"]
        asked = control(server, "stats")["by_route"]
    assert {run["outcome"] for run in again} == {"ok"}
    assert sum(run["items_new"] + run["items_changed"] + run["items_removed"] for run in again) == 0
    assert {"GET /users/{user}/messages/{message}/$value", "GET /_layouts/15/download.aspx"} <= set(asked)
    routes = {route for route, times in asked.items() if times != asked_before[route]}
    changes = {route for route in routes if route.endswith("/delta")}
    assert len(changes) == 3
    signing_in = {"GET /{tenant}/v2.0/.well-known/openid-configuration", "POST /{tenant}/oauth2/v2.0/token"}
    assert routes - changes - signing_in == {"GET /users"}
    assert tuiback("--home", home, "check", "--read-data").code == 0


def test_every_point_in_time_comes_back(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """With the key file, on another machine: points, items and their content are as they were, catalog where asked."""
    before = tuiback("--json", "--home", seeded, "points", MAILBOX).rows
    other = tmp_path / "other"
    ended = tuiback(
        "--json", "--home", other, "adopt", seeded / "repository", "--key-file", tmp_path / "tuiback.key",
        "--catalog", tmp_path / "ssd",
    )  # fmt: skip
    assert ended.code == 0
    assert counts(ended.document) == (0, 2, 2, counts(ended.document)[3])
    assert (tmp_path / "ssd" / "catalog.db").is_file()
    assert tuiback("--json", "--home", other, "points", MAILBOX).rows == before
    shown = tuiback("--home", other, "cat", MAILBOX, "@inbox/hello", "--at", "#1")
    assert shown.out == FIRST_HELLO
    assert Home.open(other).repository("main").key_file == str(tmp_path / "tuiback.key")
    assert (other.stat().st_mode & 0o777, ended.err) == (0o700, "")


def test_adopting_with_a_typed_sheet(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """What was printed is enough."""
    (tmp_path / "typed").write_bytes(tuiback("--home", home, "key", "sheet").out)
    line = ["--home", tmp_path / "other", "adopt", home / "repository", "--key-file", tmp_path / "typed"]
    assert tuiback(*line).code == 0
    assert tuiback("--home", tmp_path / "other", "check").code == 0


def test_what_fails_leaves_nothing(tuiback: Tuiback, home: Path, tmp_path: Path, passphrase: Path) -> None:
    """A wrong path is exit 7, a wrong secret 4, a home that is there 2; no home is made, none is touched."""
    other = tmp_path / "other"
    assert tuiback("--home", other, "adopt", tmp_path / "nothing").code == 7
    assert tuiback("--home", other, "adopt", home / "repository").code == 4
    assert not other.exists()
    before = (home / "home.json").read_bytes()
    line = ["--home", home, "adopt", home / "repository", "--key-file", tmp_path / "tuiback.key"]
    assert tuiback(*line).code == 2
    assert (home / "home.json").read_bytes() == before
    assert passphrase.exists()


def test_nobody_to_ask(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """Without a secret and a terminal the variable to set is named."""
    ended = tuiback("--home", tmp_path / "other", "adopt", home / "repository")
    assert ended.code == 2
    assert "TUIBACK_PASSPHRASE_FILE" in ended.err


def test_an_adoption_cut_off_is_taken_up(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """A home that was made before the catalog was done is finished by the next try."""
    other = tmp_path / "other"
    Home.create(other)
    (other / "catalogs" / "main").mkdir(parents=True)
    (other / "catalogs" / "main" / "catalog.rebuilding").write_bytes(b"half a database")
    line = ["--home", other, "adopt", seeded / "repository", "--key-file", tmp_path / "tuiback.key"]
    assert tuiback(*line).code == 0
    assert len(tuiback("--json", "--home", other, "account", "list").rows) == 2


def test_a_gap_is_told(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """Commits behind a missing one don't count: adopt and rebuild-catalog name what is missing, and go on."""
    seed(seeded)
    place = tmp_path / "copy"
    shutil.copytree(seeded / "repository", place)
    oldest, missing, *rest = commits_of(place)
    missing.unlink()
    assert rest
    key = ["--key-file", tmp_path / "tuiback.key"]
    ended = tuiback("--json", "--home", tmp_path / "other", "adopt", place, *key)
    assert ended.code == 0
    (named,) = ended.document["missing_commits"]
    assert f"commits/{missing.parent.name}/{missing.name}".startswith(named)
    assert named in ended.err
    assert "rebuild-catalog" in ended.err
    rebuilt = tuiback("--json", "--home", tmp_path / "other", "rebuild-catalog")
    assert rebuilt.document["missing_commits"] == [named]
    assert named in rebuilt.err
    shutil.copy(seeded / "repository" / "commits" / missing.parent.name / missing.name, missing)
    healed = tuiback("--json", "--home", tmp_path / "other", "rebuild-catalog")
    assert (healed.document["missing_commits"], healed.err) == ([], "")
    assert healed.document["items"] >= rebuilt.document["items"]
    assert oldest.exists()


@pytest.mark.parametrize("place", [1, -1])
def test_a_damaged_commit_keeps_nothing_else_back(
    tuiback: Tuiback, seeded: Path, tmp_path: Path, place: int
) -> None:
    """Adopt puts it aside, names it and goes on without it, and so does every later start of the new home."""
    seed(seeded)
    copy = tmp_path / "copy"
    shutil.copytree(seeded / "repository", copy)
    damaged = commits_of(copy)[place]
    name = f"commits/{damaged.parent.name}/{damaged.name}"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    ended = tuiback("--json", "--home", tmp_path / "other", "adopt", copy, "--key-file", tmp_path / "tuiback.key")
    assert (ended.code, ended.document["put_aside"]) == (0, [name])
    assert name in ended.err
    assert (copy / "quarantine" / name).exists()
    assert tuiback("--home", tmp_path / "other", "check").code == (0 if place == -1 else 9)
    assert tuiback("--home", tmp_path / "other", "prune").code == 0


def test_a_lost_pack_keeps_nothing_else_back(tuiback: Tuiback, seeded: Path, tmp_path: Path) -> None:
    """A copy that lacks a pack is adopted: everything else can be read, and the pack and its items are named."""
    place = tmp_path / "copy"
    shutil.copytree(seeded / "repository", place)
    packs = sorted((place / "packs").glob("*/*"))
    lost = packs[0].name
    packs[0].unlink()
    key = ["--key-file", tmp_path / "tuiback.key"]
    ended = tuiback("--json", "--home", tmp_path / "other", "adopt", place, *key)
    assert (ended.code, ended.document["lost_packs"]) == (0, [lost])
    assert "tuiback check" in ended.err
    owed = tuiback("--json", "--home", tmp_path / "other", "owed").rows
    assert sum("lost its content" in row["error"] for row in owed) == ended.document["owed"] > 0
    before = tuiback("--json", "--home", seeded, "points", MAILBOX).rows
    assert tuiback("--json", "--home", tmp_path / "other", "points", MAILBOX).rows == before
    checked = tuiback("--json", "--home", tmp_path / "other", "check")
    assert checked.code == 9
    assert lost in {finding["name"] for finding in checked.document["findings"]}
    shutil.copy(seeded / "repository" / "packs" / packs[0].parent.name / lost, packs[0])
    assert tuiback("--json", "--home", tmp_path / "other", "rebuild-catalog").document["lost_packs"] == []
    assert tuiback("--home", tmp_path / "other", "cat", MAILBOX, "@inbox/hello", "--at", "#1").out == FIRST_HELLO


def test_limits_and_channels_come_back(tuiback: Tuiback, tmp_path: Path) -> None:
    """Sealed in the repository, with their secrets; a home that has its own keeps them."""
    home, place, url, key = (tmp_path / name for name in ("home", "nas", "url", "key"))
    url.write_text("https://ping.example/s3cret\n")
    assert tuiback("init", "--home", home, "--repository", place, "--key-file", key).code == 0
    assert tuiback("--home", home, "limits", "--accounts", "7", "--rate", "20mbit").code == 0
    assert tuiback("--home", home, "notify", "add", "ping", "alive", "--url-file", url).code == 0
    channels = Channels(home).all()
    # Any engine takes them along; a second one has nothing to add.
    assert tuiback("--home", home, "prune").code == 0
    commits = commits_of(place)
    assert tuiback("--home", home, "prune", "--dry-run").code == 0
    assert commits_of(place) == commits
    shutil.rmtree(home)
    assert tuiback("--json", "--home", home, "adopt", place, "--key-file", key).document["channels"] == 1
    assert Channels(home).all() == channels
    limits = tuiback("--json", "--home", home, "limits").document
    assert (limits["accounts"], limits["files"], limits["rate"]) == (7, 20, "20mbit")
    assert not [path for path in place.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    for file in (home / "home.json", *home.glob("catalogs/main/*")):
        file.unlink()
    assert tuiback("--home", home, "limits", "--accounts", "5").code == 6
    assert tuiback("--home", home, "notify", "remove", "alive").code == 6
    (home / "limits.json").write_text('{"accounts": 5}')
    assert tuiback("--home", home, "adopt", place, "--key-file", key).code == 0
    assert tuiback("--json", "--home", home, "limits").document["accounts"] == 5
