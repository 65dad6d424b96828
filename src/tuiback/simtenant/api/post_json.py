"""Shows posts of channels and chats as Graph's chatMessage.

https://learn.microsoft.com/graph/api/resources/chatmessage
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tuiback.simtenant.api.call import Call
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.post_content import REFERENCE, Attachment, Picture, PostContent, Reaction
from tuiback.simtenant.state.posts import Post, Thread, number_of

_NOBODY: dict[str, Any] = {"application": None, "device": None}
_KNOWS_ALL = "include-unknown-enum-members"


@dataclass(frozen=True, slots=True)
class Place:
    """Where posts are: a channel, or a chat where `team_id` is empty. `path` is its own, behind the version.

    `library` is the site where a channel's files lie; files in chats lie in the drive of who sent them.
    """

    cloud: Cloud
    call: Call
    thread: Thread
    thread_id: str
    path: str
    team_id: str = ""
    library: Person | None = None

    @property
    def messages_url(self) -> str:
        """The address of its posts."""
        return f"{self.call.root}{self.call.version}/{self.path}/messages"


def written(moment: datetime) -> str:
    """A moment with its milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def post_json(place: Place, post: Post) -> dict[str, Any]:
    """One post. One that was taken back holds nothing any more."""
    content = PostContent("") if post.deleted is not None else post.read()
    in_channel = bool(place.team_id)
    document: dict[str, Any] = {
        "id": str(post.number),
        "replyToId": str(post.root) if post.root is not None else None,
        "etag": str(number_of(post.modified)),
        "messageType": "message",
        "createdDateTime": written(post.created),
        "lastModifiedDateTime": written(post.modified),
        "lastEditedDateTime": written(post.edited) if post.edited is not None else None,
        "deletedDateTime": written(post.deleted) if post.deleted is not None else None,
        "subject": content.subject,
        "summary": None,
        "chatId": None if in_channel else place.thread_id,
        "importance": content.importance,
        "locale": "en-us",
        "webUrl": _web_url(place, post) if in_channel else None,
        "policyViolation": None,
        "eventDetail": None,
        "from": _NOBODY | {"user": _user(place.cloud, post.author)},
        "body": {"contentType": "html", "content": _html(place, post, content)},
        "channelIdentity": {"teamId": place.team_id, "channelId": place.thread_id} if in_channel else None,
        "attachments": [_attachment(place, post, each) for each in content.attachments],
        "mentions": [_mention(place.cloud, number, person) for number, person in enumerate(content.mentions)],
        "reactions": [_reaction(each, place.cloud) for each in content.reactions],
        "messageHistory": [_history(each, place.cloud) for each in content.reactions],
    }
    return document | _event(place, post) if post.event else document


def hosted_id(place: Place, post: Post, number: int) -> str:
    """The id of a post's picture, the first of which is number 1."""
    mark = place.cloud.tenant.chance.digest(16, "picture", place.thread_id, post.number, number).hex()
    url = f"https://eu-api.asm.skype.com/v1/objects/0-weu-d1-{mark}/views/imgo"
    return b64encode(f"id=,type=1,url={url}".encode()).decode()


def pictures(post: Post) -> Iterator[tuple[int, Picture]]:
    """The pictures of a post with their numbers; of one that was taken back there are none."""
    if post.deleted is None:
        yield from enumerate(post.read().pictures, 1)


def post_url(place: Place, post: Post) -> str:
    """The address of one post."""
    below = f"{post.root}/replies/{post.number}" if post.root is not None else str(post.number)
    return f"{place.messages_url}/{below}"


def _html(place: Place, post: Post, content: PostContent) -> str:
    html = content.html
    for number in range(1, len(content.pictures) + 1):
        url = f"{post_url(place, post)}/hostedContents/{hosted_id(place, post, number)}/$value"
        html = html.replace(f"../hostedContents/{number}/$value", url)
    return html


def _web_url(place: Place, post: Post) -> str:
    return f"https://teams.microsoft.com/l/message/{place.thread_id}/{post.number}?groupId={place.team_id}"


def _user(cloud: Cloud, person: int) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.teamworkUserIdentity",
        **_named(cloud, person),
        "tenantId": cloud.plan.tenant_id,
    }


def _named(cloud: Cloud, person: int) -> dict[str, Any]:
    found = cloud.tenant.directory.accounts[person].person
    return {"id": found.object_id, "displayName": found.name, "userIdentityType": "aadUser"}


def _attachment(place: Place, post: Post, attachment: Attachment) -> dict[str, Any]:
    url, name = attachment.url or None, attachment.name
    if attachment.content_type == REFERENCE and not url:
        url, name = _file(place, post, attachment.file_number)
    return {
        "id": attachment.mark,
        "contentType": attachment.content_type,
        "contentUrl": url,
        "content": attachment.content,
        "name": name,
        "thumbnailUrl": None,
        "teamsAppId": None,
    }


def _file(place: Place, post: Post, number: int) -> tuple[str, str]:
    """Address and name of a file that was there when the post was written; people may have moved it since."""
    tenant = place.cloud.tenant
    owner = place.library or tenant.directory.accounts[post.author].person
    files = tenant.first_files.of(owner) or [(0, ["Notes.docx"])]
    _, path = files[number % len(files)]
    return f"{owner.host}{owner.site_path}/{owner.library}/{'/'.join(path)}", path[-1]


def _mention(cloud: Cloud, number: int, person: int) -> dict[str, Any]:
    user = _NOBODY | {"conversation": None, "user": _user(cloud, person)}
    return {"id": number, "mentionText": user["user"]["displayName"], "mentioned": user}


def _reaction(reaction: Reaction, cloud: Cloud) -> dict[str, Any]:
    user = _user(cloud, reaction.person) | {"displayName": None}
    return {
        "reactionType": reaction.symbol,
        "displayName": reaction.name,
        "reactionContentUrl": None,
        "createdDateTime": written(reaction.moment),
        "user": _NOBODY | {"user": user},
    }


def _history(reaction: Reaction, cloud: Cloud) -> dict[str, Any]:
    return {
        "modifiedDateTime": written(reaction.moment),
        "actions": "reactionAdded",
        "reaction": _reaction(reaction, cloud),
    }


def _event(place: Place, post: Post) -> dict[str, Any]:
    """What makes a post one of the system: nobody's, of a type that who does not say to know all types can't read."""
    is_known = _KNOWS_ALL in place.call.preferences
    return {
        "messageType": "systemEventMessage" if is_known else "unknownFutureValue",
        "from": None,
        "body": {"contentType": "html", "content": "<systemEventMessage/>"},
        "eventDetail": {
            "@odata.type": "#microsoft.graph.membersAddedEventMessageDetail",
            "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
            "members": [_named(place.cloud, each) for each in post.event],
            "initiator": _NOBODY | {"user": _named(place.cloud, post.author)},
        },
    }
