"""Answers for chats: those of a person, their members and messages, exports, and new ones.

https://learn.microsoft.com/graph/api/chat-list, .../chat-list-messages, .../chats-getallmessages
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.chat_delta import delta_of_all
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.hosted_contents import hosted_routes
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.permissions import CREATE_CHATS, READ_CHAT_MEMBERS, READ_CHAT_POSTS, READ_CHATS
from tuiback.simtenant.api.post_delta import delta
from tuiback.simtenant.api.post_json import Place, post_json, written
from tuiback.simtenant.api.post_lists import exported, listed, post_of, shown
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_lookup import account_of
from tuiback.simtenant.state.chats import Chat
from tuiback.simtenant.state.posts import Post

_PAGE, _MOST = 20, 50
_FEWEST = {"oneOnOne": 2, "group": 2}


def chat_of(cloud: Cloud, call: Call) -> Chat:
    """The chat that the URL names. Raises Fault 404."""
    chat = cloud.tenant.chats.find(call.where["chat"])
    is_mine = "user" not in call.where or (chat is not None and account_of(cloud, call).index in chat.members)
    if chat is None or not is_mine:
        raise Fault(404, "NotFound", "The chat was not found.")
    return cloud.tenant.chats.open(chat)


def place_of_chat(cloud: Cloud, call: Call, chat: Chat) -> Place:
    """The chat as a place of posts."""
    return Place(cloud, call, chat.thread, chat.chat_id, f"chats/{chat.chat_id}")


def _place_of(cloud: Cloud, call: Call) -> Place:
    return place_of_chat(cloud, call, chat_of(cloud, call))


def _chat_json(cloud: Cloud, call: Call, chat: Chat) -> dict[str, Any]:
    last = cloud.tenant.chats.open(chat).last_post
    document: dict[str, Any] = {
        "id": chat.chat_id,
        "topic": chat.topic,
        "createdDateTime": written(chat.created),
        "lastUpdatedDateTime": written(last.created if last is not None else chat.created),
        "chatType": chat.kind,
        "webUrl": f"https://teams.microsoft.com/l/chat/{chat.chat_id}/0?tenantId={cloud.plan.tenant_id}",
        "tenantId": cloud.plan.tenant_id,
        "onlineMeetingInfo": _meeting(cloud, chat) if chat.kind == "meeting" else None,
        "viewpoint": None,
        "isHiddenForAllMembers": False,
    }
    if chat.migrating_app or chat.was_migrated:
        document["migrationMode"] = "inProgress" if chat.migrating_app else "completed"
        document["originalCreatedDateTime"] = written(chat.born or chat.created)
    document = narrowed(document, selected(call))
    expand = call.query.get("$expand", "")
    if "members" in expand:
        document["members"] = _members(cloud, chat)
    if "lastMessagePreview" in expand:
        document["lastMessagePreview"] = _preview(place_of_chat(cloud, call, chat), last) if last is not None else None
    return document


def _meeting(cloud: Cloud, chat: Chat) -> dict[str, Any]:
    organizer = cloud.tenant.directory.accounts[chat.members[0]].person
    mark = cloud.tenant.chance.digest(24, "meeting", chat.number).hex()
    return {
        "calendarEventId": None,
        "joinWebUrl": f"https://teams.microsoft.com/l/meetup-join/{chat.chat_id}/0?context={mark}",
        "organizer": {"id": organizer.object_id, "displayName": None, "userIdentityType": "aadUser"},
    }


def _preview(place: Place, post: Post) -> dict[str, Any]:
    whole = post_json(place, post)
    names = ("id", "createdDateTime", "messageType", "body", "from", "eventDetail")
    return {name: whole[name] for name in names} | {"isDeleted": post.deleted is not None}


def _members(cloud: Cloud, chat: Chat) -> list[dict[str, Any]]:
    """Everybody in a chat of two owns it; in others who made it does."""
    found = []
    for place, index in enumerate(chat.members):
        person = cloud.tenant.directory.accounts[index].person
        mark = f"{cloud.plan.tenant_id}##{chat.chat_id}##{person.object_id}"
        found.append({
            "@odata.type": "#microsoft.graph.aadUserConversationMember",
            "id": b64encode(mark.encode()).decode(),
            "roles": ["owner"] if place == 0 or chat.kind == "oneOnOne" else [],
            "displayName": person.name,
            "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
            "userId": person.object_id,
            "email": person.address,
            "tenantId": cloud.plan.tenant_id,
        })  # fmt: skip
    return found


def _list(cloud: Cloud, call: Call) -> Reply:
    """The chats of a person, those with the newest posts first."""
    chats = cloud.tenant.chats
    test = filter_of(call, "BadRequest")
    mine = [chats.open(each) for each in chats.of_person(account_of(cloud, call).index)]
    mine = [each for each in mine if test({"chatType": each.kind, "topic": each.topic})]
    mine.sort(key=lambda chat: chat.last_post.number if chat.last_post else 0, reverse=True)
    _check_top(call)
    found, next_link = page(mine, call, page_size(call, _PAGE, _MOST))
    return _listed(call, "chats", [_chat_json(cloud, call, each) for each in found], next_link)


def _check_top(call: Call) -> None:
    text = call.query.get("$top", "")
    if text.isdigit() and int(text) > _MOST:
        raise Fault(400, "BadRequest", f"The limit of '{_MOST}' for Top query has been exceeded.")


def _listed(call: Call, context: str, rows: Sequence[dict[str, Any]], next_link: str | None = None) -> Reply:
    return json_reply(collection(context, rows, next_link, call) | {"@odata.count": len(rows)})


def _get(cloud: Cloud, call: Call) -> Reply:
    return _shown(cloud, call, chat_of(cloud, call))


def _shown(cloud: Cloud, call: Call, chat: Chat, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, "chats/$entity")}
    return json_reply(context | _chat_json(cloud, call, chat), status)


def _list_members(cloud: Cloud, call: Call) -> Reply:
    chat = chat_of(cloud, call)
    return _listed(call, f"chats('{chat.chat_id}')/members", _members(cloud, chat))


def _list_messages(cloud: Cloud, call: Call) -> Reply:
    """The newest first, by when they were changed or made; a filter counts only beside a sorting by the same."""
    place = _place_of(cloud, call)
    order, _, direction = call.query.get("$orderby", "lastModifiedDateTime desc").partition(" ")
    if order not in ("lastModifiedDateTime", "createdDateTime") or direction.strip().lower() != "desc":
        raise Fault(400, "BadRequest", f"QueryOptions to order by '{order} {direction}' is not supported.")
    posts = list(place.thread.posts.values())
    if call.query.get("$filter", "").startswith(order) and "$orderby" in call.query:
        test = filter_of(call, "BadRequest")
        posts = [each for each in posts if test({order: _moment(each, order)})]
    posts.sort(key=lambda post: (_moment(post, order), post.number), reverse=True)
    return listed(place, posts)


def _moment(post: Post, name: str) -> str:
    return written(post.modified if name == "lastModifiedDateTime" else post.created)


def _get_message(cloud: Cloud, call: Call) -> Reply:
    place = _place_of(cloud, call)
    return shown(place, post_of(place))


def _delta(cloud: Cloud, call: Call) -> Reply:
    return delta(_place_of(cloud, call))


def _export(cloud: Cloud, call: Call) -> Reply:
    """Everything in all chats that a person is in."""
    chats = cloud.tenant.chats
    mine = [chats.open(each) for each in chats.of_person(account_of(cloud, call).index)]
    return exported(call, [place_of_chat(cloud, call, each) for each in mine])


def _export_delta(cloud: Cloud, call: Call) -> Reply:
    """What changed in all of them."""
    account = account_of(cloud, call)
    chats = cloud.tenant.chats
    mine = [place_of_chat(cloud, call, chats.open(each)) for each in chats.of_person(account.index)]
    if not mine:
        raise Fault(404, "NotFound", "The person is in no chat.")
    return delta_of_all(account.person.object_id, mine)


def _create(cloud: Cloud, call: Call) -> Reply:
    """201; also for two people who have their chat already, which is the one that comes."""
    given = call.json()
    kind = str(given.get("chatType"))
    found = []
    for each in given.get("members") or ():
        name = str(each.get("user@odata.bind", "")).rpartition("users(")[2].strip("')")
        account = cloud.tenant.directory.find(name)
        if account is None:
            raise Fault(400, "BadRequest", f"The member '{name}' could not be found.")
        found.append(account.index)
    if kind not in _FEWEST or len(found) < _FEWEST[kind] or (kind == "oneOnOne" and len(found) != _FEWEST[kind]):
        raise Fault(400, "BadRequest", "The chatType is unknown or has another number of members.")
    chat, _ = cloud.tenant.chats.create(kind, given.get("topic"), found, cloud.clock.now().replace(microsecond=0))
    return _shown(cloud, call, chat, 201)


_CHAT = "/chats/{chat}"
_OWN = "/users/{user}/chats"
ROUTES = (
    Route("GET", _OWN, _list, READ_CHATS, filtered=True),
    Route("POST", "/chats", _create, CREATE_CHATS),
    Route("GET", _OWN + "/getAllMessages", _export, READ_CHAT_POSTS, filtered=True),
    Route("GET", _OWN + "/getAllMessages/delta", _export_delta, READ_CHAT_POSTS),
    Route("GET", _OWN + "/getAllRetainedMessages", _export, READ_CHAT_POSTS, filtered=True),
    *(
        route
        for chat in (_CHAT, _OWN + "/{chat}")
        for route in (
            Route("GET", chat, _get, READ_CHATS),
            Route("GET", chat + "/members", _list_members, READ_CHAT_MEMBERS),
            Route("GET", chat + "/messages", _list_messages, READ_CHAT_POSTS, filtered=True),
            Route("GET", chat + "/messages/delta", _delta, READ_CHAT_POSTS, filtered=True),
            Route("GET", chat + "/messages/{post}", _get_message, READ_CHAT_POSTS),
            *hosted_routes(chat + "/messages/{post}", _place_of, READ_CHAT_POSTS),
        )
    ),
)
