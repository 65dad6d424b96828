"""Puts small messages into groups that one batch can carry."""

from collections.abc import Iterator, Sequence
from math import ceil

from tuiback.graph import MOST_MEMBERS
from tuiback.model import RemoteItem

# A message up to this size goes with others; larger ones are streamed by themselves.
SMALL_BYTES = 128 * 1024
# A group has about so much in all, which bounds the memory that its answer takes.
GROUP_BYTES = 1024 * 1024
# So many batches may be under way in one mailbox (https://learn.microsoft.com/graph/throttling-limits): fewer messages
# than fill them are spread evenly, for within a batch they are read one after another.
_AT_ONCE = 4
# From so many rounds of batches on the last one is filled like the others, so that no place is idle at a page's end:
# at most three requests more, of nine or more.
_EVEN_ROUNDS = 3


def grouped(items: Sequence[RemoteItem]) -> list[tuple[RemoteItem, ...]]:
    """The large ones and those of unknown size alone and first, for they take longest; the small ones in groups."""
    small = [item for item in items if 0 < item.size <= SMALL_BYTES]
    alone = [(item,) for item in items if not 0 < item.size <= SMALL_BYTES]
    return [*alone, *_groups(small, _members(len(small)))]


def _members(count: int) -> int:
    """How many of so many messages go into one batch."""
    rounds = ceil(count / (_AT_ONCE * MOST_MEMBERS))
    if 1 < rounds < _EVEN_ROUNDS:
        return MOST_MEMBERS
    return ceil(count / (_AT_ONCE * max(rounds, 1)))


def _groups(items: Sequence[RemoteItem], most: int) -> Iterator[tuple[RemoteItem, ...]]:
    group: list[RemoteItem] = []
    group_bytes = 0
    for item in items:
        if group and (len(group) == most or group_bytes + item.size > GROUP_BYTES):
            yield tuple(group)
            group, group_bytes = [], 0
        group.append(item)
        group_bytes += item.size
    if group:
        yield tuple(group)
