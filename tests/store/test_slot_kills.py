"""A process that changes key slots may be killed at any moment: there is always a slot that opens."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.store.doubles import KEY_FILE, PASSPHRASE, FixedClock, MemoryBackend, new_repository
from tests.store.test_slots import OTHER, STRANGER, opened, opens, slots_of
from tuiback.store import Repository, Secret
from tuiback.store.check import check
from tuiback.store.folder import Disk, FolderBackend
from tuiback.store.slots import KeySlots, generations


class Killed(BaseException):
    """The process ends here."""


class MortalBackend(MemoryBackend):
    """Dies at one of its chances, None for never: there is one before and one after each create and delete."""

    def __init__(self, objects: dict[str, bytes], die_at: int | None) -> None:
        super().__init__(objects)
        self.chances = 0
        self._die_at = die_at

    def create(self, name: str, data: Sequence[bytes]) -> None:
        self._chance()
        super().create(name, data)
        self._chance()

    def delete(self, name: str) -> None:
        self._chance()
        super().delete(name)
        self._chance()

    def _chance(self) -> None:
        if self._die_at is not None and self.chances >= self._die_at:
            raise Killed
        self.chances += 1


Change = Callable[[KeySlots], object]
CHANGES: dict[str, tuple[Change, tuple[Secret, ...]]] = {
    "add": (lambda slots: slots.add(PASSPHRASE, OTHER), (PASSPHRASE, KEY_FILE)),
    "remove": (lambda slots: slots.remove(PASSPHRASE, 2), (PASSPHRASE,)),
    "change": (lambda slots: slots.change(KEY_FILE, OTHER), (PASSPHRASE,)),
    "rotate": (lambda slots: slots.rotate([PASSPHRASE, KEY_FILE]), (PASSPHRASE, KEY_FILE)),
    "confirm": (lambda slots: slots.confirm([KEY_FILE]), (PASSPHRASE, KEY_FILE)),
}


def two_slots() -> MemoryBackend:
    """A repository that PASSPHRASE and KEY_FILE open."""
    backend = MemoryBackend()
    slots_of(new_repository(backend)).add(PASSPHRASE, KEY_FILE)
    return backend


@pytest.mark.parametrize("name", CHANGES)
def test_a_kill_at_any_write_locks_nobody_out(name: str) -> None:
    """Before and after each write and delete: whoever keeps his slot gets in, and the repository is whole at once."""
    change, stay = CHANGES[name]
    whole = MortalBackend(dict(two_slots().objects), None)
    change(slots_of(opened(whole, PASSPHRASE)))
    assert whole.chances == 8
    for moment in range(whole.chances):
        backend = MortalBackend(dict(two_slots().objects), moment)
        with pytest.raises(Killed):
            change(slots_of(opened(backend, PASSPHRASE)))
        after = MemoryBackend(backend.objects)
        assert all(opens(after, secret) for secret in stay), moment
        # The owner of a slot that was changing holds either the old secret or the new one.
        assert opens(after, KEY_FILE) or opens(after, OTHER) or name == "remove"
        assert check(opened(after, PASSPHRASE, probe=True), read_data=False).ok
        opened(after, PASSPHRASE, probe=True)
        assert len(generations(after)) == 1
        epochs = {opened(after, secret).keys.epoch for secret in stay}
        assert len(epochs) == 1
        slots_of(opened(after, PASSPHRASE)).add(PASSPHRASE, STRANGER)
        assert opens(after, STRANGER)


class MortalDisk(Disk):
    """Dies before or after one of its steps, None for never."""

    def __init__(self, die_at: int | None) -> None:
        self.chances = 0
        self._die_at = die_at

    def write(self, path: Path, data: Sequence[bytes]) -> None:
        self._chance()
        super().write(path, data)
        self._chance()

    def link(self, existing: Path, new: Path) -> None:
        self._chance()
        super().link(existing, new)
        self._chance()

    def sync_folder(self, folder: Path) -> None:
        self._chance()
        super().sync_folder(folder)
        self._chance()

    def _chance(self) -> None:
        if self._die_at is not None and self.chances >= self._die_at:
            raise Killed
        self.chances += 1


def rotate_on(folder: Path, disk: MortalDisk) -> None:
    """Rotate the key of a new repository with two slots in this folder."""
    slots_of(new_repository(FolderBackend(folder))).add(PASSPHRASE, KEY_FILE)
    opened_there = Repository.open(FolderBackend(folder, disk), PASSPHRASE, clock=FixedClock(), probe=False)
    slots_of(opened_there).rotate([PASSPHRASE, KEY_FILE])


def test_a_kill_at_any_step_on_a_disk(tmp_path: Path) -> None:
    """On real files, before and after each write, link and sync of a rotation, both secrets open one epoch."""
    whole = MortalDisk(None)
    rotate_on(tmp_path / "whole", whole)
    assert whole.chances > 12
    epochs = []
    for moment in range(whole.chances):
        folder = tmp_path / str(moment)
        with pytest.raises(Killed):
            rotate_on(folder, MortalDisk(moment))
        backend = FolderBackend(folder)
        after = [Repository.open(backend, secret, clock=FixedClock()) for secret in (PASSPHRASE, KEY_FILE)]
        assert check(after[0], read_data=False).ok, moment
        assert len({repository.keys.epoch for repository in after}) == 1, moment
        epochs.append(after[0].keys.epoch)
    assert (epochs[0], epochs[-1]) == (1, 2)
    assert epochs == sorted(epochs)
