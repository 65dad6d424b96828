"""Answers that write notes: new notebooks, sections and pages, changes of pages, and deletion.

https://learn.microsoft.com/graph/api/section-post-pages, .../page-update, .../page-delete
"""

import re
from email.message import Message
from email.parser import BytesParser
from html import escape
from typing import Any

import msgspec

from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.note_json import Desk, book_json, group_with_parents, page_json, section_with_parents
from tuiback.simtenant.api.notebooks import OWNERS, desk_of, group_at, page_at, section_at, shown
from tuiback.simtenant.api.permissions import ANY_APPLICATION, WRITE_NOTES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.note_pages import read_page, with_files
from tuiback.simtenant.state.notebooks import NoteGroup, NotePage, NoteSection

_MOST_NAME_CHARACTERS = 50
_FORBIDDEN = re.compile(r"[?*/:<>|&#'%~\\]")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")


def _new_name(call: Call, beside: list[NoteGroup] | list[NoteSection]) -> str:
    """The name of something new. Raises Fault 400 and 409."""
    name = call.json().get("displayName")
    if not isinstance(name, str) or not name or len(name) > _MOST_NAME_CHARACTERS or _FORBIDDEN.search(name):
        raise Fault(400, "20153", "The name is missing, too long or contains one of the characters ?*/:<>|&#''%~\\.")
    if name.lower() in {each.name.lower() for each in beside}:
        raise Fault(409, "20117", "An item with this name already exists in this location.")
    return name


def _create_book(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call, WRITE_NOTES)
    made = desk.notes.add_book(_new_name(call, desk.notes.books), cloud.clock.now())
    return shown(desk, call, "notebooks", book_json(desk, made), 201)


def _create_section(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call, WRITE_NOTES)
    above = group_at(desk, call)
    made = desk.notes.add_section(above, _new_name(call, above.sections), cloud.clock.now())
    return shown(desk, call, "sections", section_with_parents(desk, made), 201)


def _create_group(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call, WRITE_NOTES)
    above = group_at(desk, call)
    made = desk.notes.add_group(above, _new_name(call, above.groups), cloud.clock.now())
    return shown(desk, call, "sectionGroups", group_with_parents(desk, made), 201)


def _create_page(cloud: Cloud, call: Call) -> Reply:
    """From HTML, or from a form whose part Presentation is HTML that names the other parts."""
    desk = desk_of(cloud, call, WRITE_NOTES)
    section = section_at(desk, call)
    title, body = _given_page(desk, call)
    made = desk.notes.add_page(section, title, body, cloud.clock.now())
    made.app_id = f"WLID-{call.app_id}"
    return shown(desk, call, "pages", page_json(desk, made), 201)


def _given_page(desk: Desk, call: Call) -> tuple[str, str]:
    kind = call.headers.get("content-type", "")
    if kind.lower().startswith(_PAGE_TYPES):
        return read_page(call.body.decode("utf-8", "replace"))
    parts = _parts(call.body, kind) if kind.lower().startswith("multipart/form-data") else {}
    first = parts.pop("Presentation", None)
    if first is None:
        raise Fault(400, "20110", "The page create request needs HTML, or a form with a 'Presentation' part.")
    marks = {name: desk.notes.add_file(each.get_content_type(), _payload(each)) for name, each in parts.items()}
    title, body = read_page(_payload(first).decode("utf-8", "replace"))
    return title, with_files(body, marks)


def _parts(body: bytes, kind: str) -> "dict[str, Message[str, str]]":
    found = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts = found.get_payload() if found.is_multipart() else []
    return {str(each.get_param("name", header="Content-Disposition")): each for each in parts}  # type: ignore[union-attr,misc]


def _payload(part: "Message[str, str]") -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _change_page(cloud: Cloud, call: Call) -> Reply:
    """Commands on the body and the title as wholes; parts of a page have no ids here."""
    found = page_at(desk_of(cloud, call, WRITE_NOTES), call)
    try:
        commands = msgspec.json.decode(call.body)
    except msgspec.DecodeError as error:
        raise Fault(400, "20135", "The PATCH request body is not valid JSON.") from error
    if not isinstance(commands, list) or not all(isinstance(each, dict) for each in commands):
        raise Fault(400, "20135", "The PATCH request body is not an array of changes.")
    for each in commands:
        _carry_out(found, each)
    found.modified = cloud.clock.now()
    return no_content()


def _carry_out(found: NotePage, command: dict[str, Any]) -> None:
    target, action = command.get("target"), command.get("action")
    content = str(command.get("content", ""))
    if target == "title" and action == "replace":
        found.title = content
    elif target == "body" and action in ("append", "prepend"):
        before = action == "prepend" or command.get("position") == "before"
        found.body = content + found.body if before else found.body + content
    else:
        raise Fault(501, "NotImplemented", f"The simulated tenant can't {escape(str(action))} there.")


def _delete_page(cloud: Cloud, call: Call) -> Reply:
    desk = desk_of(cloud, call, WRITE_NOTES)
    found = page_at(desk, call)
    desk.section_of(found).pages.remove(found)
    return no_content()


_WRITTEN = (
    ("POST", "/notebooks", _create_book),
    ("POST", "/notebooks/{notebook}/sections", _create_section),
    ("POST", "/notebooks/{notebook}/sectionGroups", _create_group),
    ("POST", "/sectionGroups/{sectiongroup}/sections", _create_section),
    ("POST", "/sections/{section}/pages", _create_page),
    ("PATCH", "/pages/{page}/content", _change_page),
    ("DELETE", "/pages/{page}", _delete_page),
)
ROUTES = tuple(
    Route(method, owner + path, handler, ANY_APPLICATION) for owner in OWNERS for method, path, handler in _WRITTEN
)
