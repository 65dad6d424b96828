"""Shows notebooks, groups of sections, sections and pages as OneNote does.

https://learn.microsoft.com/graph/api/resources/onenote
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tuiback.simtenant.api.call import Call
from tuiback.simtenant.content.company import Person, Site
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.notebooks import NoteGroup, NotePage, Notes, NoteSection


@dataclass(frozen=True, slots=True)
class Desk:
    """The notes of one owner as one request names them: `path` is the owner in URLs, "users/..." or "sites/..."."""

    notes: Notes
    owner: Person
    path: str
    url: str

    def book_of(self, wanted: NoteGroup | NoteSection) -> NoteGroup:
        """The notebook that a group or a section lies in."""
        return next(
            book
            for book in self.notes.books
            if any(each is wanted or wanted in each.sections for each in book.all_groups())
        )

    def above(self, wanted: NoteGroup | NoteSection) -> NoteGroup:
        """What a group or a section lies in."""
        groups = [each for book in self.notes.books for each in book.all_groups()]
        return next(each for each in groups if wanted in each.groups or wanted in each.sections)

    def section_of(self, page: NotePage) -> NoteSection:
        """The section that a page lies in."""
        groups = [each for book in self.notes.books for each in book.all_groups()]
        return next(section for group in groups for section in group.sections if page in section.pages)


def desk_at(call: Call, notes: Notes, owner: Person) -> Desk:
    """The notes as this request names them."""
    kind = next(each for each in ("user", "group", "site") if each in call.where)
    path = f"{kind}s/{quote(call.where[kind], safe=',@')}"
    return Desk(notes, owner, path, f"{call.root}{call.version}/{path}/onenote")


def book_json(desk: Desk, book: NoteGroup) -> dict[str, Any]:
    """A notebook."""
    url = f"{desk.url}/notebooks/{book.mark}"
    return _named(desk, book, url) | {
        "isDefault": book.is_default,
        "userRole": "Owner",
        "isShared": isinstance(desk.owner, Site),
        "sectionsUrl": f"{url}/sections",
        "sectionGroupsUrl": f"{url}/sectionGroups",
        "links": _links(desk, book.name),
    }


def group_json(desk: Desk, group: NoteGroup) -> dict[str, Any]:
    """A group of sections."""
    url = f"{desk.url}/sectionGroups/{group.mark}"
    return _named(desk, group, url) | {"sectionsUrl": f"{url}/sections", "sectionGroupsUrl": f"{url}/sectionGroups"}


def group_with_parents(desk: Desk, group: NoteGroup) -> dict[str, Any]:
    """A group of sections with what it lies in."""
    return group_json(desk, group) | _parents(desk, group)


def section_json(desk: Desk, section: NoteSection) -> dict[str, Any]:
    """A section."""
    url = f"{desk.url}/sections/{section.mark}"
    more = {"isDefault": False, "pagesUrl": f"{url}/pages", "links": _links(desk, section.name)}
    return _named(desk, section, url) | more


def section_with_parents(desk: Desk, section: NoteSection) -> dict[str, Any]:
    """A section with what it lies in."""
    return section_json(desk, section) | _parents(desk, section)


def page_json(desk: Desk, page: NotePage) -> dict[str, Any]:
    """A page with the section that it lies in, but not what it shows."""
    url = f"{desk.url}/pages/{page.mark}"
    section = desk.section_of(page)
    above = {"id": section.mark, "displayName": section.name, "self": f"{desk.url}/sections/{section.mark}"}
    return {
        "id": page.mark,
        "self": url,
        "createdDateTime": stamp(page.created),
        "title": page.title,
        "createdByAppId": page.app_id,
        "contentUrl": f"{url}/content",
        "lastModifiedDateTime": stamp(page.modified),
        "links": _links(desk, page.title),
        "parentSection": above,
    }


def _parents(desk: Desk, held: NoteGroup | NoteSection) -> dict[str, Any]:
    book, above = desk.book_of(held), desk.above(held)

    def brief(each: NoteGroup, kind: str) -> dict[str, Any]:
        return {"id": each.mark, "displayName": each.name, "self": f"{desk.url}/{kind}/{each.mark}"}

    return {
        "parentNotebook": brief(book, "notebooks"),
        "parentSectionGroup": None if above is book else brief(above, "sectionGroups"),
    }


def _named(desk: Desk, held: NoteGroup | NoteSection, url: str) -> dict[str, Any]:
    who = {"user": {"id": desk.owner.object_id, "displayName": desk.owner.name}}
    return {
        "id": held.mark,
        "self": url,
        "createdDateTime": stamp(held.created),
        "displayName": held.name,
        "lastModifiedDateTime": stamp(held.modified),
        "createdBy": who,
        "lastModifiedBy": who,
    }


def _links(desk: Desk, name: str) -> dict[str, Any]:
    href = f"{desk.owner.host}{desk.owner.site_path}/Documents/Notebooks/{quote(name)}"
    return {"oneNoteClientUrl": {"href": f"onenote:{href}"}, "oneNoteWebUrl": {"href": href}}
