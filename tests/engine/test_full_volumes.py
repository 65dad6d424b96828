"""Volumes that are really full at each step of a backup and a prune: nothing is lost, and space brings all back."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.rig import Rig, anna, make_home, now_in
from tests.engine.test_prune_kills import opened_through
from tests.engine.upkeep.test_pruning import a_day_passes, big, end, grown, is_whole, keep, prune
from tuiback.errors import StorageFull
from tuiback.store.folder import FolderBackend

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Moment:
    """Before or after the first object of which the name has this in it, that volume is full; in a prune or a run."""

    volume: str
    name: str
    after: bool = False
    pruning: bool = False


MOMENTS = (
    Moment("repository", "packs/"),
    Moment("repository", "commits/"),
    Moment("home", "packs/"),
    Moment("home", "commits/", after=True),
    Moment("repository", "segments/", pruning=True),
    Moment("repository", "commits/", pruning=True),
    Moment("repository", "packs/", pruning=True),
    Moment("repository", "-intent", pruning=True),
    Moment("repository", "-accept", pruning=True),
    Moment("home", "segments/", after=True, pruning=True),
    Moment("home", "-intent", after=True, pruning=True),
)


class Filling(FolderBackend):
    """Lets a volume be full from a moment on, by a file that takes all that is left of it."""

    moment: Moment | None = None

    def create(self, name: str, data: Sequence[bytes]) -> None:
        """See Backend."""
        if self.moment and not self.moment.after:
            self._fill(self.moment, name)
        super().create(name, data)
        if self.moment:
            self._fill(self.moment, name)

    def _fill(self, moment: Moment, name: str) -> None:
        if moment.name not in name:
            return
        self.moment = None
        with self.filler(moment).open("ab", buffering=0) as file:
            for length in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(bytes(length)) == length:
                        pass
                except OSError:
                    continue

    def filler(self, moment: Moment) -> Path:
        """The file that takes the space."""
        return Path(self.url).parent / moment.volume / "other data"


def play(folder: Path) -> None:
    """All moments, one after the other. Runs in a process of its own."""
    asyncio.run(_play(folder))


async def _play(folder: Path) -> None:
    rig = await Rig.open(make_home(folder))
    rig.cloud.mailboxes["anna"] = anna()
    await grown(rig)
    await keep(rig, "2v")
    for number, moment in enumerate(MOMENTS):
        rig = await _at(moment, number, rig)
    await _pruned_when_full(rig)
    rig = await _opened_when_full(rig)
    await rig.archive.close()


async def _at(moment: Moment, number: int, rig: Rig) -> Rig:
    backend = Filling(rig.archive.ref.url)
    await end(rig)
    rig = opened_through(backend, rig)
    box = rig.cloud.mailboxes["anna"]
    for mail in range(3):
        box.put(f"of{mail}", "in", big(100 * number + mail))
    if moment.pruning:
        assert (await rig.run()).error is None
    backend.moment = moment
    failed = None
    try:
        if moment.pruning:
            await prune(rig)
        else:
            failed = (await rig.run()).error
    except StorageFull as full:
        failed = full
    assert isinstance(failed, StorageFull), (moment, failed)
    backend.filler(moment).unlink()
    if number % 2:
        await end(rig)
        rig = await Rig.open(rig.home, rig.cloud)
    else:
        await rig.archive.mend()
    assert (await rig.run()).error is None
    assert rig.listing() == now_in(box)
    assert is_whole(rig)
    await prune(rig)
    assert is_whole(rig)
    return rig


async def _pruned_when_full(rig: Rig) -> None:
    """What was given up the day before frees the space that all else of a prune needs."""
    rig.cloud.mailboxes["anna"].put("one more", "in", big(7))
    assert (await rig.run()).error is None
    a_day_passes(rig)
    full = Filling(rig.archive.ref.url)
    full._fill(Moment("repository", ""), "any")
    assert full.free_bytes()[0] == full.free_bytes()[1]
    assert (await prune(rig)).freed_bytes > 0
    full.filler(Moment("repository", "")).unlink()
    assert is_whole(rig)


async def _opened_when_full(rig: Rig) -> Rig:
    """Nothing can be written, but whoever has to restore gets everything."""
    await end(rig)
    full = Filling(rig.archive.ref.url)
    moment = full.moment = Moment("repository", "")
    full._fill(moment, "any")
    rig = await Rig.open(rig.home, rig.cloud)
    box = rig.cloud.mailboxes["anna"]
    assert rig.listing() == now_in(box)
    box.put("last", "in", big(1))
    assert isinstance((await rig.run()).error, StorageFull)
    full.filler(moment).unlink()
    await rig.archive.mend()
    assert (await rig.run()).error is None
    assert rig.listing() == now_in(box)
    return rig


def test_full_at_each_step(tmp_path: Path) -> None:
    """On two small tmpfs, in a mount namespace that ends with the test."""
    one = 'mount -t tmpfs -o size=24m tmpfs "$1/$each"'
    mounts = f'for each in home repository; do mkdir -p "$1/$each" && {one} || exit 3; done'
    allowed = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounts, "sh", str(tmp_path)], capture_output=True, text=True, check=False
    )
    if allowed.returncode:
        pytest.skip(f"this machine refuses a mount of its own: {allowed.stderr.strip()}")
    code = "import sys, pathlib; from tests.engine.test_full_volumes import play; play(pathlib.Path(sys.argv[1]))"
    script = f'{mounts}; cd "$2" && exec "$3" -c "$4" "$1"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), str(ROOT), sys.executable, code]
    played = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert played.returncode == 0, played.stderr
    assert list((tmp_path / "repository").iterdir()) == []
