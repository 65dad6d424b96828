"""Tells which requests a trouble can strike, by method, route and what they carry."""

from collections.abc import Callable

from tuiback.simtenant.api.call import Call
from tuiback.simtenant.api.mailbox_imports import IMPORT_TEMPLATE
from tuiback.simtenant.api.storage import DOWNLOAD_TEMPLATE, UPLOAD_TEMPLATE
from tuiback.simtenant.faulting.edits import OFFICE_ENDINGS
from tuiback.simtenant.throttling.charges import service_of
from tuiback.simtenant.throttling.table import Service

Fits = Callable[[Call, str], bool]
_SIGN_IN = ("/{tenant}/", "/common/")


def any_request(_call: Call, template: str) -> bool:
    """Whatever is not the sign-in service's."""
    return template.startswith("/") and not template.startswith(_SIGN_IN)


def graph(call: Call, template: str) -> bool:
    """A request with a token."""
    return any_request(call, template) and "authorization" in call.headers and not stored(call, template)


def stored(_call: Call, template: str) -> bool:
    """A download or an upload."""
    return template in (DOWNLOAD_TEMPLATE, UPLOAD_TEMPLATE)


def writing(call: Call, template: str) -> bool:
    """A request with a body."""
    return any_request(call, template) and bool(call.body)


def is_get(call: Call) -> bool:
    """A read."""
    return call.method == "GET"


def delta(call: Call, template: str) -> bool:
    """A page of changes."""
    return is_get(call) and "/delta" in template


def drive_delta(call: Call, template: str) -> bool:
    """A page of a drive's changes."""
    return delta(call, template) and ("/root" in template or "/items/{item}" in template)


def mail_delta(call: Call, template: str) -> bool:
    """A page of a mailbox's changes: of folders, messages, contacts, tasks, or a calendar's."""
    return delta(call, template) and mail(call, template)


def resumed(call: Call, template: str) -> bool:
    """A delta walk of files or of the directory that goes on from a link."""
    return (
        delta(call, template)
        and not mail_delta(call, template)
        and any(name in call.query for name in ("token", "$deltatoken", "$skiptoken"))
        and "latest" not in call.raw_query
    )


def drive_resumed(call: Call, template: str) -> bool:
    """A walk of a drive's changes that goes on from a link."""
    return resumed(call, template) and drive_delta(call, template)


def mail_list(call: Call, template: str) -> bool:
    """A list in a mailbox."""
    is_list = template.endswith(("/messages", "/mailFolders", "/childFolders", "/messages/delta"))
    return is_get(call) and is_list and "user" in call.where


def mail(_call: Call, template: str) -> bool:
    """Anything in a mailbox."""
    return service_of(template) is Service.OUTLOOK


def sharing(_call: Call, template: str) -> bool:
    """An invitation or a link."""
    return template.endswith(("/invite", "/createLink"))


def mail_round(call: Call, template: str) -> bool:
    """A later round of a mailbox's changes."""
    return mail_delta(call, template) and "$deltatoken" in call.query


def next_page(call: Call, template: str) -> bool:
    """A later page of a mailbox's changes."""
    return mail_delta(call, template) and "$skiptoken" in call.query


def messages(call: Call, template: str) -> bool:
    """Messages, in lists or one."""
    return is_get(call) and template.endswith(("/messages", "/messages/delta", "/messages/{message}"))


def message_list(call: Call, template: str) -> bool:
    """A list of messages."""
    return is_get(call) and template.endswith(("/messages", "/messages/delta"))


def message(call: Call, template: str) -> bool:
    """One message."""
    return is_get(call) and template.endswith(("/messages/{message}", "/messages/{message}/$value"))


def mime(call: Call, template: str) -> bool:
    """One message as MIME."""
    return is_get(call) and template.endswith("/messages/{message}/$value")


def mail_made(call: Call, template: str) -> bool:
    """A new message."""
    return call.method == "POST" and template.endswith("/messages") and "user" in call.where


def kept(call: Call, template: str) -> bool:
    """One contact or one task."""
    return is_get(call) and template.endswith(("/contacts/{contact}", "/tasks/{task}"))


def attachments(call: Call, template: str) -> bool:
    """A list of whole attachments."""
    return is_get(call) and template.endswith("/attachments") and call.query.get("$select") != "id"


def download(call: Call, template: str) -> bool:
    """A download by its own URL."""
    return is_get(call) and template == DOWNLOAD_TEMPLATE


def content(call: Call, template: str) -> bool:
    """The present content of a file."""
    return download(call, template) or (
        is_get(call) and template.endswith("/content") and "{version}" not in template
    )


def either(*tests: Fits) -> Fits:
    """What one of the tests lets pass."""
    return lambda call, template: any(test(call, template) for test in tests)


def items(call: Call, template: str) -> bool:
    """Files, in lists or one."""
    return is_get(call) and (drive_delta(call, template) or template.endswith(("/children", "/items/{item}")))


def ranged(call: Call, template: str) -> bool:
    """A part of a download."""
    return download(call, template) and "range" in call.headers


def uploaded(call: Call, template: str) -> bool:
    """An Office file in one request."""
    named = call.path.lower().removesuffix("/content").removesuffix(":")
    return call.method == "PUT" and template.endswith("/content") and named.endswith(OFFICE_ENDINGS)


def fragment(call: Call, template: str) -> bool:
    """A part of an upload."""
    return call.method == "PUT" and template == UPLOAD_TEMPLATE


def first_fragment(call: Call, template: str) -> bool:
    """The first part of an upload."""
    return fragment(call, template) and call.headers.get("content-range", "").startswith("bytes 0-")


def last_fragment(call: Call, template: str) -> bool:
    """The last part of an upload."""
    span, _, total = call.headers.get("content-range", "").partition("/")
    return fragment(call, template) and total.isdigit() and span.endswith(f"-{int(total) - 1}")


def archived(call: Call, template: str) -> bool:
    """Whatever an archive may have put into another mailbox; in primary mailboxes nothing grows."""
    return call.version == "/beta" and ("/folders/{folder}" in template or export(call, template))


def export(_call: Call, template: str) -> bool:
    """An export of items."""
    return template.endswith("/exportItems")


def import_request(_call: Call, template: str) -> bool:
    """An import of an item."""
    return template == IMPORT_TEMPLATE


def one_attachment(call: Call, template: str) -> bool:
    """One attachment."""
    return is_get(call) and template.endswith(("/attachments/{attachment}", "/attachments/{attachment}/$value"))


def some_drive(_call: Call, template: str) -> bool:
    """Anything in a drive."""
    return template.startswith(("/users/{user}/drive", "/drives/"))


def upload_start(call: Call, template: str) -> bool:
    """The beginning of an upload."""
    return template.endswith("/createUploadSession") or (call.method == "PUT" and template.endswith("/content"))


def channel_posts(_call: Call, template: str) -> bool:
    """The posts of a channel, or of chats."""
    is_place = template.startswith(("/teams/", "/teamwork/", "/chats/", "/users/{user}/chats"))
    return is_place and ("/messages" in template or template.endswith(("/getAllMessages", "/getAllRetainedMessages")))


def token_request(_call: Call, template: str) -> bool:
    """A token."""
    return template == "/{tenant}/oauth2/v2.0/token"


def files_folder(_call: Call, template: str) -> bool:
    """Where a channel's files are."""
    return template.endswith("/filesFolder")


def site(_call: Call, template: str) -> bool:
    """Anything in one site."""
    return template.startswith("/sites/{site}")


def large_calendar_page(call: Call, template: str) -> bool:
    """More than ten events at once."""
    text = call.preferences.get("odata.maxpagesize") or call.query.get("$top", "")
    return is_get(call) and template.endswith(("/calendarView/delta", "/events")) and text.isdigit() and int(text) > 10


def ranged_without_accept(call: Call, template: str) -> bool:
    """A part of a download for who does not say to take anything."""
    return ranged(call, template) and "*/*" not in call.headers.get("accept", "")
