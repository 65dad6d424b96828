"""A table whose rows can be tagged: one, a range, the others, none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.message import Message

from tuiback.console.keys import TAGS, bindings
from tuiback.console.widgets.rows import Column, RowSource, V
from tuiback.console.widgets.table import Table

# Tagging walks the rows; a folder of more is tagged as the folder itself.
TAG_LIMIT = 10_000


class TagTable(Table[V]):
    """A table with tags. `tags` keeps key and value of every tagged row, also of rows no longer shown."""

    BINDINGS = bindings(TAGS)

    @dataclass
    class Tagged(Message):
        """The tags changed, or too many rows were to be tagged (`refused`)."""

        table: "TagTable[Any]"
        refused: bool = False

    def __init__(self, columns: Sequence[Column], *, id: str | None = None, empty: str = "") -> None:  # noqa: A002
        super().__init__(columns, id=id, empty=empty)
        self._anchor: int | None = None

    def set_rows(self, source: RowSource[V], *, keep_key: str | None = None) -> None:
        """Show other rows; a range begun in the old ones is forgotten when they are others."""
        if source.count() != self.source.count():
            self._anchor = None
        super().set_rows(source, keep_key=keep_key)

    def action_tag(self) -> None:
        """Tag the row or take its tag away, and go down."""
        if self.cursor_row:
            self._flip([self.cursor])
            self.action_move(1)

    def action_tag_range(self) -> None:
        """The first time mark where a range begins, the second time tag it."""
        if self._anchor is None:
            self._anchor = self.cursor
            return
        first, last = sorted((self._anchor, self.cursor))
        self._anchor = None
        if last - first >= TAG_LIMIT:
            self.post_message(self.Tagged(self, refused=True))
            return
        rows = [self.source.row(index) for index in range(first, last + 1)]
        self.tags.update({row.key: row.value for row in rows})
        self._tags_changed()

    def action_invert_tags(self) -> None:
        """Tag what is not tagged in this list, and the other way round."""
        if self.source.count() > TAG_LIMIT:
            self.post_message(self.Tagged(self, refused=True))
            return
        self._flip(range(self.source.count()))

    def action_untag(self) -> None:
        """Take all tags away."""
        self.tags.clear()
        self._tags_changed()

    def _flip(self, indexes: Sequence[int]) -> None:
        for index in indexes:
            row = self.source.row(index)
            if self.tags.pop(row.key, None) is None:
                self.tags[row.key] = row.value
        self._tags_changed()

    def _tags_changed(self) -> None:
        self.post_message(self.Tagged(self))
        self.repaint()
