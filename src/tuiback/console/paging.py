"""Makes a folder of any number of entries scroll as one list: keyset pages on demand, page marks from a thread."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tuiback.console.widgets.rows import Row, V

E = TypeVar("E")
PageKey = tuple[str, str]

# More than any terminal shows. On a cold disk each row may cost a read or three, and nobody sees those further down.
PAGE_ROWS = 128
CACHED_PAGES = 32
# The walk reads so many pages at once: fewer, longer queries.
STRIDE_PAGES = 32


@dataclass(frozen=True, slots=True)
class Walked:
    """What one step of the walk found: the marks of the pages behind it, and how many rows it passed."""

    marks: tuple[PageKey, ...]
    rows: int
    complete: bool


class KeysetRows(Generic[E, V]):
    """The rows of one folder. `fetch(after, limit)` reads entries behind a key; the first page is read at once.

    A snapshot never changes, so a page's mark stays true. Rows are known as far as `take` was told of them.
    """

    def __init__(
        self,
        fetch: Callable[[PageKey | None, int], Sequence[E]],
        key_of: Callable[[E], PageKey],
        to_row: Callable[[E], Row[V]],
    ) -> None:
        self._fetch = fetch
        self._key_of = key_of
        self._to_row = to_row
        first = fetch(None, PAGE_ROWS)
        self._marks: list[PageKey | None] = [None]
        self._cache: OrderedDict[int, tuple[Row[V], ...]] = OrderedDict({0: tuple(map(to_row, first))})
        self._count = len(first)
        self.complete = len(first) < PAGE_ROWS
        if not self.complete:
            self._marks.append(key_of(first[-1]))

    def count(self) -> int:
        """How many rows are known so far."""
        return self._count

    def row(self, index: int) -> Row[V]:
        """The row; reads its page unless that is among the last ones seen."""
        page, place = divmod(index, PAGE_ROWS)
        return self._page(page)[place]

    def index_of(self, key: str) -> int | None:
        """Where the row stands, as far as the pages seen last can tell."""
        for page, rows in self._cache.items():
            for place, row in enumerate(rows):
                if row.key == key:
                    return page * PAGE_ROWS + place
        return None

    def redraw(self, to_row: Callable[[E], Row[V]]) -> None:
        """Make rows another way from now on; what is known of the pages stays."""
        self._to_row = to_row
        self._cache.clear()

    def _page(self, page: int) -> tuple[Row[V], ...]:
        if page not in self._cache:
            self._cache[page] = self._read(page)
            if len(self._cache) > CACHED_PAGES:
                self._cache.popitem(last=False)
        self._cache.move_to_end(page)
        return self._cache[page]

    def _read(self, page: int) -> tuple[Row[V], ...]:
        return tuple(map(self._to_row, self._fetch(self._marks[page], PAGE_ROWS)))

    # ---- from a thread

    def walk(self) -> Iterator[Walked]:
        """Go through the rest of the folder, marking its pages; touches nothing of the list itself."""
        after = self._marks[-1]
        complete = self.complete
        while not complete:
            entries = self._fetch(after, PAGE_ROWS * STRIDE_PAGES)
            complete = len(entries) < PAGE_ROWS * STRIDE_PAGES
            ends = range(PAGE_ROWS - 1, len(entries), PAGE_ROWS)
            marks = tuple(self._key_of(entries[end]) for end in ends)
            yield Walked(marks, len(entries), complete)
            after = marks[-1] if marks else after

    def take(self, walked: Walked) -> None:
        """Know what the walk found; on the thread that shows the list."""
        self._marks.extend(walked.marks)
        self._count += walked.rows
        self.complete = walked.complete

    def find(self, wanted: Callable[[Row[V]], bool], start: int, direction: int) -> int | None:
        """The nearest row from `start` on in a direction (1, -1), round the end, that is wanted."""
        if not self._count:
            return None
        pages = (self._count + PAGE_ROWS - 1) // PAGE_ROWS
        first = start // PAGE_ROWS
        for step in range(pages + 1):
            page = (first + direction * step) % pages
            rows = self._read(page)
            places = range(len(rows)) if direction > 0 else range(len(rows) - 1, -1, -1)
            for place in places:
                index = page * PAGE_ROWS + place
                # The first page counts from the start on, and once more at the end up to it.
                behind = (index - start) * direction < 0
                if step in {0, pages} and behind != (step == pages):
                    continue
                if wanted(rows[place]):
                    return index
        return None
