"""Holds what people write in one place, a channel or a chat: posts, replies, and in which order they changed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tuiback.simtenant.content.post_content import PostContent, Reaction
from tuiback.simtenant.state.changes import ChangeLog

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)


class MomentTaken(Exception):
    """Two posts of one place can't have the same millisecond."""


def number_of(moment: datetime) -> int:
    """The number of a post that was written at `moment`."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(number: int) -> datetime:
    """When the post of that number was written."""
    return _EPOCH + number * _MILLISECOND


@dataclass(slots=True, eq=False)
class Post:
    """A post or, with `root`, a reply; its number is the millisecond in which it was written.

    `read` gives what it holds. An `event` is no text of anybody's but tells that the people in it came.
    """

    number: int
    author: int
    root: int | None
    modified: datetime
    read: Callable[[], PostContent]
    edited: datetime | None = None
    deleted: datetime | None = None
    event: tuple[int, ...] = ()

    @property
    def created(self) -> datetime:
        """When it was written."""
        return moment_of(self.number)


@dataclass(slots=True, eq=False)
class Thread:
    """All posts of one place by number."""

    posts: dict[int, Post] = field(default_factory=dict)
    changes: ChangeLog = field(default_factory=ChangeLog)
    replies_of: dict[int, list[int]] = field(default_factory=dict)

    def roots(self) -> list[Post]:
        """The posts that are no replies, the newest first."""
        return sorted((each for each in self.posts.values() if each.root is None), key=_number, reverse=True)

    def replies(self, root: int) -> list[Post]:
        """The replies to a post, the newest first."""
        return sorted((self.posts[each] for each in self.replies_of.get(root, ())), key=_number, reverse=True)

    def last_change(self, root: Post) -> datetime:
        """When a post or one of its replies was last changed."""
        return max((root.modified, *(each.modified for each in self.replies(root.number))))

    def add(self, post: Post) -> None:
        """Put a post in. Raises MomentTaken."""
        if post.number in self.posts:
            raise MomentTaken
        self.posts[post.number] = post
        if post.root is not None:
            self.replies_of.setdefault(post.root, []).append(post.number)
        self._note(post)

    def edit(self, post: Post, content: PostContent, now: datetime) -> None:
        """Let the author write something else."""
        post.read = lambda: content
        post.edited = post.modified = now
        self._note(post)

    def delete(self, post: Post, now: datetime) -> None:
        """Let the author take it back; that it was there can still be seen."""
        post.deleted = post.modified = now
        self._note(post)

    def react(self, post: Post, reaction: Reaction) -> None:
        """Let somebody think something of it, in place of what they thought before."""
        content = post.read()
        others = tuple(each for each in content.reactions if each.person != reaction.person)
        changed = replace(content, reactions=(*others, reaction))
        post.read, post.modified = lambda: changed, reaction.moment
        self._note(post)

    def _note(self, post: Post) -> None:
        self.changes.add(0, post.root or post.number)


def _number(post: Post) -> int:
    return post.number
