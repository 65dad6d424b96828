"""A folder of any size is one list, read page by page."""

from collections.abc import Sequence

import pytest

from tuiback.console.paging import CACHED_PAGES, PAGE_ROWS, STRIDE_PAGES, KeysetRows
from tuiback.console.widgets.rows import Row

MILLION = 1_000_000


class Numbers:
    """A folder of numbered entries that counts how it is read."""

    def __init__(self, count: int) -> None:
        self.total = count
        self.reads: list[int] = []

    def fetch(self, after: tuple[str, str] | None, limit: int) -> Sequence[int]:
        """The entries behind a key."""
        self.reads.append(limit)
        first = 0 if after is None else int(after[0]) + 1
        return range(first, min(self.total, first + limit))

    def rows(self) -> KeysetRows[int, int]:
        """The folder as rows."""
        return KeysetRows(self.fetch, lambda number: (str(number), "id"), lambda number: Row(f"k{number}", (), number))


def walked(rows: KeysetRows[int, int]) -> KeysetRows[int, int]:
    """The rows, all counted."""
    for step in list(rows.walk()):
        rows.take(step)
    return rows


LENGTHS = [0, 1, PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, PAGE_ROWS * STRIDE_PAGES + PAGE_ROWS, 10_000]


@pytest.mark.parametrize("count", LENGTHS)
def test_every_row_is_there_once_and_in_order(count: int) -> None:
    """Whatever the length, row n is entry n."""
    rows = walked(Numbers(count).rows())
    assert rows.complete
    assert [rows.row(index).value for index in range(rows.count())] == list(range(count))


def test_a_million_rows_open_with_one_page() -> None:
    """The first look costs one page, wherever the cursor goes afterwards one page each."""
    numbers = Numbers(MILLION)
    rows = numbers.rows()
    assert numbers.reads == [PAGE_ROWS]
    walked(rows)
    assert rows.count() == MILLION
    numbers.reads.clear()
    places = [MILLION - 1, MILLION - 2, 500_000, 0]
    assert [rows.row(index).value for index in places] == places
    assert numbers.reads == [PAGE_ROWS] * 2


def test_scrolling_keeps_few_pages() -> None:
    """Memory does not grow with what was scrolled over; the last pages seen cost nothing."""
    numbers = Numbers(100 * PAGE_ROWS)
    rows = walked(numbers.rows())
    for index in range(0, rows.count(), 10):
        rows.row(index)
    numbers.reads.clear()
    for index in range(rows.count() - (CACHED_PAGES - 1) * PAGE_ROWS, rows.count()):
        rows.row(index)
    assert numbers.reads == []


@pytest.mark.parametrize(("start", "direction"), [(0, 1), (701, 1), (700, 1), (699, -1), (2000, -1)])
def test_find_goes_round_the_end(start: int, direction: int) -> None:
    """The nearest wanted row in a direction, past the end if need be."""
    rows = walked(Numbers(3000).rows())
    assert rows.find(lambda row: row.value == 700, start, direction) == 700


def test_find_next_prefers_the_nearer() -> None:
    """Forwards the next, backwards the one before."""
    rows = walked(Numbers(3000).rows())
    hundreds = [rows.find(lambda row: row.value % 100 == 0, 150, direction) for direction in (1, -1)]
    assert hundreds == [200, 100]
    assert rows.find(lambda row: row.value < 0, 5, 1) is None


def test_index_of_knows_what_was_seen() -> None:
    """A key is found in pages seen lately, and nowhere else without asking."""
    rows = walked(Numbers(1000).rows())
    assert rows.index_of("k7") == 7
    assert rows.index_of("k900") is None
