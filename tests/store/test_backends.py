"""What every backend promises, tried on each of them: a folder and a real object store."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.seaweed import SeaweedFS
from tuiback.errors import NoSuchThing
from tuiback.store import AlreadyThere, Backend, open_backend
from tuiback.store.backend import store_time


@pytest.fixture(params=["folder", "seaweedfs"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A prepared, empty backend of each kind."""
    backend: Backend
    if request.param == "folder":
        backend = open_backend(str(tmp_path / "repository"))
    else:
        seaweed: SeaweedFS = request.getfixturevalue("seaweed")
        for name, value in seaweed.environment.items():
            monkeypatch.setenv(name, value)
        backend = open_backend(seaweed.new_place())
    backend.prepare()
    return backend


def test_object_is_written_whole_and_read_by_ranges(place: Backend) -> None:
    """The pieces come back joined, whole or any range, fewer bytes at the end, none behind it."""
    place.create("packs/ab/abcd", [b"hello ", b"", b"world"])
    assert place.read("packs/ab/abcd") == b"hello world"
    assert place.read("packs/ab/abcd", 6) == b"world"
    assert place.read("packs/ab/abcd", 4, 3) == b"o w"
    assert place.read("packs/ab/abcd", 9, 100) == b"ld"
    assert place.read("packs/ab/abcd", 3, 0) == b""
    assert place.read("packs/ab/abcd", 11) == b""
    assert place.read("packs/ab/abcd", 100, 1) == b""
    assert place.size("packs/ab/abcd") == 11


def test_empty_object_is_an_object(place: Backend) -> None:
    """No bytes are bytes too."""
    place.create("keys/1", [])
    assert (place.read("keys/1"), place.read("keys/1", 0, 5), place.size("keys/1")) == (b"", b"", 0)


def test_large_object_comes_back_whole(place: Backend) -> None:
    """A pack of 16 MiB is one object."""
    piece = bytes(range(256)) * 4096
    place.create("packs/cd/large", [piece] * 16)
    assert place.size("packs/cd/large") == 16 << 20
    assert place.read("packs/cd/large") == piece * 16


def test_create_never_replaces(place: Backend) -> None:
    """A taken name raises, even for the same bytes, and what lies there stays; nothing else is left."""
    place.create("config", [b"first"])
    for data in (b"second", b"first"):
        with pytest.raises(AlreadyThere):
            place.create("config", [data])
    assert place.read("config") == b"first"
    assert list(place.list("")) == ["config"]


def test_of_racing_creators_one_wins(place: Backend) -> None:
    """Eight threads create one name at once: one succeeds and its bytes are what lies there."""
    won: list[bytes] = []
    start = threading.Barrier(8)

    def compete(number: int) -> None:
        data = bytes([number]) * 1000
        start.wait()
        try:
            place.create("commits/w/0000000001-x", [data])
            won.append(data)
        except AlreadyThere:
            pass

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [place.read("commits/w/0000000001-x")]


def test_list_goes_by_the_start_of_the_name(place: Backend) -> None:
    """A prefix may end within a name; folders are entered; what isn't there lists empty."""
    commits = ["commits/a/1-y", "commits/a/2-x", "commits/a-b/1-q", "commits/ab/1-z"]
    for name in (*commits, "config", "config.2", "keys/1"):
        place.create(name, [b"."])
    # Whether a folder "a" comes before a folder "a-b" is left to the backend.
    assert sorted(place.list("commits/")) == sorted(commits)
    assert sorted(place.list("commits/a")) == sorted(commits)
    assert list(place.list("commits/a/")) == ["commits/a/1-y", "commits/a/2-x"]
    assert list(place.list("commits/a/1")) == ["commits/a/1-y"]
    assert list(place.list("commits/a-")) == ["commits/a-b/1-q"]
    assert list(place.list("commits/ab/1-z")) == ["commits/ab/1-z"]
    assert list(place.list("config")) == ["config", "config.2"]
    assert list(place.list("packs/")) == []
    assert sorted(place.list("")) == sorted([*commits, "config", "config.2", "keys/1"])


def test_delete_removes_and_then_raises(place: Backend) -> None:
    """A deleted object is gone for every verb, and its name is free."""
    place.create("packs/ab/x", [b"."])
    place.delete("packs/ab/x")
    for verb in (place.delete, place.read, place.size):
        with pytest.raises(NoSuchThing):
            verb("packs/ab/x")
    place.create("packs/ab/x", [b"new"])
    assert place.read("packs/ab/x") == b"new"


def test_probe_leaves_no_trace(place: Backend) -> None:
    """A backend that keeps its promises passes, again and again, and nothing lies there afterwards."""
    place.probe()
    place.probe()
    assert list(place.list("")) == []


def test_figures_are_known_or_nought(place: Backend) -> None:
    """The disk behind it has its size and use; where neither is known both are 0."""
    used, total = place.free_bytes()
    assert 0 <= used <= total
    assert (used > 0) == (total > 0)


def test_time_of_an_object_is_the_store_s(place: Backend) -> None:
    """Written later is not told as earlier; the store tells its present time without leaving a trace."""
    place.create("packs/ab/first", [b"1"])
    now = store_time(place)
    assert place.modified("packs/ab/first") <= now
    assert abs(datetime.now(UTC) - now) < timedelta(hours=1)
    assert list(place.list("")) == ["packs/ab/first"]
    with pytest.raises(NoSuchThing):
        place.modified("packs/ab/none")
