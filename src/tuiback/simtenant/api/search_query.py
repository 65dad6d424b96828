"""Answers searches across mail, files and sites: https://learn.microsoft.com/graph/api/search-query.

Names and texts are looked for, not what files hold. People find what is theirs and what lies in the company's sites,
applications the files of sites and of the first people, since there is no index.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView, item_json
from tuiback.simtenant.api.message_json import View, message_json
from tuiback.simtenant.api.message_search import found_among
from tuiback.simtenant.api.odata import context_url
from tuiback.simtenant.api.permissions import SEARCH
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.search_language import parsed
from tuiback.simtenant.api.sites import site_json
from tuiback.simtenant.content.company import Person

_USUAL, _MOST, _MOST_MAIL = 25, 500, 25
_LOOKED_THROUGH = 64
_MESSAGE_NAMES = frozenset({
    "createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime", "hasAttachments", "subject",
    "bodyPreview", "importance", "isRead", "isDraft", "parentFolderId", "webLink", "from", "sender", "replyTo",
    "internetMessageId", "conversationId",
})  # fmt: skip
_FILE_NAMES = frozenset({
    "id", "createdBy", "createdDateTime", "fileSystemInfo", "lastModifiedBy", "lastModifiedDateTime", "name",
    "parentReference", "size", "webUrl", "folder", "file",
})  # fmt: skip
# A hit: its id and the resource.
Hit = tuple[str, dict[str, Any]]


def _query(cloud: Cloud, call: Call) -> Reply:
    requests = call.json().get("requests")
    if not isinstance(requests, list) or not requests:
        raise Fault(400, "BadRequest", "At least one search request is required.")
    value = [_answered(cloud, call, each) for each in requests]
    context = context_url(call, "Collection(microsoft.graph.searchResponse)")
    return json_reply({"@odata.context": context, "value": value})


def _answered(cloud: Cloud, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    kinds, text = request.get("entityTypes"), (request.get("query") or {}).get("queryString")
    if not isinstance(kinds, list) or not kinds or not isinstance(text, str) or not text.strip():
        raise Fault(400, "BadRequest", "entityTypes and a queryString are required.")
    first, size = request.get("from") or 0, request.get("size") or _USUAL
    most = _MOST_MAIL if "message" in kinds else _MOST
    if not isinstance(first, int) or not isinstance(size, int) or first < 0 or not 0 < size <= most:
        raise Fault(400, "BadRequest", f"'from' and 'size' are numbers, the latter up to {most}.")
    person = _searcher(cloud, call, kinds, request)
    found = [hit for kind in kinds for hit in _KINDS[kind](cloud, call, person, text)]
    shown = [
        {"hitId": hit_id, "rank": first + place, "summary": "", "resource": resource}
        for place, (hit_id, resource) in enumerate(islice(found, first, first + size), 1)
    ]
    container: dict[str, Any] = {"total": len(found), "moreResultsAvailable": len(found) > first + size}
    return {"searchTerms": text.split(), "hitsContainers": [({"hits": shown} if shown else {}) | container]}


def _searcher(cloud: Cloud, call: Call, kinds: list[str], request: dict[str, Any]) -> Person | None:
    """Who searches, None for an application. Raises Fault 400."""
    unknown = next((each for each in kinds if each not in _KINDS), None)
    if unknown is not None:
        raise Fault(501, "NotImplemented", f"The simulated tenant searches no '{unknown}'.")
    if len(kinds) > 1 and "message" in kinds:
        raise Fault(400, "BadRequest", "The entity types can't be searched together.")
    bearer = cloud.signin.bearer(call.headers.get("authorization", ""))
    if bearer.person_id:
        account = cloud.tenant.directory.find(bearer.person_id)
        return account.person if account is not None else None
    if "message" in kinds:
        raise Fault(400, "BadRequest", "Application permissions are not supported for the entity type 'message'.")
    if not request.get("region"):
        raise Fault(400, "BadRequest", "Region is required when request with application permission.")
    return None


def _messages(cloud: Cloud, _call: Call, person: Person | None, text: str) -> Iterator[Hit]:
    if person is None:
        return
    mailbox = cloud.tenant.mailbox(person)
    view = View(cloud.tenant.ids, mailbox)
    serials = sorted((serial for each in mailbox.folders for serial in mailbox.serials(each)), reverse=True)
    for message in filter(None, map(mailbox.find, found_among(view, serials, text))):
        document = message_json(view, message, _MESSAGE_NAMES)
        yield document.pop("id"), {"@odata.type": "#microsoft.graph.message", **document}


def _files(cloud: Cloud, call: Call, person: Person | None, text: str) -> Iterator[Hit]:
    test = _named(text)
    people = [each.person for each in cloud.tenant.directory.people()][:_LOOKED_THROUGH] if person is None else [person]
    libraries = [each for site in cloud.tenant.sites.all() for each in cloud.tenant.sites.libraries(site)]
    for owner in (*people, *libraries):
        view = DriveView(cloud, owner, cloud.tenant.drive(owner), call.root, call.app_id)
        for node in view.drive.nodes.values():
            if node.parent is not None and test(node.name):
                document = item_json(view, node, _FILE_NAMES)
                yield document["id"], {"@odata.type": "#microsoft.graph.driveItem", **document}


def _sites(cloud: Cloud, _call: Call, _person: Person | None, text: str) -> Iterator[Hit]:
    test = _named(text)
    for site in cloud.tenant.sites.all():
        if test(site.name):
            yield site.site_id, {"@odata.type": "#microsoft.graph.site", **site_json(site)}


def _named(text: str) -> Callable[[str], bool]:
    """Whether a name is what is looked for. Raises Fault 400."""

    def term(name: str, _operator: str, value: str) -> Callable[[str], bool]:
        wanted = value.strip('"').rstrip("*").casefold()
        if name.lower() in ("filetype", "fileextension"):
            return lambda shown: shown.casefold().endswith(f".{wanted}")
        if name.lower() not in ("", "filename", "title"):
            raise Fault(400, "BadRequest", f"The property '{name}' can't be searched.")
        return lambda shown: wanted in shown.casefold()

    return parsed(text, term)


_KINDS: dict[str, Callable[[Cloud, Call, Person | None, str], Iterator[Hit]]] = {
    "message": _messages, "driveItem": _files, "site": _sites,
}  # fmt: skip
ROUTES = (Route("POST", "/search/query", _query, SEARCH),)
