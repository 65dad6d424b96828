"""A copy of the repository's folder, taken at any moment while backups run, can be adopted."""

import asyncio
import random
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.rig import SECRET, make_home
from tests.store.doubles import DictIndex, body, version
from tuiback.catalog import Catalog, CatalogReader
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.archives.checkpointing import make_checkpoint
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home, RepositoryRef
from tuiback.engine.upkeep.adoption import Shortfall, adopt
from tuiback.model import CommitHead, StoredPart
from tuiback.store import Reader, Repository, Writer, open_backend
from tuiback.store.batch import BATCH_PARTS

COPIES = 50
LIMIT_SECONDS = 30
MOST_COMMITS = 400
# Packs first is the worst order: their commits are copied when their packs were not there yet.
# Likewise with checkpoints and their segments.
ORDERS = (
    ("commits", "config", "config.2", "keys", "segments", "packs"),
    ("packs", "segments", "keys", "config.2", "config", "commits"),
)
COMMITS_A_CHECKPOINT = 7
# More than a batch: some of them are stored by the process beside this one.
TOGETHER = BATCH_PARTS + 40


@dataclass(frozen=True)
class Done:
    """An item whose commit is durable."""

    item_id: str
    part: StoredPart
    packs: tuple[str, ...]
    content: bytes


class Backup:
    """Commits one new item and one of many others after the other, as a run does, and a checkpoint now and then."""

    def __init__(self, repository: Repository, catalog: Catalog) -> None:
        self.repository = repository
        self.catalog = catalog
        self.begun = threading.Event()
        self.stopping = threading.Event()
        self.done: list[Done] = []

    def run(self) -> None:
        """Commit until told to stop."""
        with ThreadPoolExecutor(1) as executor:
            asyncio.run(self._commit_all(executor))

    async def _commit_all(self, executor: ThreadPoolExecutor) -> None:
        index = DictIndex()
        with closing(Writer(self.repository, index, executor, beside_after=1)) as writer:
            await self._commit_with(writer, index)

    async def _commit_with(self, writer: Writer, index: DictIndex) -> None:
        head: CommitHead | None = None
        for number in range(MOST_COMMITS):
            if self.stopping.wait(0.005):
                return
            item_id, content = f"m{number}", random.Random(number).randbytes(5_000)
            part = await writer.put("mailbox:ann", "message", "mime", content)
            others = [b"other %d of %d" % (other, number) * 20 for other in range(TOGETHER)]
            last = (await writer.put_all("mailbox:ann", "message", "mime", others))[-1]
            tables = await writer.flush()
            packs = tuple(table.pack_id for table in tables)
            rows = body(version(item_id, part), version(f"o{number}", last))
            commit = self.repository.append("nas", head, packs, rows)
            self.done += [Done(item_id, part, packs, content), Done(f"o{number}", last, packs, others[-1])]
            self.catalog.apply(commit, tables)
            index.take(tables)
            writer.committed(tables)
            head = commit.head
            if number % COMMITS_A_CHECKPOINT == 0:
                checkpoint = make_checkpoint(self.repository, self.catalog, writer_id="nas", clock=SystemClock())
                head = checkpoint.head if checkpoint else head
            self.begun.set()

@contextmanager
def running(backup: Backup) -> Iterator[None]:
    """The backup on a thread of its own, with at least one commit made."""
    thread = threading.Thread(target=backup.run)
    thread.start()
    try:
        assert backup.begun.wait(LIMIT_SECONDS)
        yield
    finally:
        backup.stopping.set()
        thread.join()


def copy(source: Path, target: Path, order: tuple[str, ...]) -> None:
    """Copy as cp does; a temporary file that vanished meanwhile is its only complaint, so that folder is left out."""
    target.mkdir()
    for name in order:
        subprocess.run(["cp", "-r", str(source / name), str(target)], check=True)


def adopted(path: Path, repository: Repository) -> tuple[Home, Shortfall]:
    """A new home with the copy."""
    home = Home.create(path)
    ref = RepositoryRef(
        name="main", url=repository.url, repository_id=repository.repository_id,
        catalog=str(home.default_catalog_folder("main")),
    )  # fmt: skip
    return home, adopt(home, ref, repository, SystemClock())


@pytest.mark.timeout(120)
def test_copies_at_random_moments_are_adoptable(tmp_path: Path) -> None:
    """Whatever was committed before a copy began is in it whole; only what came after may be missing, and is told."""
    original = make_home(tmp_path).repository("main")
    catalog = Catalog.create(tmp_path / "catalog.db", original.repository_id)
    backup = Backup(open_repository(original, SECRET, SystemClock(), to_write=True), catalog)
    begun: list[int] = []
    with running(backup):
        for number in range(COPIES):
            begun.append(len(backup.done))
            copy(Path(original.url), tmp_path / f"copy{number}", ORDERS[number % 2])
    catalog.close()
    assert begun[-1] > begun[0]
    assert backup.repository.newest_checkpoint() is not None
    for number, committed in enumerate(begun):
        backend = open_backend(str(tmp_path / f"copy{number}"))
        repository = Repository.open(backend, SECRET, clock=SystemClock(), probe=False)
        home, shortfall = adopted(tmp_path / f"home{number}", repository)
        before = backup.done[:committed]
        assert not set(shortfall.lost_packs) & {pack for done in before for pack in done.packs}
        reader = CatalogReader(home.catalog_path("main"))
        known = reader.known("mailbox:ann", [done.item_id for done in before])
        assert {item_id: each.parts for item_id, each in known.items()} == {
            done.item_id: (done.part,) for done in before
        }
        for done in before[-2:]:
            assert Reader(repository, reader).read_all(done.part) == done.content
        reader.close()
