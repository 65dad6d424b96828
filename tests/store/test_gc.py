"""What prunes leave in the repository, what it makes void, and how needed chunks get into new packs."""

from concurrent.futures import Executor
from datetime import timedelta
from itertools import permutations

import pytest
from msgspec.structs import replace

from tests.store.doubles import TIME, FailingBackend, MemoryBackend, body, new_repository, rebuilt_index, version
from tests.store.test_writer import content
from tuiback.errors import Damage, EnvironmentFault, StorageFull
from tuiback.model import ChunkEntry, Commit, CommitHead, PackTable, StoredPart
from tuiback.store import Reader, Repository, Writer, gc
from tuiback.store.backend import store_time
from tuiback.store.pack import pack_name
from tuiback.store.repack import Repacker

NAS = CommitHead("nas", 7, "a" * 64)
LATE = CommitHead("old", 3, "b" * 64)
PACK = "c" * 64


def accept(generation: int, *seen: CommitHead, void: tuple[str, ...] = ()) -> gc.Accept:
    """A final list of one pack."""
    return gc.Accept(generation, "nas", (pack_name(PACK),), (), seen, void)


def intent(generation: int, *doomed: str, writer: str = "nas") -> gc.Intent:
    """An announcement of these packs."""
    return gc.Intent(generation, writer, tuple(map(pack_name, doomed)), (), ())


def announced(generation: int, *doomed: str, writer: str = "nas") -> gc.Round:
    """A generation that was never decided."""
    return gc.Round(generation, intent(generation, *doomed, writer=writer), None, TIME)


def decided(generation: int, *seen: CommitHead) -> gc.Round:
    """A generation that was."""
    return gc.Round(generation, intent(generation, PACK), accept(generation, *seen), TIME)


def test_rounds_come_back(repository: Repository, backend: MemoryBackend) -> None:
    """Intents and accepts are read as they were written, by generation, with the store's time of the newer."""
    gc.put_intent(repository.objects, intent(1, PACK))
    backend.now = TIME + timedelta(hours=1)
    gc.put_accept(repository.objects, accept(1, NAS, void=("d" * 64,)))
    gc.put_intent(repository.objects, intent(2))
    first, second = gc.read_rounds(repository.objects)
    assert first == gc.Round(1, intent(1, PACK), accept(1, NAS, void=("d" * 64,)), backend.now)
    assert (second.intent, second.accept, second.writer) == (intent(2), None, "nas")
    assert gc.newest_generation(backend) == 2
    assert gc.read_accepts(repository.objects) == (first.accept,)


def test_a_generation_is_taken_once(repository: Repository) -> None:
    """Two engines that prune at once don't both get it."""
    gc.put_intent(repository.objects, intent(1))
    with pytest.raises(EnvironmentFault, match="another engine"):
        gc.put_intent(repository.objects, intent(1, writer="other"))


def test_a_changed_accept_is_damage(repository: Repository, backend: MemoryBackend) -> None:
    """Nothing is deleted by a list that is not what was written."""
    gc.put_accept(repository.objects, accept(1))
    data = bytearray(backend.objects[gc.accept_name(1)])
    data[-1] ^= 1
    backend.objects[gc.accept_name(1)] = bytes(data)
    with pytest.raises(Damage):
        gc.read_rounds(repository.objects)


def test_an_object_in_another_s_place_is_damage(repository: Repository, backend: MemoryBackend) -> None:
    """Neither another generation's list nor another kind's is taken for what the name says."""
    for told in (accept(1), accept(2)):
        gc.put_accept(repository.objects, told)
    gc.put_intent(repository.objects, intent(2))
    objects, names = dict(backend.objects), [gc.accept_name(1), gc.accept_name(2), gc.intent_name(2)]
    for name, taken in permutations(names, 2):
        backend.objects[name] = objects[taken]
        with pytest.raises(Damage):
            gc.read_one(repository.objects, name)
        backend.objects[name] = objects[name]


def test_commits_that_a_prune_makes_void() -> None:
    """Older generation and beyond what was seen: both must be so; a writer never seen is beyond from its first."""
    told = [accept(4, NAS)]
    beyond = replace(NAS, number=8)
    assert gc.is_void(beyond, 3, told)
    assert not gc.is_void(beyond, 4, told)
    assert not gc.is_void(NAS, 3, told)
    assert gc.is_void(replace(LATE, number=1), 0, told)
    assert gc.is_void(LATE, 3, [accept(4, NAS, LATE, void=(LATE.digest,))])


def test_a_void_commit_says_nothing() -> None:
    """It stays a link of its chain, and that is all."""
    commit = Commit(NAS, "e" * 64, (PACK,), body(version("m")), ("f" * 64,), 3)
    empty = gc.emptied(commit)
    assert (empty.head, empty.previous, empty.packs, empty.segments) == (NAS, "e" * 64, (), ())
    assert empty.body == body()


def test_packs_that_count_again() -> None:
    """Those of a prune that was never decided, and those spared at the last moment."""
    spared = "1" * 64
    rounds = [gc.Round(1, intent(1, PACK, spared), accept(1), TIME), announced(2, "2" * 64)]
    assert gc.packs_gone(rounds) == {PACK}
    assert gc.packs_counting_again(rounds) == {spared, "2" * 64}


def test_another_engine_that_prunes_now() -> None:
    """Only the newest generation, of another writer and undecided."""
    theirs = announced(2, PACK, writer="other")
    assert gc.find_undecided([decided(1), theirs], "nas") == theirs
    assert gc.find_undecided([theirs], "other") is None
    assert gc.find_undecided([theirs, decided(3)], "nas") is None
    assert gc.find_undecided([], "nas") is None


def test_when_deletion_may_begin() -> None:
    """After the grace by the store's time and one later commit of our own, never without a decision."""
    later, after = TIME + timedelta(hours=24), [replace(NAS, number=8), LATE]
    assert gc.is_ripe(decided(1, NAS), after, "nas", later)
    assert not gc.is_ripe(decided(1, NAS), after, "nas", later - timedelta(seconds=1))
    assert not gc.is_ripe(decided(1, NAS), [NAS, LATE], "nas", later)
    assert not gc.is_ripe(announced(1, PACK), after, "nas", later)


def test_what_is_left_of_old_generations() -> None:
    """The newest decided one stays; older ones stay while something of theirs is not deleted."""
    rounds = [announced(1, PACK), decided(2), decided(3), decided(4), announced(5, PACK)]
    assert gc.forgettable(rounds, unfinished=(3,)) == (
        gc.intent_name(1), gc.intent_name(2), gc.accept_name(2),
    )  # fmt: skip
    assert gc.forgettable([announced(1, PACK)], ()) == ()


def test_the_store_tells_the_time(backend: MemoryBackend) -> None:
    """By an object that is gone again afterwards."""
    backend.now = TIME + timedelta(days=3)
    assert store_time(backend) == backend.now
    assert backend.objects == {}


async def stored(repository: Repository, executor: Executor) -> tuple[list[str], list[StoredPart]]:
    """Two packs with six mails: ann's share a bundle, bob's is one chunk, the large one several."""
    writer = Writer(repository, rebuilt_index(repository), executor, pack_bytes=600_000)
    sizes = [("ann", 20_000), ("ann", 20_000), ("ann", 20_000), ("bob", 30_000), ("bob", 3_000_000), ("cid", 9_000)]
    parts = [
        await writer.put(f"mailbox:{who}", "message", "mime", content(seed, size))
        for seed, (who, size) in enumerate(sizes)
    ]
    packs = [table.pack_id for table in await writer.flush()]
    repository.append("nas", None, packs, body(*(version(f"m{n}", part) for n, part in enumerate(parts))))
    writer.close()
    return packs, parts


async def test_repacked_chunks_read_back(repository: Repository, executor: Executor) -> None:
    """Only what lives is copied; a bundle stays one record, without what was dead in it; the bytes are the same."""
    packs, parts = await stored(repository, executor)
    live = {chunk for part in (parts[0], parts[2], parts[4]) for chunk in part.chunks}
    repacker = Repacker(repository, lambda table: [e for e in table.entries if e.chunk_id in live], pack_bytes=600_000)
    repacked = repacker.repack(packs)
    assert (set(repacked.replaced), repacked.unreadable) == (set(packs), ())
    entries = [entry for table in repacked.tables for entry in table.entries]
    assert {entry.chunk_id for entry in entries} == live
    assert len(repacked.tables) > 1
    bundle = {(entry.slot, entry.offset) for entry in entries if entry.chunk_id in parts[0].chunks + parts[2].chunks}
    assert len(bundle) == 1
    index = rebuilt_index(repository)
    index.locations.clear()
    index.take(repacked.tables)
    reader = Reader(repository, index)
    for number, size in ((0, 20_000), (2, 20_000), (4, 3_000_000)):
        assert reader.read_all(parts[number]) == content(number, size)


async def test_a_pack_that_can_not_be_read_stays(
    repository: Repository, backend: MemoryBackend, executor: Executor
) -> None:
    """Damage keeps the pack, and the others are written anew all the same."""
    packs, parts = await stored(repository, executor)
    large = next(
        pack for pack in packs if parts[4].chunks[0] in {e.chunk_id for e in repository.pack_table(pack).entries}
    )
    entry = next(e for e in repository.pack_table(large).entries if e.chunk_id == parts[4].chunks[0])
    data = bytearray(backend.objects[pack_name(large)])
    data[entry.offset + entry.length - 1] ^= 1
    backend.objects[pack_name(large)] = bytes(data)
    missing = "0" * 64
    repacked = Repacker(repository, lambda table: table.entries).repack([*packs, missing])
    assert set(repacked.unreadable) == {large, missing}
    assert set(repacked.replaced) == set(packs) - {large}


async def test_a_pack_whose_table_is_wrong_stays(repository: Repository, executor: Executor) -> None:
    """What is read where a chunk should lie is compared with it: other bytes never come to stand for the chunk."""
    packs, _ = await stored(repository, executor)

    def moved(table: PackTable) -> list[ChunkEntry]:
        return [replace(entry, inner_offset=entry.inner_offset + 1) for entry in table.entries]

    repacked = Repacker(repository, moved).repack(packs)
    assert (repacked.tables, repacked.replaced, set(repacked.unreadable)) == ((), (), set(packs))


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_new_pack_is_written_again_or_the_failure_told(executor: Executor, failures: int) -> None:
    """A write that fails once is made once more; failing again it is told, so that nothing rests on the pack."""
    backend = FailingBackend()
    repository = new_repository(backend)
    packs, _ = await stored(repository, executor)
    left = failures

    def full(name: str, written: bool) -> None:
        nonlocal left
        if left and not written and name.startswith("packs/"):
            left -= 1
            raise StorageFull("no space left", name)

    backend.fault = full
    repacker = Repacker(repository, lambda table: table.entries)
    if failures == 2:
        with pytest.raises(StorageFull):
            repacker.repack(packs)
    else:
        assert {pack_name(table.pack_id) for table in repacker.repack(packs).tables} <= backend.objects.keys()
