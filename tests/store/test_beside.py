"""A process beside this one stores batches like the writer alone, and when it dies nothing is lost and none is left."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Never

import psutil
import pytest

from tests.store.doubles import DictIndex, FailingBackend, new_repository
from tests.store.mails import attachment, multipart, plain
from tuiback.errors import EnvironmentFault, StorageFull
from tuiback.model import StoredPart
from tuiback.store import Depth, Reader, Repository, Writer, beside, lane, side_process
from tuiback.store.beside import Beside
from tuiback.store.bundles import Bundles
from tuiback.store.lane import Lane
from tuiback.store.pack_checks import look_at
from tuiback.store.packer import Packer
from tuiback.store.placing import Placer
from tuiback.store.savings import SavingsTally

_DEADLINE_SECONDS = 20.0


def is_helper(process: psutil.Process) -> bool:
    """Whether it is a lane's and at work: it may end at any moment, also while it is looked at."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return any("lane_process" in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def helpers() -> list[psutil.Process]:
    """The processes of lanes that are at work for this one."""
    return [child for child in psutil.Process().children() if is_helper(child)]


async def until(condition: Callable[[], bool]) -> None:
    """Return when it holds."""
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - nothing tells of a process that ends
            await asyncio.sleep(0.002)


def mails(first: int, count: int) -> list[bytes]:
    """Mails whose attachment every second one shares with the one before."""
    return [
        multipart(plain(b"Number %d" % number), attachment((number // 2).to_bytes(4, "big") * 1000))
        for number in range(first, first + count)
    ]


class Side:
    """A Beside with what it works for, on a repository in memory."""

    def __init__(self, repository: Repository, executor: Executor) -> None:
        self.repository = repository
        self.index = DictIndex()
        self.packer = Packer(repository, executor, pack_bytes=1 << 20)
        self.tally = SavingsTally()
        self.placer = Placer(self.index, self.packer, Bundles(self.packer))
        self.beside = Beside(repository.keys, self.placer, self.packer, self.tally, executor, begin_after=100)

    async def start(self) -> psutil.Process:
        """The process, once it waits for orders."""
        self.beside.miss(99)
        assert not self.beside.has_room
        self.beside.miss(1)
        await until(lambda: self.beside.has_room)
        (helper,) = helpers()
        return helper

    async def read_back(self, parts: Sequence[StoredPart]) -> list[bytes]:
        """What a flush made durable, from packs in which nothing is wrong."""
        tables = await self.packer.flush()
        self.index.take(tables)
        self.placer.committed(tables)
        for table in tables:
            assert look_at(self.repository.objects, table.pack_id, Depth.READ).flaws == ()
            assert self.repository.pack_table(table.pack_id) == table
        reader = Reader(self.repository, self.index)
        return [reader.read_all(part) for part in parts]

    def close(self) -> None:
        """Let go of everything."""
        self.beside.close()
        self.packer.close()


@pytest.fixture
async def side(repository: Repository, executor: Executor) -> AsyncIterator[Side]:
    """One whose process is started when a test wants it, and is gone afterwards."""
    made = Side(repository, executor)
    yield made
    made.close()
    await until(lambda: not helpers())


async def test_batches_are_stored_as_the_writer_stores_them(side: Side, executor: Executor) -> None:
    """Many at once, with shared attachments, long and empty parts: the same parts and savings, packs without a flaw."""
    await side.start()
    batches = [mails(40 * number, 60) for number in range(8)] + [[b"", os.urandom(300_000), b"short", b"short"]]
    stored = await asyncio.gather(*(side.beside.put("mime", batch) for batch in batches))
    contents = [data for batch in batches for data in batch]
    parts = [part for batch in stored for part in batch]
    assert await side.read_back(parts) == contents
    writer = Writer(side.repository, DictIndex(), executor)
    assert parts == await writer.put_all("a", "message", "mime", contents)
    assert side.tally.total(0, 0) == writer.savings
    writer.close()


async def test_what_is_known_is_not_stored_again(side: Side) -> None:
    """Neither what is on its way to the catalog nor what is there; a batch without anything new makes no pack."""
    await side.start()
    first = await side.beside.put("mime", mails(0, 20))
    assert await side.beside.put("mime", mails(0, 20)) == first
    await side.read_back(first)
    # They are forgotten one call later: from now on only the catalog knows them.
    side.placer.committed(())
    assert await side.beside.put("mime", mails(0, 20)) == first
    assert await side.packer.flush() == ()
    assert side.beside._lane is not None
    # Each of them has given back what it worked in.
    assert side.beside._lane.is_idle


@pytest.mark.parametrize("is_cut", [False, True])
async def test_death_of_the_process_loses_nothing(side: Side, is_cut: bool) -> None:
    """What it had to cut or to seal is done here, and no other process is started."""
    helper = await side.start()
    if not is_cut:
        helper.suspend()
    putting = [asyncio.ensure_future(side.beside.put("mime", mails(0, 30)))]
    if is_cut:
        await putting[0]
        helper.suspend()
    putting += [asyncio.ensure_future(side.beside.put("mime", mails(15 * number, 30))) for number in range(1, 4)]
    await asyncio.sleep(0)
    os.kill(helper.pid, signal.SIGKILL)
    parts = [part for batch in await asyncio.gather(*putting) for part in batch]
    assert await side.read_back(parts) == [mail for number in range(4) for mail in mails(15 * number, 30)]
    side.beside.miss(1000)
    assert side.beside._starting is None
    await until(lambda: not helpers())
    assert not side.beside.has_room


async def test_death_between_cutting_and_sealing_loses_nothing(side: Side) -> None:
    """The batch is cut again, and its records take the slots that were kept for them."""
    helper = await side.start()
    parts = await side.beside.put("mime", mails(0, 30))
    # The order to seal is given when this test waits for the first time.
    os.kill(helper.pid, signal.SIGKILL)
    assert await side.read_back(parts) == mails(0, 30)


@pytest.mark.parametrize("is_cut", [False, True])
async def test_process_that_does_not_answer_is_ended(
    side: Side, is_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by somebody it keeps nobody waiting: what it had to cut or to seal is done here."""
    helper = await side.start()
    first = [await side.beside.put("mime", mails(0, 30))] if is_cut else []
    helper.suspend()
    monkeypatch.setattr(lane, "_ANSWER_SECONDS", 0.05)
    # Not only because the lane was closed.
    monkeypatch.setattr(side_process, "_ENDING_SECONDS", 3 * _DEADLINE_SECONDS)
    async with asyncio.timeout(_DEADLINE_SECONDS):
        more = await asyncio.gather(*(side.beside.put("mime", mails(30 * number, 30)) for number in range(1, 4)))
        parts = [part for batch in (*first, *more) for part in batch]
        assert await side.read_back(parts) == mails(0 if is_cut else 30, len(parts))
    await until(lambda: not is_helper(helper))
    assert not side.beside.has_room


async def test_no_order_goes_astray_when_the_process_is_let_go(side: Side, tmp_path: Path) -> None:
    """As when another batch has found it dead: the number of its connection is soon that of another file."""
    await side.start()
    parts = await side.beside.put("mime", mails(0, 30))
    lane_at_work = side.beside._lane
    assert lane_at_work is not None
    side.beside._lose(lane_at_work)
    # Behind that the connection is closed.
    lane_at_work._thread.shutdown()
    with ExitStack() as stack:
        files = [stack.enter_context((tmp_path / f"{number}").open("wb")) for number in range(8)]
        assert await side.read_back(parts) == mails(0, 30)
        assert [file.seek(0, os.SEEK_END) for file in files] == [0] * 8
    assert not side.beside.has_room


async def test_what_can_not_be_sealed_is_told_to_who_flushes(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does a flush wait for it for ever, nor is a pack written without it."""

    async def fail(*_: object) -> Never:
        raise MemoryError("nothing left")

    await side.start()
    monkeypatch.setattr(Lane, "seal", fail)
    await side.beside.put("mime", mails(0, 20))
    async with asyncio.timeout(_DEADLINE_SECONDS):
        with pytest.raises(MemoryError):
            await side.packer.flush()


async def test_process_ends_when_nothing_is_to_do(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps no memory for nothing, and is there again for the next many."""
    monkeypatch.setattr(beside, "_KEPT_SECONDS", 0.01)
    side.beside.miss(100)
    await until(lambda: bool(helpers()))
    await until(lambda: not helpers())
    assert not side.beside.has_room
    monkeypatch.undo()
    await side.start()


async def test_full_disk_is_told_to_all(executor: Executor) -> None:
    """The flush and every later put raise what the write failed with."""
    backend = FailingBackend()
    side = Side(new_repository(backend), executor)

    def fault(name: str, _written: bool) -> None:
        if name.startswith("packs/"):
            raise StorageFull("no space left on the disk", backend.url)

    backend.fault = fault
    await side.start()
    await side.beside.put("mime", mails(0, 20))
    with pytest.raises(StorageFull):
        await side.packer.flush()
    with pytest.raises(StorageFull):
        await side.beside.put("mime", mails(50, 20))
    assert side.beside.has_room
    side.close()
    await until(lambda: not helpers())


def test_process_leaves_with_the_one_that_started_it() -> None:
    """Killed at once, the other one leaves no orphan, whatever that was doing."""
    code = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from tests.store.doubles import new_repository
from tests.store.test_beside import Side, mails
async def main():
    side = Side(new_repository(), ThreadPoolExecutor(1))
    print((await side.start()).pid, flush=True)
    while True:
        await side.beside.put("mime", mails(0, 60))
asyncio.run(main())
"""
    with Popen([sys.executable, "-c", code], stdout=PIPE, text=True) as starter:
        assert starter.stdout is not None
        helper = psutil.Process(int(starter.stdout.readline()))
        assert is_helper(helper)
        starter.kill()
    asyncio.run(until(lambda: not is_helper(helper)))


async def test_writer_lets_it_help(
    repository: Repository, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many mails that come at once go there too, all come back, and the process ends with the writer."""
    helped = 0
    put = Beside.put

    def counted(self: Beside, name: str, contents: Sequence[bytes]) -> Awaitable[list[StoredPart]]:
        nonlocal helped
        helped += len(contents)
        return put(self, name, contents)

    monkeypatch.setattr(Beside, "put", counted)
    index = DictIndex()
    writer = Writer(repository, index, executor, beside_after=1)
    parts: list[StoredPart] = []
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while helped < 200:
            several, *others = await asyncio.gather(
                writer.put_all("a", "message", "mime", mails(len(parts), 400)),
                *(writer.put_all("a", "event", name, mails(len(parts), 20)) for name in ("mime", "properties") * 2),
            )
            parts += several
            # What waits together and belongs to others is not taken for the same.
            assert [{part.name for part in other} for other in others] == [{"mime"}, {"properties"}] * 2
    index.take(await writer.flush())
    reader = Reader(repository, index)
    assert [reader.read_all(part) for part in parts] == mails(0, 400 * (len(parts) // 400))
    writer.close()
    await until(lambda: not helpers())


def _refuse_process(*_: object) -> None:
    raise EnvironmentFault("a process can't be started", "lane")


def _refuse_memory(*_: object) -> int:
    raise OSError(errno.ENOMEM, "no memory to share")


class _Threadless(ThreadPoolExecutor):
    def submit(self, *_: object, **__: object) -> Never:
        raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("place", "name", "refuse"),
    [
        (lane, "SideProcess", _refuse_process),
        (os, "memfd_create", _refuse_memory),
        (lane, "ThreadPoolExecutor", _Threadless),
    ],
)
async def test_writer_does_without_where_there_can_be_none(
    repository: Repository,
    executor: Executor,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
    refuse: Callable[..., object],
) -> None:
    """Without a process, memory to share or a thread to wait with all is done here, and it is tried once only."""
    monkeypatch.setattr(place, name, refuse)
    begun: list[Lane] = []
    start = Lane.start

    async def counted(self: Lane) -> None:
        begun.append(self)
        await start(self)

    monkeypatch.setattr(Lane, "start", counted)
    index = DictIndex()
    writer = Writer(repository, index, executor, beside_after=1)
    parts = await writer.put_all("a", "message", "mime", mails(0, 400))
    await until(lambda: bool(begun))
    parts += await writer.put_all("a", "message", "mime", mails(400, 400))
    index.take(await writer.flush())
    reader = Reader(repository, index)
    assert [reader.read_all(part) for part in parts] == mails(0, 800)
    writer.close()
    assert len(begun) == 1
