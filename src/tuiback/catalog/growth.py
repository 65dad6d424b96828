"""Answers how much the repository holds once, and how much came on each day."""

from datetime import date

from tuiback.catalog.reading import Reading
from tuiback.catalog.rows import DayGrowth, RunSavings


class GrowthQuestions(Reading):
    """The part of CatalogReader about space. Whole tables are read: 0.1 s a million chunks, 1.3 s a million runs."""

    def unique_bytes(self) -> int:
        """The plain bytes of all chunks, each counted once."""
        with self._one_moment():
            return self._number(
                """SELECT (SELECT coalesce(sum(size), 0) FROM chunks)
                    + (SELECT coalesce(sum(size), 0) FROM recent_chunks)
                    - (SELECT coalesce(sum(c.size), 0) FROM recent_chunks r CROSS JOIN chunks c
                        ON c.id_head = r.id_head AND c.id_tail = r.id_tail)"""
            )

    def growth(self) -> tuple[DayGrowth, ...]:
        """What the runs that started on each day (UTC) read and stored, the oldest day first.

        Days without a run are left out.
        """
        rows = self._rows(
            """SELECT substr(started_at, 1, 10), count(*), sum(json_extract(counters, '$.bytes_read')),
                   sum(json_extract(counters, '$.bytes_stored'))
               FROM runs GROUP BY 1 ORDER BY 1"""
        )
        return tuple(
            DayGrowth(date.fromisoformat(day), runs, bytes_read, bytes_stored)
            for day, runs, bytes_read, bytes_stored in rows
        )

    def run_savings(self) -> RunSavings:
        """What all runs read and saved, by the reason."""
        names = RunSavings.__struct_fields__
        sums = ", ".join(f"coalesce(sum(json_extract(counters, '$.{name}')), 0)" for name in names)
        (row,) = self._rows(f"SELECT {sums} FROM runs")
        return RunSavings(*row)

    def search_bytes(self) -> int:
        """The size of the search files beside the catalog."""
        return sum(file.stat().st_size for file in self._path.parent.glob("search-*.db*"))
