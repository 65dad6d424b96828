"""Writes what is still needed of worn packs into new ones, every chunk verified on its way."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tuiback.errors import Damage, NoSuchThing, StorageFull
from tuiback.model import ChunkEntry, PackTable
from tuiback.store.envelope import Envelope, split_record
from tuiback.store.pack import ChunkSize, PackBuilder, pack_name
from tuiback.store.packer import PACK_BYTES
from tuiback.store.repository import Repository

_WRITER_BYTES = 16
_CHECK = "run tuiback check"

# Which chunks of a pack are still needed from it, in the order of its table.
FindLive = Callable[[PackTable], Sequence[ChunkEntry]]


@dataclass(frozen=True, slots=True)
class Repacked:
    """New packs, durable and named by no commit yet, and the packs that they stand in for.

    A pack that could not be read whole stands in `unreadable`: it must stay.
    """

    tables: tuple[PackTable, ...]
    replaced: tuple[str, ...]
    unreadable: tuple[str, ...]


class Repacker:
    """Makes packs out of what lives in others. Not thread-safe.

    A record keeps together what was together, so that a bundle is still of one account and kind.
    """

    def __init__(self, repository: Repository, find_live: FindLive, *, pack_bytes: int = PACK_BYTES) -> None:
        self._repository = repository
        self._find_live = find_live
        self._pack_bytes = pack_bytes
        self._writer = os.urandom(_WRITER_BYTES)
        self._begun = 0
        self._open: PackBuilder | None = None
        self._tables: list[PackTable] = []

    def repack(self, pack_ids: Iterable[str]) -> Repacked:
        """Copy what lives in these packs. Raises StorageFull, EnvironmentFault."""
        replaced: list[str] = []
        unreadable: list[str] = []
        for pack_id in pack_ids:
            try:
                records = list(self._live_records(pack_id))
            except (Damage, NoSuchThing):
                unreadable.append(pack_id)
                continue
            for entries, plain in records:
                self.put([(entry.chunk_id, entry.size) for entry in entries], plain)
            replaced.append(pack_id)
        return Repacked(self.finish(), tuple(replaced), tuple(unreadable))

    def finish(self) -> tuple[PackTable, ...]:
        """All packs that were made: durable when this returns. Raises StorageFull."""
        self._close()
        return tuple(self._tables)

    def _live_records(self, pack_id: str) -> Iterator[tuple[list[ChunkEntry], bytes]]:
        """The chunks of each record that live, and their bytes in a row. Raises NoSuchThing, Damage."""
        table = self._repository.pack_table(pack_id)
        envelope = self._repository.open_pack(pack_id)
        for _, group in groupby(self._find_live(table), key=lambda entry: entry.slot):
            entries = list(group)
            yield entries, self._read(pack_id, envelope, entries)

    def _read(self, pack_id: str, envelope: Envelope, entries: Sequence[ChunkEntry]) -> bytes:
        subject = f"pack {pack_id}"
        data = self._repository.backend.read(pack_name(pack_id), entries[0].offset, entries[0].length)
        record = split_record(data, subject)
        if record.slot != entries[0].slot:
            raise Damage(f"record {entries[0].slot} is not where it must be", subject, _CHECK)
        plain = envelope.unseal(record, subject)
        chunks = [plain[entry.inner_offset : entry.inner_offset + entry.size] for entry in entries]
        for entry, chunk in zip(entries, chunks, strict=True):
            if self._repository.keys.chunk_id(chunk) != entry.chunk_id:
                raise Damage(f"chunk {entry.chunk_id.hex()} in it is not what was written", subject, _CHECK)
        return b"".join(chunks)

    def put(self, chunks: Sequence[ChunkSize], plain: bytes) -> None:
        """Copy one record with these chunks in a row. Raises StorageFull."""
        if self._open is not None and self._open.size + len(plain) > 2 * self._pack_bytes:
            self._close()
        if self._open is None:
            self._begun += 1
            self._open = self._repository.new_pack(self._writer, self._begun)
        slot = self._open.reserve()
        record = self._open.seal(slot, plain, len(chunks))
        self._open.add(slot, record, chunks)
        if self._open.size >= self._pack_bytes:
            self._close()

    def _close(self) -> None:
        builder, self._open = self._open, None
        if builder is None:
            return
        data, table = builder.finish()
        try:
            self._repository.store_pack(data, table)
        except StorageFull:
            # Never fsync that file again: once more from memory into a new one, then it is the caller's trouble.
            self._repository.store_pack(data, table)
        self._tables.append(table)
