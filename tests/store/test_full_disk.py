"""A really full disk: what was committed stays, the error says what to do, and space brings everything back."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.doubles import DictIndex, body, new_repository, rebuilt_index, version
from tests.store.test_writer import content
from tuiback.errors import StorageFull
from tuiback.model import StoredPart
from tuiback.store import Reader, Repository, Writer, open_backend
from tuiback.store.check import check

ROOT = Path(__file__).parents[2]
DISK_MIB = 12


def play(disk: Path) -> None:
    """Commit 4 MiB, run full with 16 MiB more, make room, and go on; the same with a process beside.

    Runs in a process of its own.
    """
    with ThreadPoolExecutor(2) as executor:
        asyncio.run(_play(disk, executor))
        asyncio.run(_play_beside(disk, executor))


async def _play(disk: Path, executor: ThreadPoolExecutor) -> None:
    repository = new_repository(open_backend(str(disk / "repository")))
    first = await _put(repository, executor, 4)
    (disk / "other data").write_bytes(bytes(4 << 20))
    with pytest.raises(StorageFull, match="free space"):
        await _put(repository, executor, 16)
    assert list((disk / "repository" / "tmp").iterdir()) == []
    assert _read(repository, first) == [content(0, 1 << 20)]
    assert check(repository, read_data=True).ok
    (disk / "other data").unlink()
    assert await _put(repository, executor, 5)
    assert check(repository, read_data=True).ok


async def _play_beside(disk: Path, executor: ThreadPoolExecutor) -> None:
    repository = new_repository(open_backend(str(disk / "other repository")))
    index = DictIndex()
    writer = Writer(repository, index, executor, pack_bytes=1 << 20, beside_after=1)
    with pytest.raises(StorageFull, match="free space"):
        await _flushed_beside(writer, [content(number, 10_000) for number in range(1200)])
    writer.close()
    assert check(repository, read_data=True).damaged == ()
    shutil.rmtree(disk / "repository")
    with closing(Writer(repository, index, executor, pack_bytes=1 << 20, beside_after=1)) as writer:
        contents = [content(number, 10_000) for number in range(300)]
        parts = await _put_beside(writer, contents)
        tables = await writer.flush()
    repository.append("nas", None, [table.pack_id for table in tables], body(version("f", *parts)))
    assert _read(repository, parts) == contents
    assert check(repository, read_data=True).ok


async def _flushed_beside(writer: Writer, contents: list[bytes]) -> None:
    try:
        await _put_beside(writer, contents)
    finally:
        # Whether or not a put met the full disk: it ends what is still being written.
        await writer.flush()


async def _put_beside(writer: Writer, contents: list[bytes]) -> list[StoredPart]:
    beside = writer._short._beside
    assert beside is not None
    while not beside.has_room:
        await writer.put_all("mailbox:a", "message", "mime", [b"once"] * 200)
    given = 0
    put = beside.put

    def counted(name: str, some: Sequence[bytes]) -> Awaitable[list[StoredPart]]:
        nonlocal given
        given += len(some)
        return put(name, some)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beside, "put", counted)
        try:
            return await writer.put_all("mailbox:a", "message", "mime", contents)
        finally:
            assert given


async def _put(repository: Repository, executor: ThreadPoolExecutor, mebibytes: int) -> list[StoredPart]:
    writer = Writer(repository, rebuilt_index(repository), executor, pack_bytes=1 << 20)
    try:
        parts = [await writer.put("drive:a", "file", "file", content(number, 1 << 20)) for number in range(mebibytes)]
    finally:
        # Whether or not a put met the full disk: it ends what is still being written.
        tables = await writer.flush()
    packs = [table.pack_id for table in tables]
    previous = next(iter(repository.heads()), None)
    repository.append("nas", previous, packs, body(version("f", *parts)))
    return parts[:1]


def _read(repository: Repository, parts: list[StoredPart]) -> list[bytes]:
    index: DictIndex = rebuilt_index(repository)
    reader = Reader(repository, index)
    return [reader.read_all(part) for part in parts]


def test_full_disk(tmp_path: Path) -> None:
    """On a tmpfs of 12 MiB, in a mount namespace that ends with the test."""
    mount = f'mount -t tmpfs -o size={DISK_MIB}m tmpfs "$1"'
    allowed = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", str(tmp_path)], capture_output=True, text=True, check=False
    )
    if allowed.returncode:
        pytest.skip(f"this machine refuses a mount of its own: {allowed.stderr.strip()}")
    code = "import sys, pathlib; from tests.store.test_full_disk import play; play(pathlib.Path(sys.argv[1]))"
    script = f'{mount} && cd "$2" && exec "$3" -c "$4" "$1"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), str(ROOT), sys.executable, code]
    played = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert played.returncode == 0, played.stderr
    assert list(tmp_path.iterdir()) == []
