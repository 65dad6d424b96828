"""Names the chunks of a long part by few ids: list chunks hold the ids of others, so that no row grows with a file.

A list chunk's plain bytes are 32-byte chunk ids in a row. Where a list ends, the ids themselves say, so that a change
in the part changes few lists: behind the first id from LIST_IDS_MIN on whose last four bytes, as a big-endian number,
are a multiple of LIST_IDS_STEP, and at LIST_IDS_MAX. A part of form "list1" names lists of its content's chunks, one
of form "list2" lists of such lists; it has the fewest levels that leave at most LISTED_ABOVE ids, and never more.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tuiback.errors import Damage
from tuiback.model import StoredPart
from tuiback.store.chunker import Cut

# The levels of lists that each form has; a part of more ids than two levels hold would be larger than 800 TB.
LEVELS = {"": 0, "list1": 1, "list2": 2}
LISTED_ABOVE = 1024
LIST_IDS_MIN = 256
LIST_IDS_MAX = 4096
LIST_IDS_STEP = 1024
_FORMS = tuple(LEVELS)
_ID_BYTES = 32

ReadChunk = Callable[[bytes], bytes]
Identify = Callable[[bytes], bytes]


class ListCutter:
    """Takes the ids of a part's chunks as they come and gives list chunks as they fill. Not thread-safe.

    `identify` is Keys.chunk_id. Held are no more ids than `listed_above` and what one list of each level takes.
    """

    def __init__(self, identify: Identify, *, listed_above: int = LISTED_ABOVE) -> None:
        self._identify = identify
        self._listed_above = listed_above
        self._levels: list[ListFiller] = []
        self._named: list[bytes] = []

    def add(self, chunk_ids: Sequence[bytes]) -> list[Cut]:
        """Take the ids of the next chunks; the list chunks that are full now, to be stored before the part."""
        cuts: list[Cut] = []
        for level in self._levels:
            chunk_ids = self._list(level.add(chunk_ids), cuts)
        self._name(chunk_ids, cuts)
        return cuts

    def finish(self) -> tuple[list[Cut], tuple[bytes, ...], str]:
        """(the last list chunks, the ids that the part names, its form). Nothing may be added afterwards."""
        cuts: list[Cut] = []
        # Naming the last list may be what takes another level.
        done = 0
        while done < len(self._levels):
            chunk_ids = self._list(self._levels[done].finish(), cuts)
            done += 1
            for level in self._levels[done:]:
                chunk_ids = self._list(level.add(chunk_ids), cuts)
            self._name(chunk_ids, cuts)
        return cuts, tuple(self._named), _FORMS[len(self._levels)]

    def _name(self, chunk_ids: Sequence[bytes], cuts: list[Cut]) -> None:
        self._named += chunk_ids
        while len(self._named) > self._listed_above and len(self._levels) + 1 < len(_FORMS):
            self._levels.append(ListFiller())
            self._named = self._list(self._levels[-1].add(self._named), cuts)

    def _list(self, lists: Iterable[bytes], cuts: list[Cut]) -> list[bytes]:
        made = [Cut(self._identify(data), data) for data in lists]
        cuts += made
        return [cut.chunk_id for cut in made]


class ListFiller:
    """Cuts a row of ids into lists."""

    def __init__(self) -> None:
        self._ids: list[bytes] = []

    def add(self, chunk_ids: Iterable[bytes]) -> list[bytes]:
        """Take more ids; the plain bytes of the lists that are full now."""
        lists = []
        for chunk_id in chunk_ids:
            self._ids.append(chunk_id)
            count = len(self._ids)
            if count >= LIST_IDS_MIN and (
                count == LIST_IDS_MAX or int.from_bytes(chunk_id[-4:]) % LIST_IDS_STEP == 0
            ):
                lists += self.finish()
        return lists

    def finish(self) -> list[bytes]:
        """The ids that are in no list yet as one, if there are any."""
        ids, self._ids = self._ids, []
        return [b"".join(ids)] if ids else []


def content_chunks(part: StoredPart, read_chunk: ReadChunk) -> Iterator[bytes]:
    """The ids of the chunks that hold the part's content, in its order; of a mail its recipe first.

    `read_chunk` gives a chunk's plain bytes, verified. Raises Damage when a list is none, and what it raises.
    """
    return (chunk_id for level, chunk_id in _walk(part, read_chunk) if not level)


def all_chunks(part: StoredPart, read_chunk: ReadChunk) -> Iterator[bytes]:
    """The ids of all chunks that the part needs, each list before what it names. Raises as content_chunks() does."""
    return (chunk_id for _, chunk_id in _walk(part, read_chunk))


def list_ids(data: bytes, subject: str) -> Iterator[bytes]:
    """The ids that a list chunk's plain bytes hold. Raises Damage when they are no list."""
    if not data or len(data) % _ID_BYTES:
        raise Damage(f"a list of chunks in it has {len(data)} bytes", subject, "run tuiback check")
    return (data[start : start + _ID_BYTES] for start in range(0, len(data), _ID_BYTES))


def _walk(part: StoredPart, read_chunk: ReadChunk) -> Iterator[tuple[int, bytes]]:
    """(level, id) of everything below the part; content is on level 0."""

    def below(chunk_ids: Iterable[bytes], level: int) -> Iterator[tuple[int, bytes]]:
        for chunk_id in chunk_ids:
            yield level, chunk_id
            if level:
                yield from below(list_ids(read_chunk(chunk_id), f"part {part.name}"), level - 1)

    return below(part.chunks, LEVELS.get(part.form, 0))
