"""A copy of the repository's folder, taken at any moment while backups run, can be adopted."""

import asyncio
import random
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.rig import SECRET, make_home
from tests.store.doubles import DictIndex, body, version
from tuiback.catalog import CatalogReader
from tuiback.engine.adoption import Shortfall, adopt
from tuiback.engine.archive import open_repository
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import Home, RepositoryRef
from tuiback.model import CommitHead
from tuiback.store import Reader, Repository, Writer, open_backend

COPIES = 50
LIMIT_SECONDS = 30
MOST_COMMITS = 400
# Packs first is the worst order: their commits are copied when their packs were not there yet.
ORDERS = (("commits", "config", "config.2", "keys", "packs"), ("packs", "keys", "config.2", "config", "commits"))


class Backup:
    """Commits one new item after the other, as a run does."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.head: CommitHead | None = None
        self.begun = threading.Event()
        self.stopping = threading.Event()
        self.contents: dict[str, bytes] = {}

    def run(self) -> None:
        """Commit until told to stop."""
        with ThreadPoolExecutor(1) as executor:
            asyncio.run(self._commit_all(executor))

    async def _commit_all(self, executor: ThreadPoolExecutor) -> None:
        index = DictIndex()
        writer = Writer(self.repository, index, executor)
        for number in range(MOST_COMMITS):
            if self.stopping.wait(0.005):
                return
            item_id = f"m{number}"
            self.contents[item_id] = random.Random(number).randbytes(5_000)
            part = await writer.put("mailbox:ann", "message", "mime", self.contents[item_id])
            tables = await writer.flush()
            packs = [table.pack_id for table in tables]
            self.head = self.repository.append("nas", self.head, packs, body(version(item_id, part))).head
            index.take(tables)
            writer.committed(tables)
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
    backup = Backup(open_repository(original, SECRET, SystemClock(), to_write=True))
    begun: list[int] = []
    with running(backup):
        for number in range(COPIES):
            assert backup.head is not None
            begun.append(backup.head.number)
            copy(Path(original.url), tmp_path / f"copy{number}", ORDERS[number % 2])
    assert begun[-1] > begun[0]
    for number, committed in enumerate(begun):
        backend = open_backend(str(tmp_path / f"copy{number}"))
        repository = Repository.open(backend, SECRET, clock=SystemClock(), probe=False)
        home, shortfall = adopted(tmp_path / f"home{number}", repository)
        commits = list(repository.commits())
        assert len(commits) >= committed
        assert not set(shortfall.lost_packs) & {pack for commit in commits[:committed] for pack in commit.packs}
        catalog = CatalogReader(home.catalog_path("main"))
        last = commits[committed - 1].body.versions[0]
        assert Reader(repository, catalog).read_all(last.parts[0]) == backup.contents[last.item_id]
        catalog.close()
