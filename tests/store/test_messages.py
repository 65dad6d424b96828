"""Whole messages of any length arrive between two processes, and the end of one is told to the other."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from tuiback.store.messages import Messages


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_messages_of_any_length_arrive_whole(ends: tuple[socket.socket, socket.socket]) -> None:
    """An empty one, a short one and one that no buffer takes at once, in their order."""
    here, there = (Messages(end.fileno()) for end in ends)
    sent = [b"", b"short", bytes(range(256)) * 8192]

    def send() -> None:
        for message in sent:
            here.send(message)

    sending = threading.Thread(target=send)
    sending.start()
    assert [there.receive() for _ in sent] == sent
    sending.join()


@pytest.mark.parametrize("said", [b"", b"\x00\x00", struct.pack(">I", 5) + b"half"])
def test_an_end_within_a_message_is_the_end(ends: tuple[socket.socket, socket.socket], said: bytes) -> None:
    """Whoever is killed while it speaks has said nothing."""
    here, there = ends
    here.sendall(said)
    here.close()
    with pytest.raises(EOFError):
        Messages(there.fileno()).receive()


def test_nobody_speaks_to_one_that_is_gone(ends: tuple[socket.socket, socket.socket]) -> None:
    """It raises instead."""
    here, there = ends
    there.close()
    with pytest.raises(BrokenPipeError):
        Messages(here.fileno()).send(b"anybody there?")
