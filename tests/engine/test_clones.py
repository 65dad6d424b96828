"""A home that was copied, and then both of them run: each run ends well in the end, and nothing committed is lost."""

import asyncio
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.cloud import Cloud
from tests.engine.rig import Rig, anna, listing, make_home, now_in
from tests.engine.upkeep.test_pruning import a_day_passes, is_whole, keep, prune
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.engine.home import Home
from tuiback.errors import Overtaken, WriterCloned


def cloned(path: Path, home: Home) -> Home:
    """A copy of the home, with its catalog and its writer's name, as `cp -a` makes it."""
    shutil.copytree(home.path, path, symlinks=True)
    clone = Home.open(path, mounts=(("/", "ext4"),))
    ref = replace(clone.repository("main"), catalog=str(path / "catalogs" / "main"))
    clone._file = replace(clone._file, repositories=(ref,))
    clone._save()
    return clone


async def run_until_it_ends_well(rig: Rig) -> None:
    """Runs one after the other; what stops one is only that somebody else was there."""
    for _ in range(3):
        error = (await rig.run()).error
        if error is None:
            return
        assert isinstance(error, WriterCloned | Overtaken), error
        await rig.archive.mend()
    pytest.fail("three runs have failed")


@pytest.mark.parametrize("at_once", [False, True])
async def test_both_back_up_the_same_mailbox(tmp_path: Path, at_once: bool) -> None:
    """One after the other or at the same time; both find what is there now, also in a catalog made anew."""
    home, cloud = make_home(tmp_path), Cloud()
    box = cloud.mailboxes["anna"] = anna()
    rig = await Rig.open(home, cloud)
    await rig.run()
    first_point = now_in(box)
    await keep(rig, "2v")
    await rig.archive.close()
    rigs = [await Rig.open(home, cloud), await Rig.open(cloned(tmp_path / "clone", home), cloud)]
    for number in range(4):
        box.put("m0", "in", b"text of round %d" % number)
        box.put(f"new{number}", "in", b"new %d" % number)
        if number:
            box.delete(f"new{number - 1}")
        if at_once:
            await asyncio.gather(*map(run_until_it_ends_well, rigs))
        else:
            for each in rigs:
                await run_until_it_ends_well(each)
        for each in rigs:
            assert each.listing() == now_in(box)
        assert is_whole(rigs[0])
    assert rigs[0].archive.writer_id != rigs[1].archive.writer_id
    assert listing(rigs[0].archive.reader, rigs[0].archive, "mailbox:anna", 1) == first_point
    for each in rigs:
        await each.archive.close()
    rebuild_catalog(home.catalog_path("main"), rigs[0].archive.repository)
    rig = await Rig.open(home, cloud)
    assert listing(rig.archive.reader, rig.archive, "mailbox:anna", 1) == first_point
    assert rig.listing() == now_in(box)
    await prune(rig)
    a_day_passes(rig)
    await run_until_it_ends_well(rig)
    await prune(rig)
    assert is_whole(rig)
    assert rig.listing() == now_in(box)
    await rig.archive.close()
