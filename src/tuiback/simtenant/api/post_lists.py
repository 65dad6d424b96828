"""Answers lists of posts alike for channels and chats: pages of at most fifty, one post, and everything for exports."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.directory_lists import narrowed
from tuiback.simtenant.api.filters import filter_of
from tuiback.simtenant.api.odata import collection, context_url, page, page_size, selected
from tuiback.simtenant.api.post_json import Place, post_json, written
from tuiback.simtenant.state.posts import Post

_PAGE, _MOST = 20, 50
_MOST_AT_ONCE = 250
_MOST_REPLIES = 1000
# Exports tell for so long of what people took back: https://learn.microsoft.com/microsoftteams/export-teams-content
_DELETED_SHOWN = timedelta(days=21)


def post_page_size(call: Call) -> int:
    """How many posts a page holds. Raises Fault 400 for more than fifty."""
    text = call.query.get("$top", "")
    if text.isdigit() and int(text) > _MOST:
        raise Fault(400, "BadRequest", f"The limit of '{_MOST}' for Top query has been exceeded.")
    return page_size(call, _PAGE, _MOST)


def listed(place: Place, posts: Sequence[Post]) -> Reply:
    """One page of posts."""
    shown, next_link = page(posts, place.call, post_page_size(place.call))
    value = [with_replies(place, each) for each in shown]
    document = collection(f"{place.path}/messages", value, next_link, place.call)
    return json_reply(document | {"@odata.count": len(value)})


def shown(place: Place, post: Post, status: int = 200) -> Reply:
    """One post as the answer."""
    context = {"@odata.context": context_url(place.call, f"{place.path}/messages/$entity")}
    return json_reply(context | narrowed(with_replies(place, post), selected(place.call)), status)


def with_replies(place: Place, post: Post) -> dict[str, Any]:
    """A post, with $expand its replies: up to a thousand, and where the others are."""
    document = post_json(place, post)
    if "replies" not in place.call.query.get("$expand", ""):
        return document
    replies = place.thread.replies(post.number)
    document["replies"] = [post_json(place, each) for each in replies[:_MOST_REPLIES]]
    if len(replies) > _MOST_REPLIES:
        link = f"{place.messages_url}/{post.number}/replies?$skip={_MOST_REPLIES}"
        document["replies@odata.nextLink"] = link
    return document


def post_of(place: Place) -> Post:
    """The reply that the URL names, else the post. Raises Fault 404."""
    where = place.call.where
    text = where.get("reply") or where["post"]
    post = place.thread.posts.get(int(text)) if text.isdigit() else None
    if post is None:
        raise Fault(404, "NotFound", "The message was not found.")
    return post


def exported(call: Call, places: Iterable[Place]) -> Reply:
    """Posts and replies of several places, flat; of what people took back only that of the last three weeks.

    `model`, the way of payment, is taken and means nothing since 2025-08-25: https://learn.microsoft.com/graph/teams-licenses
    """
    test = filter_of(call, "BadRequest")
    found = []
    for place in places:
        oldest = place.cloud.clock.now() - _DELETED_SHOWN
        for post in place.thread.posts.values():
            dates = {"lastModifiedDateTime": written(post.modified), "createdDateTime": written(post.created)}
            if test(dates) and (post.deleted is None or post.deleted >= oldest):
                found.append((place, post))
    shown_here, next_link = page(found, call, page_size(call, _PAGE, _MOST_AT_ONCE))
    value = [post_json(place, post) for place, post in shown_here]
    return json_reply(collection("Collection(chatMessage)", value, next_link, call) | {"@odata.count": len(value)})
