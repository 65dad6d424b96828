"""Turns any message into one whose properties can be changed."""

from typing import Any

from tuiback.simtenant.content.mail import Address
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.state.mailbox import Message

CONTENT_PROPERTIES = frozenset({
    "subject", "body", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "from", "sender",
    "internetMessageId", "internetMessageHeaders",
})  # fmt: skip


def written_copy(message: Message) -> WrittenMail:
    """A message of the same content, made from properties; its MIME is written anew."""
    mail = message.mail
    if isinstance(mail, WrittenMail):
        return WrittenMail(
            dict(mail.properties), mail.sent, mail.received, list(mail.attachments), mail.answers, mail.conversation
        )
    head, body = mail.head, mail.body
    properties: dict[str, Any] = {
        "subject": head.subject,
        "toRecipients": [_named(each) for each in head.to],
        "ccRecipients": [_named(each) for each in head.cc],
        "bccRecipients": [_named(each) for each in head.bcc],
        "replyTo": [_named(each) for each in head.reply_to],
        "internetMessageId": head.message_id,
        "body": {"contentType": "html" if body.is_html else "text", "content": body.content},
    }
    if head.author is not None:
        properties["from"] = _named(head.author)
    return WrittenMail(properties, head.sent, head.received, list(mail.attachments), conversation=head.conversation)


def _named(address: Address) -> dict[str, Any]:
    return {"emailAddress": {"name": address.name, "address": address.address}}
