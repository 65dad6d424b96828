"""Answers for OneNote: notebooks, sections and pages of people, groups and sites, for who has signed in only.

https://learn.microsoft.com/graph/integrate-with-onenote: applications have no part in it since 31 March 2025; they get
401, as message MC1011142 to administrators says.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.groups import group_of
from tuiback.simtenant.api.note_json import (
    Desk,
    book_json,
    desk_at,
    group_json,
    group_with_parents,
    page_json,
    section_json,
    section_with_parents,
)
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import ANY_APPLICATION, READ_NOTES
from tuiback.simtenant.api.router import Permission, Route
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.api.user_lookup import person_of
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.note_pages import page_html
from tuiback.simtenant.state.notebooks import NoteGroup, NotePage, NoteSection

T = TypeVar("T")
Show = Callable[[Desk, T], dict[str, Any]]
_PAGE, _MOST = 20, 100
OWNERS = ("/users/{user}/onenote", "/groups/{group}/onenote", "/sites/{site}/onenote")


def desk_of(cloud: Cloud, call: Call, permission: Permission = READ_NOTES) -> Desk:
    """The notes that the URL names, for a person who may see them. Raises Fault 401, 403 and 404."""
    bearer = cloud.signin.bearer(call.headers.get("authorization", ""))
    if not bearer.person_id:
        raise Fault(401, "40001", "The request does not contain a valid authentication token.")
    if not permission.roles & bearer.permissions:
        raise Fault(403, permission.code, permission.message)
    owner = _owner(cloud, call, bearer.person_id)
    return desk_at(call, cloud.tenant.notebooks.of(owner), owner)


def _owner(cloud: Cloud, call: Call, person_id: str) -> Person:
    if "site" in call.where:
        return site_of(cloud, call)
    if "user" in call.where:
        owner = person_of(cloud, call)
        if owner.object_id != person_id:
            raise _not_theirs()
        return owner
    group, asking = group_of(cloud, call), cloud.tenant.directory.find(person_id)
    team = cloud.tenant.teams.find(group.object_id)
    if team is None:
        raise absent()
    if asking is None or ("user", asking.index) not in cloud.tenant.groups.members(group):
        raise _not_theirs()
    return cloud.tenant.sites.of_team(team)


def _not_theirs() -> Fault:
    return Fault(403, "40003", "The user does not have permission to access the requested resource.")


def absent() -> Fault:
    """What OneNote says of an id that it does not have."""
    return Fault(404, "20102", "The specified resource ID does not exist.")


def _found(among: Sequence[T], mark: str, mark_of: Callable[[T], str]) -> T:
    found = next((each for each in among if mark_of(each) == mark), None)
    if found is None:
        raise absent()
    return found


def all_groups(desk: Desk) -> list[NoteGroup]:
    """Every notebook and every group of sections."""
    return [each for book in desk.notes.books for each in book.all_groups()]


def all_sections(desk: Desk) -> list[NoteSection]:
    """Every section of every notebook."""
    return [section for group in all_groups(desk) for section in group.sections]


def group_at(desk: Desk, call: Call) -> NoteGroup:
    """The notebook or the group of sections that the URL names. Raises Fault 404."""
    if "notebook" in call.where:
        return _found(desk.notes.books, call.where["notebook"], lambda each: each.mark)
    below = [each for each in all_groups(desk) if each not in desk.notes.books]
    return _found(below, call.where["sectiongroup"], lambda each: each.mark)


def section_at(desk: Desk, call: Call) -> NoteSection:
    """The section that the URL names. Raises Fault 404."""
    return _found(all_sections(desk), call.where["section"], lambda each: each.mark)


def page_at(desk: Desk, call: Call) -> NotePage:
    """The page that the URL names. Raises Fault 404."""
    pages = [each for section in all_sections(desk) for each in section.pages]
    return _found(pages, call.where["page"], lambda each: each.mark)


def _list_books(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call)
    return _listed(desk, call, "notebooks", [_expanded(desk, call, each) for each in desk.notes.books])


def _get_book(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call)
    return shown(desk, call, "notebooks", _expanded(desk, call, group_at(desk, call)))


def _expanded(desk: Desk, call: Call, book: NoteGroup) -> dict[str, Any]:
    document, wanted = book_json(desk, book), call.query.get("$expand", "")
    if wanted.startswith("sections") or ",sections" in wanted:
        document["sections"] = [section_json(desk, each) for each in book.sections]
    if "sectionGroups" in wanted:
        document["sectionGroups"] = [group_json(desk, each) for each in book.groups]
        if "$expand=sections" in wanted:
            for each, group in zip(document["sectionGroups"], book.groups, strict=True):
                each["sections"] = [section_json(desk, section) for section in group.sections]
    return document


def _list_groups(cloud: Cloud, call: Call) -> Reply:
    """Those in a notebook or a group, or all of them."""
    desk = desk_of(cloud, call)
    inside = {"notebook", "sectiongroup"} & call.where.keys()
    groups = group_at(desk, call).groups if inside else [
        each for each in all_groups(desk) if each not in desk.notes.books
    ]  # fmt: skip
    return _listed(desk, call, "sectionGroups", [group_with_parents(desk, each) for each in groups])


def _get_group(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call)
    return shown(desk, call, "sectionGroups", group_with_parents(desk, group_at(desk, call)))


def _list_sections(cloud: Cloud, call: Call) -> Reply:
    """Those in a notebook or a group, or all of them."""
    desk = desk_of(cloud, call)
    inside = {"notebook", "sectiongroup"} & call.where.keys()
    sections = group_at(desk, call).sections if inside else all_sections(desk)
    return _listed(desk, call, "sections", [section_with_parents(desk, each) for each in sections])


def _get_section(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call)
    return shown(desk, call, "sections", section_with_parents(desk, section_at(desk, call)))


def _list_pages(cloud: Cloud, call: Call) -> Reply:
    """Those of a section, or all of them; the last changed first. Where they stand is told for $filter only on wish."""
    desk = desk_of(cloud, call)
    sections = [section_at(desk, call)] if "section" in call.where else all_sections(desk)
    pages = sorted((each for held in sections for each in held.pages), key=lambda each: each.modified, reverse=True)
    return _listed(desk, call, "pages", [page_json(desk, each) | _place(desk, call, each) for each in pages])


def _get_page(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call)
    found = page_at(desk, call)
    return shown(desk, call, "pages", page_json(desk, found) | _place(desk, call, found))


def _place(desk: Desk, call: Call, found: NotePage) -> dict[str, Any]:
    """Level and order, which only who asks with `pagelevel` is told, as a section has them."""
    if call.query.get("pagelevel", "").lower() != "true":
        return {}
    return {"level": 0, "order": desk.section_of(found).pages.index(found)}


def _get_content(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call)
    found = page_at(desk, call)
    html = page_html(found.title, found.body, found.created, f"{desk.url}/resources")
    return Reply(200, html, "text/html")


def _get_resource(cloud: Cloud, call: Call) -> Reply:
    held = desk_of(cloud, call).notes.files.get(call.where["resource"])
    if held is None:
        raise absent()
    return Reply(200, held[1], "application/octet-stream")


def _listed(desk: Desk, call: Call, name: str, rows: list[dict[str, Any]]) -> Reply:
    test, names = filter_of(call, "20108"), selected(call)
    rows = [each for each in rows if test(each)]
    order, _, direction = call.query.get("$orderby", "").partition(" ")
    if order:
        rows.sort(key=lambda each: str(each.get(order, "")).lower(), reverse=direction.strip().lower() == "desc")
    held, next_link = page(rows, call, page_size(call, _PAGE, _MOST))
    documents = [narrowed(each, names) for each in held]
    return json_reply(collection(f"{desk.path}/onenote/{name}", documents, next_link, call))


def shown(desk: Desk, call: Call, name: str, document: dict[str, Any], status: int = 200) -> Reply:
    """One of them, with where it is when it is new."""
    headers = {"Location": document["self"]} if status == 201 else {}
    context = {"@odata.context": context_url(call, f"{desk.path}/onenote/{name}/$entity")}
    return json_reply(context | narrowed(document, selected(call)), status, headers)


_READ = {
    "/notebooks": _list_books,
    "/notebooks/{notebook}": _get_book,
    "/notebooks/{notebook}/sections": _list_sections,
    "/notebooks/{notebook}/sectionGroups": _list_groups,
    "/sectionGroups": _list_groups,
    "/sectionGroups/{sectiongroup}": _get_group,
    "/sectionGroups/{sectiongroup}/sections": _list_sections,
    "/sectionGroups/{sectiongroup}/sectionGroups": _list_groups,
    "/sections": _list_sections,
    "/sections/{section}": _get_section,
    "/sections/{section}/pages": _list_pages,
    "/pages": _list_pages,
    "/pages/{page}": _get_page,
    "/pages/{page}/content": _get_content,
    "/pages/{page}/$value": _get_content,
    "/resources/{resource}/content": _get_resource,
    "/resources/{resource}/$value": _get_resource,
}
ROUTES = tuple(
    Route("GET", owner + path, handler, ANY_APPLICATION, filtered=handler.__name__.startswith("_list"))
    for owner in OWNERS
    for path, handler in _READ.items()
)
