"""Whatever happens to any object of a repository, check names it and goes on."""

from collections import Counter
from concurrent.futures import Executor

import pytest

from tests.store.doubles import DictIndex, MemoryBackend, body, version
from tests.store.test_repository import flip
from tests.store.test_writer import content
from tuiback.store import Repository, Writer, check
from tuiback.store.pack import pack_name


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


def damage(backend: MemoryBackend, name: str, harm: str) -> None:
    """Do harm to an object."""
    if harm == "delete":
        backend.delete(name)
    else:
        data = backend.objects[name]
        backend.objects[name] = flip(data) if harm == "flip" else data[: len(data) - 7]
