"""Holds what somebody keeps in drawers beside the mail: contacts in folders, tasks in lists."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.mailbox import FIRST_WRITTEN


@dataclass(slots=True, eq=False)
class Drawer:
    """One folder or list; `parent` is None for what lies in no other. `kind` tells apart what the service made."""

    serial: int
    parent: int | None
    name: str
    kind: str = ""
    version: int = 0


@dataclass(slots=True, eq=False)
class Record:
    """One contact or task. `parts` are the small things that belong to it, by what they are and by id."""

    serial: int
    drawer: int
    created: datetime
    modified: datetime
    properties: dict[str, Any]
    version: int = 0
    parts: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    files: dict[int, Attachment] = field(default_factory=dict)
    picture: Attachment | None = None


class Cabinet:
    """The drawers of one person with their records, as generated and as written since."""

    def __init__(self, owner: int, drawers: Iterable[Drawer], records: Iterable[Record]) -> None:
        self.owner = owner
        self.drawers = {drawer.serial: drawer for drawer in drawers}
        self.records = {record.serial: record for record in records}
        self.drawer_changes = ChangeLog()
        self.record_changes = ChangeLog()
        self._next_serial = FIRST_WRITTEN

    @property
    def is_changed(self) -> bool:
        """Whether anything was written, so that it can't be made anew from the seed."""
        return bool(self.drawer_changes.latest or self.record_changes.latest)

    def children(self, parent: int | None) -> list[Drawer]:
        """The drawers directly in one, or those in no other."""
        return [each for each in self.drawers.values() if each.parent == parent]

    def within(self, drawer: int) -> list[Record]:
        """What lies in one drawer, ascending by serial."""
        return [each for each in self.records.values() if each.drawer == drawer]

    def add(self, drawer: int, now: datetime, properties: dict[str, Any]) -> Record:
        """Put a new record into a drawer."""
        record = Record(self.new_serial(), drawer, now, now, properties)
        self.records[record.serial] = record
        self.record_changes.add(drawer, record.serial)
        return record

    def touch(self, record: Record, now: datetime) -> None:
        """Note that a record was changed."""
        record.version += 1
        record.modified = now
        self.record_changes.add(record.drawer, record.serial)

    def delete(self, record: Record) -> None:
        """Remove a record."""
        del self.records[record.serial]
        self.record_changes.add(record.drawer, record.serial)

    def add_drawer(self, parent: int | None, name: str, kind: str = "") -> Drawer:
        """Make a drawer."""
        drawer = Drawer(self.new_serial(), parent, name, kind)
        self.drawers[drawer.serial] = drawer
        self.drawer_changes.add(parent or 0, drawer.serial)
        return drawer

    def touch_drawer(self, drawer: Drawer) -> None:
        """Note that a drawer was renamed."""
        drawer.version += 1
        self.drawer_changes.add(drawer.parent or 0, drawer.serial)

    def delete_drawer(self, drawer: Drawer) -> None:
        """Remove a drawer with all that lies in it."""
        for child in self.children(drawer.serial):
            self.delete_drawer(child)
        for record in self.within(drawer.serial):
            self.delete(record)
        del self.drawers[drawer.serial]
        self.drawer_changes.add(drawer.parent or 0, drawer.serial)

    def new_serial(self) -> int:
        """A number that nothing here has had."""
        self._next_serial += 1
        return self._next_serial - 1
