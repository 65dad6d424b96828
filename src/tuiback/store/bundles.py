"""Gathers small chunks of one account, kind and part name into records, so that they compress together."""

from dataclasses import dataclass, field

from tuiback.store.chunker import Cut
from tuiback.store.pack import BUNDLE_BYTES, ChunkSize
from tuiback.store.packer import Packer

# Bundles begun and not yet full; beyond that the oldest is sealed as it is.
_OPEN_BUNDLES = 96

BundleKey = tuple[str, str, str]


@dataclass(slots=True)
class _Bundle:
    pieces: list[bytes] = field(default_factory=list)
    chunks: list[ChunkSize] = field(default_factory=list)
    size: int = 0


class Bundles:
    """The bundles on their way to one packer. Belongs to one event loop."""

    def __init__(self, packer: Packer) -> None:
        self._packer = packer
        self._open: dict[BundleKey, _Bundle] = {}
        self.plain_bytes = 0

    def add(self, key: BundleKey, cut: Cut) -> None:
        """Take a small chunk; it belongs to the next flush if seal_all() comes before it."""
        bundle = self._open.get(key)
        if bundle is not None and bundle.size + len(cut.data) > BUNDLE_BYTES:
            self._seal(key)
            bundle = None
        if bundle is None:
            if len(self._open) >= _OPEN_BUNDLES:
                self._seal(next(iter(self._open)))
            bundle = self._open[key] = _Bundle()
        bundle.pieces.append(cut.data)
        bundle.chunks.append((cut.chunk_id, len(cut.data)))
        bundle.size += len(cut.data)
        self.plain_bytes += len(cut.data)

    def seal_all(self) -> None:
        """Give all that is open to the packer."""
        for key in list(self._open):
            self._seal(key)

    def _seal(self, key: BundleKey) -> None:
        bundle = self._open.pop(key)
        self.plain_bytes -= bundle.size
        self._packer.submit(b"".join(bundle.pieces), bundle.chunks)
