"""Holds one process that writes slices of an export, from its start to its end."""

import threading
from contextlib import suppress

import msgspec

from tuiback.engine.codec import error_of
from tuiback.engine.restores import ahead
from tuiback.engine.restores.beside import Answer, Opening
from tuiback.engine.restores.slices import Slice, Written
from tuiback.store.side_process import SideProcess

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Answer).decode


class Helper:
    """One such process. For one thread, but for stop(); every method that talks to it may raise EOFError and OSError.

    Those say that it has ended: what it has not answered it may have written or not.
    """

    def __init__(self, opening: Opening, started: SideProcess | None = None) -> None:
        """Start it, unless it is started. Raises EnvironmentFault where that can't be done."""
        self._opening = opening
        self._process = started or ahead.start()
        self._messages = self._process.messages
        self._closing = threading.Lock()
        self._is_ready = False
        self._is_closed = False

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Tell it where to read and write, and return when it has opened both."""
        self._messages.send(_encode(self._opening))
        self.receive()
        self._is_ready = True

    def send(self, planned: Slice) -> None:
        """Let it write the slice behind those that it has."""
        self._messages.send(_encode(planned))

    def receive(self) -> Written:
        """What came of the first slice that it has not answered yet. Raises StorageFull."""
        answer = _decode(self._messages.receive())
        if answer.fault is not None:
            raise error_of(answer.fault)
        return answer.written or Written()

    def stop(self) -> None:
        """Let it end behind the file that it has in hand, and whoever waits for its answer see that it ends."""
        with self._closing, suppress(OSError):
            self._process.hang_up()

    def close(self) -> None:
        """Wait for its end; one that has written nothing yet isn't let get ready first."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            if self._is_ready:
                self._process.close()
            else:
                self._process.abandon()
