"""Holds one drive: its tree as generated or given, and everything that was written since."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tuiback.simtenant.content.sources import Source
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.grants import Grant
from tuiback.simtenant.state.mailbox import FIRST_WRITTEN

ROOT_NODE = 0


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """What a file held until it was written again."""

    source: Source
    modified: datetime


@dataclass(slots=True)
class Node:
    """A file or folder. `source` is None for folders; `package` marks a notebook; `version` counts its changes.

    `earlier` versions come oldest first, those in `forgotten` were deleted; `trouble` says why the content can't be
    read, if it can't. One that `stands_alone` takes over no permission from the folders above. The application that
    is its `holder` has checked it out; `fields` are what was written into the columns of its library.
    """

    serial: int
    parent: int | None
    name: str
    source: Source | None
    created: datetime
    modified: datetime
    package: bool = False
    version: int = 1
    trouble: str = ""
    earlier: list[EarlierVersion] = field(default_factory=list)
    forgotten: set[int] = field(default_factory=set)
    grants: list[Grant] = field(default_factory=list)
    stands_alone: bool = False
    holder: str = ""
    fields: dict[str, Any] | None = None

    @property
    def version_number(self) -> int:
        """The number of the present version of the content; the first has 1."""
        return len(self.earlier) + 1

    def source_of(self, version: int) -> Source | None:
        """The content of a version; 0 stands for the present one."""
        if version in (0, self.version_number):
            return self.source
        return self.earlier[version - 1].source if 0 < version <= len(self.earlier) else None

    @property
    def is_folder(self) -> bool:
        """Whether it can hold other nodes."""
        return self.source is None


class NameTaken(Exception):
    """A sibling already has this name, in whatever case of letters."""


class Drive:
    """One drive, ready to be read and changed."""

    def __init__(self, owner: int, nodes: list[Node]) -> None:
        self.owner = owner
        self.nodes = {node.serial: node for node in nodes}
        self._names: dict[int, dict[str, int]] = {}
        for node in nodes:
            self._enter(node)
        self._next_serial = FIRST_WRITTEN
        self.changes = ChangeLog()
        self._parents_first: tuple[int, list[int]] = (-1, [])

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, so that it can't be made anew from the seed."""
        return bool(self.changes.latest)

    def children(self, serial: int) -> list[Node]:
        """What lies directly in a folder, in the order of names."""
        inside = self._names.get(serial, {})
        return [self.nodes[inside[name]] for name in sorted(inside)]

    def child_count(self, serial: int) -> int:
        """How many nodes lie directly in a folder."""
        return len(self._names.get(serial, {}))

    def find_child(self, parent: int, name: str) -> Node | None:
        """The node of this name, in any case of letters."""
        serial = self._names.get(parent, {}).get(name.casefold())
        return self.nodes[serial] if serial is not None else None

    def find_path(self, start: Node, names: list[str]) -> Node | None:
        """The node reached from `start` by `names`."""
        node: Node | None = start
        for name in names:
            node = self.find_child(node.serial, name) if node is not None else None
        return node

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The folders above, nearest first, the root last."""
        while node.parent is not None:
            node = self.nodes[node.parent]
            yield node

    def path(self, node: Node) -> list[str]:
        """The names from below the root down to the node."""
        names = [node.name, *(each.name for each in self.ancestors(node))]
        return names[-2::-1]

    def depth(self, node: Node) -> int:
        """How many folders lie above."""
        return sum(1 for _ in self.ancestors(node))

    def parents_first(self) -> list[int]:
        """All nodes, each behind the folder that it lies in. Nobody may change it."""
        if self._parents_first[0] != self.changes.latest:
            ordered: list[int] = []
            level = [ROOT_NODE]
            while level:
                ordered += level
                level = sorted(serial for each in level for serial in self._names.get(each, {}).values())
            self._parents_first = (self.changes.latest, ordered)
        return self._parents_first[1]

    def total_bytes(self) -> int:
        """The sizes of all files."""
        return sum(node.source.size for node in self.nodes.values() if node.source is not None)

    def size(self, node: Node) -> int:
        """The bytes of a file, or of everything in a folder."""
        if node.source is not None:
            return node.source.size
        if node.serial == ROOT_NODE:
            return self.total_bytes()
        return sum(self.size(self.nodes[serial]) for serial in self._names.get(node.serial, {}).values())

    def add(self, parent: Node, name: str, source: Source | None, created: datetime, modified: datetime) -> Node:
        """Put a new node into a folder. Raises NameTaken."""
        if self.find_child(parent.serial, name) is not None:
            raise NameTaken(name)
        node = Node(self._next_serial, parent.serial, name, source, created, modified)
        self._next_serial += 1
        self.nodes[node.serial] = node
        self._enter(node)
        self.changes.add(parent.serial, node.serial)
        return node

    def write(self, node: Node, source: Source, modified: datetime) -> None:
        """Give a file new content; the old one becomes a version of the past."""
        if node.source is not None:
            node.earlier.append(EarlierVersion(node.source, node.modified))
        node.source, node.modified = source, modified
        self.touch(node)

    def share(self, node: Node) -> None:
        """Note that who may see `node` was changed, which is no change of the file."""
        self.changes.add(node.parent or ROOT_NODE, node.serial, is_sharing=True)

    def touch(self, node: Node) -> None:
        """Note that `node` was changed."""
        node.version += 1
        self.changes.add(node.parent or ROOT_NODE, node.serial)

    def place(self, node: Node, parent: int, name: str) -> None:
        """Rename or move a node. Raises NameTaken."""
        other = self.find_child(parent, name)
        if other is not None and other is not node:
            raise NameTaken(name)
        self._leave(node)
        node.parent, node.name = parent, name
        self._enter(node)
        self.touch(node)

    def delete(self, node: Node) -> None:
        """Remove a node and everything in it; each is reported as deleted."""
        for child in self.children(node.serial):
            self.delete(child)
        self._leave(node)
        del self.nodes[node.serial]
        self.changes.add(node.parent or ROOT_NODE, node.serial)

    def _enter(self, node: Node) -> None:
        if node.parent is not None:
            self._names.setdefault(node.parent, {})[node.name.casefold()] = node.serial

    def _leave(self, node: Node) -> None:
        if node.parent is not None:
            self._names[node.parent].pop(node.name.casefold(), None)


def sharing_above(drive: Drive, node: Node) -> Iterator[Node]:
    """The folders above whose permissions hold for `node` too, nearest first."""
    for above in drive.ancestors(node):
        if node.stands_alone:
            return
        yield above
        node = above
