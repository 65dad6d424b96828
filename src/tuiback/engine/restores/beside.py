"""Writes slices of an export for the process that started it: `python -m tuiback.engine.restores.beside`."""

import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import msgspec

from tuiback.catalog import CatalogReader
from tuiback.engine.clock import SystemClock
from tuiback.engine.codec import Fault, fault_of
from tuiback.engine.restores.slices import Planned, SliceWriter, Written
from tuiback.engine.restores.targets import FolderPlace, FolderTarget
from tuiback.errors import TuibackError
from tuiback.store import Reader, Repository
from tuiback.store.messages import Messages, own_end


class Opening(msgspec.Struct, frozen=True):
    """The first message: what to read from and where to write. It holds the repository's keys."""

    repository: bytes
    catalog: str
    place: FolderPlace

    def __repr__(self) -> str:
        return f"Opening(catalog={self.catalog!r}, place={self.place!r})"


class Answer(msgspec.Struct, frozen=True):
    """What came of a slice, or what ended all work. The first one has neither: it says that slices may come."""

    written: Written | None = None
    fault: Fault | None = None


_encode = msgspec.msgpack.Encoder().encode


def serve(messages: Messages) -> None:
    """Write each slice and answer it, in their order, until the other process has ended or closed the connection."""
    opening = msgspec.msgpack.decode(messages.receive(), type=Opening)
    writer = _open(opening)
    waiting: SimpleQueue[list[Planned] | None] = SimpleQueue()
    threading.Thread(target=_receive, args=(messages, waiting, writer), daemon=True).start()
    messages.send(_encode(Answer()))
    while (planned := waiting.get()) is not None:
        try:
            answer = Answer(writer.write(planned))
        except TuibackError as e:
            answer = Answer(fault=fault_of(e))
        messages.send(_encode(answer))


def _open(opening: Opening) -> SliceWriter:
    reader = CatalogReader(Path(opening.catalog))
    repository = Repository.take_over(opening.repository, SystemClock())
    target = FolderTarget(Path(opening.place.folder), overwrite=opening.place.overwrite)
    return SliceWriter(reader, Reader(repository, reader), target)


def _receive(messages: Messages, waiting: "SimpleQueue[list[Planned] | None]", writer: SliceWriter) -> None:
    """Take what comes while another slice is being written, and notice at once when nobody waits for it any more."""
    decoder = msgspec.msgpack.Decoder(list[Planned])
    with suppress(EOFError, OSError):
        while True:
            waiting.put(decoder.decode(messages.receive()))
    writer.stop()
    waiting.put(None)


def main() -> None:
    """Serve; whatever ends it, the other process sees the connection close and does its slices itself."""
    messages = own_end()
    with suppress(EOFError, ConnectionError):
        serve(messages)


if __name__ == "__main__":
    main()
