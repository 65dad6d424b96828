"""Sends and receives whole messages of bytes between two processes, over an open file of each.

A message is its length, u32 big-endian, and its bytes.
"""

import os
import signal
import struct
import sys

_LENGTH = struct.Struct(">I")
_LEFT_TO_THE_OTHER = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Messages:
    """One end. One thread may send while another one receives; it neither opens nor closes the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, message: bytes) -> None:
        """Let the other end have it. Raises OSError when that is gone."""
        left = memoryview(_LENGTH.pack(len(message)) + message)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def receive(self) -> bytes:
        """The next message. Raises EOFError when the other end is gone, even in the middle of one, and OSError."""
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        return self._take(length)

    def _take(self, length: int) -> bytes:
        pieces = []
        while length:
            piece = os.read(self._descriptor, length)
            if not piece:
                raise EOFError("the other process has closed the connection")
            pieces.append(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def own_end() -> Messages:
    """In the process that SideProcess started: what it talks to the other one by. Call it first."""
    for number in _LEFT_TO_THE_OTHER:
        signal.signal(number, signal.SIG_IGN)
    return Messages(int(sys.argv[1]))
