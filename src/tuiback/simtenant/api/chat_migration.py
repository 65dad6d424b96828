"""Answers for new messages of chats, and for chats into which an application puts them as if they were old.

https://learn.microsoft.com/graph/api/chat-startmigration, .../chat-completemigration
"""

from datetime import UTC, datetime

from tuiback.simtenant.api.call import Call, Fault, Reply, no_content
from tuiback.simtenant.api.chats import chat_of, place_of_chat
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.permissions import MIGRATE_POSTS, WRITE_CHAT_POSTS
from tuiback.simtenant.api.posts import Writing, written_post
from tuiback.simtenant.api.router import Route


def _start(cloud: Cloud, call: Call) -> Reply:
    """The chat may be made older by it, never younger. Raises Fault 400."""
    chat, text = chat_of(cloud, call), call.json().get("conversationCreationDateTime")
    if chat.kind == "meeting":
        raise Fault(400, "BadRequest", "Migration mode is not supported for meeting chats.")
    if chat.migrating_app:
        raise Fault(400, "BadRequest", "The chat is already in migration mode.")
    if text is not None:
        moment = _moment(text)
        if moment >= chat.created:
            raise Fault(400, "BadRequest", "conversationCreationDateTime must be older than the chat.")
        chat.born, chat.created = chat.born or chat.created, moment
    chat.migrating_app = call.app_id
    return no_content()


def _complete(cloud: Cloud, call: Call) -> Reply:
    """Only who has begun may end it."""
    chat = chat_of(cloud, call)
    if chat.migrating_app != call.app_id:
        raise Fault(400, "BadRequest", "The chat is not in migration mode of this application.")
    chat.migrating_app, chat.was_migrated = "", True
    return no_content()


def _write(cloud: Cloud, call: Call) -> Reply:
    chat = chat_of(cloud, call)
    return written_post(Writing(place_of_chat(cloud, call, chat), chat.created, chat.migrating_app))


def _moment(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Fault(400, "BadRequest", f"'{text}' is not a time.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_CHAT = "/chats/{chat}"
ROUTES = (
    Route("POST", _CHAT + "/startMigration", _start, MIGRATE_POSTS),
    Route("POST", _CHAT + "/completeMigration", _complete, MIGRATE_POSTS),
    Route("POST", _CHAT + "/messages", _write, WRITE_CHAT_POSTS),
)
