"""A long part needs what its lists name: check follows them through the packs, on every level."""

from concurrent.futures import Executor

import pytest

from tests.store.doubles import DictIndex, body, new_repository, version
from tuiback.model import StoredPart
from tuiback.store import Repository, Writer
from tuiback.store.check import check
from tuiback.store.pack import pack_name

CONTENT = [bytes([number]) * 40_000 for number in range(6)]


async def stored(repository: Repository, executor: Executor, levels: int, *, forgotten: int = -1) -> StoredPart:
    """A part of form "list1" or "list2" over some chunks, each list in a pack of its own; one chunk may be left out."""
    writer = Writer(repository, DictIndex(), executor)
    packs: list[str] = []

    async def put(data: bytes, *, keep: bool = True) -> bytes:
        part = await writer.put("drive:a", "file", "file", data)
        if keep:
            packs.extend(table.pack_id for table in await writer.flush())
        return part.chunks[0]

    chunks = [await put(data) for number, data in enumerate(CONTENT) if number != forgotten]
    if forgotten >= 0:
        chunks.append(repository.keys.chunk_id(CONTENT[forgotten]))
    lists = [await put(b"".join(chunks[:3])), await put(b"".join(chunks[3:]))]
    if levels == 2:
        lists = [await put(b"".join(lists))]
    whole = b"".join(CONTENT)
    part = StoredPart("file", len(whole), repository.keys.chunk_id(whole), tuple(lists), f"list{levels}")
    repository.append("nas", None, packs, body(version("big", part)))
    return part


@pytest.mark.parametrize("levels", [1, 2])
async def test_whole_lists_are_ok(executor: Executor, levels: int) -> None:
    """Lists and what they name are counted alike."""
    repository = new_repository()
    await stored(repository, executor, levels)
    report = check(repository, read_data=True)
    assert (report.damaged, report.chunks) == ((), len(CONTENT) + 1 + levels)


@pytest.mark.parametrize("levels", [1, 2])
async def test_a_chunk_that_only_a_list_names_is_missed(executor: Executor, levels: int) -> None:
    """The item that needs it is named, and the chunk."""
    repository = new_repository()
    await stored(repository, executor, levels, forgotten=4)
    report = check(repository)
    assert [(finding.kind, finding.name) for finding in report.damaged] == [("item", "mailbox:ann big")]
    assert set(report.lost[0].chunks) == {repository.keys.chunk_id(CONTENT[4])}


@pytest.mark.parametrize("levels", [1, 2])
async def test_a_lost_list_names_its_item(executor: Executor, levels: int) -> None:
    """A list is a chunk as any other."""
    repository = new_repository()
    part = await stored(repository, executor, levels)
    packs = next(iter(repository.commits())).packs
    lost = next(pack for pack in packs if repository.pack_table(pack).entries[0].chunk_id == part.chunks[0])
    repository.backend.delete(pack_name(lost))
    assert {(finding.kind, finding.name) for finding in check(repository).damaged} == {
        ("pack", lost), ("item", "mailbox:ann big"),
    }  # fmt: skip
