"""Answers for the posts of channels: lists, replies, changes, everything at once, and imports.

https://learn.microsoft.com/graph/api/channel-list-messages, .../chatmessage-delta
https://learn.microsoft.com/microsoftteams/platform/graph-api/import-messages/import-external-messages-to-teams
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.hosted_contents import hosted_routes
from tuiback.simtenant.api.permissions import READ_POSTS, WRITE_POSTS
from tuiback.simtenant.api.post_delta import delta
from tuiback.simtenant.api.post_json import Place
from tuiback.simtenant.api.post_lists import exported, listed, post_of, shown
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.teams import channel_of, team_of
from tuiback.simtenant.content.post_content import REFERENCE, Attachment, Picture, PostContent
from tuiback.simtenant.content.sources import HeldSource
from tuiback.simtenant.state.posts import MomentTaken, Post, moment_of, number_of
from tuiback.simtenant.state.teams import Channel, Team


def place_of(cloud: Cloud, call: Call) -> Place:
    """The channel that the URL names, as a place of posts. Raises Fault 404."""
    channel = channel_of(cloud, call)
    return _place(cloud, call, team_of(cloud, call), channel)


def _place(cloud: Cloud, call: Call, team: Team, channel: Channel) -> Place:
    mark = team.group.object_id
    path = f"teams/{mark}/channels/{channel.thread_id}"
    library = cloud.tenant.sites.of_channel(team, channel)
    return Place(cloud, call, channel.thread, channel.thread_id, path, mark, library)


def _list(cloud: Cloud, call: Call) -> Reply:
    place = place_of(cloud, call)
    return listed(place, place.thread.roots())


def _list_replies(cloud: Cloud, call: Call) -> Reply:
    place = place_of(cloud, call)
    return listed(place, place.thread.replies(post_of(place).number))


def _get(cloud: Cloud, call: Call) -> Reply:
    place = place_of(cloud, call)
    return shown(place, post_of(place))


def _delta(cloud: Cloud, call: Call) -> Reply:
    return delta(place_of(cloud, call))


def _list_all(cloud: Cloud, call: Call) -> Reply:
    """Of all channels but shared ones."""
    return _export(cloud, call, "shared")


def _list_retained(cloud: Cloud, call: Call) -> Reply:
    """What a retention policy keeps; it keeps nothing of private channels."""
    return _export(cloud, call, "shared", "private")


def _export(cloud: Cloud, call: Call, *left_out: str) -> Reply:
    team = team_of(cloud, call)
    channels = [cloud.tenant.teams.open(team, each) for each in team.channels if each.kind not in left_out]
    return exported(call, [_place(cloud, call, team, each) for each in channels])


@dataclass(frozen=True, slots=True)
class Writing:
    """A new post in a place that was made at a moment: an application may put old posts into it, if any may."""

    place: Place
    created: datetime
    app_id: str


def _write(cloud: Cloud, call: Call) -> Reply:
    channel = channel_of(cloud, call)
    return written_post(Writing(place_of(cloud, call), channel.created, channel.migrating_app))


def written_post(writing: Writing) -> Reply:
    """A post of who has signed in, now; or an old one into a place in migration mode.

    The latter is by somebody of the tenant, at a moment of its own.
    """
    place = writing.place
    cloud, call, given = place.cloud, place.call, place.call.json()
    person_id = cloud.signin.bearer(call.headers.get("authorization", "")).person_id
    if person_id:
        return _posted(writing, person_id)
    if writing.app_id != call.app_id:
        raise Fault(403, "Forbidden", "Applications may post in places that they migrate only.")
    user = (given.get("from") or {}).get("user") or {}
    author = cloud.tenant.directory.find(str(user.get("id", "")))
    if author is None or not isinstance(given.get("body"), dict):
        raise Fault(400, "BadRequest", "A body and an author of this tenant are required.")
    moment = _moment(writing, given.get("createdDateTime"))
    content = _content(given)
    root = post_of(place).number if "post" in call.where else None
    post = Post(number_of(moment), author.index, root, moment, lambda: content)
    try:
        place.thread.add(post)
    except MomentTaken as taken:
        raise Fault(409, "Conflict", "A message with this createdDateTime exists already.") from taken
    return shown(place, post, 201)


def _posted(writing: Writing, person_id: str) -> Reply:
    """What somebody writes: https://learn.microsoft.com/graph/api/chatmessage-post."""
    place, given = writing.place, writing.place.call.json()
    author = place.cloud.tenant.directory.find(person_id)
    if author is None or not isinstance(given.get("body"), dict):
        raise Fault(400, "BadRequest", "A body is required.")
    if writing.app_id:
        raise Fault(403, "Forbidden", "Nobody can write while messages are being imported.")
    root = post_of(place).number if "post" in place.call.where else None
    content, number = _content(given), number_of(place.cloud.clock.now())
    while number in place.thread.posts:
        number += 1
    post = Post(number, author.index, root, moment_of(number), lambda: content)
    place.thread.add(post)
    return shown(place, post, 201)


def _content(given: dict[str, Any]) -> PostContent:
    """Text, the pictures inside it and the files that hang on it; nothing else is imported. Raises Fault 400."""
    try:
        pictures = tuple(
            Picture(str(each["contentType"]), HeldSource(b64decode(each["contentBytes"], validate=True)))
            for each in given.get("hostedContents") or ()
        )
        attachments = tuple(
            Attachment(str(each["id"]), REFERENCE, url=str(each.get("contentUrl") or ""), name=each.get("name"))
            for each in given.get("attachments") or ()
            if each.get("contentType") == REFERENCE
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Fault(400, "BadRequest", f"A hosted content or an attachment is malformed: {error}") from error
    html = str(given["body"].get("content", ""))
    importance = str(given.get("importance") or "normal")
    return PostContent(html, given.get("subject"), importance, attachments=attachments, pictures=pictures)


def _moment(writing: Writing, text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Fault(400, "BadRequest", "createdDateTime is required.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not writing.created < moment <= writing.place.cloud.clock.now():
        raise Fault(400, "BadRequest", "createdDateTime must lie after the place's and before now.")
    return moment


_CHANNELS = "/teams/{team}/channels"
_POSTS = _CHANNELS + "/{channel}/messages"
_POST = _POSTS + "/{post}"
_REPLIES = _POST + "/replies"
ROUTES = (
    Route("GET", _POSTS, _list, READ_POSTS),
    Route("POST", _POSTS, _write, WRITE_POSTS),
    Route("GET", _POSTS + "/delta", _delta, READ_POSTS, filtered=True),
    Route("GET", _POST, _get, READ_POSTS),
    Route("GET", _REPLIES, _list_replies, READ_POSTS),
    Route("POST", _REPLIES, _write, WRITE_POSTS),
    Route("GET", _REPLIES + "/{reply}", _get, READ_POSTS),
    Route("GET", _CHANNELS + "/getAllMessages", _list_all, READ_POSTS, filtered=True),
    Route("GET", _CHANNELS + "/getAllRetainedMessages", _list_retained, READ_POSTS, filtered=True),
    *hosted_routes(_POST, place_of, READ_POSTS),
    *hosted_routes(_REPLIES + "/{reply}", place_of, READ_POSTS),
)
