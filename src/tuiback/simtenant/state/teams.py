"""Holds the teams: the channels of Microsoft 365 groups and what people post in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS
from tuiback.simtenant.content.prose import paragraph
from tuiback.simtenant.content.words import SPOKEN
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.groups import Group, Groups

_ROOTS = 24
_MOST_REPLIES = 4
# One conversation is longer than what is shown with its first post.
_LONG_CONVERSATION = 1005
_MILLISECOND = timedelta(milliseconds=1)


class MomentTaken(Exception):
    """Two posts of a channel can't have the same millisecond."""


@dataclass(slots=True, eq=False)
class Post:
    """A post or, with `root`, a reply; its number is the millisecond in which it was written."""

    number: int
    author: int
    root: int | None
    modified: datetime
    text: Callable[[], str]
    subject: str | None = None
    deleted: datetime | None = None

    @property
    def created(self) -> datetime:
        """When it was written."""
        return datetime.fromtimestamp(0, UTC) + self.number * _MILLISECOND


@dataclass(slots=True, eq=False)
class Channel:
    """A channel; `kind` is standard, private or shared. `migrating_app` may import posts as if they were old.

    Its posts are drawn when it is opened: see Teams.open.
    """

    thread_id: str
    name: str
    kind: str
    created: datetime
    posts: dict[int, Post] = field(default_factory=dict)
    changes: ChangeLog = field(default_factory=ChangeLog)
    migrating_app: str = ""
    was_migrated: bool = False
    replies_of: dict[int, list[int]] = field(default_factory=dict)
    is_drawn: bool = False

    def roots(self) -> list[Post]:
        """The posts that are no replies, the newest first."""
        return sorted((each for each in self.posts.values() if each.root is None), key=_number, reverse=True)

    def replies(self, root: int) -> list[Post]:
        """The replies to a post, the newest first."""
        return sorted((self.posts[each] for each in self.replies_of.get(root, ())), key=_number, reverse=True)

    def last_change(self, root: Post) -> datetime:
        """When a conversation was last changed."""
        return max((each.modified for each in self.replies(root.number)), default=root.modified)

    def add(self, post: Post) -> None:
        """Put a post in. Raises MomentTaken."""
        if post.number in self.posts:
            raise MomentTaken
        self.posts[post.number] = post
        if post.root is not None:
            self.replies_of.setdefault(post.root, []).append(post.number)
        self.changes.add(0, post.root or post.number)


@dataclass(slots=True, eq=False)
class Team:
    """The team of a group, seen by others only from `visible` on (seconds since 1970)."""

    group: Group
    channels: list[Channel]
    visible: float = 0

    def find(self, thread_id: str) -> Channel | None:
        """The channel with this id."""
        return next((each for each in self.channels if each.thread_id == thread_id), None)


class Teams:
    """All teams of the tenant; each is drawn when somebody asks for it."""

    def __init__(self, chance: Chance, groups: Groups) -> None:
        self._chance = chance
        self._groups = groups
        self._drawn: dict[int, Team] = {}

    def all(self) -> Iterator[Team]:
        """Every team."""
        return (self._team(group) for group in self._groups.groups if group.is_unified)

    def find(self, object_id: str) -> Team | None:
        """The team of the group with this object id."""
        group = self._groups.find(object_id)
        return self._team(group) if group is not None and group.is_unified else None

    def create(self, name: str, owner: int, now: datetime, visible: float) -> Team:
        """A new group with a team, General its only channel."""
        group = self._groups.create(name, [("user", owner)], now)
        team = Team(group, [], visible)
        self.add_channel(team, "General", "standard", now)
        self._drawn[group.serial] = team
        return team

    def open(self, team: Team, channel: Channel) -> Channel:
        """The channel with its posts."""
        if not channel.is_drawn:
            channel.is_drawn = True
            self._fill(channel, team.group, team.channels.index(channel))
        return channel

    def add_channel(self, team: Team, name: str, kind: str, created: datetime) -> Channel:
        """A new channel without posts."""
        channel = self._channel(team.group, len(team.channels), name, kind, created)
        channel.is_drawn = True
        team.channels.append(channel)
        return channel

    def _team(self, group: Group) -> Team:
        if group.serial not in self._drawn:
            made = Team(group, [])
            for number, (name, kind) in enumerate(
                (("General", "standard"), ("Angebote", "standard"), ("Board", "private"), ("Partners", "shared"))
            ):
                made.channels.append(self._channel(group, number, name, kind, COMPANY_STARTS))
            self._drawn[group.serial] = made
        return self._drawn[group.serial]

    def _channel(self, group: Group, number: int, name: str, kind: str, created: datetime) -> Channel:
        mark = self._chance.digest(16, "channel", group.serial, number).hex()
        return Channel(f"19:{mark}@thread.tacv2", name, kind, created)

    def _fill(self, channel: Channel, group: Group, number: int) -> None:
        people = [index for kind, index in group.members if kind == "user"] or [0]
        chance = self._chance
        for turn in range(_ROOTS):
            key = ("post", group.serial, number, turn)
            part = (turn + 0.9 * chance.fraction(*key, "moment")) / _ROOTS
            moment = COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * part
            root = self._post(moment, people, None, *key)
            channel.add(root)
            is_long = group.serial == 0 and number == turn == 0
            replies = _LONG_CONVERSATION if is_long else chance.below(_MOST_REPLIES, *key, "replies")
            for reply in range(replies):
                later = moment + timedelta(seconds=61 * (reply + 1))
                channel.add(self._post(later, people, root.number, *key, reply))
        channel.changes = ChangeLog()

    def _post(self, moment: datetime, people: list[int], root: int | None, *key: int | str) -> Post:
        number = (moment - datetime.fromtimestamp(0, UTC)) // _MILLISECOND
        author = people[self._chance.below(len(people), *key, "author")]
        language = SPOKEN[author % len(SPOKEN)]
        return Post(number, author, root, moment, lambda: paragraph(self._chance, language, 120, *key))


def _number(post: Post) -> int:
    return post.number
