"""Answers every question about a catalog while its writer goes on."""

from collections.abc import Sequence

from tuiback.catalog.accounts import AccountQuestions
from tuiback.catalog.chunks import find_locations
from tuiback.catalog.ended import EndedQuestions
from tuiback.catalog.growth import GrowthQuestions
from tuiback.catalog.lookup import PathQuestions
from tuiback.catalog.rows import TaskTotals, Totals
from tuiback.catalog.searching import SearchQuestions
from tuiback.catalog.tracking import TrackingQuestions
from tuiback.model import CommitHead, Location


class CatalogReader(
    AccountQuestions, TrackingQuestions, EndedQuestions, SearchQuestions, GrowthQuestions, PathQuestions
):
    """Read-only and thread-safe; implements ChunkIndex.

    Every method may raise Damage for a broken file and EnvironmentFault for one that can't be read; the
    constructor also raises FormatTooNew.
    """

    def repository_id(self) -> str:
        """Which repository the catalog belongs to."""
        ((repository_id,),) = self._rows("SELECT repository_id FROM identity")
        return str(repository_id)

    def heads(self) -> tuple[CommitHead, ...]:
        """The newest applied commit of each writer: as long as they are the same, so is every other answer."""
        return tuple(CommitHead(*row) for row in self._rows("SELECT writer, number, digest FROM writers ORDER BY 1"))

    def find_chunks(self, chunk_ids: Sequence[bytes]) -> dict[bytes, Location]:
        """The location of each id that is committed; ids that are not known are left out."""
        with self._one_moment():
            return find_locations(self._rows, set(chunk_ids))

    def totals(self) -> Totals:
        """How much the repository holds, as far as the catalog knows."""
        row = self._rows(
            """SELECT sum(version_bytes), sum(live_bytes), sum(live_items), sum(versions) FROM accounts
               UNION ALL SELECT chunks, packs, bytes, 0 FROM stored"""
        )
        (logical_bytes, live_bytes, items, versions), (chunks, packs, stored_bytes, _) = row
        return Totals(
            logical_bytes or 0, live_bytes or 0, items or 0, versions or 0, chunks, packs, stored_bytes,
            self._catalog_bytes(),
        )

    def totals_by_task(self) -> tuple[TaskTotals, ...]:
        """The same for the accounts of each task, by its name."""
        rows = self._rows(
            """SELECT task, count(*), sum(version_bytes), sum(live_bytes), sum(live_items), sum(versions)
               FROM accounts WHERE kind <> '' GROUP BY task ORDER BY task"""
        )
        return tuple(TaskTotals(*row) for row in rows)

    def _catalog_bytes(self) -> int:
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())
