"""Answers for the posts of channels: lists, replies, changes, everything at once, and imports.

https://learn.microsoft.com/graph/api/channel-list-messages, .../chatmessage-delta
https://learn.microsoft.com/microsoftteams/platform/graph-api/import-messages/import-external-messages-to-teams
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url, find_token, page, page_size, sealed_token, selected
from tuiback.simtenant.api.permissions import MIGRATE_POSTS, READ_POSTS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.teams import channel_of, team_of
from tuiback.simtenant.state.teams import Channel, MomentTaken, Post

_PAGE, _MOST = 20, 50
_MOST_AT_ONCE = 250
_MOST_REPLIES = 1000
# Changes are told for so long only: https://learn.microsoft.com/graph/api/chatmessage-delta
_DELTA_LIFE = timedelta(days=8 * 30)
_EPOCH = datetime.fromtimestamp(0, UTC)


def _written(moment: datetime) -> str:
    """A moment with its milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _post_json(cloud: Cloud, channel: Channel, post: Post, call: Call) -> dict[str, Any]:
    person = cloud.tenant.directory.accounts[post.author].person
    user = {
        "@odata.type": "#microsoft.graph.teamworkUserIdentity", "id": person.object_id, "displayName": person.name,
        "userIdentityType": "aadUser", "tenantId": cloud.plan.tenant_id,
    }  # fmt: skip
    team = call.where["team"]
    return {
        "id": str(post.number),
        "replyToId": str(post.root) if post.root is not None else None,
        "etag": str((post.modified - _EPOCH) // timedelta(milliseconds=1)),
        "messageType": "message",
        "createdDateTime": _written(post.created),
        "lastModifiedDateTime": _written(post.modified),
        "lastEditedDateTime": None,
        "deletedDateTime": _written(post.deleted) if post.deleted is not None else None,
        "subject": post.subject,
        "summary": None,
        "chatId": None,
        "importance": "normal",
        "locale": "en-us",
        "webUrl": f"https://teams.microsoft.com/l/message/{channel.thread_id}/{post.number}?groupId={team}",
        "policyViolation": None,
        "eventDetail": None,
        "from": {"application": None, "device": None, "user": user},
        "body": {"contentType": "html", "content": post.text() if post.deleted is None else ""},
        "channelIdentity": {"teamId": team, "channelId": channel.thread_id},
        "attachments": [],
        "mentions": [],
        "reactions": [],
        "messageHistory": [],
    }


def _with_replies(cloud: Cloud, channel: Channel, post: Post, call: Call) -> dict[str, Any]:
    """A post, with $expand its replies: up to a thousand, and where the others are."""
    document = _post_json(cloud, channel, post, call)
    if "replies" not in call.query.get("$expand", ""):
        return document
    replies = channel.replies(post.number)
    document["replies"] = [_post_json(cloud, channel, each, call) for each in replies[:_MOST_REPLIES]]
    if len(replies) > _MOST_REPLIES:
        place = f"{call.root}{call.version}/teams/{call.where['team']}/channels/{channel.thread_id}/messages"
        document["replies@odata.nextLink"] = f"{place}/{post.number}/replies?$skip={_MOST_REPLIES}"
    return document


def _list(cloud: Cloud, call: Call) -> Reply:
    channel = channel_of(cloud, call)
    shown, next_link = page(channel.roots(), call, _size(call))
    return _listed(cloud, channel, shown, next_link, call)


def _list_replies(cloud: Cloud, call: Call) -> Reply:
    channel = channel_of(cloud, call)
    shown, next_link = page(channel.replies(_post_of(channel, call).number), call, _size(call))
    return _listed(cloud, channel, shown, next_link, call)


def _size(call: Call) -> int:
    """Raises Fault 400 for more than fifty."""
    text = call.query.get("$top", "")
    if text.isdigit() and int(text) > _MOST:
        raise Fault(400, "BadRequest", f"The limit of '{_MOST}' for Top query has been exceeded.")
    return page_size(call, _PAGE, _MOST)


def _listed(cloud: Cloud, channel: Channel, posts: Sequence[Post], next_link: str | None, call: Call) -> Reply:
    value = [_with_replies(cloud, channel, each, call) for each in posts]
    return json_reply(collection(_context(call), value, next_link, call) | {"@odata.count": len(value)})


def _get(cloud: Cloud, call: Call) -> Reply:
    channel = channel_of(cloud, call)
    return _shown(cloud, channel, _post_of(channel, call), call)


def _shown(cloud: Cloud, channel: Channel, post: Post, call: Call, status: int = 200) -> Reply:
    context = {"@odata.context": context_url(call, _context(call) + "/$entity")}
    return json_reply(context | narrowed(_with_replies(cloud, channel, post, call), selected(call)), status)


def _post_of(channel: Channel, call: Call) -> Post:
    """The reply that the URL names, else the post. Raises Fault 404."""
    text = call.where.get("reply") or call.where["post"]
    post = channel.posts.get(int(text)) if text.isdigit() else None
    if post is None:
        raise Fault(404, "NotFound", "The message was not found.")
    return post


def _delta(cloud: Cloud, call: Call) -> Reply:
    """The conversations of the last eight months, and then those that changed."""
    channel = channel_of(cloud, call)
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    fresh: dict[str, Any] = {
        "of": channel.thread_id, "age": cloud.delta_generation, "since": -1, "until": channel.changes.latest,
        "shown": 0, "filter": call.query.get("$filter", ""),
    }  # fmt: skip
    state = fresh if text is None else find_token(cloud.token_key, text)
    if state is None or state.get("of") != channel.thread_id or state["age"] != cloud.delta_generation:
        raise Fault(410, "SyncStateNotFound", "The sync state is not found.")
    if "$deltatoken" in call.query:
        state["until"] = channel.changes.latest
    roots = _followed(cloud, channel, state)
    size = _size(call)
    value = [_with_replies(cloud, channel, each, call) for each in roots[state["shown"] : state["shown"] + size]]
    more = state["shown"] + size < len(roots)
    following = state | ({"shown": state["shown"] + size} if more else {"shown": 0, "since": state["until"]})
    token = sealed_token(cloud.token_key, following)
    name, link = ("$skiptoken", "@odata.nextLink") if more else ("$deltatoken", "@odata.deltaLink")
    expand = "&$expand=replies" if "replies" in call.query.get("$expand", "") else ""
    document = collection("Collection(chatMessage)", value, None, call)
    return json_reply(document | {link: f"{call.root}{call.path}?{name}={token}{expand}"})


def _followed(cloud: Cloud, channel: Channel, state: dict[str, Any]) -> list[Post]:
    oldest = cloud.clock.now() - _DELTA_LIFE
    if state["since"] < 0:
        roots = channel.roots()
    else:
        log = channel.changes.between(state["since"], state["until"])
        roots = [channel.posts[serial] for serial in dict.fromkeys(change.serial for change in log)]
    after = str(state["filter"]).rpartition(" gt ")[2].strip()
    changed = [(each, channel.last_change(each)) for each in roots]
    return [each for each, moment in changed if moment >= oldest and (not after or _written(moment) > after)]


def _list_all(cloud: Cloud, call: Call) -> Reply:
    """Posts and replies of all channels but shared ones, flat."""
    test = filter_of(call, "BadRequest")
    team = team_of(cloud, call)
    channels = [cloud.tenant.teams.open(team, each) for each in team.channels if each.kind != "shared"]
    found = [
        (channel, post)
        for channel in channels
        for post in channel.posts.values()
        if test({"lastModifiedDateTime": _written(post.modified), "createdDateTime": _written(post.created)})
    ]
    shown, next_link = page(found, call, page_size(call, _PAGE, _MOST_AT_ONCE))
    value = [_post_json(cloud, channel, post, call) for channel, post in shown]
    return json_reply(collection("Collection(chatMessage)", value, next_link, call))


def _import(cloud: Cloud, call: Call) -> Reply:
    """An old post into a channel in migration mode: by somebody of the tenant, at a moment of its own."""
    channel, given = channel_of(cloud, call), call.json()
    if channel.migrating_app != call.app_id:
        raise Fault(403, "Forbidden", "Applications may post in channels that they migrate only.")
    user = (given.get("from") or {}).get("user") or {}
    author = cloud.tenant.directory.find(str(user.get("id", "")))
    if author is None or not isinstance(given.get("body"), dict):
        raise Fault(400, "BadRequest", "A body and an author of this tenant are required.")
    moment = _moment(cloud, channel, given.get("createdDateTime"))
    content = str(given["body"].get("content", ""))
    root = _post_of(channel, call).number if "post" in call.where else None
    number = (moment - _EPOCH) // timedelta(milliseconds=1)
    post = Post(number, author.index, root, moment, lambda: content, given.get("subject"))
    try:
        channel.add(post)
    except MomentTaken as taken:
        raise Fault(409, "Conflict", "A message with this createdDateTime exists already.") from taken
    return _shown(cloud, channel, post, call, 201)


def _moment(cloud: Cloud, channel: Channel, text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Fault(400, "BadRequest", "createdDateTime is required.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not channel.created < moment <= cloud.clock.now():
        raise Fault(400, "BadRequest", "createdDateTime must lie after the channel's and before now.")
    return moment


def _context(call: Call) -> str:
    return f"teams('{call.where['team']}')/channels('{call.where['channel']}')/messages"


_POSTS = "/teams/{team}/channels/{channel}/messages"
_REPLIES = _POSTS + "/{post}/replies"
ROUTES = (
    Route("GET", _POSTS, _list, READ_POSTS),
    Route("POST", _POSTS, _import, MIGRATE_POSTS),
    Route("GET", _POSTS + "/delta", _delta, READ_POSTS, filtered=True),
    Route("GET", _POSTS + "/{post}", _get, READ_POSTS),
    Route("GET", _REPLIES, _list_replies, READ_POSTS),
    Route("POST", _REPLIES, _import, MIGRATE_POSTS),
    Route("GET", _REPLIES + "/{reply}", _get, READ_POSTS),
    Route("GET", "/teams/{team}/channels/getAllMessages", _list_all, READ_POSTS, filtered=True),
)
