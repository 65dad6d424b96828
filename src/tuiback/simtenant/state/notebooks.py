"""Holds the notebooks of people and of sites as OneNote shows them: sections of pages, with pictures and files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS, Person
from tuiback.simtenant.content.documents import Document
from tuiback.simtenant.content.note_pages import FILE_MARK, draw_body
from tuiback.simtenant.content.prose import subject

_PICTURE_BYTES, _FILE_BYTES = 900, 300
_SECTIONS = ("Meetings", "Ideas")
_PAGES = 2


@dataclass(slots=True, eq=False)
class NotePage:
    """One page. In `body`, which is HTML, FILE_MARK and the id stand for what lies beside it."""

    mark: str
    title: str
    body: str
    created: datetime
    modified: datetime
    app_id: str = ""


@dataclass(slots=True, eq=False)
class NoteSection:
    """Pages under one name."""

    mark: str
    name: str
    created: datetime
    modified: datetime
    pages: list[NotePage] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class NoteGroup:
    """Sections, and groups of sections, under one name: a notebook is the topmost of them."""

    mark: str
    name: str
    created: datetime
    modified: datetime
    is_default: bool = False
    sections: list[NoteSection] = field(default_factory=list)
    groups: list["NoteGroup"] = field(default_factory=list)

    def all_groups(self) -> Iterator["NoteGroup"]:
        """This and all below it."""
        yield self
        for each in self.groups:
            yield from each.all_groups()


class Notes:
    """Everything of one owner; `files` are pictures and attachments by id: media type and bytes."""

    def __init__(self, chance: Chance, owner: Person) -> None:
        self._chance = chance
        self._owner = owner
        self._made = 0
        self.books: list[NoteGroup] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self._draw()

    def add_book(self, name: str, now: datetime) -> NoteGroup:
        """A new notebook without sections."""
        made = NoteGroup(self._mark(), name, now, now)
        self.books.append(made)
        return made

    def add_group(self, above: NoteGroup, name: str, now: datetime) -> NoteGroup:
        """A new group of sections."""
        made = NoteGroup(self._mark(), name, now, now)
        above.groups.append(made)
        return made

    def add_section(self, above: NoteGroup, name: str, now: datetime) -> NoteSection:
        """A new section without pages."""
        made = NoteSection(self._mark(), name, now, now)
        above.sections.append(made)
        return made

    def add_page(self, section: NoteSection, title: str, body: str, now: datetime) -> NotePage:
        """A new page behind the others."""
        made = NotePage(self._leaf_mark(), title, body, now, now)
        section.pages.append(made)
        section.modified = max(section.modified, now)
        return made

    def add_file(self, media_type: str, content: bytes) -> str:
        """Something that lies beside pages: its id."""
        mark = self._leaf_mark()
        self.files[mark] = (media_type, content)
        return mark

    def _mark(self) -> str:
        self._made += 1
        return f"1-{self._chance.guid('notes', self._owner.index, self._made)}"

    def _leaf_mark(self) -> str:
        leaf = self._chance.digest(16, "leaf", self._owner.index, self._made).hex()
        return f"1-{leaf}!{self._made}-{self._mark()[2:]}"

    def _draw(self) -> None:
        start = COMPANY_STARTS + timedelta(days=40 + self._owner.index % 300)
        book = self.add_book(f"{self._owner.name} @ Northwind", start)
        book.is_default = True
        shelf = self.add_group(book, "Archive", start)
        places = [(book, name) for name in _SECTIONS] + [(shelf, "Old")]
        for number, (above, name) in enumerate(places):
            section = self.add_section(above, name, start)
            for place in range(_PAGES):
                key = (self._owner.index, number, place)
                title = subject(self._chance, self._owner.language, "note", *key)
                body = draw_body(self._chance, self._owner.language, *key)
                if place == 0:
                    body += self._drawn_files(f"{self._owner.index}-{number}")
                self.add_page(section, title, body, start + timedelta(days=number, hours=place))

    def _drawn_files(self, family: str) -> str:
        """A picture and a file, as a page shows them."""
        picture, text = (
            Document(f"note-{family}", 1, kind, size).read(self._chance)
            for kind, size in (("png", _PICTURE_BYTES), ("txt", _FILE_BYTES))
        )
        shown, attached = self.add_file("image/png", picture), self.add_file("text/plain", text)
        return (
            f'<img width="320" src="{FILE_MARK}{shown}" data-src-type="image/png" '
            f'data-fullres-src="{FILE_MARK}{shown}" data-fullres-src-type="image/png" />'
            f'<object data-attachment="notes.txt" type="text/plain" data="{FILE_MARK}{attached}"></object>'
        )


class Notebooks:
    """The notes of every owner, made when somebody asks for them."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._held: dict[int, Notes] = {}

    def of(self, owner: Person) -> Notes:
        """Those of a person or of a site."""
        if owner.index not in self._held:
            self._held[owner.index] = Notes(self._chance, owner)
        return self._held[owner.index]
