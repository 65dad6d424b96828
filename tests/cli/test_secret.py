"""Tests of where passphrases and keys come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tuiback.cli.secret import CREDENTIAL_NAME, Ask, get_secret, make_key, new_secrets, read_key
from tuiback.errors import EnvironmentFault, UsageError
from tuiback.store import Secret


def answers(*texts: str) -> Ask:
    """Somebody at the terminal who says these things in turn."""
    said: Iterator[str] = iter(texts)
    return lambda question: next(said)


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    """A file as an editor writes it."""
    file = tmp_path / "passphrase"
    file.write_bytes("  pass wörd \r\nnot this".encode())
    return file


def test_the_order_of_sources(tmp_path: Path, passphrase_file: Path) -> None:
    """The named file, systemd's credential, the key file of the home, and at last the terminal."""
    key = tmp_path / "key"
    make_key(key)
    (tmp_path / CREDENTIAL_NAME).write_bytes(b"of systemd\n")
    environ = {"TUIBACK_PASSPHRASE_FILE": str(passphrase_file), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert get_secret(str(key), "r", environ, None) == Secret("passphrase", "  pass wörd ".encode())
    del environ["TUIBACK_PASSPHRASE_FILE"]
    assert get_secret(str(key), "r", environ, None) == Secret("passphrase", b"of systemd")
    assert get_secret(str(key), "r", {}, answers("typed")) == read_key(key)
    assert get_secret(None, "r", {}, answers("typed")) == Secret("passphrase", b"typed")


def test_nobody_to_ask() -> None:
    """Cron without a source is told which variable to set."""
    with pytest.raises(UsageError, match="TUIBACK_PASSPHRASE_FILE"):
        get_secret(None, "/mnt/nas", {}, None)


def test_a_source_that_cannot_be_read(tmp_path: Path) -> None:
    """A key on a volume that isn't there is a fault of the environment, not a wrong key."""
    with pytest.raises(EnvironmentFault, match=r"No such file.*mounted"):
        get_secret(str(tmp_path / "gone"), "r", {}, None)


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    """A new key is 32 random bytes that only the owner can read; it is never overwritten."""
    one, two = tmp_path / "sub" / "one", tmp_path / "two"
    make_key(one)
    make_key(two)
    assert one.stat().st_mode & 0o777 == 0o600
    assert len(read_key(one).value) == 32
    assert read_key(one) != read_key(two)
    before = one.read_bytes()
    with pytest.raises(EnvironmentFault, match="File exists"):
        make_key(one)
    assert one.read_bytes() == before


def test_keys_may_be_binary_or_text(tmp_path: Path) -> None:
    """The same key is read from 32 bytes and from their digits with or without a line end."""
    raw = bytes(range(32))
    for number, content in enumerate([raw, raw.hex().encode(), raw.hex().upper().encode() + b"\n"]):
        file = tmp_path / str(number)
        file.write_bytes(content)
        assert read_key(file) == Secret("key-file", raw)


@pytest.mark.parametrize("content", [b"", b"ab" * 31, b"zz" * 32, b"\xff" * 33])
def test_no_keys(tmp_path: Path, content: bytes) -> None:
    """A wrong file is refused before it is tried."""
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="no key file"):
        read_key(file)


def test_a_new_repository_takes_all_that_is_named(tmp_path: Path, passphrase_file: Path) -> None:
    """A key file and a passphrase source make two ways to open it."""
    key = tmp_path / "key"
    found = new_secrets(key, {"TUIBACK_PASSPHRASE_FILE": str(passphrase_file)}, None)
    assert [secret.kind for secret in found] == ["key-file", "passphrase"]
    assert found[0] == read_key(key)


def test_a_new_passphrase_is_asked_for_twice() -> None:
    """A slip of the finger must not lock the owner out for ever."""
    assert new_secrets(None, {}, answers("one", "one")) == [Secret("passphrase", b"one")]
    with pytest.raises(UsageError, match="differ"):
        new_secrets(None, {}, answers("one", "two"))
    with pytest.raises(UsageError, match="empty"):
        new_secrets(None, {}, answers("", ""))
    with pytest.raises(UsageError, match="--key-file"):
        new_secrets(None, {}, None)


def test_secrets_are_not_shown() -> None:
    """A secret in a traceback or a log doesn't tell itself."""
    assert "typed" not in repr(get_secret(None, "r", {}, answers("typed")))
