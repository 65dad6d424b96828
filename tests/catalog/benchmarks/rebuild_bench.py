"""Run by hand, never collected: python -m tests.catalog.benchmarks.rebuild_bench FOLDER [ITEMS] [RUNS].

Makes a repository of ITEMS versions with a chunk each and RUNS runs (1,000,000 and 100,000 unless given), all in one
checkpoint, and prints what making its catalog anew takes: processor time, time, memory and bytes. A repository that is
there already is only measured. Contents are some 60 bytes, so packs are small for what they hold.
"""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.catalog.benchmarks.measuring import say
from tests.store.doubles import PASSPHRASE, FixedClock
from tuiback.engine.archives.rebuilding import rebuild_catalog
from tuiback.model import CommitBody
from tuiback.model.kept import (
    BasePiece,
    KeptAccount,
    KeptContainer,
    KeptPart,
    KeptRun,
    KeptSnapshot,
    KeptVersion,
    encode_piece,
)
from tuiback.store import CheckpointTable, Repository, SegmentWriter, SubjectRefs, open_backend, write_table
from tuiback.store.checkpoint import BASE
from tuiback.store.pack import PackBuilder

_ACCOUNT_ITEMS = 20_000
_PACK_CHUNKS = 8_000
_BUNDLE_CHUNKS = 20
_PIECE_ROWS = 1_700
_SNAPSHOTS = 200
_FOLDERS = 60
_DEAD_SHARE = 0.2
_SCRYPT_N = 2
_TIME = "2026-11-23T06:00:00.123456+00:00"
_COUNTERS = (
    '{"accounts":12,"accounts_failed":0,"items_new":120,"items_changed":3,"items_removed":1,"items_unchanged":0,'
    '"skipped":0,"owed":0,"bytes_read":1000000,"bytes_stored":400000,"requests":300,"throttled":0}'
)


class _Packs:
    """Stores contents as bundles in packs and tells their ids."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.ids: list[str] = []

    def store(self, contents: Iterator[bytes]) -> Iterator[bytes]:
        """The id of each content; durable when all have been asked for."""
        pack, chunks = self._begin(), 0
        bundle: list[tuple[bytes, bytes]] = []
        for content in contents:
            chunk_id = self._repository.keys.chunk_id(content)
            bundle.append((chunk_id, content))
            if len(bundle) == _BUNDLE_CHUNKS:
                slot = pack.reserve()
                record = pack.seal(slot, b"".join(data for _, data in bundle), len(bundle))
                pack.add(slot, record, [(each, len(data)) for each, data in bundle])
                chunks += len(bundle)
                bundle = []
            if chunks >= _PACK_CHUNKS:
                self._end(pack)
                pack, chunks = self._begin(), 0
            yield chunk_id
        self._end(pack)

    def _begin(self) -> PackBuilder:
        return self._repository.new_pack(bytes(16), len(self.ids) + 1)

    def _end(self, pack: PackBuilder) -> None:
        data, table = pack.finish()
        self._repository.store_pack(data, table)
        self.ids.append(table.pack_id)


def stored_content(number: int) -> bytes:
    """What the item of that number holds."""
    return b"%020d %x" % (number, number * 0x9E3779B97F4A7C15 % 2**160)


def _runs(count: int) -> Iterator[BasePiece]:
    for first in range(1, count + 1, _PIECE_ROWS):
        numbers = range(first, min(first + _PIECE_ROWS, count + 1))
        yield BasePiece(runs=[KeptRun(n, "mail", "schedule", _TIME, _TIME, "ok", _COUNTERS) for n in numbers])


def _account(account_id: str, items: int, chunk_ids: Iterator[bytes], chance: random.Random) -> Iterator[BasePiece]:
    folders = sorted(f"AAMkAGI2T{chance.getrandbits(400):0105x}" for _ in range(_FOLDERS))
    yield BasePiece(
        accounts=[KeptAccount("mailbox", "contoso", "mail", account_id, account_id, account_id, "active", None, "")],
        containers=[KeptContainer(folder, "messages", "Folder", "x" * 200, False, True) for folder in folders],
        snapshots=[KeptSnapshot(n, n, _TIME, _TIME, "ok", None, items, items) for n in range(1, _SNAPSHOTS)],
        parents=folders,
    )
    for first in range(0, items, _PIECE_ROWS):
        numbers = range(first, min(first + _PIECE_ROWS, items))
        yield BasePiece(versions=[_version(n, folders, next(chunk_ids), chance) for n in numbers])


def _version(number: int, folders: list[str], chunk_id: bytes, chance: random.Random) -> KeptVersion:
    folder = folders[int(chance.random() ** 3 * _FOLDERS)]
    began = chance.randrange(1, _SNAPSHOTS - 1)
    until = chance.randrange(began + 1, _SNAPSHOTS) if chance.random() < _DEAD_SHARE else None
    part: KeptPart = ("mime", 9000, chunk_id[::-1], chunk_id, "")
    return KeptVersion(
        f"AAMkAGI2TAAA{number:0120}", began, until, until is not None, folder, folder, "message",
        f"subject {chance.getrandbits(48):012x} of a message", 9000,
        f"20{chance.randrange(10, 27)}-{chance.randrange(1, 13):02}-11T08:00:00Z", f'W/"CQAAABYAAAC{number}"', "",
        '{"from":"Someone <someone@contoso.example>"}', [part],
    )  # fmt: skip


def make(url: str, items: int, runs: int, account_items: int = _ACCOUNT_ITEMS) -> None:
    """The repository with everything in one checkpoint, written as the real ones are."""
    repository = Repository.create(open_backend(url), [PASSPHRASE], clock=FixedClock(), scrypt_n=_SCRYPT_N)
    chance = random.Random(7)
    packs = _Packs(repository)
    chunk_ids = packs.store(map(stored_content, range(items)))
    writer = SegmentWriter(repository.objects)
    subjects = ["", *(f"mailbox:{first:010}" for first in range(0, items, account_items))]
    written: list[str] = []
    for place, subject in enumerate(subjects):
        left = min(account_items, items - (place - 1) * account_items)
        for piece in _account(subject, left, chunk_ids, chance) if subject else _runs(runs):
            writer.add(subject, BASE, encode_piece(piece), len(piece.versions))
            written.append(subject)
    for _ in chunk_ids:
        raise AssertionError("every content belongs to an item")
    refs: dict[str, SubjectRefs] = {}
    for subject, ref in zip(written, writer.finish(), strict=True):
        refs[subject] = SubjectRefs((*refs.get(subject, SubjectRefs()).base, ref))
    table = write_table(repository.objects, CheckpointTable((), tuple(packs.ids), refs))
    repository.append("nas", None, [], CommitBody(FixedClock().now()), checkpoint=table)


def measure(url: str, path: Path, items: int) -> None:
    """Make the catalog, and say what it took."""
    repository = Repository.open(open_backend(url), PASSPHRASE, clock=FixedClock(), probe=False)
    begun, worked = time.perf_counter(), time.process_time()
    rebuild_catalog(path, repository)
    worked, passed = time.process_time() - worked, time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(
        f"{items:,} items: {worked:.1f} s of processor time ({worked / items * 1e6:.1f} us an item), {passed:.1f} s,"
        f" {peak:.0f} MiB at most, {path.stat().st_size / 1e6:.0f} MB"
    )


def main() -> None:
    """Make what is missing, then measure in a process of its own."""
    folder = Path(sys.argv[1])
    items, runs = [int(each) for each in sys.argv[2:4]] or (1_000_000, 100_000)
    url = str(folder / "repository")
    if sys.argv[4:] == ["measure"]:
        measure(url, folder / "catalog.db", items)
        return
    if not Path(url).exists():
        worked = time.process_time()
        make(url, items, runs)
        say(f"made in {time.process_time() - worked:.0f} s of processor time")
    subprocess.run([sys.executable, "-m", __spec__.name, str(folder), str(items), str(runs), "measure"], check=True)


if __name__ == "__main__":
    main()
