"""Run by hand, never collected: python -m tests.catalog.benchmarks.items_bench FOLDER [ITEMS] [RUNS].

Makes two homes, whose repositories hold 100,000 and ITEMS (10,000,000 unless given) versions with a chunk each, both
in 500 mailboxes. Then the same 20,000 mails arrive in each, by the way that all items take into the repository and the
catalog: once with everything in the system's cache and once without, first all in one mailbox and then some in each.
Every twentieth holds what is stored already. Prints what an item costs of the processor and of the clock, by RUNS (3)
runs of each. Repositories that are there already are only measured; they grow by the mails. Needs 25 GB of disk.
"""

import asyncio
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec

from tests.catalog.benchmarks.measuring import dropped, say
from tests.catalog.benchmarks.rebuild_bench import make, stored_content
from tests.store.doubles import PASSPHRASE
from tuiback.catalog import Catalog
from tuiback.catalog.chunks import MERGE_AT
from tuiback.engine.archives.archive import Archive
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import MAIN, Home, RepositoryRef
from tuiback.model import ChunkEntry, Kind, Outcome, PackTable, SnapshotRow, VersionOpened
from tuiback.store import Repository, open_backend

_FEW = 100_000
_ACCOUNTS = 500
_MAILS = 20_000
_PAGE = 1_000
_KNOWN_EVERY = 20
_PACK_CHUNKS = 2_000
_STATES = ("warm", "cold")
_SHAPES = ("one mailbox", "all mailboxes")


def prepare(home_path: Path, items: int) -> None:
    """The home with its repository and catalog, where as many new chunks wait as ever do before some are merged."""
    url = str(home_path / "repository")
    make(url, items, items // 10, items // _ACCOUNTS)
    repository = Repository.open(open_backend(url), PASSPHRASE, clock=SystemClock())
    home = Home.create(home_path)
    folder = home.default_catalog_folder(MAIN)
    folder.mkdir(parents=True)
    home.add_repository(
        RepositoryRef(name=MAIN, url=url, repository_id=repository.repository_id, catalog=str(folder))
    )
    path = home.catalog_path(MAIN)
    rebuild_catalog(path, repository)
    catalog, chance = Catalog.open(path), random.Random(1)
    for number in range(min(items, MERGE_AT) // _PACK_CHUNKS):
        entries = tuple(ChunkEntry(chance.randbytes(32), slot, slot * 100, 100, 0, 80) for slot in range(_PACK_CHUNKS))
        catalog.put_packs([PackTable(f"{number:064x}", 100 * _PACK_CHUNKS, entries)])
    catalog.close()


@dataclass(frozen=True, slots=True)
class Page:
    """Mails of one account, made before the clock runs."""

    account_id: str
    rows: Sequence[VersionOpened]
    contents: Sequence[bytes]


def pages(archive: Archive, items: int, shape: str, salt: str) -> list[Page]:
    """The mails of one run: `salt` makes them others than those of the runs before."""
    chance = random.Random(salt)
    accounts = [f"mailbox:{number * (items // _ACCOUNTS):010}" for number in range(_ACCOUNTS)]
    chosen = accounts[7:8] if shape == _SHAPES[0] else accounts
    size = min(_PAGE, _MAILS // len(chosen))
    made: list[Page] = []
    for account_id in chosen * (_MAILS // len(chosen) // size):
        folders = [container.container_id for container in archive.reader.containers(account_id)]
        seq = archive.reader.last_seq(account_id) + 1
        rows = [_row(account_id, seq, f"{len(made):04}{n:05}", _folder(folders, chance), chance) for n in range(size)]
        made.append(Page(account_id, rows, list(_contents(items, size, salt, chance))))
    return made


def _folder(folders: Sequence[str], chance: random.Random) -> str:
    # As those of older mails: a quarter goes into the first one.
    return folders[int(chance.random() ** 3 * len(folders))]


def _row(account_id: str, seq: int, number: str, folder: str, chance: random.Random) -> VersionOpened:
    # As of a mail that has just come: its id and date stand behind all others of its mailbox, its subject anywhere.
    item_id = f"AAMkAGI2TAAA{1:09}{seq:0102}{number}"
    name = f"subject {chance.getrandbits(48):012x} of a message"
    modified = datetime.now(UTC).isoformat()
    return VersionOpened(
        account_id, seq, item_id, folder, Kind.MESSAGE, folder, name, 2000, modified, 'W/"CQAAABYAAAC"', "", (),
        (("from", "Someone <someone@contoso.example>"),),
    )  # fmt: skip


def _contents(items: int, count: int, salt: str, chance: random.Random) -> Iterator[bytes]:
    for number in range(count):
        if number % _KNOWN_EVERY == 0:
            yield stored_content(chance.randrange(items))
        else:
            words = " ".join(f"{chance.getrandbits(30):x}" for _ in range(200))
            yield f"From: <a@b.example>\r\nSubject: {salt}\r\n\r\n{words}\r\n".encode()


async def store(archive: Archive, mails: Sequence[Page]) -> None:
    """Returns when everything is committed."""
    committer, now = archive.committer, datetime.now(UTC)
    for page in mails:
        seq = page.rows[0].seq
        committer.stage_snapshot(SnapshotRow(page.account_id, seq, seq, now))
        ids = [row.item_id for row in page.rows]
        assert not await asyncio.to_thread(archive.reader.known, page.account_id, ids)
        parts = await archive.writer.put_all(page.account_id, Kind.MESSAGE, "mime", page.contents)
        for row, part in zip(page.rows, parts, strict=True):
            committer.stage_version(msgspec.structs.replace(row, parts=(part,)))
        committer.stage_snapshot(SnapshotRow(page.account_id, seq, seq, now, now, Outcome.OK, now))
    await committer.commit()


def _warm_or_cold(paths: Iterable[Path], state: str) -> None:
    for path in paths:
        if state == "cold":
            dropped(path)
            continue
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


async def arrive(home: Home, items: int, state: str, shape: str, salt: str) -> None:
    """One run in this process; prints the microseconds of the processor and of the clock that an item took."""
    archive = await Archive.open(home, home.repository(MAIN), PASSPHRASE, SystemClock(), lambda _, line: say(line))
    mails = pages(archive, items, shape, salt)
    _warm_or_cold([home.catalog_path(MAIN)], state)
    used, started = time.process_time(), time.perf_counter()
    await store(archive, mails)
    used, passed = time.process_time() - used, time.perf_counter() - started
    await archive.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{used / _MAILS * 1e6} {passed / _MAILS * 1e6} {peak}")


def measure(folder: Path, sizes: Sequence[int], runs: int) -> None:
    """Turn by turn, so that what else the machine does meets both."""
    for shape in _SHAPES:
        for state in _STATES:
            took: dict[int, list[tuple[float, ...]]] = {size: [] for size in sizes}
            for number in range(runs):
                for size in sizes:
                    salt = f"{shape} {state} {number} {time.time_ns()}"
                    arguments = [str(folder), str(size), "arrive", state, shape, salt]
                    command = [sys.executable, "-m", __spec__.name, *arguments]
                    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
                    took[size].append(tuple(map(float, line.split())))
            few, many = ([median(column) for column in zip(*took[size], strict=True)] for size in sizes)
            for size, (used, passed, peak) in zip(sizes, (few, many), strict=True):
                say(f"{shape:14} {state}, {size:>10,}: processor {used:6.1f} us, {passed:6.1f} us, {peak:.0f} MiB")
            say(f"{shape:14} {state}: {many[0] / few[0]:.2f} x the processor, {many[1] / few[1]:.2f} x the time")


def main() -> None:
    """Make what is missing, then measure in processes of their own."""
    folder, items = Path(sys.argv[1]), int((sys.argv[2:3] or ["10000000"])[0])
    if sys.argv[3:4] == ["arrive"]:
        asyncio.run(arrive(Home.open(folder / str(items)), items, *sys.argv[4:]))
        return
    sizes = (_FEW, items)
    for size in sizes:
        if not (folder / str(size) / "home.json").exists():
            prepare(folder / str(size), size)
    measure(folder, sizes, int((sys.argv[3:4] or ["3"])[0]))


if __name__ == "__main__":
    main()
