"""What is deleted of a repository, what the store keeps, and what lies there for nothing."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.store.checkpoints import checkpoint
from tests.store.doubles import TIME, MemoryBackend, body, new_repository, reopen, version
from tuiback.errors import EnvironmentFault
from tuiback.model import CommitHead
from tuiback.store import gc
from tuiback.store.sweep import sizes_of, standing_names, stray_packs, sweep, unnamed_segments

PACK, OTHER = "packs/aa/" + "a" * 64, "packs/bb/" + "b" * 64
SEGMENT = "segments/cc/" + "c" * 64


class LockedBackend(MemoryBackend):
    """Refuses to delete the names in `locked`, and with `down` to do anything."""

    def __init__(self) -> None:
        super().__init__()
        self.locked: set[str] = set()
        self.down = False

    def create(self, name: str, data: Sequence[bytes]) -> None:
        if self.down:
            raise EnvironmentFault("the store kept failing", self.url)
        super().create(name, data)

    def delete(self, name: str) -> None:
        if self.down or name in self.locked:
            raise EnvironmentFault("the store denies access", name)
        super().delete(name)


def test_what_is_standing_of_a_list() -> None:
    """Commits up to the covered ones first, then segments and packs, and only what is there."""
    repository = new_repository()
    first = repository.append("nas", None, [], body())
    second = repository.append("nas", first.head, [], body())
    repository.append("nas", second.head, [], body())
    for name in (PACK, SEGMENT, OTHER):
        repository.backend.create(name, [b"data"])
    accept = gc.Accept(1, "nas", (PACK, SEGMENT, "packs/dd/gone"), (second.head, CommitHead("none", 4, "")), ())
    names = list(standing_names(repository.backend, accept))
    assert names[0].startswith("commits/nas/0000000001-")
    assert names[1].startswith("commits/nas/0000000002-")
    assert names[2:] == [SEGMENT, PACK]


def test_what_the_store_refuses_to_delete_is_retained() -> None:
    """The rest is freed; what went in the meantime counts nothing."""
    backend = LockedBackend()
    objects = new_repository(backend).objects
    for name in (PACK, OTHER):
        backend.create(name, [b"data"])
    backend.locked = {PACK}
    reached: list[tuple[int, int]] = []
    swept = sweep(objects, [OTHER, SEGMENT, PACK], lambda done, total: reached.append((done, total)))
    assert (swept.freed_bytes, swept.retained_bytes, swept.retained) == (4, 4, [PACK])
    assert reached == [(0, 3), (1, 3), (2, 3)]
    assert sizes_of(backend, [PACK, OTHER]) == 4


def test_a_store_that_fails_altogether_is_no_lock() -> None:
    """Then nothing is called retained: the prune ends and tells why."""
    backend = LockedBackend()
    objects = new_repository(backend).objects
    backend.create(PACK, [b"data"])
    backend.down = True
    with pytest.raises(EnvironmentFault, match="kept failing"):
        sweep(objects, [PACK], lambda done, total: None)


def test_stray_packs_are_unknown_and_older_than_the_grace() -> None:
    """A pack just written may belong to the next commit."""
    backend = MemoryBackend()
    backend.create(PACK, [b"data"])
    backend.create(OTHER, [b"data"])
    later = TIME + gc.GRACE + timedelta(seconds=1)
    assert stray_packs(backend, {"a" * 64}, later) == (OTHER,)
    assert stray_packs(backend, {"a" * 64}, TIME + gc.GRACE) == ()


def test_segments_of_two_checkpoints_of_one_moment_stay() -> None:
    """Until a later one covers both, a reader may come to either; then what only they named is for nothing."""
    backend = MemoryBackend()
    repository = new_repository(backend)
    for writer in ("nas", "other"):
        repository.append(writer, None, [], body(version(f"m-{writer}")))
    beside = MemoryBackend(dict(backend.objects))
    checkpoint(repository, "nas", bases=["mailbox:ann"])
    checkpoint(reopen(repository, beside), "other", bases=["mailbox:ann"])
    backend.objects.update(beside.objects)
    assert len(list(backend.list("segments/"))) == 6
    assert unnamed_segments(repository) == ()
    checkpoint(repository, "nas")
    assert len(unnamed_segments(repository)) == 5
