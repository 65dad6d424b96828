"""Tests of init and of further repositories."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tuiback.cli.setup import place_warnings
from tuiback.engine.home import MAIN, Home


@pytest.fixture
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A passphrase source as a unit file names it."""
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    monkeypatch.setenv("TUIBACK_PASSPHRASE_FILE", str(file))
    return file


def test_init_with_a_key_file(tuiback: Tuiback, tmp_path: Path) -> None:
    """The key is made, the home is private, and the answer names what there is."""
    key = tmp_path / "keys" / "tuiback.key"
    ended = tuiback("--json", "--home", tmp_path / "home", "init", "--key-file", key)
    assert ended.code == 0
    document = ended.document
    assert {name: document[name] for name in ("schema", "home", "repository", "created")} == {
        "schema": "tuiback.init/1",
        "home": str(tmp_path / "home"),
        "repository": str(tmp_path / "home" / "repository"),
        "created": True,
    }
    assert len(document["repository_id"]) >= 16
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert tuiback("--home", tmp_path / "home", "task", "list").code == 0


def test_init_elsewhere(tuiback: Tuiback, tmp_path: Path) -> None:
    """Repository and catalog lie where they are told to; relative paths are made whole."""
    ended = tuiback(
        "--json", "--home", tmp_path / "home", "init", "--key-file", tmp_path / "key",
        "--repository", tmp_path / "nas" / "r", "--catalog", tmp_path / "ssd",
    )  # fmt: skip
    assert ended.document["repository"] == str(tmp_path / "nas" / "r")
    assert (tmp_path / "ssd" / "catalog.db").is_file()
    assert not (tmp_path / "home" / "repository").exists()


def test_init_twice(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """A home is made once; --if-missing makes that no failure for configuration management."""
    again = tuiback("--json", "--home", home, "init", "--key-file", tmp_path / "tuiback.key")
    assert (again.code, again.document["code"]) == (2, "usage")
    kept = tuiback("--json", "--home", home, "init", "--key-file", tmp_path / "tuiback.key", "--if-missing")
    assert (kept.code, kept.document["created"]) == (0, False)


def test_init_without_a_key_makes_nothing(tuiback: Tuiback, tmp_path: Path) -> None:
    """Where there is no passphrase source and nobody to ask, nothing is left behind."""
    ended = tuiback("--home", tmp_path / "home", "init")
    assert ended.code == 2
    assert "--key-file" in ended.err
    assert not (tmp_path / "home").exists()


def test_init_cut_off_is_taken_up(tuiback: Tuiback, tmp_path: Path) -> None:
    """An init whose repository could not be made is finished by the next one."""
    blocked = tmp_path / "nas"
    blocked.write_text("a file where the mount should be")
    first = tuiback("--home", tmp_path / "home", "init", "--key-file", tmp_path / "key", "--repository", blocked)
    assert first.code == 7
    assert first.err.count("\n") == 1
    assert tuiback("--home", tmp_path / "home", "run", "--all").code == 7
    blocked.unlink()
    second = tuiback("--home", tmp_path / "home", "init", "--key-file", tmp_path / "key", "--repository", blocked)
    assert second.code == 0


def test_a_repository_is_never_made_over_another(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """The folder of a repository can't be taken for a new one."""
    ended = tuiback(
        "--home", tmp_path / "other", "init", "--key-file", tmp_path / "key", "--repository", home / "repository"
    )
    assert ended.code == 2
    assert "already" in ended.err


def test_a_place_of_another_kind(tuiback: Tuiback, tmp_path: Path) -> None:
    """A kind of place that this version can't write to is wrong usage."""
    ended = tuiback("--home", tmp_path / "h", "init", "--key-file", tmp_path / "k", "--repository", "ftp://host/b")
    assert ended.code == 2


def test_passphrases_open(tuiback: Tuiback, tmp_path: Path, passphrase: Path) -> None:
    """The passphrase of init opens the repository, another one does not: exit 4 and nothing said about data."""
    assert tuiback("--home", tmp_path / "home", "init").code == 0
    assert tuiback("--home", tmp_path / "home", "check").code == 0
    passphrase.write_text("wrong horse\n")
    ended = tuiback("--json", "--home", tmp_path / "home", "check")
    assert (ended.code, ended.document["code"], ended.err.count("\n")) == (4, "wrong_key", 1)


def test_further_repositories(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """A second repository has its own key and id and is listed with the first."""
    place = tmp_path / "customer-b"
    line = ["--json", "--home", home, "repository", "add", "customer-b", place, "--key-file", tmp_path / "b.key"]
    added = tuiback(*line)
    assert added.document == {"schema": "tuiback.repository-add/1", "name": "customer-b"}
    assert tuiback(*line).code == 2
    rows = tuiback("--json", "--home", home, "repository", "list").document["repositories"]
    assert [(row["name"], row["url"]) for row in rows] == [
        ("main", str(home / "repository")),
        ("customer-b", str(place)),
    ]
    assert len({row["repository_id"] for row in rows}) == 2
    assert all(set(row) >= {"tenants", "stored_bytes"} for row in rows)
    assert (tmp_path / "b.key").read_bytes() != (tmp_path / "tuiback.key").read_bytes()


def test_a_home_on_a_network_file_system(tuiback: Tuiback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks can't be trusted no home is made: exit 7, one line, nothing left behind."""
    monkeypatch.setattr("tuiback.engine.home.mounted_file_systems", lambda: [("/", "nfs4")])
    ended = tuiback("--json", "--home", tmp_path / "home", "init", "--key-file", tmp_path / "key")
    assert (ended.code, ended.err.count("\n")) == (7, 1)
    assert "network" in ended.document["what"]
    assert not (tmp_path / "home").exists()


def test_a_catalog_on_a_network_file_system(tuiback: Tuiback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the catalog can't be trusted no repository is made, nor one opened that was made before: exit 7."""
    mounts = [("/", "ext4"), (str(tmp_path / "nas"), "cifs")]
    monkeypatch.setattr("tuiback.engine.home.mounted_file_systems", lambda: mounts)
    places = ("--catalog", tmp_path / "nas", "--repository", tmp_path / "nas" / "repository")
    ended = tuiback("--json", "--home", tmp_path / "home", "init", "--key-file", tmp_path / "key", *places)
    assert (ended.code, ended.err.count("\n")) == (7, 1)
    assert "the catalog lies on a network file system (cifs)" in ended.document["what"]
    assert not (tmp_path / "nas").exists()
    mounts.pop()
    assert tuiback("--home", tmp_path / "home", "init", "--key-file", tmp_path / "key", *places).code == 0
    mounts.append((str(tmp_path / "nas"), "cifs"))
    assert tuiback("--home", tmp_path / "home", "task", "list").code == 7


def test_places_that_do_not_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who keeps things in memory or in a container's layer is warned, and not hindered."""
    opened = Home.open(home)
    ref = opened.repository(MAIN)
    mounts = [("/", "ext4"), (str(home), "overlay"), (ref.catalog, "tmpfs")]
    monkeypatch.setattr("tuiback.engine.home.mounted_file_systems", lambda: mounts)
    assert place_warnings(opened, ref) == [
        f"Warning: the home lies in a container's own layer: it goes with the container ({home})",
        f"Warning: the catalog lies in memory: a restart of the machine empties it ({ref.catalog})",
        f"Warning: the repository lies in a container's own layer: it goes with the container ({ref.url})",
    ]
    mounts[1:] = []
    assert place_warnings(opened, ref) == []
