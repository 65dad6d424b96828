"""What an export writes is brought to the disk while it goes on, and what the disk refuses is told."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tuiback.engine.restores import settling
from tuiback.engine.restores.settling import Settling, sync_volume
from tuiback.errors import StorageFull

STEP = settling._STEP_BYTES
DEADLINE_SECONDS = 30


class Volume:
    """A volume that counts how often it is synced, and refuses when it is told to."""

    def __init__(self) -> None:
        self.syncs = threading.Semaphore(0)
        self.times = 0
        self.refused = 0

    def sync(self, descriptor: int) -> None:
        """See SyncVolume."""
        assert os.fstat(descriptor)
        self.times += 1
        self.syncs.release()
        if self.refused:
            raise OSError(self.refused, os.strerror(self.refused))


@pytest.fixture
def volume() -> Volume:
    """A volume that takes everything."""
    return Volume()


@pytest.fixture
def settled(volume: Volume, tmp_path: Path) -> Iterator[Settling]:
    """What brings an export to it."""
    with closing(Settling(str(tmp_path), volume.sync)) as settled:
        yield settled


def test_every_step_is_brought_to_the_disk_while_more_is_written(settled: Settling, volume: Volume) -> None:
    """A step of bytes in any pieces starts one; less waits for the end."""
    settled.add(STEP - 1)
    settled.add(1)
    assert volume.syncs.acquire(timeout=DEADLINE_SECONDS)
    settled.add(STEP - 1)
    assert volume.times == 1
    settled.finish()
    assert volume.times == 2


@pytest.mark.parametrize("at_once", [True, False])
def test_what_the_disk_refuses_is_told_at_the_end(settled: Settling, volume: Volume, *, at_once: bool) -> None:
    """Whether it refuses what was written long before, or the last of it: nobody may take the export for kept."""
    volume.refused = errno.EIO if at_once else 0
    settled.add(STEP)
    assert volume.syncs.acquire(timeout=DEADLINE_SECONDS)
    volume.refused = errno.EIO
    with pytest.raises(StorageFull, match=r"did not all reach the disk \(Input/output error\).*export again"):
        settled.finish()


def test_nobody_waits_for_little(settled: Settling, volume: Volume) -> None:
    """A disk that is busy with what others write would hold a short export up."""
    settled.add(STEP - 1)
    settled.finish()
    assert volume.times == 0


def test_a_folder_that_can_not_be_read_is_left_to_the_system(volume: Volume, tmp_path: Path) -> None:
    """An export that could be written is no failure."""
    with closing(Settling(str(tmp_path / "hidden"), volume.sync)) as settled:
        settled.add(STEP)
        settled.finish()
    assert volume.times == 0


def test_closing_ends_it_wherever_it_is(volume: Volume, tmp_path: Path) -> None:
    """Also twice, and before or after the end; the thread is gone then and nothing more is asked of the disk."""
    for finish in (False, True):
        settled = Settling(str(tmp_path), volume.sync)
        if finish:
            settled.add(STEP)
            settled.finish()
        settled.close()
        settled.close()
    assert volume.times in {1, 2}
    assert not any(thread.name == "export-settling" for thread in threading.enumerate())


def test_the_system_is_asked_by_the_open_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is brought to its disk; a refusal of the system is told, but for the call as such."""
    with closing(Settling(str(tmp_path))) as settled:
        settled.add(STEP)
        settled.finish()
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_volume(-1)
    monkeypatch.setattr(settling, "_NOT_OFFERED", frozenset({errno.EBADF}))
    sync_volume(-1)
