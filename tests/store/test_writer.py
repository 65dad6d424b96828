"""What was put before a flush is durable after it, stored once, and small parts share bundles of one account."""

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

import blake3
import pytest

from tests.store.doubles import DictIndex, FailingBackend, MemoryBackend, new_repository
from tuiback.errors import EnvironmentFault, StorageFull
from tuiback.model import PackTable, StoredPart
from tuiback.store import Reader, Repository, Writer, open_backend
from tuiback.store.chunker import WHOLE_PART_BYTES
from tuiback.store.short_parts import SHORT_BYTES


def content(seed: int, size: int) -> bytes:
    """Bytes that compress badly and differ by seed."""
    return blake3.blake3(seed.to_bytes(4, "big")).digest(length=size)


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    """The pieces, one by one."""
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def chunk_ids(tables: Sequence[PackTable]) -> list[bytes]:
    """The ids of all chunks in these packs, in order."""
    return [entry.chunk_id for table in tables for entry in table.entries]


@pytest.fixture
def index() -> DictIndex:
    """An index that knows nothing yet."""
    return DictIndex()


@pytest.fixture
def writer(repository: Repository, index: DictIndex, executor: Executor) -> Writer:
    """A writer with packs of 1 MiB."""
    return Writer(repository, index, executor, pack_bytes=1 << 20)


async def test_parts_of_all_sizes_come_back(repository: Repository, writer: Writer, index: DictIndex) -> None:
    """Empty, small, exactly at the limits and large parts, as bytes and as streams."""
    sizes = [0, 1, 5000, WHOLE_PART_BYTES, WHOLE_PART_BYTES + 1, 3 << 20, (3 << 20) + 1, 7_000_000]
    data = [content(number, size) for number, size in enumerate(sizes)]
    whole = await asyncio.gather(*(writer.put("drive:a", "file", "file", block) for block in data))
    halves = [stream(block[: len(block) // 2], b"", block[len(block) // 2 :]) for block in data]
    streamed = await asyncio.gather(*(writer.put("drive:b", "file", "file", half) for half in halves))
    index.take(await writer.flush())
    reader = Reader(repository, index)
    assert [part.size for part in whole] == sizes
    assert [reader.read_all(part) for part in whole] == data
    assert streamed == whole
    assert whole[0].chunks == ()


async def test_parts_put_together_are_those_put_one_by_one(
    repository: Repository, writer: Writer, index: DictIndex
) -> None:
    """Of all sizes and in their order; what is put again so is stored once."""
    sizes = [5000, 0, 1, SHORT_BYTES, SHORT_BYTES + 1, 3 << 20, 7000, *[2000] * 300]
    data = [content(number, size) for number, size in enumerate(sizes)]
    together = await writer.put_all("drive:a", "file", "file", data)
    assert together == [await writer.put("drive:a", "file", "file", block) for block in data]
    ids = chunk_ids(tables := await writer.flush())
    assert sorted(ids) == sorted({chunk_id for part in together for chunk_id in part.chunks})
    index.take(tables)
    reader = Reader(repository, index)
    assert [reader.read_all(part) for part in together] == data


async def test_long_part_names_lists_of_its_chunks(
    repository: Repository, index: DictIndex, executor: Executor
) -> None:
    """A part of more chunks than may be named has them in list chunks, which are stored once like all others."""
    writer = Writer(repository, index, executor, listed_above=4)
    data = content(1, 9_000_000)
    part = await writer.put("drive:a", "file", "file", stream(data))
    assert part == await writer.put("drive:b", "file", "file", data)
    ids = chunk_ids(tables := await writer.flush())
    index.take(tables)
    assert (part.form, len(part.chunks)) == ("list1", 1)
    assert Reader(repository, index).read_all(part) == data
    (listed,) = (index.locations[chunk_id].size for chunk_id in part.chunks)
    assert listed // 32 == len(ids) - 1 == len(set(ids)) - 1


async def test_flush_gives_tables_that_the_packs_themselves_tell(repository: Repository, writer: Writer) -> None:
    """Every table returned equals the one read back from the pack's sealed trailer."""
    for number in range(40):
        await writer.put("mailbox:a", "message", "mime", content(number, 60_000))
    tables = await writer.flush()
    assert len(tables) > 1
    for table in tables:
        assert repository.pack_table(table.pack_id) == table
        assert repository.backend.size(f"packs/{table.pack_id[:2]}/{table.pack_id}") == table.stored_bytes


async def test_flush_without_new_content_makes_no_pack(writer: Writer, backend: MemoryBackend) -> None:
    """Nothing put, or only the empty part: no pack."""
    await writer.put("mailbox:a", "message", "mime", b"")
    assert await writer.flush() == ()
    assert not list(backend.list("packs/"))


async def test_concurrent_equal_parts_are_stored_once(writer: Writer) -> None:
    """Fifty puts of the same small and the same large bytes at once: one chunk each."""
    small, large = content(1, 9000), bytes(1_000_000)
    puts = [writer.put(f"mailbox:{number}", "message", "mime", small) for number in range(50)]
    puts += [writer.put(f"drive:{number}", "file", "file", stream(large)) for number in range(50)]
    parts = await asyncio.gather(*puts)
    ids = chunk_ids(await writer.flush())
    assert len(ids) == len(set(ids))
    assert set(ids) == {chunk_id for part in parts for chunk_id in part.chunks}


async def test_known_chunks_are_not_stored_again(writer: Writer, index: DictIndex, executor: Executor) -> None:
    """Neither pending ones before the commit, nor those that the catalog has afterwards, in any process."""
    blocks = [content(number, 20_000) for number in range(5)] + [content(9, 900_000)]
    first = [await writer.put("mailbox:a", "message", "mime", block) for block in blocks]
    tables = await writer.flush()
    for _ in range(3):
        assert [await writer.put("mailbox:b", "message", "mime", block) for block in blocks] == first
        assert await writer.flush() == ()
        index.take(tables)
        writer.committed(tables)
        tables = ()


async def test_pending_chunks_are_forgotten_once_the_catalog_has_them(writer: Writer, index: DictIndex) -> None:
    """After the commit behind theirs the catalog alone answers, so memory does not grow with the backup."""
    await writer.put("mailbox:a", "message", "mime", b"mail")
    writer.committed(await writer.flush())
    await writer.put("mailbox:a", "message", "mime", b"mail")
    asked_while_pending = index.asked
    writer.committed(())
    await writer.put("mailbox:a", "message", "mime", b"mail")
    assert (asked_while_pending, index.asked) == (1, 2)


async def test_bundles_never_mix_accounts_kinds_or_names(writer: Writer) -> None:
    """Chunks of one record come from one account, kind and part name."""
    owners = {}
    for number in range(60):
        key = (f"mailbox:{number % 3}", ("message", "event")[number % 2], ("mime", "properties")[number // 30])
        part = await writer.put(*key, content(number, 3000))
        owners[part.chunks[0]] = key
    records: dict[tuple[str, int], set[tuple[str, str, str]]] = {}
    for table in await writer.flush():
        for entry in table.entries:
            records.setdefault((table.pack_id, entry.slot), set()).add(owners[entry.chunk_id])
    assert len(records) == 12
    assert all(len(keys) == 1 for keys in records.values())


async def test_bundle_lengths_do_not_tell_the_content(writer: Writer) -> None:
    """Records come in few lengths, whatever lies in them."""
    for number in range(30):
        await writer.put(f"mailbox:{number}", "message", "mime", content(number, 3000 + number))
    lengths = {entry.length for table in await writer.flush() for entry in table.entries}
    assert len(lengths) == 1


async def test_packs_are_rotated_near_their_size(writer: Writer) -> None:
    """Long content fills packs of about the size asked for."""
    await writer.put("drive:a", "file", "file", content(1, 9_000_000))
    sizes = [table.stored_bytes for table in await writer.flush()]
    assert len(sizes) >= 4
    assert max(sizes) < (1 << 20) + (2 << 20) + 100_000


async def test_memory_does_not_grow_with_the_content(tmp_path: Path, index: DictIndex, executor: Executor) -> None:
    """Of 48 MiB put without a flush only what is in flight is held."""

    async def blocks() -> AsyncIterator[bytes]:
        for number in range(48):
            yield content(number, 1 << 20)

    writer = Writer(new_repository(open_backend(str(tmp_path / "r"))), index, executor, pack_bytes=1 << 20)
    tracemalloc.start()
    try:
        await writer.put("drive:a", "file", "file", blocks())
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await writer.flush()
    assert peak_bytes < 32 << 20


async def test_unflushed_bytes_say_what_a_flush_will_hand_over(writer: Writer) -> None:
    """They grow with what is put and are nothing after a flush."""
    assert writer.unflushed_bytes == 0
    await writer.put("mailbox:a", "message", "mime", content(1, 50_000))
    assert writer.unflushed_bytes == 50_000
    await writer.put("drive:a", "file", "file", content(2, 3_000_000))
    assert writer.unflushed_bytes > 3_000_000
    await writer.flush()
    assert writer.unflushed_bytes == 0


async def test_flush_covers_what_was_put_while_other_puts_go_on(
    repository: Repository, writer: Writer, index: DictIndex
) -> None:
    """During steady puts every flush makes durable all parts whose put had returned before it."""
    done: asyncio.Queue[StoredPart] = asyncio.Queue()
    stop = asyncio.Event()

    async def account(number: int) -> None:
        step = 0
        while not stop.is_set():
            step += 1
            size = 400_000 if step % 7 == 0 else 11_000
            data = content(number * 10_000 + step, size)
            done.put_nowait(await writer.put(f"mailbox:{number}", "message", "mime", data))

    workers = [asyncio.create_task(account(number)) for number in range(6)]
    try:
        for _ in range(5):
            covered = [await done.get() for _ in range(40)]
            tables = await writer.flush()
            index.take(tables)
            writer.committed(tables)
            reader = Reader(repository, index)
            for part in covered:
                assert len(reader.read_all(part)) == part.size
    finally:
        stop.set()
        await asyncio.gather(*workers)


async def test_cancelled_flush_loses_nothing(writer: Writer) -> None:
    """The flush after a cancelled one hands over what that one had begun to write."""
    part = await writer.put("mailbox:a", "message", "mime", content(1, 50_000))
    flush = asyncio.create_task(writer.flush())
    await asyncio.sleep(0)
    flush.cancel()
    await asyncio.gather(flush, return_exceptions=True)
    assert chunk_ids(await writer.flush()) == list(part.chunks)


async def test_cancelled_put_harms_nobody(writer: Writer) -> None:
    """Of two parts in one batch, one cancelled: the other is stored."""
    puts = [
        asyncio.create_task(writer.put("mailbox:a", "message", "mime", content(number, 5000))) for number in range(2)
    ]
    await asyncio.sleep(0)
    puts[0].cancel()
    part = await puts[1]
    assert part.chunks[0] in chunk_ids(await writer.flush())
    assert puts[0].cancelled()


async def test_breaking_stream_is_the_callers_error(writer: Writer) -> None:
    """What the source raises comes out of put, and the writer goes on."""

    async def torn() -> AsyncIterator[bytes]:
        yield content(1, 5_000_000)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await writer.put("drive:a", "file", "file", torn())
    part = await writer.put("drive:a", "file", "file", b"next")
    assert part.chunks[0] in chunk_ids(await writer.flush())


async def test_failing_index_fails_the_parts_not_the_writer(writer: Writer, index: DictIndex) -> None:
    """A catalog that can't answer is the error of those puts only."""
    index.locked = True
    with pytest.raises(EnvironmentFault):
        await writer.put("mailbox:a", "message", "mime", b"mail")
    index.locked = False
    part = await writer.put("mailbox:a", "message", "mime", b"mail")
    assert chunk_ids(await writer.flush()) == list(part.chunks)


def full_disk(times: int) -> FailingBackend:
    """A backend whose next creates of packs fail so many times."""
    backend = FailingBackend()
    left = times

    def fault(name: str, written: bool) -> None:
        nonlocal left
        if name.startswith("packs/") and not written and left:
            left -= 1
            raise StorageFull("no space left on the disk", backend.url)

    backend.fault = fault
    return backend


async def test_pack_is_written_anew_once(index: DictIndex, executor: Executor) -> None:
    """One failed write is made good from memory, and nobody notices."""
    repository = new_repository(full_disk(1))
    writer = Writer(repository, index, executor)
    part = await writer.put("mailbox:a", "message", "mime", content(1, 5000))
    index.take(await writer.flush())
    assert Reader(repository, index).read_all(part) == content(1, 5000)


async def test_second_failure_ends_the_writer(index: DictIndex, executor: Executor) -> None:
    """Flush and all later calls raise StorageFull, and no pack is handed over."""
    backend = full_disk(2)
    writer = Writer(new_repository(backend), index, executor, pack_bytes=1 << 20)
    await writer.put("mailbox:a", "message", "mime", content(1, 5000))
    with pytest.raises(StorageFull):
        await writer.flush()
    with pytest.raises(StorageFull):
        await writer.put("mailbox:a", "message", "mime", content(1, 5000))
    with pytest.raises(StorageFull):
        await writer.put("drive:a", "file", "file", content(2, 4_000_000))
    with pytest.raises(StorageFull):
        await writer.flush()
    assert not list(backend.list("packs/"))


async def test_failed_flush_leaves_nothing_being_written(index: DictIndex, executor: Executor) -> None:
    """With a bundle open and a second pack on its way to the disk, the error comes when that one has ended."""
    backend = full_disk(2)
    fail = backend.fault
    all_put, begun, go_on = threading.Event(), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    ended: list[str] = []

    def fault(name: str, written: bool) -> None:
        all_put.wait(30)
        fail(name, written)
        if written:
            ended.append(name)
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(30)

    writer = Writer(new_repository(backend), index, executor, pack_bytes=2 << 20)
    backend.fault = fault
    for number in range(20):
        await writer.put("drive:a", "file", "file", content(number, 250_000))
    await writer.put("mailbox:a", "message", "mime", b"mail")
    all_put.set()
    await asyncio.wait_for(begun.wait(), timeout=30)
    for _ in range(20):
        await asyncio.sleep(0)
    flush = asyncio.create_task(writer.flush())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not flush.done()
    go_on.set()
    with pytest.raises(StorageFull):
        await flush
    assert ended


async def test_failure_wakes_puts_that_wait_for_room(index: DictIndex, executor: Executor) -> None:
    """Streams far larger than what may be in flight end with the error instead of waiting for ever."""
    backend = full_disk(1000)
    writer = Writer(new_repository(backend), index, executor, pack_bytes=1 << 20)
    puts = [writer.put("drive:a", "file", "file", content(number, 12_000_000)) for number in range(6)]
    outcomes = await asyncio.wait_for(asyncio.gather(*puts, return_exceptions=True), timeout=60)
    with pytest.raises(StorageFull):
        await writer.flush()
    assert any(isinstance(outcome, StorageFull) for outcome in outcomes)


async def test_closed_writer_ends_its_thread(writer: Writer) -> None:
    """After close a flush with content is refused."""
    await writer.put("mailbox:a", "message", "mime", b"mail")
    writer.close()
    with pytest.raises(RuntimeError):
        await writer.flush()
