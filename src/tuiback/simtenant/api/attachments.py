"""Answers for the attachments of messages: lists, bytes, small ones in one request, large ones in a session."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tuiback.simtenant.api.attached_items import REFERENCE_TYPE, attached_item, attached_link
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mail_lookup import message_of, view_of
from tuiback.simtenant.api.message_json import View, attached_json
from tuiback.simtenant.api.odata import collection, context_url, selected
from tuiback.simtenant.api.permissions import READ_MAIL, WRITE_MAIL
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.storage import upload_url
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.mailbox import Message
from tuiback.simtenant.state.rewriting import CONTENT_PROPERTIES, written_copy

# https://learn.microsoft.com/graph/outlook-large-attachments
_MOST_DIRECT_BYTES = 3 * 1024 * 1024
_MOST_SESSION_BYTES = 150 * 1024 * 1024
_MOST_FRAGMENT_BYTES = 4 * 1024 * 1024
_MESSAGE_TYPE = "message/rfc822"
_MAIL_TYPE = "#microsoft.graph.message"
_ITEM_TYPE = "#microsoft.graph.itemAttachment"
_FILE_TYPE = "#microsoft.graph.fileAttachment"


def attachment_json(view: View, message: Message, place: int, *, whole: bool) -> dict[str, Any]:
    """An attachment of a message; a file's bytes only with `whole`."""
    attachment_id = view.ids.encode("attachment", view.mailbox.owner, message.serial, place)
    return shown_attachment(message.mail.attachments[place], attachment_id, message.modified, whole=whole)


def shown_attachment(
    attachment: Attachment, attachment_id: str, modified: datetime, *, whole: bool
) -> dict[str, Any]:  # fmt: skip
    """An attachment of whatever kind; a file's bytes only with `whole`."""
    is_item = attachment.item is not None or attachment.thing is not None
    kind = _ITEM_TYPE if is_item else REFERENCE_TYPE if attachment.link is not None else _FILE_TYPE
    document: dict[str, Any] = {
        "@odata.type": kind,
        "id": attachment_id,
        "lastModifiedDateTime": stamp(modified),
        "name": attachment.name,
        "contentType": attachment.content_type if attachment.thing is None and attachment.link is None else None,
        "size": attachment.size,
        "isInline": attachment.is_inline,
    }
    if kind != _FILE_TYPE:
        return document
    document |= {
        "@odata.mediaContentType": attachment.content_type,
        "contentId": attachment.content_id,
        "contentLocation": None,
    }
    if whole:
        document["contentBytes"] = b64encode(attachment.read()).decode()
    return document


def _with_item(view: View, message: Message, place: int, call: Call, *, whole: bool) -> dict[str, Any]:
    return attachment_json(view, message, place, whole=whole) | inside(message.mail.attachments[place], call)


def inside(attachment: Attachment, call: Call) -> dict[str, Any]:
    """With $expand what an attached item is; in beta a link tells where it leads."""
    document: dict[str, Any] = {}
    if attachment.link is not None and call.version == "/beta":
        document |= attachment.link
    if "/item" not in call.query.get("$expand", "").lower():
        return document
    if attachment.item is not None:
        document["item"] = {"@odata.type": _MAIL_TYPE, **attached_json(attachment.item)}
    elif attachment.thing is not None:
        document["item"] = attachment.thing
    return document


def _given_item(given: dict[str, Any], properties: dict[str, Any], now: datetime) -> Attachment:
    """A message, an event or a contact attached as what it is. Raises Fault 400."""
    if (properties.get("@odata.type") or _MAIL_TYPE) != _MAIL_TYPE:
        return attached_item(str(given.get("name") or ""), properties, now)
    files = [given_attachment(each, now) for each in properties.get("attachments") or []]
    mail = WrittenMail({k: v for k, v in properties.items() if k in CONTENT_PROPERTIES}, now, now, files)
    name = str(given.get("name") or mail.head.subject)
    return Attachment(name, _MESSAGE_TYPE, mail.size, mail.mime, item=mail)


def given_attachment(given: dict[str, Any], now: datetime) -> Attachment:
    """The attachment in a request's JSON. Raises Fault 400, 413 and 501."""
    kind = given.get("@odata.type", _FILE_TYPE)
    if kind == _ITEM_TYPE and isinstance(given.get("item"), dict):
        return _given_item(given, given["item"], now)
    if kind == REFERENCE_TYPE:
        return attached_link(given)
    if kind != _FILE_TYPE:
        raise Fault(501, "NotImplemented", f"The simulated tenant takes no {kind}.")
    try:
        content = b64decode(str(given["contentBytes"]), validate=True)
    except (KeyError, ValueError) as error:
        raise Fault(400, "ErrorInvalidRequest", "contentBytes is missing or not base64.") from error
    if len(content) >= _MOST_DIRECT_BYTES:
        raise Fault(413, "RequestEntityTooLarge", "The attachment is too large for one request.")
    return _made(given, content)


def _made(given: dict[str, Any], content: bytes) -> Attachment:
    content_id = given.get("contentId")
    return Attachment(
        name=str(given.get("name") or ""),
        content_type=str(given.get("contentType") or "application/octet-stream"),
        size=len(content),
        read=lambda: content,
        is_inline=bool(given.get("isInline")),
        content_id=str(content_id) if content_id is not None else None,
    )


def _list(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    message = message_of(view, call)
    names = selected(call)
    whole = names is None or "contentBytes" in names
    value = [_with_item(view, message, place, call, whole=whole) for place in range(len(message.mail.attachments))]
    if names is not None:
        value = [{k: v for k, v in each.items() if k.startswith("@") or k == "id" or k in names} for each in value]
    return json_reply(collection(f"users('{call.where['user']}')/messages/attachments", value, None, call))


def _found(view: View, call: Call) -> tuple[Message, int]:
    """The message, and the place of the attachment in it. Raises Fault 400 and 404."""
    message = message_of(view, call)
    reference = view.ids.find(call.where["attachment"])
    if reference is None or reference.kind != "attachment" or reference.serial != message.serial:
        raise Fault(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    if reference.place >= len(message.mail.attachments):
        raise Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return message, reference.place


def _get(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    message, place = _found(view, call)
    return _shown(view, message, place, call, 200)


def _shown(view: View, message: Message, place: int, call: Call, status: int) -> Reply:
    context = {"@odata.context": context_url(call, f"users('{call.where['user']}')/messages/attachments/$entity")}
    return json_reply(context | _with_item(view, message, place, call, whole=True), status)


def _get_bytes(cloud: Cloud, call: Call) -> Reply:
    message, place = _found(view_of(cloud, call), call)
    return raw_attachment(message.mail.attachments[place])


def raw_attachment(attachment: Attachment) -> Reply:
    """Its bytes. Raises Fault 405."""
    if attachment.link is not None:
        # https://learn.microsoft.com/graph/api/attachment-get: a link has no raw contents.
        raise Fault(405, "ErrorInvalidRequest", "A reference attachment has no raw contents.")
    return Reply(200, attachment.read(), attachment.content_type)


def _attach(cloud: Cloud, view: View, message: Message, attachment: Attachment) -> int:
    """Add to the message; gives the attachment's place."""
    mail = written_copy(message)
    mail.attachments.append(attachment)
    message.mail = mail
    view.mailbox.touch(message, cloud.clock.now())
    return len(mail.attachments) - 1


def _add(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    message = message_of(view, call)
    place = _attach(cloud, view, message, given_attachment(call.json(), cloud.clock.now()))
    return _shown(view, message, place, call, 201)


def _delete(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    message, place = _found(view, call)
    mail = written_copy(message)
    del mail.attachments[place]
    message.mail = mail
    view.mailbox.touch(message, cloud.clock.now())
    return no_content()


def _open_session(cloud: Cloud, call: Call) -> Reply:
    message_of(view_of(cloud, call), call)

    def finish(attachment: Attachment) -> str:
        # The mailbox may have been put away and made again between the requests.
        view = view_of(cloud, call)
        message = message_of(view, call)
        place = _attach(cloud, view, message, attachment)
        attachment_id = view.ids.encode("attachment", view.mailbox.owner, message.serial, place)
        return f"Messages('{view.message_id(message)}')/Attachments('{attachment_id}')"

    return attachment_session(cloud, call, finish)


def attachment_session(cloud: Cloud, call: Call, finish: Callable[[Attachment], str]) -> Reply:
    """An upload of a large file; `finish` attaches it and tells where, below the user. Raises Fault 400 and 413."""
    owner = mailbox_owner_of(cloud, call)
    item = call.arguments().get("attachmentItem") or {}
    if not isinstance(item.get("size"), int) or not item.get("name"):
        raise Fault(400, "ErrorInvalidRequest", "AttachmentItem needs a name and a size.")
    if item["size"] > _MOST_SESSION_BYTES:
        raise Fault(413, "ErrorMessageSizeExceeded", "The attachment is larger than 150 MB.")

    def end(content: bytes) -> Reply:
        where = f"Users('{call.where['user']}')/{finish(_made(item, content))}"
        return Reply(201, headers={"Location": f"https://outlook.office.com/api/v2.0/{where}"})

    session = cloud.transfers.open_session(end, _MOST_FRAGMENT_BYTES, 1)
    session.is_attachment = True
    session.app_id, session.mailbox = call.app_id, owner.person.object_id
    document = {
        "@odata.context": context_url(call, "microsoft.graph.uploadSession"),
        "uploadUrl": upload_url(cloud, call, session),
        "expirationDateTime": session.expiration,
        "nextExpectedRanges": ["0-"],
    }
    return json_reply(document, 201)


ROUTES = tuple(
    route
    for many in ("/users/{user}/messages", "/users/{user}/mailFolders/{folder}/messages")
    for route in (
        Route("GET", many + "/{message}/attachments", _list, READ_MAIL),
        Route("POST", many + "/{message}/attachments", _add, WRITE_MAIL),
        Route("POST", many + "/{message}/attachments/createUploadSession", _open_session, WRITE_MAIL),
        Route("GET", many + "/{message}/attachments/{attachment}", _get, READ_MAIL),
        Route("DELETE", many + "/{message}/attachments/{attachment}", _delete, WRITE_MAIL),
        Route("GET", many + "/{message}/attachments/{attachment}/$value", _get_bytes, READ_MAIL),
    )
)
