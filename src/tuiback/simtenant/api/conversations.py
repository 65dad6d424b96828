"""Answers for what groups write by mail: conversations, their threads, posts, and files on posts.

https://learn.microsoft.com/graph/api/group-list-conversations, .../conversationthread-list-posts
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.drive_json import content_type
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import READ_CONVERSATIONS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_lookup import resource_not_found
from tuiback.simtenant.content.company import DOMAIN
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.conversations import Conversation, GroupFile, GroupPost
from tuiback.simtenant.state.groups import Group

T = TypeVar("T")
_PAGE, _MOST = 20, 100


def _group_of(cloud: Cloud, call: Call) -> tuple[Group, Sequence[Conversation]]:
    """The group that the URL names, which must be one that has mail. Raises Fault 404."""
    group = cloud.tenant.groups.find(call.where["group"])
    if group is None:
        raise resource_not_found(call.where["group"])
    if not group.is_unified:
        raise Fault(404, "MailboxNotEnabledForRESTAPI", "REST API is not yet supported for this mailbox.")
    return group, cloud.tenant.conversations.of_group(group)


def _one(found: Iterable[T], is_meant: Callable[[T], bool]) -> T:
    thing = next((each for each in found if is_meant(each)), None)
    if thing is None:
        raise Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return thing


def _conversation_of(cloud: Cloud, call: Call) -> tuple[Group, Conversation]:
    group, found = _group_of(cloud, call)
    if "thread" in call.where:
        return group, _one(found, lambda each: each.thread_id == call.where["thread"])
    return group, _one(found, lambda each: each.conversation_id == call.where["conversation"])


def _sender(cloud: Cloud, post: GroupPost) -> dict[str, Any]:
    person = cloud.tenant.directory.accounts[post.author].person
    return {"emailAddress": {"name": person.name, "address": person.address}}


def _about(cloud: Cloud, found: Conversation) -> dict[str, Any]:
    """What a conversation and its thread tell alike."""
    names = {_sender(cloud, each)["emailAddress"]["name"]: None for each in found.posts}
    return {
        "topic": found.topic,
        "hasAttachments": any(each.files for each in found.posts),
        "lastDeliveredDateTime": stamp(found.posts[-1].received),
        "uniqueSenders": list(names),
        "preview": found.posts[-1].text[:255],
    }


def _conversation_json(cloud: Cloud, _group: Group, found: Conversation) -> dict[str, Any]:
    return {"id": found.conversation_id, **_about(cloud, found)}


def _thread_json(cloud: Cloud, group: Group, found: Conversation) -> dict[str, Any]:
    recipient = {"emailAddress": {"name": group.name, "address": f"{group.nickname}@{DOMAIN}"}}
    told = {"isLocked": False, "toRecipients": [recipient], "ccRecipients": []}
    return {"id": found.thread_id, **_about(cloud, found), **told}


def _post_json(cloud: Cloud, call: Call, found: Conversation, post: GroupPost) -> dict[str, Any]:
    sender = _sender(cloud, post)
    document: dict[str, Any] = {
        "@odata.etag": f'W/"{post.post_id[-16:]}"',
        "id": post.post_id,
        "createdDateTime": stamp(post.received),
        "lastModifiedDateTime": stamp(post.received),
        "changeKey": post.post_id[-16:],
        "categories": [],
        "receivedDateTime": stamp(post.received),
        "hasAttachments": bool(post.files),
        "body": {"contentType": "html", "content": f"<html><body><p>{post.text}</p></body></html>"},
        "from": sender,
        "sender": sender,
        "conversationId": found.conversation_id,
        "conversationThreadId": found.thread_id,
        "newParticipants": [],
    }
    document = narrowed(document, selected(call))
    if "attachments" in call.query.get("$expand", ""):
        document["attachments"] = [_file_json(post, each) for each in post.files]
    return document


def _file_json(post: GroupPost, file: GroupFile) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "id": file.file_id,
        "lastModifiedDateTime": stamp(post.received),
        "name": file.name,
        "contentType": content_type(file.name),
        "size": file.source.size,
        "isInline": False,
        "contentId": None,
        "contentLocation": None,
        "contentBytes": b64encode(_content(file)).decode(),
    }


def _content(file: GroupFile) -> bytes:
    return b"".join(file.source.pieces(0, file.source.size))


def _list(show: Callable[[Cloud, Group, Conversation], dict[str, Any]]) -> Callable[[Cloud, Call], Reply]:
    """Answers all conversations of a group, or all threads, those with the newest post first."""

    def answer(cloud: Cloud, call: Call) -> Reply:
        if "conversation" in call.where:
            group, only = _conversation_of(cloud, call)
            found: Sequence[Conversation] = [only]
        else:
            group, found = _group_of(cloud, call)
        ordered = sorted(found, key=lambda each: each.posts[-1].received, reverse=True)
        return _listed(call, [show(cloud, group, each) for each in ordered])

    return answer


def _listed(call: Call, rows: Sequence[dict[str, Any]]) -> Reply:
    shown, next_link = page(rows, call, page_size(call, _PAGE, _MOST))
    value = [narrowed(each, _with_expanded(call)) for each in shown]
    context = f"groups('{call.where['group']}'){call.path.partition(call.where['group'])[2]}"
    return json_reply(collection(context, value, next_link, call))


def _with_expanded(call: Call) -> frozenset[str] | None:
    names = selected(call)
    return names | {"attachments"} if names is not None else None


def _get(show: Callable[[Cloud, Group, Conversation], dict[str, Any]]) -> Callable[[Cloud, Call], Reply]:
    """Answers one conversation, or one thread."""

    def answer(cloud: Cloud, call: Call) -> Reply:
        return _shown(call, show(cloud, *_conversation_of(cloud, call)))

    return answer


def _shown(call: Call, document: dict[str, Any]) -> Reply:
    context = {"@odata.context": context_url(call, f"groups('{call.where['group']}')/$entity")}
    return json_reply(context | narrowed(document, _with_expanded(call)))


def _list_posts(cloud: Cloud, call: Call) -> Reply:
    _, found = _conversation_of(cloud, call)
    return _listed(call, [_post_json(cloud, call, found, each) for each in found.posts])


def _post_of(cloud: Cloud, call: Call) -> tuple[Conversation, GroupPost]:
    _, found = _conversation_of(cloud, call)
    return found, _one(found.posts, lambda each: each.post_id == call.where["post"])


def _get_post(cloud: Cloud, call: Call) -> Reply:
    return _shown(call, _post_json(cloud, call, *_post_of(cloud, call)))


def _list_files(cloud: Cloud, call: Call) -> Reply:
    _, post = _post_of(cloud, call)
    return _listed(call, [_file_json(post, each) for each in post.files])


def _file_of(cloud: Cloud, call: Call) -> tuple[GroupPost, GroupFile]:
    _, post = _post_of(cloud, call)
    return post, _one(post.files, lambda each: each.file_id == call.where["attachment"])


def _get_file(cloud: Cloud, call: Call) -> Reply:
    return _shown(call, _file_json(*_file_of(cloud, call)))


def _get_file_content(cloud: Cloud, call: Call) -> Reply:
    _, file = _file_of(cloud, call)
    return Reply(200, _content(file), content_type(file.name))


def _routes() -> Iterable[Route]:
    group = "/groups/{group}"
    conversation = group + "/conversations/{conversation}"
    yield Route("GET", group + "/conversations", _list(_conversation_json), READ_CONVERSATIONS)
    yield Route("GET", conversation, _get(_conversation_json), READ_CONVERSATIONS)
    for above in (group, conversation):
        thread = above + "/threads/{thread}"
        post = thread + "/posts/{post}"
        file = post + "/attachments/{attachment}"
        yield Route("GET", above + "/threads", _list(_thread_json), READ_CONVERSATIONS)
        yield Route("GET", thread, _get(_thread_json), READ_CONVERSATIONS)
        yield Route("GET", thread + "/posts", _list_posts, READ_CONVERSATIONS)
        yield Route("GET", post, _get_post, READ_CONVERSATIONS)
        yield Route("GET", post + "/attachments", _list_files, READ_CONVERSATIONS)
        yield Route("GET", file, _get_file, READ_CONVERSATIONS)
        yield Route("GET", file + "/$value", _get_file_content, READ_CONVERSATIONS)


ROUTES = tuple(_routes())
