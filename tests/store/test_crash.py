"""Whatever is put, flushed, committed or cut short: what was committed can be read, byte for byte."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.store.doubles import FailingBackend, MemoryBackend, body, new_repository, rebuilt_index, reopen, version
from tests.store.test_writer import content
from tuiback.errors import StorageFull
from tuiback.model import CommitHead, StoredPart
from tuiback.store import Reader, Repository, Writer
from tuiback.store.check import check

SIZES = st.sampled_from([0, 1, 900, 11_000, 11_001, 128 * 1024, 200_000, 2_500_000])


class Killed(BaseException):
    """The process ends here."""


class Fault:
    """What a FailingBackend asks: kills the process at one of its chances, or lets the disk be full for a while."""

    def __init__(self, kill_at: int | None = None, full_times: int = 0) -> None:
        self._kill_at = kill_at
        self._full_times = full_times
        self._lock = threading.Lock()

    def __call__(self, name: str, written: bool) -> None:
        with self._lock:
            if self._full_times and not written:
                self._full_times -= 1
                raise StorageFull("no space left")
            if self._kill_at is not None:
                self._kill_at -= 1
                # A dead process writes nothing more, on none of its threads.
                if self._kill_at < 0:
                    raise Killed


class StoreMachine(RuleBasedStateMachine):
    """Plays the engine: puts, commits, and dies at any write; after each death opens the repository anew."""

    @initialize()
    def start(self) -> None:
        """An empty repository and an engine."""
        self.objects: dict[str, bytes] = {}
        self.repository = new_repository(MemoryBackend(self.objects))
        self.executor = ThreadPoolExecutor(2)
        self.runner = asyncio.Runner()
        self.items = 0
        self.committed: list[tuple[StoredPart, bytes]] = []
        self.restart()

    def restart(self) -> None:
        """What a new process does: open, replay the commits, begin a new writer."""
        self.backend = FailingBackend(self.objects)
        self.repository = reopen(self.repository, self.backend)
        self.index = rebuilt_index(self.repository)
        heads = self.repository.heads()
        self.head: CommitHead | None = heads[0] if heads else None
        self.writer = Writer(self.repository, self.index, self.executor, pack_bytes=400_000)
        self.put: list[tuple[StoredPart, bytes]] = []

    @rule(seeds=st.lists(st.tuples(st.integers(0, 12), SIZES), min_size=1, max_size=6), account=st.integers(0, 2))
    def put_parts(self, seeds: list[tuple[int, int]], account: int) -> None:
        """Several parts at once, some of them equal."""
        blocks = [content(seed, size) for seed, size in seeds]

        async def put_all() -> list[StoredPart]:
            puts = [self.writer.put(f"mailbox:{account}", "message", "mime", block) for block in blocks]
            return await asyncio.gather(*puts)

        self.put += zip(self.runner.run(put_all()), blocks, strict=True)

    @rule()
    def commit(self) -> None:
        """Flush, append, apply: the engine's group commit."""
        self._commit()

    @rule(chances=st.integers(0, 4))
    def die_in_commit(self, chances: int) -> None:
        """The process is killed before or after one of the commit's writes."""
        self.backend.fault = Fault(kill_at=chances)
        with contextlib.suppress(Killed):
            self._commit()
        self.restart()

    @rule(times=st.integers(1, 3))
    def disk_fails(self, times: int) -> None:
        """One failed write of a pack is made good; more end the writer without half a commit."""
        self.backend.fault = Fault(full_times=times)
        try:
            self._commit()
        except StorageFull:
            self.restart()
        self.backend.fault = Fault()

    @invariant()
    def what_was_committed_reads_back(self) -> None:
        """Through the live index, byte for byte."""
        reader = Reader(self.repository, self.index)
        assert all(reader.read_all(part) == block for part, block in self.committed[-12:])

    def teardown(self) -> None:
        """At the end the repository is whole, and a stranger reads everything from it."""
        stranger = reopen(self.repository)
        assert check(stranger, read_data=True).damaged == ()
        reader = Reader(stranger, rebuilt_index(stranger))
        assert all(reader.read_all(part) == block for part, block in self.committed)
        assert rebuilt_index(stranger).locations.keys() == self.index.locations.keys()
        self.runner.close()
        self.executor.shutdown()

    def _commit(self) -> None:
        batch, self.put = self.put, []
        tables = self.runner.run(self.writer.flush())
        versions = [version(f"m{self.items + number}", part) for number, (part, _) in enumerate(batch)]
        self.items += len(batch)
        before = set(self.repository.heads())
        try:
            packs = [table.pack_id for table in tables]
            commit = self.repository.append("nas", self.head, packs, body(*versions))
        finally:
            # The commit object decides, however the call ended.
            if set(self.repository.heads()) != before:
                self.committed += batch
        self.head = commit.head
        self.index.take(tables)
        self.writer.committed(tables)


StoreMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestStore = pytest.mark.timeout(120)(StoreMachine.TestCase)


async def store_and_commit(repository: Repository, executor: ThreadPoolExecutor) -> list[StoredPart]:
    """Three mails in three packs and the commit that names them."""
    writer = Writer(repository, rebuilt_index(repository), executor, pack_bytes=100_000)
    parts = [await writer.put(f"mailbox:{number}", "message", "mime", content(number, 120_000)) for number in range(3)]
    packs = [table.pack_id for table in await writer.flush()]
    repository.append("nas", next(iter(repository.heads()), None), packs, body(version("f", *parts)))
    return parts


async def test_dying_before_or_after_each_write_of_a_commit(executor: ThreadPoolExecutor) -> None:
    """At every point of a commit with three packs: all of it is there or nothing, and the next one goes on."""
    found = []
    for moment in range(8):
        objects: dict[str, bytes] = {}
        repository = new_repository(MemoryBackend(objects))
        dying = FailingBackend(objects)
        dying.fault = Fault(kill_at=moment)
        with pytest.raises(Killed):
            await store_and_commit(reopen(repository, dying), executor)
        found.append((len(list(repository.backend.list("packs/"))), len(repository.heads())))
        parts = await store_and_commit(repository, executor)
        reader = Reader(repository, rebuilt_index(repository))
        assert [reader.read_all(part) for part in parts] == [content(number, 120_000) for number in range(3)]
        assert check(repository, read_data=True).ok
    assert found == [(0, 0), (1, 0), (1, 0), (2, 0), (2, 0), (3, 0), (3, 0), (3, 1)]
