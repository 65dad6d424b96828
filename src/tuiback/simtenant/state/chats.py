"""Holds the chats: of two, of a few, and beside meetings; all are drawn when somebody asks for the first one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tuiback.simtenant.content.chance import Chance, Key
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Company
from tuiback.simtenant.content.post_content import PostContent, draw_post, settled, with_quote
from tuiback.simtenant.content.prose import subject
from tuiback.simtenant.content.words import ENGLISH
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.posts import Post, Thread, number_of

# Everybody talks to the people so many places further in the company; so many are in a group, or come to a meeting.
_PARTNERS = (1, 2)
_IN_GROUP, _IN_MEETING = 4, 6
_MOST_POSTS = 24
_ONE_IN_QUOTES = 6


@dataclass(slots=True, eq=False)
class Chat:
    """A chat; `kind` is oneOnOne, group or meeting, `members` begin with who made it.

    `migrating_app` may import posts as if they were old; `created` is then what it says, `born` when it was made.

    Its posts are drawn when it is opened: see Chats.open.
    """

    chat_id: str
    number: int
    kind: str
    topic: str | None
    created: datetime
    members: list[int]
    thread: Thread = field(default_factory=Thread)
    is_drawn: bool = False
    migrating_app: str = ""
    was_migrated: bool = False
    born: datetime | None = None

    @property
    def last_post(self) -> Post | None:
        """The newest post."""
        return max(self.thread.posts.values(), key=lambda post: post.number, default=None)


class Chats:
    """All chats of the tenant, by id and by who is in them."""

    def __init__(self, chance: Chance, company: Company, people: int) -> None:
        self._chance = chance
        self._company = company
        self._people = people
        self._by_id: dict[str, Chat] = {}
        self._of: dict[int, list[Chat]] = {}
        self._made = 0

    def of_person(self, index: int) -> list[Chat]:
        """The chats that somebody is in."""
        self._draw()
        return self._of.get(index, [])

    def find(self, chat_id: str) -> Chat | None:
        """The chat with this id."""
        self._draw()
        return self._by_id.get(chat_id)

    def open(self, chat: Chat) -> Chat:
        """The chat with its posts."""
        if not chat.is_drawn:
            chat.is_drawn = True
            self._fill(chat)
        return chat

    def create(self, kind: str, topic: str | None, members: Sequence[int], created: datetime) -> tuple[Chat, bool]:
        """A new chat and True; two people have but one chat of their own, which comes with False."""
        self._draw()
        known = self._by_id.get(self._pair_id(members)) if kind == "oneOnOne" else None
        if known is not None:
            return known, False
        made = self._add(kind, topic, members, created)
        made.is_drawn = True
        return made, True

    def _draw(self) -> None:
        if self._made or not self._people:
            return
        everybody = range(self._people)
        pairs = {tuple(sorted((each, (each + step) % self._people))) for each in everybody for step in _PARTNERS}
        for pair in sorted(pairs):
            if pair[0] != pair[1]:
                self._add("oneOnOne", None, pair, self._moment())
        for kind, size in (("group", _IN_GROUP), ("meeting", _IN_MEETING)):
            for first in range(0, self._people, size):
                members = [each % self._people for each in range(first, first + min(size, self._people))]
                self._add(kind, subject(self._chance, ENGLISH, kind, first), members, self._moment())

    def _moment(self) -> datetime:
        return COMPANY_STARTS + timedelta(minutes=11 * self._made % 5000)

    def _pair_id(self, members: Sequence[int]) -> str:
        one, other = sorted(self._company.people[each].object_id for each in members)
        return f"19:{one}_{other}@unq.gbl.spaces"

    def _add(self, kind: str, topic: str | None, members: Sequence[int], created: datetime) -> Chat:
        mark = self._chance.digest(16, "chat", self._made).hex()
        made_id = {
            "oneOnOne": lambda: self._pair_id(members),
            "group": lambda: f"19:{mark}@thread.v2",
            "meeting": lambda: f"19:meeting_{mark}@thread.v2",
        }[kind]()
        chat = Chat(made_id, self._made, kind, topic, created, list(members))
        self._made += 1
        self._by_id[made_id] = chat
        for each in members:
            self._of.setdefault(each, []).append(chat)
        return chat

    def _fill(self, chat: Chat) -> None:
        chance, thread = self._chance, chat.thread
        if chat.kind != "oneOnOne":
            first = number_of(chat.created)
            come = tuple(chat.members)
            thread.add(Post(first, come[0], None, chat.created, lambda: PostContent(""), event=come))
        before: Post | None = None
        posts = 2 + chance.below(_MOST_POSTS, "chat posts", chat.number)
        for turn in range(posts):
            key: tuple[Key, ...] = ("chat post", chat.number, turn)
            part = (turn + 0.1 + 0.8 * chance.fraction(*key, "moment")) / posts
            post = self._post(chat.created + (COMPANY_ENDS - chat.created) * part, chat.members, key)
            if before is not None and chance.below(_ONE_IN_QUOTES, *key, "quotes") == 0:
                self._quote(post, before)
            thread.add(post)
            before = post
        thread.changes = ChangeLog()

    def _quote(self, post: Post, quoted: Post) -> None:
        """Put what was said then beneath the post, which stays so whatever becomes of the other."""
        own, said, author = post.read, quoted.read, self._company.people[quoted.author]
        post.read = lambda: with_quote(own(), quoted.number, author, said().html)

    def _post(self, moment: datetime, members: Sequence[int], key: tuple[Key, ...]) -> Post:
        chance, everybody = self._chance, self._company.people
        author = members[chance.below(len(members), *key, "author")]
        writers = [everybody[index] for index in members]

        def read() -> PostContent:
            return draw_post(chance, writers, everybody[author], moment, key, is_root=False)

        return Post(number_of(moment), author, None, settled(chance, moment, key), read)
