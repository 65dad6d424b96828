"""Holds what groups write to each other by mail: conversations, drawn when somebody asks for a group's."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuiback.simtenant.content.chance import Chance, Key
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Company
from tuiback.simtenant.content.documents import Document
from tuiback.simtenant.content.prose import paragraph, subject
from tuiback.simtenant.content.sources import GeneratedSource, Source
from tuiback.simtenant.state.groups import Group

_CONVERSATIONS = 6
_MOST_POSTS = 4
_ONE_IN_ATTACHED = 3


@dataclass(frozen=True, slots=True)
class GroupFile:
    """A file that came with a post."""

    file_id: str
    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class GroupPost:
    """One mail to the group: the text is drawn by `key`."""

    post_id: str
    author: int
    received: datetime
    text: str
    files: tuple[GroupFile, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was written about one topic, the oldest post first; it has a single thread."""

    conversation_id: str
    thread_id: str
    topic: str
    posts: tuple[GroupPost, ...]


class Conversations:
    """Those of all groups."""

    def __init__(self, chance: Chance, company: Company) -> None:
        self._chance = chance
        self._company = company
        self._drawn: dict[int, Sequence[Conversation]] = {}

    def of_group(self, group: Group) -> Sequence[Conversation]:
        """The conversations of a Microsoft 365 group; others have none."""
        if group.serial not in self._drawn:
            people = [index for kind, index in group.members if kind == "user"]
            numbers = range(_CONVERSATIONS if group.is_unified and people else 0)
            self._drawn[group.serial] = [self._draw(people, group.serial, number) for number in numbers]
        return self._drawn[group.serial]

    def _draw(self, people: Sequence[int], *key: Key) -> Conversation:
        chance = self._chance
        part = chance.fraction("conversation", *key)
        begins = (COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * part).replace(microsecond=0)
        posts = tuple(
            self._post(people, begins + timedelta(hours=5 * turn), *key, turn)
            for turn in range(1 + chance.below(_MOST_POSTS, "posts", *key))
        )
        language = self._company.people[posts[0].author].language
        title = subject(chance, language, "conversation", *key)
        mark, thread = self._mark("AAQkA", "conversation", *key), self._mark("AAQkB", "thread", *key)
        return Conversation(mark, thread, title, posts)

    def _post(self, people: Sequence[int], received: datetime, *key: Key) -> GroupPost:
        chance = self._chance
        author = chance.pick(people, "writes", *key)
        text = paragraph(chance, self._company.people[author].language, 300, "group post", *key)
        files: tuple[GroupFile, ...] = ()
        if chance.below(_ONE_IN_ATTACHED, "attached", *key) == 0:
            document = Document(" ".join(map(str, ("group file", *key))), 0, "pdf", 3_000 + chance.below(9_000, *key))
            files = (GroupFile(self._mark("AAMkC", "file", *key), "minutes.pdf", GeneratedSource(document, chance)),)
        return GroupPost(self._mark("AAMkA", "post", *key), author, received, text, files)

    def _mark(self, begin: str, *key: Key) -> str:
        return begin + urlsafe_b64encode(self._chance.digest(24, *key)).decode()
