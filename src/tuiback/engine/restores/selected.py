"""Walks what a person selected to bring back: items, folders with all in them, or whole accounts, at one snapshot."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import chain, islice

from tuiback.catalog import CatalogReader, Entry
from tuiback.engine.commands import Selection
from tuiback.errors import NoSuchThing
from tuiback.model import FOLDER_KINDS, StoredPart
from tuiback.store import Reader

# Progress is told and a job can be cancelled after each batch.
_BATCH_ITEMS = 512
_BATCH_BYTES = 64 << 20


def entries(reader: CatalogReader, selection: Selection) -> Iterator[Entry]:
    """All entries of the selection, folders before what lies in them; each once."""
    seen: set[str] = set()
    if not selection.item_ids:
        yield from reader.stored_below(selection.account_id, selection.seq)
        return
    for item_id in selection.item_ids:
        top = reader.find_entry(selection.account_id, item_id, selection.seq)
        if top is None:
            # A removed item is asked for by its id alone: its last version is meant.
            top = reader.find_entry(selection.account_id, item_id, None)
        if top is None:
            raise NoSuchThing("no such item in this account", item_id, "list items with 'tuiback ls'")
        seq = selection.seq if top.until_seq is None or top.until_seq > selection.seq else top.until_seq - 1
        below = reader.stored_below(selection.account_id, seq, item_id) if top.kind in FOLDER_KINDS else ()
        for entry in chain((top,), below):
            if entry.item_id not in seen:
                seen.add(entry.item_id)
                yield entry


def items(reader: CatalogReader, selection: Selection) -> Iterator[Entry]:
    """The selection's entries that have content of their own."""
    return (entry for entry in entries(reader, selection) if entry.kind not in FOLDER_KINDS)


async def batches(walk: Iterator[Entry]) -> AsyncIterator[list[Entry]]:
    """The entries in lists of at most 512 or about 64 MiB, read off the loop."""
    while batch := await asyncio.to_thread(_next_batch, walk):
        yield batch


def _next_batch(walk: Iterator[Entry]) -> list[Entry]:
    batch: list[Entry] = []
    size = 0
    for entry in islice(walk, _BATCH_ITEMS):
        batch.append(entry)
        size += entry.size
        if size >= _BATCH_BYTES:
            break
    return batch


class StoredItem:
    """connectors.base.ItemSource over the catalog and the repository."""

    def __init__(self, entry: Entry, parts: tuple[StoredPart, ...], content: Reader) -> None:
        self.item_id = entry.item_id
        self.name = entry.name
        self.size = entry.size
        self.attrs: Mapping[str, str] = entry.attrs
        self.etag = entry.etag
        self.content_tag = entry.content_tag
        self.modified = entry.modified
        self._parts = {part.name: part for part in parts}
        self._content = content

    @classmethod
    async def load(cls, entry: Entry, reader: CatalogReader, content: Reader) -> "StoredItem":
        """The entry with its parts looked up."""
        parts = await asyncio.to_thread(reader.parts, entry.account_id, entry.item_id, entry.from_seq)
        return cls(entry, parts, content)

    def part_size(self, name: str) -> int | None:
        """Bytes of the part, None when the version has no such part."""
        part = self._parts.get(name)
        return part.size if part else None

    async def part(self, name: str) -> AsyncIterator[bytes]:
        """The part's bytes, verified as they come. Raises Damage."""
        pieces = self._content.read(self._parts[name])
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
