"""Whatever happens to any object of a repository, check names it and goes on."""

from collections import Counter
from concurrent.futures import Executor

import pytest
from msgspec.structs import replace

from tests.store.doubles import TIME, DictIndex, MemoryBackend, body, reopen, version
from tests.store.test_repository import flip
from tests.store.test_writer import content
from tuiback.model import CommitBody
from tuiback.model.need import Need
from tuiback.store import Repository, Writer, gc
from tuiback.store.bodies import encode_bodies
from tuiback.store.check import Sources, check
from tuiback.store.checkpoint import CheckpointTable, SubjectRefs, write_table
from tuiback.store.losses import Loss, note_loss
from tuiback.store.pack import pack_name
from tuiback.store.segment import SegmentWriter, segment_name


@pytest.fixture
async def filled(repository: Repository, executor: Executor) -> Repository:
    """A repository with three commits, each with a pack and a version of a mail."""
    writer = Writer(repository, DictIndex(), executor)
    head = None
    for number in range(3):
        parts = [
            await writer.put("mailbox:a", "message", name, content(2 * number + place, 40_000))
            for place, name in enumerate(("mime", "properties"))
        ]
        packs = [table.pack_id for table in await writer.flush()]
        head = repository.append("nas", head, packs, body(version(f"m{number}", *parts))).head
    return repository


def names(backend: MemoryBackend, prefix: str) -> list[str]:
    """The objects under a prefix."""
    return list(backend.list(prefix))


def found(repository: Repository, *, read_data: bool) -> set[tuple[str, str]]:
    """What check finds: kind and name."""
    return {(finding.kind, finding.name) for finding in check(repository, read_data=read_data).damaged}


@pytest.mark.parametrize("read_data", [False, True])
async def test_whole_repository_is_ok(filled: Repository, read_data: bool) -> None:
    """Nothing is found, everything counted, progress told to the end."""
    told: list[tuple[int, int]] = []
    report = check(filled, read_data=read_data, progress=lambda done, total: told.append((done, total)))
    assert report.ok
    assert (report.packs, report.chunks, report.commits, report.unreferenced_packs) == (3, 6, 3, 0)
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
@pytest.mark.parametrize("name", ["config", "config.2", "keys/1", "keys/1.2"])
async def test_damaged_settings_are_named(filled: Repository, backend: MemoryBackend, name: str, harm: str) -> None:
    """Each copy of config and key slots counts, although one is enough to open."""
    damage(backend, name, harm)
    assert found(filled, read_data=False) == {(name.partition("/")[0].rstrip("s").removesuffix(".2"), name)}


@pytest.mark.parametrize("harm", ["flip", "cut", "delete"])
@pytest.mark.parametrize("number", [0, 1, 2])
async def test_damaged_pack_is_named(filled: Repository, backend: MemoryBackend, number: int, harm: str) -> None:
    """A changed, cut or missing pack is named, and the item that needs it."""
    name = names(backend, "packs/")[number]
    damage(backend, name, harm)
    findings = found(filled, read_data=True)
    assert ("pack", name.rpartition("/")[2]) in findings
    assert findings - {("pack", name.rpartition("/")[2])} < {("item", f"mailbox:ann m{item}") for item in range(3)}
    assert len(findings) == 2


async def test_every_byte_of_a_pack_matters(filled: Repository, backend: MemoryBackend) -> None:
    """Wherever a pack is changed, reading all data finds it; header and trailer are found without."""
    name = names(backend, "packs/")[0]
    whole = backend.objects[name]
    for position in range(0, len(whole), 997):
        backend.objects[name] = whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :]
        assert ("pack", name.rpartition("/")[2]) in found(filled, read_data=True)
    for position in (0, 9, 20, 40, 60, 70, 131, len(whole) - 1, len(whole) - 10, len(whole) - 60):
        backend.objects[name] = whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :]
        assert ("pack", name.rpartition("/")[2]) in found(filled, read_data=False)


async def test_swapped_packs_are_named(filled: Repository, backend: MemoryBackend) -> None:
    """Two packs under each other's names are both found."""
    one, other = names(backend, "packs/")[:2]
    backend.objects[one], backend.objects[other] = backend.objects[other], backend.objects[one]
    findings = found(filled, read_data=True)
    assert {name for kind, name in findings if kind == "pack"} == {name.rpartition("/")[2] for name in (one, other)}


@pytest.mark.parametrize("harm", ["flip", "cut", "delete", "swap"])
@pytest.mark.parametrize("number", [0, 1])
async def test_damaged_commit_is_named(
    filled: Repository, backend: MemoryBackend, number: int, harm: str
) -> None:
    """A changed, cut, exchanged or missing commit is named."""
    commits = names(backend, "commits/")
    name = commits[number]
    if harm == "swap":
        other = commits[number + 1]
        backend.objects[name], backend.objects[other] = backend.objects[other], backend.objects[name]
        assert found(filled, read_data=False) == {("commit", name), ("commit", other)}
    else:
        damage(backend, name, harm)
        assert ("commit", name if harm != "delete" else name[:-64]) in found(filled, read_data=False)


def checkpointed(repository: Repository) -> list[str]:
    """Make a checkpoint of the repository as it is, the packs' order kept; its segments."""
    versions = [version for commit in repository.commits() for version in commit.body.versions]
    packs = tuple(pack_id for commit in repository.commits() for pack_id in commit.packs)
    writer = SegmentWriter(repository.objects)
    for one in versions:
        writer.add("mailbox:ann", "delta", encode_bodies([body(one)]), 1)
    refs = SubjectRefs((), writer.finish())
    table = CheckpointTable(repository.heads(), packs, {"mailbox:ann": refs})
    segment_id = write_table(repository.objects, table)
    commit = repository.append("nas", repository.heads()[0], [], body(), checkpoint=segment_id)
    return sorted({segment_id, commit.checkpoint_copy, *table.segments()})


@pytest.mark.parametrize("read_data", [False, True])
async def test_behind_a_checkpoint_older_commits_may_be_gone(
    filled: Repository, backend: MemoryBackend, read_data: bool
) -> None:
    """Their packs and versions count all the same: the checkpoint tells of them."""
    old = names(backend, "commits/")
    segments = checkpointed(filled)
    for name in old[:2]:
        backend.delete(name)
    report = check(reopen(filled), read_data=read_data)
    assert (report.damaged, report.packs, report.chunks, report.segments) == ((), 3, 6, len(segments))
    backend.delete(names(backend, "packs/")[0])
    assert {kind for kind, _ in found(reopen(filled), read_data=read_data)} == {"pack", "item"}


@pytest.mark.parametrize("harm", ["flip", "cut", "delete", "swap"])
@pytest.mark.parametrize("number", [0, 1])
async def test_damaged_segment_is_named(
    filled: Repository, backend: MemoryBackend, number: int, harm: str
) -> None:
    """Whether the commits before the checkpoint are still there or not."""
    segments = checkpointed(filled)
    name, other = (segment_name(segments[place]) for place in (number, 1 - number))
    if harm == "swap":
        backend.objects[name], backend.objects[other] = backend.objects[other], backend.objects[name]
    else:
        damage(backend, name, harm)
    with_commits = {one for kind, one in found(reopen(filled), read_data=True) if kind in ("segment", "checkpoint")}
    wanted = segments if harm == "swap" else segments[number : number + 1]
    assert any(segment in one for one in with_commits for segment in wanted)
    for commit in names(backend, "commits/")[:3]:
        backend.delete(commit)
    alone = {one for kind, one in found(reopen(filled), read_data=True) if kind in ("segment", "checkpoint")}
    assert any(segment in one for one in alone for segment in segments)


async def test_damaged_segment_of_a_large_commit_is_named(filled: Repository, backend: MemoryBackend) -> None:
    """The rows of a commit too large for one object lie in segments; without them it is as good as missing."""
    many = tuple(replace(version(f"large-{number}"), name="n" * 600) for number in range(2500))
    filled.append("nas", filled.heads()[0], [], CommitBody(time=TIME, versions=many))
    (name,) = names(backend, "segments/")
    assert found(reopen(filled), read_data=True) == set()
    whole = backend.objects[name]
    damage(backend, name, "flip")
    assert {kind for kind, _ in found(reopen(filled), read_data=True)} == {"commit"}
    backend.objects[name] = whole
    backend.delete(name)
    assert ("segment", name.rpartition("/")[2]) in found(reopen(filled), read_data=False)


async def test_given_up_packs_and_known_losses_are_no_damage(filled: Repository, backend: MemoryBackend) -> None:
    """Nor are they forgotten: the versions are told as lost, and known."""
    name = names(backend, "packs/")[0]
    pack_id = name.rpartition("/")[2]
    chunks = tuple(entry.chunk_id for entry in filled.pack_table(pack_id).entries)
    backend.delete(name)
    note_loss(filled.objects, Loss(time=TIME, packs=(pack_id,), chunks=chunks[:1]))
    assert {kind for kind, _ in found(filled, read_data=True)} == {"item"}
    note_loss(filled.objects, Loss(time=TIME, packs=(), chunks=chunks[1:]))
    report = check(filled, read_data=True)
    assert (report.damaged, report.packs) == ((), 2)
    assert [version.known for version in report.lost] == [True]


async def test_scrub_needs_no_decryption_to_find_changed_bytes(filled: Repository, backend: MemoryBackend) -> None:
    """Every byte of the records counts."""
    name = names(backend, "packs/")[0]
    whole = backend.objects[name]
    table = filled.pack_table(name.rpartition("/")[2])
    end = max(entry.offset + entry.length for entry in table.entries)
    for position in (*range(132, 160), *range(200, end, 4999), end - 1):
        backend.objects[name] = whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :]
        damaged = {(finding.kind, finding.name) for finding in check(filled, scrub=True).damaged}
        assert ("pack", table.pack_id) in damaged, position


async def test_bytes_too_many_are_found_without_reading_all(filled: Repository, backend: MemoryBackend) -> None:
    """The trailer is whole, but what it tells of does not lie there."""
    name = names(backend, "packs/")[0]
    whole = backend.objects[name]
    backend.objects[name] = whole[:500] + b"more" + whole[500:]
    assert ("pack", name.rpartition("/")[2]) in found(filled, read_data=False)


async def test_a_version_replaced_within_its_snapshot_is_not_missed(filled: Repository, executor: Executor) -> None:
    """No catalog would keep it, so what it needed may be gone; its successor counts."""
    writer = Writer(filled, DictIndex(), executor)
    gone = await writer.put("mailbox:ann", "message", "mime", content(77, 40_000))
    kept = await Writer(filled, DictIndex(), executor).put("mailbox:ann", "message", "mime", content(0, 40_000))
    head = filled.append("nas", filled.heads()[0], [], body(version("mx", gone))).head
    assert found(filled, read_data=False) == {("item", "mailbox:ann mx")}
    filled.append("nas", head, [], body(version("mx", kept)))
    assert found(filled, read_data=False) == set()


async def test_lost_newest_commit_leaves_unreferenced_packs(filled: Repository, backend: MemoryBackend) -> None:
    """The end of a line can't be missed from within: the packs nobody names are counted instead."""
    backend.delete(names(backend, "commits/")[-1])
    report = check(filled, read_data=False)
    assert (report.ok, report.unreferenced_packs) == (True, 1)


async def test_lost_chunk_names_the_item(filled: Repository, executor: Executor) -> None:
    """A version whose chunk is in no pack is named by account and item."""
    lost = await Writer(filled, DictIndex(), executor).put("mailbox:a", "message", "mime", b"never flushed")
    filled.append("nas", filled.heads()[0], [], body(version("m9", lost)))
    assert found(filled, read_data=False) == {("item", "mailbox:ann m9")}


async def test_everything_broken_is_reported_at_once(filled: Repository, backend: MemoryBackend) -> None:
    """Damage in one place does not hide damage in another."""
    packs = [pack_name(commit.packs[0]) for commit in filled.commits()]
    for name in ("config.2", "keys/1", packs[0], packs[2], names(backend, "commits/")[1]):
        damage(backend, name, "flip")
    kinds = Counter(finding.kind for finding in check(filled, read_data=True).damaged)
    assert {kind: min(count, 2) for kind, count in kinds.items()} == {
        "config": 1, "key": 1, "commit": 1, "pack": 2, "item": 2,
    }  # fmt: skip


async def test_where_no_pack_is_known_to_count_no_item_is_called_lost(
    filled: Repository, backend: MemoryBackend
) -> None:
    """An accept that can't be read is named, and nothing else: what it gave up nobody can tell."""
    needs = [Need("mailbox:ann", "m0", 1, True, "mime", "", bytes(32))]
    gc.put_accept(filled.objects, gc.Accept(1, "nas", (), (), filled.heads()))
    damage(backend, gc.accept_name(1), "flip")
    report = check(filled, sources=Sources(needs=lambda: needs))
    assert {(finding.kind, finding.name) for finding in report.damaged} == {
        ("gc", gc.accept_name(1)), ("checkpoint", gc.accept_name(1)),
    }  # fmt: skip
    assert report.lost == ()


def damage(backend: MemoryBackend, name: str, harm: str) -> None:
    """Do harm to an object."""
    if harm == "delete":
        backend.delete(name)
    else:
        data = backend.objects[name]
        backend.objects[name] = flip(data) if harm == "flip" else data[: len(data) - 7]
