"""A long part names few chunks, whose lists give all of its own back and stay equal where the part does."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import blake3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.errors import Damage
from tuiback.model import StoredPart
from tuiback.store.chunk_lists import (
    LIST_IDS_MAX,
    LIST_IDS_MIN,
    LISTED_ABOVE,
    ListCutter,
    ListFiller,
    all_chunks,
    content_chunks,
)


def chunk_ids(count: int, seed: int = 0) -> list[bytes]:
    """So many ids that look like those of chunks."""
    stream = blake3.blake3(seed.to_bytes(4, "big")).digest(length=32 * count)
    return [stream[start : start + 32] for start in range(0, len(stream), 32)]


def identify(data: bytes) -> bytes:
    """A chunk's identity without a key."""
    return blake3.blake3(data).digest()


@dataclass
class Listed:
    """A part made of ids that came in steps of so many, and the list chunks that were to be stored for it."""

    ids: Sequence[bytes]
    step: int = 7
    listed_above: int = LISTED_ABOVE
    lists: dict[bytes, bytes] = field(default_factory=dict)
    part: StoredPart = field(init=False)

    def __post_init__(self) -> None:
        cutter = ListCutter(identify, listed_above=self.listed_above)
        steps = [self.ids[start : start + self.step] for start in range(0, len(self.ids), self.step)]
        cuts = [cut for ids in steps for cut in cutter.add(ids)]
        last, named, form = cutter.finish()
        self.lists = {cut.chunk_id: cut.data for cut in (*cuts, *last)}
        self.part = StoredPart("file", 1, b"d" * 32, named, form)

    def read(self, chunk_id: bytes) -> bytes:
        """A list chunk's plain bytes."""
        return self.lists[chunk_id]


@given(
    count=st.integers(0, 6000),
    step=st.sampled_from([1, 6, 1000, 6000]),
    listed_above=st.sampled_from([1, 4, LISTED_ABOVE]),
)
def test_all_ids_come_back_in_order(count: int, step: int, listed_above: int) -> None:
    """Whatever their number and however they come, the lists give the same ids back, and no more lists than named."""
    ids = chunk_ids(count)
    listed = Listed(ids, step, listed_above)
    assert list(content_chunks(listed.part, listed.read)) == ids
    needed = list(all_chunks(listed.part, listed.read))
    assert sorted(needed) == sorted([*ids, *listed.lists])
    assert listed.part.form == "list2" or len(listed.part.chunks) <= listed_above


def test_short_parts_name_their_chunks_themselves() -> None:
    """Up to 1,024 ids there is no list; one more makes the first."""
    short, longer = Listed(chunk_ids(LISTED_ABOVE)), Listed(chunk_ids(LISTED_ABOVE + 1))
    assert (short.part.form, list(short.part.chunks), short.lists) == ("", short.ids, {})
    assert longer.part.form == "list1"
    assert list(longer.lists) == list(longer.part.chunks)


def test_lists_do_not_depend_on_how_the_ids_come() -> None:
    """One by one and all at once give the same lists on both levels."""
    ids = chunk_ids(20_000)
    one_by_one, at_once = Listed(ids, 1, 3), Listed(ids, 20_000, 3)
    assert one_by_one.part == at_once.part
    assert one_by_one.part.form == "list2"
    assert one_by_one.lists == at_once.lists


def test_changed_part_shares_its_other_lists() -> None:
    """A chunk put in near the start changes the list that it lies in, and at most the one behind it."""
    ids = chunk_ids(50_000)
    before = Listed(ids)
    after = Listed([*ids[:100], *chunk_ids(1, seed=1), *ids[100:]])
    assert len(after.lists) > 20
    assert len(set(after.lists) - set(before.lists)) <= 2


@given(seed=st.integers(0, 1000))
def test_lists_keep_their_limits(seed: int) -> None:
    """Each holds 256 to 4,096 ids, but for the last of the part."""
    filler = ListFiller()
    lists = filler.add(chunk_ids(6000, seed))
    lengths = [len(data) // 32 for data in lists]
    assert all(LIST_IDS_MIN <= length <= LIST_IDS_MAX for length in lengths)
    assert sum(lengths) + sum(len(data) // 32 for data in filler.finish()) == 6000
    assert not filler.finish()


def test_ids_that_never_end_a_list_fill_the_longest() -> None:
    """Equal chunks, as of a file of zeros with an id that ends no list, give lists of 4,096 ids."""
    filler = ListFiller()
    lists = filler.add([b"\1" * 32] * 10_000)
    assert [len(data) // 32 for data in (*lists, *filler.finish())] == [4096, 4096, 1808]


def test_memory_does_not_grow_with_the_part() -> None:
    """Of 60,000 ids the cutter holds one list's worth and the ids of the lists."""
    cutter = ListCutter(identify)
    listed = 0
    for start in range(0, 60_000, 6):
        listed += sum(len(cut.data) // 32 for cut in cutter.add(chunk_ids(6, start)))
        assert start + 6 - listed <= LIST_IDS_MAX + 6


@pytest.mark.parametrize("length", [0, 31, 33])
def test_list_that_is_none_is_damage(length: int) -> None:
    """A list's bytes are whole ids, and not nothing."""
    part = StoredPart("file", 1, b"", tuple(chunk_ids(1)), "list1")
    with pytest.raises(Damage, match=f"{length} bytes"):
        list(content_chunks(part, lambda _: bytes(length)))
