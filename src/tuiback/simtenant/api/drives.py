"""Answers that read drives: the drive, its items, their children, changes and content."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_json import DriveView, content_type, deleted_json, drive_json, item_json, narrowed
from tuiback.simtenant.api.drive_lookup import check_readable, drive_of, node_of, not_found, start_of
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import READ_FILES
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.drive import Node

_MOST_CHILDREN = 5000
_MOST_CHANGES = 5000
# Facets that an item does not have can be filtered by all the same.
_NO_URL = frozenset({"name", "size", "file", "folder", "package", "createdDateTime", "lastModifiedDateTime"})
_ABSENT: dict[str, Any] = dict.fromkeys(_NO_URL)
_SHARED_CHANGED = "@microsoft.graph.sharedChanged"
_SHARING_PREFERENCES = {"deltashowremovedasdeleted", "deltatraversepermissiongaps", "deltashowsharingchanges"}


def shown_item(view: DriveView, node: Node, call: Call, status: int = 200) -> Reply:
    """One item as the answer to `call`."""
    context = context_url(call, f"drives('{quote(view.person.drive_id)}')/items/$entity")
    document: dict[str, Any] = {"@odata.context": context}
    document |= item_json(view, node, selected(call))
    if call.query.get("$expand", "").startswith("children"):
        document["children"] = [item_json(view, each) for each in view.drive.children(node.serial)]
    return json_reply(document, status)


def _get_drive(cloud: Cloud, call: Call) -> Reply:
    context = {"@odata.context": context_url(call, "drives/$entity")}
    return json_reply(context | narrowed(drive_json(drive_of(cloud, call)), selected(call)))


def _list_drives(cloud: Cloud, call: Call) -> Reply:
    return json_reply(collection("drives", [narrowed(drive_json(drive_of(cloud, call)), selected(call))], None, call))


def _get_item(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    return shown_item(view, node_of(view, call), call)


def _list_children(cloud: Cloud, call: Call) -> Reply:
    view = drive_of(cloud, call)
    return _listed(cloud, call, view, view.drive.children(node_of(view, call).serial), "/items/children")


def _search(cloud: Cloud, call: Call) -> Reply:
    """What has the text in its name; what it holds is not looked into."""
    view = drive_of(cloud, call)
    below, text = node_of(view, call), call.where["text"].strip("'").casefold()
    found = [
        node
        for node in view.drive.nodes.values()
        if text in node.name.casefold() and below in view.drive.ancestors(node)
    ]
    return _listed(cloud, call, view, found, "/items/search")


def _listed(cloud: Cloud, call: Call, view: DriveView, nodes: Sequence[Node], context: str) -> Reply:
    if "$filter" in call.query:
        test = filter_of(call, "invalidRequest")
        nodes = [node for node in nodes if test(_ABSENT | item_json(view, node, _NO_URL))]
    shown, next_link = page(nodes, call, page_size(call, cloud.plan.file_page, _MOST_CHILDREN))
    names = selected(call)
    value = [item_json(view, node, names) for node in shown]
    context = f"drives('{quote(view.person.drive_id)}'){context}"
    return json_reply(collection(context, value, next_link, call))


def _get_content(cloud: Cloud, call: Call) -> Reply:
    """302 to a URL that carries its own permission; folders and notebooks have no content."""
    view = drive_of(cloud, call)
    node = node_of(view, call)
    if node.source is None:
        raise not_found()
    check_readable(node)
    if call.headers.get("if-none-match") == view.e_tag(node):
        return Reply(304)
    return Reply(302, headers={"Location": view.download_url(node, paid=True)})


def _get_stream(cloud: Cloud, call: Call) -> Reply:
    """The content itself, beta only; of an infected file too for who insists.

    Undocumented but used: https://github.com/rclone/rclone/blob/master/backend/onedrive/onedrive.go (av_override)
    """
    view = drive_of(cloud, call)
    node = node_of(view, call)
    if node.source is None:
        raise not_found()
    if node.trouble != "malware" or "forceinfecteddownload" not in call.preferences:
        check_readable(node)
    pieces = node.source.pieces(0, node.source.size)
    return Reply(200, content_type=content_type(node.name), stream=pieces, length=node.source.size)


@dataclass(frozen=True, slots=True)
class _Token:
    """A drive's delta token: changes numbered after `since` up to `until`, of which `shown` were given already.

    `since` is -1 in the first round.
    """

    generation: int
    since: int
    until: int
    shown: int = 0

    def text(self, view: DriveView) -> str:
        """Unpadded base64 of the fields that SharePoint's tokens have."""
        site = view.person.drive_guids[2]
        fields = f"3;%234;%231;3;{site};{self.generation};{self.since};{self.until};{self.shown};%23;%23;%230"
        return b64encode(fields.encode()).decode().rstrip("=")


def _delta(cloud: Cloud, call: Call) -> Reply:
    """Parents before children; `token=latest` gives only a link, a timestamp what changed since then."""
    view = drive_of(cloud, call)
    if start_of(view, call).parent is not None:
        raise Fault(400, "invalidRequest", "Delta is supported on the root only.")
    log = view.drive.changes
    names = selected(call)
    text = call.query.get("token") or call.where.get("token") or ""
    if text == "latest":
        return _delta_page(call, [], _Token(cloud.delta_generation, log.latest, log.latest), view)
    since = _moment(text)
    token = _Token(cloud.delta_generation, -1, log.latest) if not text or since else _opened(view, text, call)
    entries = _everything(view, since) if token.since < 0 else _changes(view, token, call)
    size = page_size(call, cloud.plan.file_page, _MOST_CHANGES)
    reshared = _reshared(view, token) if _shows_sharing(call) else frozenset[int]()
    value = []
    for entry in entries[token.shown : token.shown + size]:
        node = view.drive.nodes.get(entry)
        if node is not None:
            shown = item_json(view, node, names, in_delta=True)
        else:
            shown = narrowed(deleted_json(view, entry), names)
        value.append(shown | ({_SHARED_CHANGED: "True"} if entry in reshared else {}))
    if token.shown + size < len(entries):
        following = _Token(token.generation, token.since, token.until, token.shown + size)
    else:
        following = _Token(token.generation, token.until, token.until)
    return _delta_page(call, value, following, view)


def _delta_page(call: Call, value: list[dict[str, Any]], following: _Token, view: DriveView) -> Reply:
    query = {name: text for name, text in call.query.items() if name != "token"}
    query["token"] = following.text(view)
    path = call.path.partition("/delta")[0] + "/delta"
    link = f"{call.root}{path}?{urlencode(query, quote_via=quote, safe='$')}"
    name = "@odata.nextLink" if following.shown else "@odata.deltaLink"
    return json_reply(collection("Collection(driveItem)", value, None, call) | {name: link})


def _opened(view: DriveView, text: str, call: Call) -> _Token:
    """The token in a link. A round that ended begins anew up to now. Raises Fault 410."""
    try:
        fields = b64decode(unquote(text) + "=" * (-len(text) % 4)).decode().split(";")
        site, numbers = fields[4], [int(field) for field in fields[5:9]]
    except (ValueError, IndexError):
        site, numbers = "", []
    if site != str(view.person.drive_guids[2]) or len(numbers) != 4 or numbers[0] != view.cloud.delta_generation:
        raise _resync(call)
    token = _Token(*numbers)
    return token if token.shown else _Token(token.generation, token.since, view.drive.changes.latest)


def _resync(call: Call) -> Fault:
    text = (
        "Resync required. Replace any local items with the server's version (including deletes) if you're sure that "
        "the service was up to date with your local changes when you last sync'd. Upload any local changes that the "
        "server doesn't know about."
    )
    fault = Fault(410, "resyncRequired", text)
    fault.headers["Location"] = f"{call.root}{call.path}?token="
    return fault


def _moment(text: str) -> datetime | None:
    """The time in a timestamp token, which OneDrive for Business takes instead of a token."""
    try:
        found = datetime.fromisoformat(unquote(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _everything(view: DriveView, since: datetime | None) -> list[int]:
    if since is None:
        return view.drive.parents_first()
    return _parents_first(view, [node for node in view.drive.nodes.values() if node.modified >= since])


def _changes(view: DriveView, token: _Token, call: Call) -> list[int]:
    """The last state of each changed node, the folders above it too, and what was deleted at the end."""
    log = view.drive.changes.between(token.since, token.until)
    shows_sharing = _shows_sharing(call)
    serials = dict.fromkeys(change.serial for change in log if shows_sharing or not change.is_sharing)
    nodes = {serial: view.drive.nodes[serial] for serial in serials if serial in view.drive.nodes}
    gone = [serial for serial in serials if serial not in nodes]
    if "deltaexcludeparent" not in call.headers:
        for node in list(nodes.values()):
            nodes.update((above.serial, above) for above in view.drive.ancestors(node))
    return _parents_first(view, nodes.values()) + gone


def _shows_sharing(call: Call) -> bool:
    """Changes of permissions are told only to who asks for them with all three preferences."""
    return call.preferences.keys() >= _SHARING_PREFERENCES


def _reshared(view: DriveView, token: _Token) -> frozenset[int]:
    if token.since < 0:
        return frozenset()
    log = view.drive.changes.between(token.since, token.until)
    return frozenset(change.serial for change in log if change.is_sharing)


def _parents_first(view: DriveView, nodes: Iterable[Node]) -> list[int]:
    ordered = sorted(nodes, key=lambda node: (view.drive.depth(node), node.serial))
    return [node.serial for node in ordered]


def _routes(drive: str) -> Iterable[Route]:
    yield Route("GET", drive, _get_drive, READ_FILES)
    yield Route("GET", drive + "/search/{text}", _search, READ_FILES)
    for item in (drive + "/root", drive + "/items/{item}"):
        yield Route("GET", item + "/delta", _delta, READ_FILES)
        yield Route("GET", item + "/delta/{token}", _delta, READ_FILES)
        for node in (item, item + "/:/{path}"):
            yield Route("GET", node, _get_item, READ_FILES)
            yield Route("GET", node + "/children", _list_children, READ_FILES, filtered=True)
            yield Route("GET", node + "/search/{text}", _search, READ_FILES)
            yield Route("GET", node + "/content", _get_content, READ_FILES)
            yield Route("GET", node + "/contentStream", _get_stream, READ_FILES, in_beta=True)


ROUTES = (
    Route("GET", "/users/{user}/drives", _list_drives, READ_FILES),
    *_routes("/users/{user}/drive"),
    *_routes("/drives/{drive}"),
    *_routes("/sites/{site}/drive"),
    *_routes("/groups/{group}/drive"),
    Route("GET", "/groups/{group}/drives", _list_drives, READ_FILES),
)
