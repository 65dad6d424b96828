"""Exports: names that stay inside, bytes as stored, a manifest that proves them."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.rig import Rig, now_in
from tuiback.engine.activity import Activity
from tuiback.engine.clock import SystemClock
from tuiback.engine.commands import Export, Selection
from tuiback.engine.restores.export import NAME_BYTES, safe_name
from tuiback.engine.restores.jobs import Jobs
from tuiback.engine.restores.targets import MANIFEST
from tuiback.engine.settings.registry import Registry
from tuiback.engine.upkeep.holds import Holds
from tuiback.errors import NoSuchThing, UsageError


def jobs_of(rig: Rig) -> Jobs:
    """Jobs over the rig's archive."""
    archives = {"main": rig.archive}
    clock = SystemClock()
    activity = Activity(clock)
    registry = Registry(archives, activity, clock)
    return Jobs(archives, registry, Holds(archives, registry, clock), activity, clock)


EVERYTHING = Selection(account_id="mailbox:anna", seq=1)


async def test_export_is_byte_exact_with_a_manifest(rig: Rig, tmp_path: Path) -> None:
    """Every message becomes one file with its bytes; the manifest has the hash of each and nothing else is written."""
    await rig.run()
    to = tmp_path / "out"
    answer = await jobs_of(rig).export(Export(selections=(EVERYTHING,), to=str(to)))
    assert (answer["outcome"], answer["files"]) == ("ok", 8)
    lines = [json.loads(line) for line in (to / MANIFEST).read_text().splitlines()]
    assert {str(p.relative_to(to)) for p in to.rglob("*") if p.is_file()} == {x["path"] for x in lines} | {MANIFEST}
    wanted = {k.split("/")[1]: v.encode() for k, v in now_in(rig.cloud.mailboxes["anna"]).items()}
    for line in lines:
        data = (to / line["path"]).read_bytes()
        assert data == wanted[line["id"]]
        assert hashlib.sha256(data).hexdigest() == line["sha256"]


async def test_hostile_names_stay_inside(rig: Rig, tmp_path: Path) -> None:
    """Names made to leave the folder or to fool a terminal become harmless files inside it."""
    box = rig.cloud.mailboxes["anna"]
    box.add_folder("evil", "../../etc")
    box.put("x", "evil", b"evil")
    box.mails["x"].name = "/../../passwd\x1b[31m"
    await rig.run()
    to = tmp_path / "deep" / "out"
    answer = await jobs_of(rig).export(Export(selections=(EVERYTHING,), to=str(to)))
    assert answer["outcome"] == "ok"
    found = [p for p in tmp_path.joinpath("deep").rglob("*") if p.is_file()]
    assert all(p.is_relative_to(to) for p in found)
    assert not any("\x1b" in str(p) for p in found)
    assert len(found) == 10


async def test_existing_files_are_kept(rig: Rig, tmp_path: Path) -> None:
    """A second export into the same folder fails item by item unless overwriting was asked for."""
    await rig.run()
    one = Selection(account_id="mailbox:anna", seq=1, item_ids=("m1",))
    jobs = jobs_of(rig)
    to = str(tmp_path / "out")
    assert (await jobs.export(Export(selections=(one,), to=to)))["outcome"] == "ok"
    assert (await jobs.export(Export(selections=(one,), to=to)))["outcome"] == "failed"
    assert (await jobs.export(Export(selections=(one,), to=to, overwrite=True)))["outcome"] == "ok"


async def test_zip_and_json(rig: Rig, tmp_path: Path) -> None:
    """A .zip holds the same files; json writes the properties."""
    await rig.run()
    to = tmp_path / "out.zip"
    await jobs_of(rig).export(Export(selections=(EVERYTHING,), to=str(to), form="json"))
    with zipfile.ZipFile(to) as z:
        assert z.testzip() is None
        names = [n for n in z.namelist() if n != MANIFEST]
        assert len(names) == 8
        assert all(json.loads(z.read(n))["id"] for n in names)


async def test_bad_requests(rig: Rig, tmp_path: Path) -> None:
    """Relative paths, unknown forms, items and accounts are refused in words."""
    await rig.run()
    jobs = jobs_of(rig)
    with pytest.raises(UsageError, match="absolute"):
        await jobs.export(Export(selections=(EVERYTHING,), to="out"))
    with pytest.raises(UsageError, match="form"):
        await jobs.export(Export(selections=(EVERYTHING,), to=str(tmp_path / "o"), form="pst"))
    missing = Selection(account_id="mailbox:anna", seq=1, item_ids=("nothing",))
    with pytest.raises(NoSuchThing):
        await jobs.export(Export(selections=(missing,), to=str(tmp_path / "o")))
    with pytest.raises(NoSuchThing):
        await jobs.export(Export(selections=(Selection(account_id="mailbox:x", seq=1),), to=str(tmp_path / "o")))


@given(name=st.text(), suffix=st.sampled_from(["", ".eml"]))
def test_safe_name_is_one_harmless_segment(name: str, suffix: str) -> None:
    """Whatever the name: one segment, not a dot name, short enough, writable, and keeping its ending."""
    safe = safe_name(name, suffix)
    assert safe
    assert "/" not in safe
    assert "\x00" not in safe
    assert safe not in {".", ".."}
    assert len(safe.encode()) <= NAME_BYTES
    assert safe.endswith(suffix)
    assert safe.isprintable() or not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in safe)
