"""Items whose content is in no pack any more become owed, once, and nothing else does."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.engine.rig import SECRET, make_home
from tests.store.doubles import DictIndex, body, version
from tuiback.catalog import CatalogReader
from tuiback.engine.archives.archive import open_repository
from tuiback.engine.archives.owe_lost import owe_lost
from tuiback.engine.clock import SystemClock
from tuiback.engine.upkeep.adoption import rebuild
from tuiback.model import CommitHead
from tuiback.store import Repository, Writer


async def back_up(repository: Repository, contents: list[tuple[str, bytes]]) -> None:
    """One commit with a pack of its own for each (item id, content)."""
    index = DictIndex()
    head: CommitHead | None = None
    with ThreadPoolExecutor(1) as executor:
        writer = Writer(repository, index, executor)
        for item_id, content in contents:
            part = await writer.put("mailbox:ann", "message", "mime", content)
            tables = await writer.flush()
            packs = [table.pack_id for table in tables]
            head = repository.append("nas", head, packs, body(version(item_id, part))).head
            index.take(tables)
            writer.committed(tables)


def owed_in(path: Path) -> set[str]:
    """The items that the catalog says are owed."""
    reader = CatalogReader(path)
    try:
        return {owed.item_id for owed in reader.owed()}
    finally:
        reader.close()


def test_only_what_is_lost_is_owed_and_only_once(tmp_path: Path) -> None:
    """The item of the lost pack and one that shares its content are owed; a later version that is whole is not."""
    home = make_home(tmp_path)
    repository = open_repository(home.repository("main"), SECRET, SystemClock(), to_write=True)
    contents = [("lost", b"a" * 999), ("mended", b"b" * 999), ("whole", b"c" * 999), ("shares", b"a" * 999)]
    asyncio.run(back_up(repository, [*contents, ("mended", b"d" * 999)]))
    packs = [commit.packs for commit in repository.commits()]
    assert packs[3] == ()
    for pack_id, *_ in packs[:2]:
        next(Path(repository.url, "packs").glob(f"*/{pack_id}")).unlink()

    shortfall = rebuild(home, "main", repository, SystemClock())
    assert (set(shortfall.lost_packs), shortfall.owed) == ({packs[0][0], packs[1][0]}, 2)
    path = home.catalog_path("main")
    assert owed_in(path) == {"lost", "shares"}
    heads = repository.heads()
    assert owe_lost(path, repository, "another", SystemClock()) == 0
    assert repository.heads() == heads
    assert rebuild(home, "main", repository, SystemClock()).owed == 0
    assert owed_in(path) == {"lost", "shares"}
