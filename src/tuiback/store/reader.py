"""Reads parts back, every byte verified before it is handed out."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import ChunkIndex, Location, StoredPart
from tuiback.store.chunk_lists import LEVELS, content_chunks
from tuiback.store.envelope import Envelope, split_record
from tuiback.store.mime_form import MIME, reassemble
from tuiback.store.pack import pack_name
from tuiback.store.read_cache import ReadCache
from tuiback.store.repository import Repository

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_FORMS = frozenset({*LEVELS, MIME})
_CACHED_PACKS = 1024
_LOOKUP_CHUNKS = 256
# Of a part from this size on the next chunks are read while the caller uses one.
_AHEAD_FROM_BYTES = 1024 * 1024
_CHUNKS_AHEAD = 3
_THREADS = 2
_CHECK = "run tuiback check"

Places = Mapping[bytes, Location]
_NO_PLACES: Places = MappingProxyType({})


class Reader:
    """Thread-safe. One per repository keeps its cache useful."""

    def __init__(self, repository: Repository, index: ChunkIndex) -> None:
        self._repository = repository
        self._keys = repository.keys
        self._index = index
        self._lock = threading.Lock()
        self._cache = ReadCache()
        self._envelopes: OrderedDict[str, Envelope] = OrderedDict()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def repository(self) -> Repository:
        """What it reads from."""
        return self._repository

    def places(self, parts: Iterable[StoredPart]) -> Places:
        """Where the chunks lie that these parts name, looked up at once: for read_all() of each of many small parts."""
        return self._index.find_chunks([chunk_id for part in parts for chunk_id in part.chunks])

    def read(self, part: StoredPart) -> Iterator[bytes]:
        """The part's bytes, one chunk or piece of a mail at a time.

        Raises Damage naming pack and chunk when bytes are missing or not what was written; what came before is
        right, and only the end proves the part complete. Raises FormatTooNew for a form it does not know.
        """
        if part.form not in _FORMS:
            raise FormatTooNew(f"it is stored in form {part.form!r}", f"part {part.name}", "update tuiback")
        hasher = self._keys.hasher()
        size = 0
        chunks = self._chunks(part)
        for piece in reassemble(chunks, f"part {part.name}") if part.form == MIME else chunks:
            hasher.update(piece)
            size += len(piece)
            yield piece
        if size != part.size or hasher.digest() != part.digest:
            raise Damage("its chunks don't make up the part that was stored", f"part {part.name}", _CHECK)

    def read_all(self, part: StoredPart, places: Places = _NO_PLACES) -> bytes:
        """The whole part at once. Raises Damage and FormatTooNew as read() does."""
        if part.size < _AHEAD_FROM_BYTES:
            # One hash proves a whole; where it does not, read() finds the chunk that is damaged.
            try:
                data = self._unproven(part, places)
            except (Damage, NoSuchThing):
                data = b""
            if len(data) == part.size and self._keys.chunk_id(data) == part.digest:
                return data
        return b"".join(self.read(part))

    def _unproven(self, part: StoredPart, places: Places) -> bytes:
        chunks = []
        for chunk_id in part.chunks:
            location = places.get(chunk_id) or self._find(chunk_id)
            if location is not None:
                chunks.append(self._stored(location))
        return b"".join(reassemble(iter(chunks), f"part {part.name}") if part.form == MIME else chunks)

    def _chunks(self, part: StoredPart) -> Iterator[bytes]:
        placed = self._placed(content_chunks(part, self._list))
        if part.size < _AHEAD_FROM_BYTES:
            yield from (self._chunk(*each) for each in placed)
            return
        ahead = self._threads_ahead()
        coming = deque(ahead.submit(self._chunk, *each) for each in islice(placed, _CHUNKS_AHEAD))
        while coming:
            chunk = coming.popleft().result()
            coming.extend(ahead.submit(self._chunk, *each) for each in islice(placed, 1))
            yield chunk

    def _threads_ahead(self) -> "ThreadPoolExecutor":
        # Mails need none, and a process that writes them starts sooner.
        from concurrent.futures import ThreadPoolExecutor

        with self._lock:
            self._threads = self._threads or ThreadPoolExecutor(_THREADS, thread_name_prefix="read-ahead")
            return self._threads

    def _list(self, chunk_id: bytes) -> bytes:
        return self._chunk(chunk_id, self._find(chunk_id))

    def _find(self, chunk_id: bytes) -> Location | None:
        return self._index.find_chunks([chunk_id]).get(chunk_id)

    def _placed(self, chunk_ids: Iterator[bytes]) -> Iterator[tuple[bytes, Location | None]]:
        while some := list(islice(chunk_ids, _LOOKUP_CHUNKS)):
            places = self._index.find_chunks(some)
            for chunk_id in some:
                yield chunk_id, places.get(chunk_id)

    def _chunk(self, chunk_id: bytes, location: Location | None) -> bytes:
        if location is None:
            raise Damage("no pack that the catalog knows has it", f"chunk {chunk_id.hex()}", _CHECK)
        try:
            chunk = self._stored(location)
        except NoSuchThing as error:
            return self._chunk(chunk_id, self._moved(chunk_id, location, error))
        if self._keys.chunk_id(chunk) != chunk_id:
            subject = f"pack {location.pack_id}"
            raise Damage(f"chunk {chunk_id.hex()} in it is not what was written", subject, _CHECK)
        return chunk

    def _moved(self, chunk_id: bytes, before: Location, error: NoSuchThing) -> Location:
        """Where the chunk lies now that its pack is gone: prune moves what is still needed before it deletes."""
        now = self._find(chunk_id)
        if now is None or now.pack_id == before.pack_id:
            raise Damage("the pack is missing", f"pack {before.pack_id}", _CHECK) from error
        return now

    def _stored(self, location: Location) -> bytes:
        """What lies there, whatever it is."""
        chunk = self._cache.find(location)
        return self._cache.keep(location, self._read_record(location)) if chunk is None else chunk

    def _read_record(self, location: Location) -> bytes:
        subject = f"pack {location.pack_id}"
        envelope = self._envelope(location.pack_id)
        data = self._repository.backend.read(pack_name(location.pack_id), location.offset, location.length)
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
