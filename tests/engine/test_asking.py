"""Tests of who the engine acts for."""

import os
import socket

import pytest

from tuiback.engine.asking import (
    Asker,
    Role,
    asked_by,
    current_asker,
    local_asker,
    origin_of,
    peer_asker,
    peer_of,
    user_name,
)


def test_the_origin_names_ssh_and_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal too; nobody can fill the audit by it."""

    def no_terminal(_: int) -> str:
        raise OSError

    monkeypatch.setattr(os, "ttyname", no_terminal)
    assert origin_of({}) == "no terminal"
    environ = {"SSH_CONNECTION": "192.0.2.7 52000 192.0.2.1 22", "SUDO_USER": "anna"}
    assert origin_of(environ) == "ssh from 192.0.2.7, sudo by anna"
    assert len(origin_of({"SUDO_USER": "x" * 1000})) == 120


def test_a_peer_is_who_the_kernel_says() -> None:
    """Its process and user; what it says of itself stands beside that."""
    here, there = socket.socketpair(socket.AF_UNIX)
    try:
        asker = peer_asker(peer_of(here), "pts/9", Role.ADMIN)
    finally:
        here.close()
        there.close()
    assert asker == Asker(user_name(os.getuid()), os.getuid(), f"process {os.getpid()}, pts/9")


def test_a_user_without_a_name_goes_by_the_number() -> None:
    """As in a container."""
    assert user_name(2**31 - 7) == str(2**31 - 7)


def test_the_asker_is_remembered_within() -> None:
    """Outside it is whoever runs the process."""
    with asked_by(Asker("bert", 7, "process 1")):
        assert current_asker().who == "bert"
    assert current_asker() == local_asker()
