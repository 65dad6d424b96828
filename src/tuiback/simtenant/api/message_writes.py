"""Answers that write messages: create, change, move, delete.

https://learn.microsoft.com/graph/api/user-post-messages and the other calls of the message resource
"""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tuiback.simtenant.api.attachments import given_attachment
from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mail_lookup import check_current, folder_of, message_of, view_of
from tuiback.simtenant.api.message_json import View
from tuiback.simtenant.api.messages import shown_message
from tuiback.simtenant.api.permissions import WRITE_MAIL
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.content.mail import Mail
from tuiback.simtenant.content.parsed import ParsedMail
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.state.mailbox import DELETED, DRAFTS, RECOVERABLE, Message
from tuiback.simtenant.state.rewriting import CONTENT_PROPERTIES, written_copy

_MOST_REQUEST_BYTES = 4 * 1024 * 1024
_FLAGS, _SENT, _RECEIVED = "integer 0x0e07", "systemtime 0x0039", "systemtime 0x0e06"
# PidTagMessageFlags without this bit makes a message that was sent; it works at creation only.
_UNSENT = 8
_FREE_PROPERTIES = frozenset({
    "categories", "flag", "importance", "inferenceClassification", "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
})  # fmt: skip


def _create(cloud: Cloud, call: Call) -> Reply:
    view = view_of(cloud, call)
    check_size(call)
    now = cloud.clock.now().replace(microsecond=0)
    if is_mime(call):
        made = from_mime(call.body, now)
    else:
        folder = folder_of(view, call.where["folder"]).serial if "folder" in call.where else DRAFTS
        made = from_json(call.json(), folder, now)
    message = view.mailbox.add(made.maker(now))
    return shown_message(view, message, call, 201)


def check_size(call: Call) -> None:
    """Raises Fault 413."""
    if len(call.body) > _MOST_REQUEST_BYTES:
        raise Fault(413, "RequestEntityTooLarge", "The request is larger than 4 MB.")


def is_mime(call: Call) -> bool:
    """Whether the body is base64 MIME, and not JSON."""
    return call.headers.get("content-type", "").startswith("text/plain")


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message about to be put into a mailbox."""

    folder: int
    mail: Mail
    is_draft: bool
    is_read: bool
    properties: dict[str, Any]
    extended: list[dict[str, str]]

    def maker(self, now: datetime) -> Callable[[int], Message]:
        """Makes the message for the serial that the mailbox gives it."""
        return lambda serial: Message(
            serial,
            self.folder,
            self.mail,
            created=now,
            modified=now,
            is_draft=self.is_draft,
            is_read=self.is_read,
            properties=self.properties,
            extended=self.extended,
        )


def from_mime(body: bytes, now: datetime) -> NewMessage:
    """A message from base64 MIME is always a draft and always in Drafts. Raises Fault 400."""
    try:
        raw = b64decode(body, validate=False)
    except ValueError as error:
        text = "Invalid base64 string for MIME content."
        raise Fault(400, "ErrorMimeContentInvalidBase64String", text) from error
    return NewMessage(DRAFTS, ParsedMail(lambda: raw, now), is_draft=True, is_read=True, properties={}, extended=[])


def from_json(given: dict[str, Any], folder: int, now: datetime) -> NewMessage:
    """A message from its properties. Raises Fault 400."""
    _check_headers(given)
    extended = [
        {"id": str(each.get("id")), "value": str(each.get("value"))}
        for each in given.get("singleValueExtendedProperties") or []
    ]
    named = {each["id"].lower(): each["value"] for each in extended}
    content = {name: value for name, value in given.items() if name in CONTENT_PROPERTIES}
    files = [given_attachment(each, now) for each in given.get("attachments") or []]
    mail = WrittenMail(content, _moment(named.get(_SENT), now), _moment(named.get(_RECEIVED), now), files)
    return NewMessage(
        folder,
        mail,
        is_draft=_FLAGS not in named or bool(_flags(named[_FLAGS]) & _UNSENT),
        is_read=bool(given.get("isRead", True)),
        properties={name: value for name, value in given.items() if name in _FREE_PROPERTIES},
        extended=extended,
    )


def _flags(text: str) -> int:
    if not text.isdigit():
        raise Fault(400, "ErrorInvalidExtendedPropertyValue", f"The value '{text}' is not an integer.")
    return int(text)


def _moment(text: str | None, default: datetime) -> datetime:
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        text = f"The value '{text}' is not a time."
        raise Fault(400, "ErrorInvalidExtendedPropertyValue", text) from error
    return found if found.tzinfo else found.replace(tzinfo=default.tzinfo)


def _check_headers(given: dict[str, Any]) -> None:
    for each in given.get("internetMessageHeaders") or []:
        name = str(each.get("name", ""))
        if not name.lower().startswith("x-"):
            text = f"The internet message header name '{name}' should start with 'x-' or 'X-'."
            raise Fault(400, "InvalidInternetMessageHeader", text)


def _change(cloud: Cloud, call: Call) -> Reply:
    view, message = _named(cloud, call)
    given = call.json()
    _check_headers(given)
    content = {name: value for name, value in given.items() if name in CONTENT_PROPERTIES}
    if content:
        mail = written_copy(message)
        mail.properties |= content
        message.mail = mail
    if "isRead" in given:
        message.is_read = bool(given["isRead"])
    message.properties |= {name: value for name, value in given.items() if name in _FREE_PROPERTIES}
    for each in given.get("singleValueExtendedProperties") or []:
        if str(each.get("id")).lower() != _FLAGS:
            message.extended = [old for old in message.extended if old["id"].lower() != str(each.get("id")).lower()]
            message.extended.append({"id": str(each.get("id")), "value": str(each.get("value"))})
    view.mailbox.touch(message, cloud.clock.now())
    return shown_message(view, message, call)


def _move(cloud: Cloud, call: Call) -> Reply:
    view, message = _named(cloud, call)
    target = folder_of(view, str(call.arguments().get("destinationId", "")))
    view.mailbox.move(message, target.serial, cloud.clock.now())
    return shown_message(view, message, call, 201)


def _copy(cloud: Cloud, call: Call) -> Reply:
    view, message = _named(cloud, call)
    target = folder_of(view, str(call.arguments().get("destinationId", "")))
    copied = NewMessage(
        target.serial,
        message.mail,
        is_draft=message.is_draft,
        is_read=message.is_read,
        properties=dict(message.properties),
        extended=list(message.extended),
    )
    made = view.mailbox.add(copied.maker(cloud.clock.now()))
    return shown_message(view, made, call, 201)


def _delete(cloud: Cloud, call: Call) -> Reply:
    """A message goes to Deleted Items, from there to the recoverable items, and then it is gone."""
    view, message = _named(cloud, call)
    onward = {DELETED: RECOVERABLE, RECOVERABLE: None}.get(message.folder, DELETED)
    if onward is None:
        view.mailbox.delete(message)
    else:
        view.mailbox.move(message, onward, cloud.clock.now())
    return no_content()


def _delete_for_good(cloud: Cloud, call: Call) -> Reply:
    view, message = _named(cloud, call)
    view.mailbox.delete(message)
    return no_content()


def _named(cloud: Cloud, call: Call) -> tuple[View, Message]:
    view = view_of(cloud, call)
    message = message_of(view, call)
    check_current(view, message, call)
    return view, message


_MESSAGES = "/users/{user}/messages"
_IN_FOLDER = "/users/{user}/mailFolders/{folder}/messages"
ROUTES = tuple(
    route
    for many in (_MESSAGES, _IN_FOLDER)
    for route in (
        Route("POST", many, _create, WRITE_MAIL),
        Route("PATCH", many + "/{message}", _change, WRITE_MAIL),
        Route("DELETE", many + "/{message}", _delete, WRITE_MAIL),
        Route("POST", many + "/{message}/move", _move, WRITE_MAIL),
        Route("POST", many + "/{message}/copy", _copy, WRITE_MAIL),
        Route("POST", many + "/{message}/permanentDelete", _delete_for_good, WRITE_MAIL),
    )
)
