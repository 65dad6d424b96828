"""Answers that read messages: lists, searches, one message and its MIME."""

from collections.abc import Callable, Sequence
from typing import Any

from tuiback.simtenant.api.attachments import attachment_json
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mail_lookup import honoured, message_of, place_of, shown_in, view_of
from tuiback.simtenant.api.message_json import View, extended_properties, message_json
from tuiback.simtenant.api.message_search import search_page
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, passes, selected
from tuiback.simtenant.api.permissions import READ_MAIL
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.state.mailbox import Folder, Message

_MOST_MESSAGES = 1000
_BY_SENT = "sentDateTime desc"
_MOMENTS = frozenset({"receivedDateTime", "sentDateTime", "createdDateTime", "lastModifiedDateTime"})
_FILTERED = _MOMENTS | {
    "internetMessageId", "subject", "isRead", "isDraft", "hasAttachments", "importance", "categories", "conversationId",
    "parentFolderId", "inferenceClassification", "flag", "from", "sender",
}  # fmt: skip


def shown_message(view: View, message: Message, call: Call, status: int = 200) -> Reply:
    """One message as the answer to `call`, with what $select and $expand ask for."""
    document: dict[str, Any] = {"@odata.context": context_url(call, f"users('{call.where['user']}')/messages/$entity")}
    document |= expanded_message(view, message, selected(call), call.query.get("$expand", ""))
    return honoured(json_reply(document, status), call, "idtype", "outlook.body-content-type")


def expanded_message(view: View, message: Message, names: frozenset[str] | None, expand: str) -> dict[str, Any]:
    """A message with the properties in `names` and what `expand` asks for."""
    document = message_json(view, message, names)
    if "singleValueExtendedProperties" in expand:
        found = extended_properties(message, expand)
        if found:
            document["singleValueExtendedProperties"] = found
    if "attachments" in expand:
        document["attachments"] = [
            attachment_json(view, message, place, whole=True) for place in range(len(message.mail.attachments))
        ]
    return document


def _list(cloud: Cloud, call: Call) -> Reply:
    """A folder's messages, the newest first unless $orderby says otherwise."""
    view = view_of(cloud, call)
    mailbox = view.mailbox
    place = place_of(view, call.where["folder"]) if "folder" in call.where else None
    folder = place.serial if place is not None else None
    size = page_size(call, cloud.plan.message_page, _MOST_MESSAGES, preferred=True)
    if "$search" in call.query:
        found_serials = mailbox.remembered(("sent", folder), lambda: _sorted(view, _serials(view, place), _BY_SENT))
        shown, next_link = search_page(cloud, call, view, folder, found_serials, size)
        return _listed(view, call, shown, next_link)
    if "$filter" in call.query:
        serials = _sorted(view, [each for each in _serials(view, place) if _passes(view, each, call)], _order(call))
    else:
        what = (folder, _order(call))
        serials = mailbox.remembered(what, lambda: _sorted(view, _serials(view, place), _order(call)))
    shown, next_link = page(serials, call, size)
    total = len(serials) if call.query.get("$count") == "true" else None
    return _listed(view, call, shown, next_link, total)


def _count(cloud: Cloud, call: Call) -> Reply:
    """How many pass $filter, as plain text."""
    view = view_of(cloud, call)
    serials = _serials(view, place_of(view, call.where["folder"]) if "folder" in call.where else None)
    if "$filter" in call.query:
        serials = [each for each in serials if _passes(view, each, call)]
    return Reply(200, str(len(serials)).encode(), "text/plain")


def _listed(view: View, call: Call, shown: Sequence[int], next_link: str | None, total: int | None = None) -> Reply:
    names, expand = selected(call), call.query.get("$expand", "")
    found = (view.mailbox.find(serial) for serial in shown)
    value = [expanded_message(view, message, names, expand) for message in found if message is not None]
    document = collection(f"users('{call.where['user']}')/messages", value, next_link, call)
    if total is not None:
        document["@odata.count"] = total
    return honoured(json_reply(document), call, "odata.maxpagesize", "idtype")


def _passes(view: View, serial: int, call: Call) -> bool:
    message = view.mailbox.find(serial)
    return message is not None and passes(call, filtered(view, message))


def filtered(view: View, message: Message) -> Callable[[str], Any]:
    """Reads what a filter may look at."""
    return lambda name: message_json(view, message, frozenset({name}))[name] if name in _FILTERED else None


def _serials(view: View, place: Folder | None) -> list[int]:
    """Those of one folder, or of all."""
    mailbox = view.mailbox
    if place is not None:
        return shown_in(mailbox, place)
    return sorted(serial for each in mailbox.folders for serial in mailbox.serials(each))


def _order(call: Call) -> str:
    return call.query.get("$orderby", "receivedDateTime desc")


def _sorted(view: View, serials: list[int], order: str) -> list[int]:
    """Raises Fault 400."""
    name, _, direction = order.strip().partition(" ")
    if name not in _MOMENTS:
        raise Fault(400, "ErrorInvalidUrlQueryFilter", f"The order by '{name}' is not supported.")

    def moment(serial: int) -> str:
        message = view.mailbox.find(serial)
        return str(message_json(view, message, frozenset({name}))[name]) if message is not None else ""

    return sorted(serials, key=moment, reverse=direction.strip().lower() == "desc")


def _get(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return shown_message(view, message_of(view, call), call)


def _get_mime(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    return Reply(200, message_of(view, call).mail.mime(), "text/plain")


_MESSAGES = "/users/{user}/messages"
_IN_FOLDER = "/users/{user}/mailFolders/{folder}/messages"
ROUTES = (
    Route("GET", _MESSAGES, _list, READ_MAIL, filtered=True, searched=True),
    Route("GET", _IN_FOLDER, _list, READ_MAIL, filtered=True, searched=True),
    Route("GET", _MESSAGES + "/$count", _count, READ_MAIL, filtered=True),
    Route("GET", _IN_FOLDER + "/$count", _count, READ_MAIL, filtered=True),
    *(
        route
        for one in (_MESSAGES + "/{message}", _IN_FOLDER + "/{message}")
        for route in (
            Route("GET", one, _get, READ_MAIL),
            Route("GET", one + "/$value", _get_mime, READ_MAIL),
        )
    ),
)
