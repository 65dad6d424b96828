"""What versions lack, lists of chunks followed."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from tests.store.doubles import DictIndex, MemoryBackend, new_repository, version
from tuiback.engine.archives.proving import ListLost, Search, list_reader
from tuiback.model import PackTable, StoredPart
from tuiback.store import Repository, Writer


@pytest.fixture
def repository() -> Repository:
    """An empty one in memory."""
    return new_repository(MemoryBackend())


@pytest.fixture
def executor() -> Iterator[Executor]:
    """A worker thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def stored(
    repository: Repository, executor: Executor, *contents: bytes
) -> tuple[list[StoredPart], tuple[PackTable, ...]]:
    """The contents, each a part of one chunk, and the packs they are in."""
    writer = Writer(repository, DictIndex(), executor)
    parts = [await writer.put("mailbox:ann", "file", "file", content) for content in contents]
    packs = await writer.flush()
    writer.close()
    return parts, packs


async def test_chunks_of_new_packs_are_there(repository: Repository, executor: Executor) -> None:
    """A version lacks what neither the index nor the packs of its own commit have."""
    (here, gone), packs = await stored(repository, executor, b"here", b"gone")
    versions = [version("m1", here), version("m2", here, gone), version("m3")]
    assert list(Search(repository, DictIndex(), packs).missing(versions)) == []
    index = DictIndex()
    index.take(packs)
    del index.locations[gone.chunks[0]]
    assert list(Search(repository, index).missing(versions)) == [(versions[1], frozenset(gone.chunks))]


async def test_lists_are_followed(repository: Repository, executor: Executor) -> None:
    """What a list names is needed as the list is; of a list that is lost, the list is what is missing."""
    (inner, other), first = await stored(repository, executor, b"inner", b"other")
    (listing,), second = await stored(repository, executor, inner.chunks[0] + other.chunks[0])
    long = version("m1", StoredPart("file", 10, b"", listing.chunks, "list1"))
    index = DictIndex()
    index.take((*first, *second))
    assert list(Search(repository, index).missing([long])) == []
    del index.locations[other.chunks[0]]
    assert list(Search(repository, index).missing([long])) == [(long, frozenset(other.chunks))]
    del index.locations[listing.chunks[0]]
    assert list(Search(repository, index).missing([long])) == [(long, frozenset(listing.chunks))]


async def test_a_lost_list_is_told_from_one_that_can_not_be_read(repository: Repository, executor: Executor) -> None:
    """In no pack at all it is lost for good; in a pack that is there it is not."""
    (listing,), packs = await stored(repository, executor, b"x" * 64)
    index = DictIndex()
    index.take(packs)
    assert list_reader(repository, index)(listing.chunks[0]) == b"x" * 64
    with pytest.raises(ListLost):
        list_reader(repository, DictIndex())(listing.chunks[0])
