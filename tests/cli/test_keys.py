"""Tests of the key verbs on a home whose repository a key file opens."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tuiback.engine.home import Home
from tuiback.engine.hosting.link import host
from tuiback.store import Secret

pytestmark = pytest.mark.usefixtures("cheap_scrypt")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """A file with a passphrase that opens nothing yet."""
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    return file


@pytest.fixture
def both(tuiback: Tuiback, home: Path, passphrase: Path) -> Path:
    """A home whose repository a key file (slot 1) and a passphrase (slot 2) open."""
    added = tuiback("--json", "--home", home, "key", "add", "--passphrase-file", passphrase)
    assert (added.code, added.document["slot"], added.document["name"]) == (0, 2, "2")
    return home


def kinds(tuiback: Tuiback, home: Path) -> dict[int, str]:
    """The slots that `key list` tells."""
    slots = tuiback("--json", "--home", home, "key", "list").document["slots"]
    assert all(set(slot) >= {"slot", "kind", "created_at", "confirmed"} for slot in slots)
    return {slot["slot"]: slot["kind"] for slot in slots}


def key_file_of(home: Path) -> str | None:
    """The key file that the home remembers."""
    return Home.open(home).repository("main").key_file


def test_list_needs_no_secret(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """The slots can be seen without what opens them; where the repository is not mounted it is exit 7."""
    (tmp_path / "tuiback.key").unlink()
    assert kinds(tuiback, home) == {1: "key-file"}
    assert b"key-file" in tuiback("--home", home, "key", "list").out
    (home / "repository").rename(tmp_path / "unmounted")
    assert tuiback("--home", home, "key", "list").code == 7
    assert tuiback("--home", home, "key", "list", "--repository", "other").code == 6


def test_an_added_passphrase_opens(
    tuiback: Tuiback, both: Path, passphrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was added opens the repository; the same again is refused."""
    assert kinds(tuiback, both) == {1: "key-file", 2: "passphrase"}
    assert tuiback("--home", both, "key", "add", "--passphrase-file", passphrase).code == 2
    monkeypatch.setenv("TUIBACK_PASSPHRASE_FILE", str(passphrase))
    assert tuiback("--home", both, "check").code == 0


def test_an_added_key_file_is_made(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """A key file that isn't there is made, as at init."""
    assert tuiback("--home", home, "key", "add", "--key-file", tmp_path / "second.key").code == 0
    assert (tmp_path / "second.key").stat().st_mode & 0o777 == 0o600
    assert tuiback("--home", home, "key", "verify", "--key-file", tmp_path / "second.key").code == 0


def test_what_add_needs(tuiback: Tuiback, home: Path, passphrase: Path, tmp_path: Path) -> None:
    """One secret, and something to ask where none is named; nothing is made otherwise."""
    assert tuiback("--home", home, "key", "add").code == 2
    line = ["--home", home, "key", "add", "--passphrase-file", passphrase, "--key-file", tmp_path / "k"]
    assert tuiback(*line).code == 2
    assert not (tmp_path / "k").exists()
    assert kinds(tuiback, home) == {1: "key-file"}


def test_removing_says_what_it_does_not_do(tuiback: Tuiback, both: Path) -> None:
    """The slot is gone; also in a script people are told that whoever had it may have kept the keys."""
    ended = tuiback("--json", "--home", both, "key", "remove", "2")
    assert (ended.code, ended.document["slot"]) == (0, 2)
    assert "may have kept the keys" in ended.err
    assert "key rotate" in ended.err
    assert kinds(tuiback, both) == {1: "key-file"}
    assert tuiback("--home", both, "check").code == 0


def test_the_last_slot_stays(tuiback: Tuiback, home: Path) -> None:
    """The last slot can't be removed, and one that isn't there is exit 6."""
    ended = tuiback("--json", "--home", home, "key", "remove", "1")
    assert (ended.code, ended.document["code"]) == (2, "usage")
    assert tuiback("--home", home, "key", "remove", "7").code == 6
    assert kinds(tuiback, home) == {1: "key-file"}


def test_removing_the_homes_own_key(
    tuiback: Tuiback, both: Path, passphrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home whose key file opens nothing any more says so and goes over to the passphrase."""
    ended = tuiback("--home", both, "key", "remove", "1")
    assert ended.code == 0
    assert "from now on a passphrase is needed" in ended.err
    assert key_file_of(both) is None
    assert tuiback("--home", both, "check").code == 2
    monkeypatch.setenv("TUIBACK_PASSPHRASE_FILE", str(passphrase))
    assert tuiback("--home", both, "check").code == 0


def test_a_key_file_is_changed(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """The home takes the new key file in the old one's place, and the old one opens nothing."""
    ended = tuiback("--json", "--home", home, "key", "change", "--key-file", tmp_path / "new.key")
    assert (ended.code, ended.document["slot"]) == (0, 1)
    assert key_file_of(home) == str(tmp_path / "new.key")
    assert tuiback("--home", home, "check").code == 0
    assert tuiback("--home", home, "key", "verify", "--key-file", tmp_path / "tuiback.key").code == 4


def test_a_passphrase_is_changed(
    tuiback: Tuiback, both: Path, passphrase: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slot of the passphrase in use is changed, and the home's key file stays what it was."""
    monkeypatch.setenv("TUIBACK_PASSPHRASE_FILE", str(passphrase))
    new = tmp_path / "new"
    new.write_text("battery staple\n")
    ended = tuiback("--home", both, "key", "change", "--passphrase-file", new)
    assert ended.code == 0
    assert "$TUIBACK_PASSPHRASE_FILE" in ended.err
    assert tuiback("--home", both, "check").code == 4
    assert key_file_of(both) == str(tmp_path / "tuiback.key")
    monkeypatch.setenv("TUIBACK_PASSPHRASE_FILE", str(new))
    assert tuiback("--home", both, "check").code == 0


def test_verify_confirms(tuiback: Tuiback, both: Path, passphrase: Path) -> None:
    """A slot is confirmed when its secret was shown to open it; a wrong secret is exit 4 and confirms nothing."""
    wrong = passphrase.with_name("wrong")
    wrong.write_text("wrong horse\n")
    assert tuiback("--home", both, "key", "verify", "--passphrase-file", wrong).code == 4
    slots = tuiback("--json", "--home", both, "key", "verify", "--passphrase-file", passphrase).document["slots"]
    assert {slot["slot"]: slot["confirmed"] for slot in slots} == {1: False, 2: True}
    assert tuiback("--json", "--home", both, "key", "verify").document["opened"] == [1]


def test_rotate(tuiback: Tuiback, both: Path, passphrase: Path) -> None:
    """A new epoch needs every slot's secret; afterwards each of them opens as before."""
    ended = tuiback("--json", "--home", both, "key", "rotate")
    assert (ended.code, ended.document["code"]) == (2, "usage")
    assert "slot 2" in ended.err
    ended = tuiback("--json", "--home", both, "key", "rotate", "--passphrase-file", passphrase)
    assert (ended.code, ended.document["epoch"], ended.document["engine_runs"]) == (0, 2, False)
    assert tuiback("--home", both, "check", "--read-data").code == 0
    assert tuiback("--home", both, "key", "verify", "--passphrase-file", passphrase).code == 0


def test_rotating_beside_an_engine(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """A running engine goes on undisturbed, and people are told that it keeps its epoch."""
    key = bytes.fromhex((tmp_path / "tuiback.key").read_text())
    link = host(Home.open(home), "serve", lambda _: Secret("key-file", key))
    try:
        ended = tuiback("--json", "--home", home, "key", "rotate")
        assert (ended.code, ended.document["engine_runs"]) == (0, True)
        assert "until it is started again" in ended.err
    finally:
        link.close()
    assert tuiback("--home", home, "check").code == 0


def test_sheet(tuiback: Tuiback, home: Path, tmp_path: Path) -> None:
    """The printed sheet opens the repository as a key file does."""
    ended = tuiback("--home", home, "key", "sheet")
    (tmp_path / "typed").write_bytes(ended.out)
    assert tuiback("--home", home, "key", "verify", "--key-file", tmp_path / "typed").code == 0
    document = tuiback("--json", "--home", home, "key", "sheet").document
    assert document["repository_id"] in document["sheet"]


def test_init_writes_a_sheet(
    tuiback: Tuiback, tmp_path: Path, passphrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key file the sheet holds the key; with a passphrase it never holds that; no file is ever replaced."""
    line = ["init", "--home", tmp_path / "one", "--key-file", tmp_path / "key", "--sheet", tmp_path / "sheet"]
    assert tuiback(*line).code == 0
    verify = ["--home", tmp_path / "one", "key", "verify", "--key-file", tmp_path / "sheet"]
    assert tuiback(*verify).code == 0
    monkeypatch.setenv("TUIBACK_PASSPHRASE_FILE", str(passphrase))
    assert tuiback("init", "--home", tmp_path / "two", "--sheet", tmp_path / "sheet").code == 2
    assert not (tmp_path / "two").exists()
    assert tuiback("init", "--home", tmp_path / "two", "--sheet", tmp_path / "sheet2").code == 0
    assert "horse" not in (tmp_path / "sheet2").read_text()
