"""Cuts and seals batches for the Lane that started it: `python -m tuiback.store.lane_process CONNECTION MEMORY`."""

import mmap
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from tuiback.store.batch import CutBatch
from tuiback.store.envelope import PACK_MAGIC, Envelope, open_envelope
from tuiback.store.keys import Keys
from tuiback.store.lane_orders import STRETCH_BYTES, CutOrder, SealOrder, decode_order, encode
from tuiback.store.messages import Messages, own_end
from tuiback.store.process import prepare_process


class _Worker:
    """Has the batches of all stretches between their two orders."""

    def __init__(self, keys: Keys, memory: mmap.mmap) -> None:
        self._keys = keys
        self._memory = memory
        self._batches: dict[int, CutBatch] = {}
        # Batches of one pack come one after the other.
        self._envelope = lru_cache(maxsize=1)(self._open_envelope)

    def answer(self, order: CutOrder | SealOrder) -> bytes:
        """Do it."""
        if isinstance(order, CutOrder):
            batch = self._batches[order.stretch] = CutBatch(self._keys, order.name, self._parts(order))
            return encode(batch.cuts())
        batch = self._batches.pop(order.stretch)
        records = batch.seal(order.new, self._envelope(order.header), order.first_slot)
        data = b"".join([piece for record in records for piece in record])
        if len(data) > STRETCH_BYTES:
            raise ValueError("sealed records are longer than what they hold can make them")
        start = order.stretch * STRETCH_BYTES
        self._memory[start : start + len(data)] = data
        return encode([len(head) + len(sealed) for head, sealed in records])

    def _parts(self, order: CutOrder) -> Iterator[bytes]:
        start = order.stretch * STRETCH_BYTES
        for length in order.lengths:
            yield self._memory[start : start + length]
            start += length

    def _open_envelope(self, header: bytes) -> Envelope:
        return open_envelope(header, PACK_MAGIC, self._keys.repository, self._keys, "the pack that is being made")


def serve(messages: Messages, memory: mmap.mmap) -> None:
    """Do all orders until the other process has ended or closed the connection: then raises EOFError or OSError."""
    worker = _Worker(Keys.take_over(messages.receive()), memory)
    prepare_process()
    messages.send(b"")
    while True:
        messages.send(worker.answer(decode_order(messages.receive())))


def main() -> None:
    """Serve; whatever ends it, the other process sees the connection close and does what is left itself."""
    messages = own_end()
    with suppress(EOFError, ConnectionError):
        serve(messages, mmap.mmap(int(sys.argv[2]), 0))


if __name__ == "__main__":
    main()
