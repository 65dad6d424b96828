"""Holds one list of a site: its columns, its rows with their past, and the files that hang on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tuiback.simtenant.state.changes import ChangeLog

# People are numbered in lists from here on: below are the accounts of the system.
FIRST_PERSON = 10


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """What a row held until it was changed."""

    number: int
    fields: Mapping[str, Any]
    modified: datetime
    editor: int


@dataclass(slots=True, eq=False)
class Item:
    """One row of a list: the fields by their names on the wire, as they are read.

    `author` and `editor` are people's numbers; `kind` is the place of its content type among those of the list. A file
    of a library has its path in `place`.
    """

    number: int
    fields: dict[str, Any]
    created: datetime
    modified: datetime
    author: int = 0
    editor: int = 0
    kind: int = 0
    version: int = 1
    earlier: list[ItemVersion] = field(default_factory=list)
    attachments: dict[str, bytes] = field(default_factory=dict)
    place: str = ""


@dataclass(slots=True, eq=False)
class SiteList:
    """A list with its columns, as Graph's columnDefinitions, and its rows by number.

    `kinds` are the content types that it has beside `first_kind`, that of a plain row. A `is_system` one is told to who
    asks for it.
    """

    list_id: str
    name: str
    columns: list[dict[str, Any]]
    created: datetime
    description: str = ""
    template: str = "genericList"
    first_kind: str = "Item"
    kinds: tuple[str, ...] = ()
    is_system: bool = False
    items: dict[int, Item] = field(default_factory=dict)
    changes: ChangeLog = field(default_factory=ChangeLog)
    next_number: int = 1

    @property
    def kind_names(self) -> tuple[str, ...]:
        """The content types by their place; that of folders is the last."""
        return (self.first_kind, *self.kinds, "Folder")

    @property
    def is_library(self) -> bool:
        """Whether its rows are files."""
        return self.first_kind != "Item"

    def add(self, fields: dict[str, Any], created: datetime, author: int = 0, kind: int = 0) -> Item:
        """A new row."""
        item = Item(self.next_number, fields, created, created, author, author, kind)
        self.next_number += 1
        self.items[item.number] = item
        self.changes.add(0, item.number)
        return item

    def change(self, item: Item, fields: Mapping[str, Any], now: datetime, editor: int = 0) -> None:
        """Write some fields of a row; what it held before becomes a version of the past."""
        item.earlier.append(ItemVersion(item.version, dict(item.fields), item.modified, item.editor))
        item.fields.update(fields)
        item.modified, item.editor = now, editor
        self._touch(item)

    def attach(self, item: Item, name: str, content: bytes | None) -> None:
        """Hang a file on a row, or take it off where there is no content."""
        if content is None:
            del item.attachments[name]
        else:
            item.attachments[name] = content
        self._touch(item)

    def delete(self, item: Item) -> None:
        """Remove a row."""
        del self.items[item.number]
        self.changes.add(0, item.number)

    def _touch(self, item: Item) -> None:
        item.version += 1
        self.changes.add(0, item.number)
