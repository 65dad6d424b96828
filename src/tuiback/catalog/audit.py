"""Tells a check what the catalog says must be readable, however many millions of versions there are."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tuiback.catalog.reading import Reading
from tuiback.model import ChunkEntry, CommitHead, PackTable
from tuiback.model.need import Need

# A page is read within a second, so that no check keeps the writer from its checkpoints.
PAGE_ROWS = 10_000


class Audit(Reading):
    """Read-only and thread-safe. Raises what CatalogReader raises."""

    def __init__(self, path: Path, *, page_rows: int = PAGE_ROWS) -> None:
        super().__init__(path)
        self._page_rows = page_rows

    def repository_id(self) -> str:
        """Which repository the catalog belongs to."""
        ((repository_id,),) = self._rows("SELECT repository_id FROM identity")
        return str(repository_id)

    def heads(self) -> tuple[CommitHead, ...]:
        """The newest applied commit of each writer."""
        return tuple(CommitHead(*row) for row in self._rows("SELECT writer, number, digest FROM writers"))

    def last_version(self) -> int:
        """What bounds needs() to the versions of now; 0 without any."""
        return self._number("SELECT coalesce(max(version_no), 0) FROM versions")

    def needs(self, last_version: int) -> Iterator[Need]:
        """Every part of every version up to that one.

        The parts of a version come one after the other, versions in the order in which they came.
        """
        done = 0
        while done < last_version:
            upto = min(done + self._page_rows, last_version)
            yield from self._needs_between(done, upto)
            done = upto

    def parted(self, numbers: Iterable[int]) -> list[tuple[str, str, int]]:
        """(account id, item id, from_seq) of the first version with content at or behind each number, each once."""
        found: dict[tuple[str, str, int], None] = {}
        for number in numbers:
            for row in self._rows(
                """SELECT a.account_id, i.item_id, v.from_seq FROM parts t CROSS JOIN versions v USING (version_no)
                   CROSS JOIN items i USING (item_no) CROSS JOIN accounts a ON a.account_no = i.account_no
                   WHERE t.version_no >= ? ORDER BY t.version_no LIMIT 1""",
                (number,),
            ):
                found[row] = None
        return list(found)

    def pack_bytes(self) -> dict[bytes, int]:
        """The size of each pack that the catalog knows, by its id as bytes; 0 for one that was lost."""
        return {bytes.fromhex(pack_id): size for pack_id, size in self._rows("SELECT pack_id, stored_bytes FROM packs")}

    def chunk_ids(self) -> Iterator[bytes]:
        """The ids of all chunks that the catalog can find, many in a row at a time; some may come twice."""
        for table in ("chunks", "recent_chunks"):
            after = b""
            while rows := self._rows(
                f"""SELECT id_head, id_tail FROM {table} CROSS JOIN packs USING (pack_no)
                    WHERE id_head > ? ORDER BY id_head LIMIT ?""",
                (after, self._page_rows),
            ):
                after = rows[-1][0]
                yield b"".join(head + tail for head, tail in rows)

    def pack_table(self, pack_id: str) -> PackTable:
        """What the catalog knows to lie in a pack; chunks that it finds in a newer one are left out. Slow."""
        rows = self._rows(
            """SELECT id_head, id_tail, slot, offset, length, inner_offset, size FROM all_chunks
               JOIN packs USING (pack_no) WHERE pack_id = ? ORDER BY slot, inner_offset""",
            (pack_id,),
        )
        return PackTable(pack_id, 0, tuple(ChunkEntry(head + tail, *place) for head, tail, *place in rows))

    def _needs_between(self, after: int, upto: int) -> Iterator[Need]:
        rows = self._rows(
            """SELECT a.account_id, i.item_id, v.from_seq, v.until_seq IS NULL, t.name, t.form, t.chunks
               FROM parts t CROSS JOIN versions v USING (version_no) CROSS JOIN items i USING (item_no)
               CROSS JOIN accounts a ON a.account_no = i.account_no
               WHERE t.version_no > ? AND t.version_no <= ? ORDER BY t.version_no, t.ordinal""",
            (after, upto),
        )
        for account_id, item_id, from_seq, live, part, form, chunks in rows:
            yield Need(account_id, item_id, from_seq, bool(live), part, form, chunks)
