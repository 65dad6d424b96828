"""Answers for sending: at once or from a draft, and for answers and forwarding.

https://learn.microsoft.com/graph/api/user-sendmail, .../message-send, .../message-createreply, .../message-reply and
.../message-forward
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from html import escape
from typing import Any

from tuiback.simtenant.api.attachments import given_attachment
from tuiback.simtenant.api.call import Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.delivery import deliver
from tuiback.simtenant.api.mail_lookup import message_of, view_of
from tuiback.simtenant.api.message_json import View
from tuiback.simtenant.api.message_writes import check_size, from_json, from_mime, is_mime
from tuiback.simtenant.api.messages import shown_message
from tuiback.simtenant.api.permissions import SEND_MAIL, WRITE_MAIL
from tuiback.simtenant.api.router import Handler, Route
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.mail import Address, Attachment, Mail
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.state.mailbox import DRAFTS, SENT, Message
from tuiback.simtenant.state.rewriting import CONTENT_PROPERTIES, written_copy

_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)


class Answer(Enum):
    """Who gets what is written in answer to a message, and how its subject begins."""

    REPLY = "RE"
    REPLY_ALL = "RE to all"
    FORWARD = "FW"

    @property
    def mark(self) -> str:
        """What stands before the subject."""
        return f"{self.value[:2]}: "


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where somebody writes."""

    cloud: Cloud
    view: View
    person: Person
    now: datetime

    def draft(self, mail: Mail) -> Message:
        """A new draft."""
        now = self.now
        return self.view.mailbox.add(
            lambda serial: Message(serial, DRAFTS, mail, now, now, is_draft=True, is_read=True)
        )

    def keep(self, mail: Mail, properties: dict[str, Any]) -> None:
        """A copy of what was sent."""
        now = self.now
        self.view.mailbox.add(lambda serial: Message(
            serial, SENT, mail, now, now, is_draft=False, is_read=True, properties=properties
        ))  # fmt: skip

    def ready(self, mail: Mail, properties: dict[str, Any]) -> Mail:
        """The letter as it leaves, signed and dated; of `properties` the importance goes along. Raises Fault 400."""
        head = mail.head
        if not (*head.to, *head.cc, *head.bcc):
            text = "At least one recipient isn't valid., A message can't be sent because it contains no recipients."
            raise Fault(400, "ErrorInvalidRecipients", text)
        if not isinstance(mail, WrittenMail):
            return mail
        author = _named(self.person.name, self.person.address)
        mark = self.cloud.tenant.chance.digest(
            12, "sent", self.view.mailbox.owner, self.view.mailbox.message_changes.latest
        )
        usual = {"from": author, "sender": author, "internetMessageId": f"<{mark.hex()}@northwind.example>"}
        given = {name: value for name, value in mail.properties.items() if value}
        given |= {name: value for name, value in properties.items() if name == "importance"}
        return WrittenMail(usual | given, self.now, self.now, list(mail.attachments), mail.answers, mail.conversation)


def _desk_of(cloud: Cloud, call: Call) -> _Desk:
    now = cloud.clock.now().replace(microsecond=0)
    return _Desk(cloud, view_of(cloud, call), mailbox_owner_of(cloud, call).person, now)


def _send_mail(cloud: Cloud, call: Call) -> Reply:
    """A letter that was no draft before; unless told otherwise a copy is kept."""
    check_size(call)
    desk = _desk_of(cloud, call)
    kept = True
    if is_mime(call):
        made = from_mime(call.body, desk.now)
    else:
        given = call.arguments()
        if not isinstance(given.get("message"), dict):
            raise Fault(400, "ErrorInvalidRequest", "The parameter Message is required.")
        made = from_json(given["message"], SENT, desk.now)
        # Microsoft's own example gives the truth as a text.
        kept = str(given.get("saveToSentItems", True)).lower() != "false"
    mail = desk.ready(made.mail, made.properties)
    if kept:
        desk.keep(mail, made.properties)
    deliver(cloud, mail, desk.now)
    return Reply(202)


def _send_draft(cloud: Cloud, call: Call) -> Reply:
    """A draft becomes the sent message: its immutable id stays."""
    desk = _desk_of(cloud, call)
    message = message_of(desk.view, call)
    if not message.is_draft:
        raise Fault(400, "ErrorInvalidRequest", "Only a draft can be sent.")
    mail = message.mail
    if isinstance(mail, WrittenMail):
        mail = written_copy(message)
        mail.properties["internetMessageId"] = message.mail.head.message_id
    message.mail = desk.ready(mail, message.properties)
    message.is_draft = False
    desk.view.mailbox.move(message, SENT, desk.now)
    deliver(cloud, message.mail, desk.now)
    return Reply(202)


def _drafts(kind: Answer) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        desk = _desk_of(cloud, call)
        draft = desk.draft(_answered(desk, message_of(desk.view, call), kind, call))
        return shown_message(desk.view, draft, call, 201)

    return answer


def _answers(kind: Answer) -> Handler:
    def answer(cloud: Cloud, call: Call) -> Reply:
        desk = _desk_of(cloud, call)
        mail = desk.ready(_answered(desk, message_of(desk.view, call), kind, call), {})
        desk.keep(mail, {})
        deliver(cloud, mail, desk.now)
        return Reply(202)

    return answer


def _answered(desk: _Desk, message: Message, kind: Answer, call: Call) -> Mail:
    """What is written in answer to a message. Raises Fault 400."""
    check_size(call)
    if is_mime(call):
        return from_mime(call.body, desk.now).mail
    given = call.arguments()
    changes, comment = given.get("message") or {}, given.get("comment")
    if comment and changes.get("body"):
        raise Fault(400, "ErrorInvalidRequest", "Either a comment or the body of the message can be given, not both.")
    if given.get("toRecipients") and changes.get("toRecipients"):
        raise Fault(400, "ErrorInvalidRequest", "The recipients can be given once only.")
    head = message.mail.head
    author = _named(desk.person.name, desk.person.address)
    to, cc = _recipients(desk.person, message, kind)
    properties: dict[str, Any] = {
        "subject": head.subject if head.subject.startswith(kind.mark) else kind.mark + head.subject,
        "from": author, "sender": author,
        "toRecipients": given.get("toRecipients") or [_named(each.name, each.address) for each in to],
        "ccRecipients": [_named(each.name, each.address) for each in cc],
        "body": _quoted(message, str(comment or "")),
        "importance": head.importance,
    }  # fmt: skip
    properties |= {name: value for name, value in changes.items() if name in CONTENT_PROPERTIES}
    files = [*_carried(message, kind), *(given_attachment(each, desk.now) for each in changes.get("attachments") or [])]
    return WrittenMail(properties, desk.now, desk.now, files, head.message_id, head.conversation)


def _recipients(person: Person, message: Message, kind: Answer) -> tuple[Sequence[Address], Sequence[Address]]:
    """Whom an answer goes to, and who gets a copy: not oneself."""
    head = message.mail.head
    if kind is Answer.FORWARD:
        return (), ()
    to = list(head.reply_to or ([head.author] if head.author is not None else ()))
    if kind is Answer.REPLY:
        return to, ()
    known = {person.address.lower(), *(each.address.lower() for each in to)}
    to += [each for each in head.to if each.address.lower() not in known]
    return to, [each for each in head.cc if each.address.lower() not in known]


def _carried(message: Message, kind: Answer) -> list[Attachment]:
    """Whoever gets a forwarded message gets its files; an answer keeps only what the quoted text shows."""
    return [each for each in message.mail.attachments if kind is Answer.FORWARD or each.is_inline]


def _quoted(message: Message, comment: str) -> dict[str, str]:
    """The comment above what is answered: a page of HTML, whatever the message was."""
    head, body = message.mail.head, message.mail.body
    author = head.author
    lines = [
        f"From: {author.name} <{author.address}>" if author is not None else "From:",
        f"Sent: {head.sent:%A, %B %d, %Y %H:%M}",
        f"To: {'; '.join(each.name or each.address for each in head.to)}",
        f"Subject: {head.subject}",
    ]
    quoted = body.content if body.is_html else f"<pre>{escape(body.content)}</pre>"
    above = f"<div>{escape(comment)}</div><hr><div>{'<br>'.join(escape(line) for line in lines)}</div><br>"
    if _BODY.search(quoted):
        content = _BODY.sub(lambda tag: tag[0] + above, quoted, count=1)
    else:
        content = f"<html><head></head><body>{above}{quoted}</body></html>"
    return {"contentType": "html", "content": content}


def _named(name: str, address: str) -> dict[str, Any]:
    return {"emailAddress": {"name": name, "address": address}}


_USER = "/users/{user}"
ROUTES = (
    Route("POST", _USER + "/sendMail", _send_mail, SEND_MAIL),
    *(
        route
        for one in (_USER + "/messages/{message}", _USER + "/mailFolders/{folder}/messages/{message}")
        for route in (
            Route("POST", one + "/send", _send_draft, SEND_MAIL),
            Route("POST", one + "/createReply", _drafts(Answer.REPLY), WRITE_MAIL),
            Route("POST", one + "/createReplyAll", _drafts(Answer.REPLY_ALL), WRITE_MAIL),
            Route("POST", one + "/createForward", _drafts(Answer.FORWARD), WRITE_MAIL),
            Route("POST", one + "/reply", _answers(Answer.REPLY), SEND_MAIL),
            Route("POST", one + "/replyAll", _answers(Answer.REPLY_ALL), SEND_MAIL),
            Route("POST", one + "/forward", _answers(Answer.FORWARD), SEND_MAIL),
        )
    ),
)
