"""Backs a local folder up on the path that real runs take: `python -m tuiback.cli.benching.own backup HOME FOLDER`.

Every file is an item with a version in the catalog: content goes through the Writer into group commits. With restore
HOME FOLDER SEQ it does what benching.own_restore does.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path

import msgspec

from tuiback.cli.secret import get_secret
from tuiback.engine.archives.archive import Archive
from tuiback.engine.clock import SystemClock
from tuiback.engine.home import MAIN, Home
from tuiback.engine.workers import for_each
from tuiback.model import (
    Account,
    AccountKind,
    Kind,
    Outcome,
    RunRow,
    SnapshotRow,
    StoredPart,
    VersionOpened,
)

_ID = "measured"
_TASK = "bench"
_CONTAINER = "root"
# Of the long files a run has few in work.
_LONG_AT_ONCE = 8
_PIECE_BYTES = 1 << 20
# A longer file comes in pieces, as the network brings it.
_SMALL_BYTES = 256 << 10
_PAGE = 1000
_PAGES_AT_ONCE = 2
_MAIL_SUFFIX = ".eml"
_PART_NAMES = {Kind.MESSAGE: "mime", Kind.FILE: "file"}


class Found(msgspec.Struct, frozen=True, gc=False):
    """A file or folder below the one that is backed up; `parent_id` and `item_id` are paths there.

    `etag` is equal while the file is unchanged.
    """

    parent_id: str
    name: str
    item_id: str
    path: str
    kind: Kind
    size: int
    modified_seconds: float
    etag: str


def find_all(folder: Path) -> Iterator[Found]:
    """Everything below the folder; a folder comes before its content."""
    folders = [(str(folder), "")]
    while folders:
        path, parent_id = folders.pop()
        inner = []
        with os.scandir(path) as scanned:
            entries = sorted(scanned, key=attrgetter("name"))
        for entry in entries:
            name = entry.name
            item_id = f"{parent_id}/{name}" if parent_id else name
            kind, stat = Kind.FILE, entry.stat()
            if entry.is_dir():
                kind = Kind.FOLDER
                inner.append((entry.path, item_id))
            elif name.lower().endswith(_MAIL_SUFFIX):
                kind = Kind.MESSAGE
            size = 0 if kind is Kind.FOLDER else stat.st_size
            yield Found(
                parent_id, name, item_id, entry.path, kind, size, stat.st_mtime, f"{stat.st_mtime_ns}-{size}"
            )  # fmt: skip
        folders += reversed(inner)


class FolderPass:
    """One backup of a folder: new and changed files become versions of one account, under one snapshot."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._long = asyncio.Semaphore(_LONG_AT_ONCE)
        self._seq = archive.reader.last_seq(_ID) + 1

    async def run(self) -> None:
        """Returns when everything is committed. Raises what made that impossible."""
        committer = self._archive.committer
        begun = datetime.now(UTC)
        committer.stage_run(RunRow(self._seq, _TASK, "manual", begun))
        committer.stage_account(Account(_ID, AccountKind.DRIVE, _TASK, _TASK, _ID, _ID, ""))
        committer.stage_snapshot(SnapshotRow(_ID, self._seq, self._seq, begun))
        found = find_all(self._folder)
        # One page is staged while the next one is read.
        await for_each(iter(partial(_page_of, found), []), self._take_page, _PAGES_AT_ONCE)
        ended = datetime.now(UTC)
        committer.stage_snapshot(SnapshotRow(_ID, self._seq, self._seq, begun, ended, Outcome.OK, ended))
        committer.stage_run(RunRow(self._seq, _TASK, "manual", begun, ended, Outcome.OK))
        await committer.commit()

    async def _take_page(self, page: Sequence[Found]) -> None:
        known = await asyncio.to_thread(self._archive.reader.known, _ID, [found.item_id for found in page])
        small: dict[Kind, list[Found]] = defaultdict(list)
        async with asyncio.TaskGroup() as group:
            for found in page:
                if found.item_id in known and known[found.item_id].etag == found.etag:
                    continue
                if found.kind is Kind.FOLDER:
                    self._stage(found, ())
                elif found.size <= _SMALL_BYTES:
                    small[found.kind].append(found)
                else:
                    group.create_task(self._put_long(found))
            # Reading while others are identified would have the threads wait for each other at every system call.
            for kind, files in small.items():
                contents = map(_content, files)
                parts = await self._archive.writer.put_all(_ID, kind, _PART_NAMES[kind], contents)
                for found, part in zip(files, parts, strict=True):
                    self._stage(found, (part,))

    async def _put_long(self, found: Found) -> None:
        async with self._long:
            part = await self._archive.writer.put(_ID, found.kind, _PART_NAMES[found.kind], _pieces(found.path))
        self._stage(found, (part,))

    def _stage(self, found: Found, parts: tuple[StoredPart, ...]) -> None:
        self._archive.committer.stage_version(self._version(found, parts))

    def _version(self, found: Found, parts: tuple[StoredPart, ...]) -> VersionOpened:
        modified = datetime.fromtimestamp(found.modified_seconds, UTC).isoformat()
        attrs = (("subject", found.name),) if found.kind is Kind.MESSAGE else ()
        return VersionOpened(
            _ID, self._seq, found.item_id, _CONTAINER, found.kind, found.parent_id, found.name, found.size, modified,
            found.etag, "", parts, attrs,
        )  # fmt: skip


def _page_of(found: Iterator[Found]) -> list[Found]:
    return list(islice(found, _PAGE))


def _content(found: Found) -> bytes:
    # Without Python's buffer, which asks the kernel three things more about every file.
    descriptor = os.open(found.path, os.O_RDONLY)
    try:
        content = os.read(descriptor, found.size + 1)
        while len(content) > found.size and (more := os.read(descriptor, _PIECE_BYTES)):
            content += more
        return content
    finally:
        os.close(descriptor)


async def _pieces(path: str) -> AsyncIterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while piece := os.read(descriptor, _PIECE_BYTES):
            yield piece
    finally:
        os.close(descriptor)


async def back_up(home_path: Path, folder: Path) -> None:
    """Back the folder up into the home's main repository. Raises TuibackError."""
    home = Home.open(home_path)
    ref = home.repository(MAIN)
    secret = get_secret(ref.key_file, ref.url, os.environ, None)
    archive = await Archive.open(home, ref, secret, SystemClock(), _say)
    try:
        await FolderPass(archive, folder).run()
    finally:
        await archive.close()


def _say(_: str, line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - read by the process that measures this one


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments name."""
    verb, home, folder, *more = arguments
    if verb == "backup":
        asyncio.run(back_up(Path(home), Path(folder)))
    else:
        from tuiback.cli.benching import own_restore

        own_restore.main([home, folder, *more])


if __name__ == "__main__":
    main(sys.argv[1:])
