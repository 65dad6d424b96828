"""Reads parts back, every byte verified before it is handed out."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice

from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import ChunkIndex, Location, StoredPart
from tuiback.store.envelope import Envelope, split_record
from tuiback.store.mime_form import FORMS, MIME, reassemble
from tuiback.store.pack import pack_name
from tuiback.store.repository import Repository

# Decoded bundles are kept: whoever reads one mail usually reads its neighbour next.
_CACHED_BYTES = 16 * 1024 * 1024
_CACHED_RECORD_BYTES = 512 * 1024
_CACHED_PACKS = 1024
_LOOKUP_CHUNKS = 256
_CHECK = "run tuiback check"


class Reader:
    """Thread-safe. One per repository keeps its cache useful."""

    def __init__(self, repository: Repository, index: ChunkIndex) -> None:
        self._repository = repository
        self._keys = repository.keys
        self._index = index
        self._lock = threading.Lock()
        self._records: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._cached_bytes = 0
        self._envelopes: OrderedDict[str, Envelope] = OrderedDict()

    def read(self, part: StoredPart) -> Iterator[bytes]:
        """The part's bytes, one chunk or piece of a mail at a time.

        Raises Damage naming pack and chunk when bytes are missing or not what was written; what came before is
        right, and only the end proves the part complete. Raises FormatTooNew for a form it does not know.
        """
        if part.form not in FORMS:
            raise FormatTooNew(f"it is stored in form {part.form!r}", f"part {part.name}", "update tuiback")
        hasher = self._keys.hasher()
        size = 0
        chunks = self._chunks(part.chunks)
        for piece in reassemble(chunks, f"part {part.name}") if part.form == MIME else chunks:
            hasher.update(piece)
            size += len(piece)
            yield piece
        if size != part.size or hasher.digest() != part.digest:
            raise Damage("its chunks don't make up the part that was stored", f"part {part.name}", _CHECK)

    def read_all(self, part: StoredPart) -> bytes:
        """The whole part at once. Raises Damage."""
        return b"".join(self.read(part))

    def _chunks(self, chunk_ids: Sequence[bytes]) -> Iterator[bytes]:
        rest = iter(chunk_ids)
        while some := list(islice(rest, _LOOKUP_CHUNKS)):
            locations = self._index.find_chunks(some)
            for chunk_id in some:
                yield self._chunk(chunk_id, locations.get(chunk_id))

    def _chunk(self, chunk_id: bytes, location: Location | None) -> bytes:
        if location is None:
            raise Damage("no pack that the catalog knows has it", f"chunk {chunk_id.hex()}", _CHECK)
        record = self._record(location)
        chunk = record[location.inner_offset : location.inner_offset + location.size]
        if self._keys.chunk_id(chunk) != chunk_id:
            subject = f"pack {location.pack_id}"
            raise Damage(f"chunk {chunk_id.hex()} in it is not what was written", subject, _CHECK)
        return chunk

    def _record(self, location: Location) -> bytes:
        key = (location.pack_id, location.slot)
        with self._lock:
            if key in self._records:
                self._records.move_to_end(key)
                return self._records[key]
        plain = self._read_record(location)
        if len(plain) <= _CACHED_RECORD_BYTES and len(plain) > location.size:
            self._keep(key, plain)
        return plain

    def _read_record(self, location: Location) -> bytes:
        subject = f"pack {location.pack_id}"
        try:
            envelope = self._envelope(location.pack_id)
            data = self._repository.backend.read(pack_name(location.pack_id), location.offset, location.length)
        except NoSuchThing as error:
            raise Damage("the pack is missing", subject, _CHECK) from error
        record = split_record(data, subject)
        if record.slot != location.slot:
            raise Damage(f"record {location.slot} is not where it must be", subject, _CHECK)
        return envelope.unseal(record, subject)

    def _envelope(self, pack_id: str) -> Envelope:
        with self._lock:
            if pack_id in self._envelopes:
                self._envelopes.move_to_end(pack_id)
                return self._envelopes[pack_id]
        envelope = self._repository.open_pack(pack_id)
        with self._lock:
            self._envelopes[pack_id] = envelope
            while len(self._envelopes) > _CACHED_PACKS:
                self._envelopes.popitem(last=False)
        return envelope

    def _keep(self, key: tuple[str, int], plain: bytes) -> None:
        with self._lock:
            if key not in self._records:
                self._records[key] = plain
                self._cached_bytes += len(plain)
            while self._cached_bytes > _CACHED_BYTES:
                _, dropped = self._records.popitem(last=False)
                self._cached_bytes -= len(dropped)
