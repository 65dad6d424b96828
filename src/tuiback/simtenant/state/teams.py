"""Holds the teams: the channels of Microsoft 365 groups and what people post in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tuiback.simtenant.content.chance import Chance, Key
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Company
from tuiback.simtenant.content.post_content import PostContent, draw_post, settled
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.groups import Group, Groups
from tuiback.simtenant.state.posts import Post, Thread, number_of
from tuiback.simtenant.state.team_apps import FIRST_APPS, Tab, first_tabs

_ROOTS = 24
_MOST_REPLIES = 4
# One conversation is longer than what is shown with its first post.
_LONG_CONVERSATION = 1005
# One reply of so many was taken back, one was written anew.
_ONE_IN_DELETED, _ONE_IN_EDITED = 25, 12
_CHANNELS = (("General", "standard"), ("Angebote", "standard"), ("Board", "private"), ("Partners", "shared"))


@dataclass(slots=True, eq=False)
class Channel:
    """A channel; `kind` is standard, private or shared. `migrating_app` may import posts as if they were old.

    `members` are those of a private or shared one; `number` counts the channels that the team ever had.
    `created` is what a migration may set, `born` when it was made. Its posts are drawn when it is opened: Teams.open.
    """

    thread_id: str
    number: int
    name: str
    kind: str
    created: datetime
    thread: Thread = field(default_factory=Thread)
    description: str | None = None
    members: list[int] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    is_archived: bool = False
    migrating_app: str = ""
    was_migrated: bool = False
    is_drawn: bool = False
    born: datetime = COMPANY_STARTS


@dataclass(slots=True, eq=False)
class Tag:
    """A name for some members of a team."""

    mark: str
    name: str
    description: str
    members: list[int]


@dataclass(slots=True, eq=False)
class Team:
    """The team of a group, seen by others only from `visible` on (seconds since 1970).

    `migrating_app` has made it to import what is older.
    `settings` are what somebody set otherwise than it is at first, by the name of the group of settings.
    """

    group: Group
    channels: list[Channel]
    visible: float = 0
    is_archived: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    apps: list[str] = field(default_factory=lambda: list(FIRST_APPS))
    made: int = 0
    tags: list[Tag] = field(default_factory=list)
    migrating_app: str = ""

    def find(self, thread_id: str) -> Channel | None:
        """The channel with this id."""
        return next((each for each in self.channels if each.thread_id == thread_id), None)


class Teams:
    """All teams of the tenant; each is drawn when somebody asks for it."""

    def __init__(self, chance: Chance, company: Company, groups: Groups) -> None:
        self._chance = chance
        self._company = company
        self._groups = groups
        self._drawn: dict[int, Team] = {}

    def all(self) -> Iterator[Team]:
        """Every team."""
        return (self._team(group) for group in self._groups.present() if group.is_unified)

    def deleted(self) -> list[Team]:
        """The teams whose groups were deleted."""
        return [self._team(each) for each in self._groups.groups if each.is_unified and each.deleted is not None]

    def find(self, object_id: str) -> Team | None:
        """The team of the group with this object id."""
        group = self._groups.find(object_id)
        return self._team(group) if group is not None and group.is_unified else None

    def create(self, name: str, owner: int | None, now: datetime, visible: float) -> Team:
        """A new group with a team, General its only channel; without an owner nobody is in it yet."""
        group = self._groups.create(name, [("user", owner)] if owner is not None else [], now)
        team = Team(group, [], visible)
        self.add_channel(team, "General", "standard", now)
        self._drawn[group.serial] = team
        return team

    def open(self, team: Team, channel: Channel) -> Channel:
        """The channel with its posts."""
        if not channel.is_drawn:
            channel.is_drawn = True
            self._fill(channel, team.group)
        return channel

    def add_channel(self, team: Team, name: str, kind: str, created: datetime) -> Channel:
        """A new channel without posts."""
        channel = self._channel(team, name, kind, created)
        channel.is_drawn = True
        return channel

    def incoming(self, team: Team) -> list[tuple[Team, Channel]]:
        """The shared channels of others that this team takes part in, each with the team whose it is."""
        teams = list(self.all())
        place = next(number for number, each in enumerate(teams) if each.group is team.group)
        host = teams[place - 1]
        if host is team:
            return []
        return [(host, each) for each in host.channels if each.kind == "shared"]

    def guest_team(self, team: Team) -> Team | None:
        """The team that takes part in the shared channels of this one."""
        teams = list(self.all())
        place = next(number for number, each in enumerate(teams) if each.group is team.group)
        guest = teams[(place + 1) % len(teams)]
        return guest if guest is not team else None

    def members(self, team: Team, channel: Channel | None = None) -> list[int]:
        """Who is in the team, or in a private or shared channel of it; the first one owns it."""
        if channel is not None and channel.kind != "standard":
            return channel.members
        return [index for kind, index in self._groups.members(team.group) if kind == "user"]

    def _team(self, group: Group) -> Team:
        if group.serial not in self._drawn:
            made = Team(group, [])
            for name, kind in _CHANNELS:
                self._channel(made, name, kind, COMPANY_STARTS)
            inside = [index for kind, index in group.members if kind == "user"]
            made.tags = [Tag(str(self._chance.guid("tag", group.serial)), "Helpers", "who answers first", inside[:2])]
            self._drawn[group.serial] = made
        return self._drawn[group.serial]

    def _channel(self, team: Team, name: str, kind: str, created: datetime) -> Channel:
        """Old private channels have ids of another ending."""
        group, number = team.group, team.made
        mark = self._chance.digest(16, "channel", group.serial, number).hex()
        ending = "thread.skype" if kind == "private" and group.serial % 2 else "thread.tacv2"
        channel = Channel(f"19:{mark}@{ending}", number, name, kind, created, born=created)
        inside = [index for who, index in group.members if who == "user"]
        if kind == "private":
            channel.members = inside[: len(inside) // 2 + 1]
        elif kind == "shared":
            channel.members = inside
        channel.tabs = first_tabs(str(self._chance.guid("tabs", group.serial, number)), name)
        team.made += 1
        team.channels.append(channel)
        return channel

    def _fill(self, channel: Channel, group: Group) -> None:
        people = channel.members or [index for kind, index in group.members if kind == "user"] or [0]
        chance, thread, number = self._chance, channel.thread, channel.number
        first = number_of(COMPANY_STARTS) - 1
        thread.add(Post(first, people[0], None, COMPANY_STARTS, lambda: PostContent(""), event=tuple(people)))
        for turn in range(_ROOTS):
            key = ("post", group.serial, number, turn)
            part = (turn + 0.9 * chance.fraction(*key, "moment")) / _ROOTS
            moment = COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * part
            root = self._post(moment, people, None, key)
            thread.add(root)
            is_long = group.serial == 0 and number == turn == 0
            replies = _LONG_CONVERSATION if is_long else chance.below(_MOST_REPLIES, *key, "replies")
            for reply in range(replies):
                later = moment + timedelta(seconds=61 * (reply + 1))
                post = self._post(later, people, root.number, (*key, reply))
                thread.add(post if is_long else self._thought_over(post, (*key, reply)))
        thread.changes = ChangeLog()

    def _thought_over(self, post: Post, key: tuple[Key, ...]) -> Post:
        """A reply, which its author may have taken back or written anew."""
        if self._chance.below(_ONE_IN_DELETED, *key, "deleted") == 0:
            post.deleted = post.modified = post.created + timedelta(minutes=3)
        elif self._chance.below(_ONE_IN_EDITED, *key, "edited") == 0:
            post.edited = post.modified = post.created + timedelta(minutes=2)
        return post

    def _post(self, moment: datetime, people: Sequence[int], root: int | None, key: tuple[Key, ...]) -> Post:
        chance, everybody = self._chance, self._company.people
        author = people[chance.below(len(people), *key, "author")]
        writers = [everybody[index] for index in people]

        def read() -> PostContent:
            return draw_post(chance, writers, everybody[author], moment, key, is_root=root is None)

        return Post(number_of(moment), author, root, settled(chance, moment, key), read)
