"""Tests of the proof that a volume does for databases."""

import fcntl
import sqlite3
from pathlib import Path

import pytest

from tuiback.catalog.volume_proof import prove_volume
from tuiback.errors import EnvironmentFault


def test_a_local_disk_does(tmp_path: Path) -> None:
    """Where logs and locks work nothing is said, and nothing stays."""
    prove_volume(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["fcntl", "flock"])
def test_locks_that_keep_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A volume whose locks are granted twice, of either kind, is refused, and nothing stays."""
    monkeypatch.setattr(fcntl, name, lambda *_: 0)
    with pytest.raises(EnvironmentFault, match="locks keep nobody out"):
        prove_volume(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_locks_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume that knows no locks is refused with what it says."""

    def unknown(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", unknown)
    with pytest.raises(EnvironmentFault, match="No locks available"):
        prove_volume(tmp_path)


def test_a_folder_for_nobody() -> None:
    """Where nothing can be made, that is told."""
    with pytest.raises(EnvironmentFault, match="nothing can be kept here"):
        prove_volume(Path("/proc"))


def test_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite keeps another journal than its write-ahead log, the folder is refused."""
    connect = sqlite3.connect
    # Shared memory can't be had for a database without a file: SQLite goes on with the journal it has.
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: connect("file:p?mode=memory&cache=shared", uri=True))
    with pytest.raises(EnvironmentFault, match="write-ahead log"):
        prove_volume(tmp_path)
