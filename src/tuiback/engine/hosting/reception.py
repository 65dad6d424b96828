"""Receives whoever comes to the socket of a home: opens the way for the groups, and knows what each peer may do."""

import os
import socket
from collections.abc import Callable, Mapping

from tuiback.engine.asking import Peer, Role, groups_of, peer_of
from tuiback.engine.home import Access, Home
from tuiback.engine.hosting.doors import let_in
from tuiback.engine.hosting.glance import SOCKET
from tuiback.engine.hosting.roles import group_ids, role_of


class Reception:
    """Knows who comes to the socket of a home: the role is that of the peer, whatever that says of itself."""

    def __init__(
        self,
        home: Home,
        *,
        peer: Callable[[socket.socket], Peer] = peer_of,
        groups: Callable[[Access], Mapping[Role, int]] = group_ids,
    ) -> None:
        self._home = home
        self._peer = peer
        self._groups = groups
        self._owners = frozenset({0, os.geteuid(), home.path.stat().st_uid})

    def admit(self, connection: socket.socket) -> tuple[Peer, Role | None]:
        """Who is at the other end, and what that may do; None for a stranger. May ask the network for groups."""
        peer = self._peer(connection)
        if peer.uid in self._owners:
            return peer, Role.ADMIN
        return peer, role_of(groups_of(peer), self._groups(self._home.access))

    def open_doors(self) -> str:
        """Let the members of the groups that there are come to the socket; why that can't be, "" when it is so."""
        groups = self._groups(self._home.access)
        if groups:
            try:
                let_in(self._home.path, SOCKET, frozenset(groups.values()))
            except OSError as e:
                return f"only the owner of the home can attach: groups can't be let in ({e.strerror})"
        return ""
