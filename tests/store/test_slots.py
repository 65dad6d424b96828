"""Key slots come, go and change, and at no moment is there none that opens."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.store.doubles import (
    KEY_FILE,
    PASSPHRASE,
    SCRYPT_N,
    FailingBackend,
    FixedClock,
    MemoryBackend,
    body,
    new_repository,
    version,
)
from tests.store.test_repository import flip
from tuiback.errors import Damage, EnvironmentFault, NoSuchThing, RepositoryMissing, StorageFull, UsageError, WrongKey
from tuiback.store import Repository, Secret
from tuiback.store.check import check
from tuiback.store.slots import KeySlots, generations

OTHER = Secret("passphrase", b"another long passphrase")
STRANGER = Secret("passphrase", b"never set")


def opened(backend: MemoryBackend, secret: Secret, *, probe: bool = False) -> Repository:
    """The repository as a process with this secret opens it."""
    return Repository.open(backend, secret, clock=FixedClock(), probe=probe)


def slots_of(repository: Repository) -> KeySlots:
    """Its slots, with a passphrase that costs little."""
    return repository.key_slots(SCRYPT_N)


def opens(backend: MemoryBackend, secret: Secret) -> bool:
    """Whether the secret opens the repository in `backend`."""
    try:
        opened(backend, secret)
    except WrongKey:
        return False
    return True


@pytest.fixture
def slots(repository: Repository) -> KeySlots:
    """The slots of a repository that PASSPHRASE opens."""
    return slots_of(repository)


def test_a_slot_is_added(repository: Repository, slots: KeySlots, backend: MemoryBackend) -> None:
    """A second secret opens the same keys; what was sealed before opens with it."""
    sealed = repository.seal(b"client secret", "tenant")
    assert slots.add(PASSPHRASE, KEY_FILE) == 2
    assert {number: slot.kind for number, slot in slots.all().items()} == {1: "passphrase", 2: "key-file"}
    assert opened(backend, KEY_FILE).unseal(sealed, "tenant") == b"client secret"
    assert opens(backend, PASSPHRASE)


def test_a_slot_is_removed_and_its_number_never_used_again(slots: KeySlots, backend: MemoryBackend) -> None:
    """What was removed opens nothing any more; numbers go on."""
    slots.add(PASSPHRASE, KEY_FILE)
    assert slots.remove(PASSPHRASE, 2).kind == "key-file"
    assert not opens(backend, KEY_FILE)
    assert slots.add(PASSPHRASE, OTHER) == 3
    assert list(slots.all()) == [1, 3]


def test_the_last_slot_stays(slots: KeySlots, backend: MemoryBackend) -> None:
    """Neither the last slot nor one that isn't there can be removed, and nothing is written."""
    before = dict(backend.objects)
    with pytest.raises(UsageError, match="last key slot"):
        slots.remove(PASSPHRASE, 1)
    with pytest.raises(NoSuchThing):
        slots.remove(PASSPHRASE, 2)
    assert backend.objects == before


def test_a_passphrase_is_changed(repository: Repository, slots: KeySlots, backend: MemoryBackend) -> None:
    """The new one opens the same slot and keys, the old one nothing."""
    assert slots.change(PASSPHRASE, OTHER) == 1
    assert not opens(backend, PASSPHRASE)
    changed = opened(backend, OTHER)
    assert changed.keys.chunk_id(b"same") == repository.keys.chunk_id(b"same")
    assert changed.keys.epoch == repository.keys.epoch


@pytest.mark.parametrize("change", ["add", "remove", "change"])
def test_only_a_holder_of_the_keys_changes_them(slots: KeySlots, backend: MemoryBackend, change: str) -> None:
    """A secret that opens nothing changes nothing."""
    changes: dict[str, Callable[[], object]] = {
        "add": lambda: slots.add(STRANGER, KEY_FILE),
        "remove": lambda: slots.remove(STRANGER, 1),
        "change": lambda: slots.change(STRANGER, KEY_FILE),
    }
    before = dict(backend.objects)
    with pytest.raises(WrongKey):
        changes[change]()
    assert backend.objects == before


def test_a_secret_opens_one_slot_only(slots: KeySlots) -> None:
    """One that opens a slot already is refused, or removing it would leave it valid."""
    with pytest.raises(UsageError, match="opens slot 1 already"):
        slots.add(PASSPHRASE, PASSPHRASE)
    slots.add(PASSPHRASE, OTHER)
    with pytest.raises(UsageError, match="opens slot 2 already"):
        slots.change(PASSPHRASE, OTHER)


def test_a_new_epoch_keeps_the_dedup_and_the_old_content(repository: Repository, backend: MemoryBackend) -> None:
    """Identities and chunk boundaries stay; old commits and secrets open; new ones are of the new epoch."""
    slots = slots_of(repository)
    slots.add(PASSPHRASE, KEY_FILE)
    first = repository.append("nas", None, [], body(version("m1")))
    sealed = repository.seal(b"client secret", "tenant")
    assert slots.rotate([KEY_FILE, PASSPHRASE]) == 2
    for secret in (PASSPHRASE, KEY_FILE):
        rotated = opened(backend, secret)
        assert rotated.keys.epoch == 2
        assert rotated.keys.chunk_id(b"same") == repository.keys.chunk_id(b"same")
        assert rotated.keys.chunker_seed == repository.keys.chunker_seed
        assert rotated.unseal(sealed, "tenant") == b"client secret"
        assert list(rotated.commits()) == [first]
    second = rotated.append("nas", first.head, [], body(version("m2")))
    assert list(rotated.commits()) == [first, second]
    with pytest.raises(Damage, match="epoch 2"):
        repository.read_commit(second.head)


def test_an_opened_repository_keeps_its_epoch(repository: Repository, backend: MemoryBackend) -> None:
    """What runs while the key is rotated goes on as it was, and what it writes can be read afterwards."""
    slots_of(repository).rotate([PASSPHRASE])
    commit = repository.append("nas", None, [], body(version("m1")))
    assert repository.keys.epoch == 1
    assert list(opened(backend, PASSPHRASE).commits()) == [commit]


def test_rotation_needs_every_secret(slots: KeySlots, backend: MemoryBackend) -> None:
    """A slot that could not follow is named instead of being left behind; without it the rotation works."""
    slots.add(PASSPHRASE, KEY_FILE)
    before = dict(backend.objects)
    with pytest.raises(UsageError, match=r"slot 2 \(key-file\)"):
        slots.rotate([PASSPHRASE])
    assert backend.objects == before
    slots.remove(PASSPHRASE, 2)
    assert slots.rotate([PASSPHRASE]) == 2


def test_a_removed_secret_never_opens_a_later_epoch(slots: KeySlots, backend: MemoryBackend) -> None:
    """Who was removed may have kept a copy of the slots; put back, it still doesn't give the new epoch's key."""
    slots.add(PASSPHRASE, OTHER)
    kept = {name: data for name, data in backend.objects.items() if name.startswith("keys/")}
    slots.remove(PASSPHRASE, 2)
    slots.rotate([PASSPHRASE])
    commit = opened(backend, PASSPHRASE).append("nas", None, [], body(version("m1")))
    for name in [name for name in backend.objects if name.startswith("keys/")]:
        backend.delete(name)
    backend.objects.update(kept)
    with pytest.raises(Damage, match="epoch 2"):
        opened(backend, OTHER).read_commit(commit.head)


def test_what_was_confirmed_is_noted(slots: KeySlots, backend: MemoryBackend) -> None:
    """A slot is confirmed once its owner showed the secret; it stays so over a new epoch, not over a change."""
    slots.add(PASSPHRASE, KEY_FILE)
    with pytest.raises(WrongKey):
        slots.confirm([KEY_FILE, STRANGER])
    assert [slot.confirmed_at for slot in slots.all().values()] == [None, None]
    assert slots.confirm([KEY_FILE]) == [2]
    assert [slot.confirmed_at is not None for slot in slots.all().values()] == [False, True]
    slots.rotate([PASSPHRASE, KEY_FILE])
    assert [slot.confirmed_at is not None for slot in slots.all().values()] == [False, True]
    slots.change(KEY_FILE, OTHER)
    assert [slot.confirmed_at is not None for slot in slots.all().values()] == [False, False]
    assert opens(backend, OTHER)


def test_an_older_generation_helps_while_the_new_one_is_not_whole(backend: MemoryBackend) -> None:
    """A generation of which no copy is whole never counts, while the one before is there; the next change clears up."""
    slots = slots_of(new_repository(backend))
    first = {name: data for name, data in backend.objects.items() if name.startswith("keys/")}
    slots.add(PASSPHRASE, OTHER)
    backend.objects.update(first)
    for copy in ("keys/2", "keys/2.2"):
        backend.objects[copy] = flip(backend.objects[copy])
    repository = opened(backend, PASSPHRASE, probe=True)
    assert {finding.name for finding in check(repository, read_data=False).damaged} == {"keys/2", "keys/2.2"}
    assert not opens(backend, OTHER)
    slots_of(repository).add(PASSPHRASE, OTHER)
    assert check(repository, read_data=False).ok
    assert opens(backend, OTHER)


class LyingBackend(MemoryBackend):
    """Writes something else than it was given, once told to."""

    lies = False

    def create(self, name: str, data: Sequence[bytes]) -> None:
        super().create(name, data)
        if self.lies:
            self.objects[name] = flip(self.objects[name])


def test_what_was_written_is_read_back_before_the_old_goes() -> None:
    """On a disk that doesn't keep what it is given the change fails, and the old slots open as before."""
    backend = LyingBackend()
    slots = slots_of(new_repository(backend))
    backend.lies = True
    with pytest.raises(Damage):
        slots.change(PASSPHRASE, OTHER)
    assert opens(backend, PASSPHRASE)
    assert generations(backend) == [1]


@pytest.mark.parametrize("writes_that_fit", [0, 1])
def test_a_change_that_fails_is_not_in_force(writes_that_fit: int) -> None:
    """On a full disk the change is told to have failed, and then the old secret opens and the new one does not."""
    backend = FailingBackend()
    slots = slots_of(new_repository(backend))
    written = 0

    def full(name: str, done: bool) -> None:
        nonlocal written
        if not done and written == writes_that_fit:
            raise StorageFull("no space left", name)
        written += done

    backend.fault = full
    with pytest.raises(StorageFull):
        slots.change(PASSPHRASE, OTHER)
    assert (opens(backend, PASSPHRASE), opens(backend, OTHER)) == (True, False)
    assert generations(backend) == [1]


def test_a_change_that_fails_when_nothing_else_is_left_stays() -> None:
    """Another process has taken the old slots away already: without the new ones nobody could open anything."""
    backend = FailingBackend()
    slots = slots_of(new_repository(backend))

    def settled_elsewhere(name: str, done: bool) -> None:
        if done and name == "keys/2":
            del backend.objects["keys/1"], backend.objects["keys/1.2"]
            raise StorageFull("no space left", name)

    backend.fault = settled_elsewhere
    with pytest.raises(StorageFull):
        slots.change(PASSPHRASE, OTHER)
    assert opens(backend, OTHER)


def test_what_was_before_a_change_leaves_after_its_second_copy(backend: MemoryBackend) -> None:
    """Of an interrupted change one start makes the second copy and only the next one takes away what was before."""
    slots = slots_of(new_repository(backend))
    first = {name: data for name, data in backend.objects.items() if name.startswith("keys/")}
    slots.add(PASSPHRASE, OTHER)
    backend.objects.update(first)
    del backend.objects["keys/2"]
    opened(backend, PASSPHRASE, probe=True)
    assert sorted(backend.list("keys/")) == ["keys/1", "keys/1.2", "keys/2", "keys/2.2"]
    opened(backend, PASSPHRASE, probe=True)
    assert sorted(backend.list("keys/")) == ["keys/2", "keys/2.2"]


class LateSlots(KeySlots):
    """Lets another process change the keys after it has looked at them itself."""

    meanwhile: Callable[[], object]

    def _replace(self, *arguments: Any) -> None:
        self.meanwhile()
        super()._replace(*arguments)


@pytest.mark.parametrize("changes", [1, 2])
def test_two_changes_at_once_never_undo_each_other(
    repository: Repository, backend: MemoryBackend, changes: int
) -> None:
    """Of two changes that began from the same slots one is refused, however much the other did meanwhile."""
    beside = slots_of(repository)

    def others_change() -> None:
        beside.add(PASSPHRASE, KEY_FILE)
        if changes == 2:
            beside.confirm([KEY_FILE])

    late = LateSlots(backend, bytes.fromhex(repository.repository_id), FixedClock(), SCRYPT_N)
    late.meanwhile = others_change
    with pytest.raises(EnvironmentFault, match="somebody else"):
        late.add(PASSPHRASE, OTHER)
    assert [opens(backend, secret) for secret in (PASSPHRASE, KEY_FILE, OTHER)] == [True, True, False]


class StaleBackend(MemoryBackend):
    """Its first listing of the slots is one from before."""

    stale: Sequence[str] = ()

    def list(self, prefix: str) -> Iterator[str]:
        names, self.stale = self.stale, ()
        return iter(names) if names else super().list(prefix)


def test_opening_beside_a_change(repository: Repository, backend: MemoryBackend) -> None:
    """Whoever listed the slots right before a change took them away looks again."""
    stale = StaleBackend(backend.objects)
    stale.stale = list(backend.list("keys/"))
    slots_of(repository).add(PASSPHRASE, KEY_FILE)
    assert slots_of(opened(stale, PASSPHRASE)).find(KEY_FILE) == 2


def test_lost_slots_are_told(repository: Repository, backend: MemoryBackend) -> None:
    """Without any slot the remedy is a copy of keys/."""
    for name in ("keys/1", "keys/1.2"):
        backend.delete(name)
    with pytest.raises(RepositoryMissing, match="keys/"):
        opened(backend, PASSPHRASE)
