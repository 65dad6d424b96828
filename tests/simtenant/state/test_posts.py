"""A thread keeps posts in order, and notes whatever happens to a conversation."""

from datetime import UTC, datetime, timedelta

import pytest

from tuiback.simtenant.content.post_content import PostContent, Reaction
from tuiback.simtenant.state.posts import MomentTaken, Post, Thread, number_of

BEGIN = datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)


def post(seconds: int, root: int | None = None) -> Post:
    """A post of so many seconds later."""
    moment = BEGIN + timedelta(seconds=seconds)
    return Post(number_of(moment), 0, root, moment, lambda: PostContent("<p>x</p>"))


def test_a_post_is_known_by_its_millisecond() -> None:
    """Which says when it was written, and is given once."""
    thread, first = Thread(), post(0)
    thread.add(first)
    assert first.created == BEGIN
    with pytest.raises(MomentTaken):
        thread.add(post(0))


def test_a_conversation_changes_with_its_replies() -> None:
    """The newest comes first; a reply that is taken back changes its conversation, and so does a reaction."""
    thread, first, second = Thread(), post(0), post(1)
    reply = post(2, root=first.number)
    for each in (first, second, reply):
        thread.add(each)
    assert [each.number for each in thread.roots()] == [second.number, first.number]
    assert thread.last_change(first) == reply.modified
    seen = thread.changes.latest
    thread.delete(reply, BEGIN + timedelta(seconds=9))
    thread.react(second, Reaction("👍", "Like", 3, BEGIN + timedelta(seconds=10)))
    noted = [each.serial for each in thread.changes.between(seen, thread.changes.latest)]
    assert noted == [first.number, second.number]
    assert thread.last_change(first) == BEGIN + timedelta(seconds=9)


def test_everybody_has_one_reaction() -> None:
    """A second thought replaces the first; an edit keeps when it was made."""
    thread, only = Thread(), post(0)
    thread.add(only)
    for person, name in ((1, "Like"), (2, "Heart"), (1, "Laugh")):
        thread.react(only, Reaction("x", name, person, BEGIN + timedelta(seconds=5)))
    assert [(each.person, each.name) for each in only.read().reactions] == [(2, "Heart"), (1, "Laugh")]
    thread.edit(only, PostContent("<p>y</p>"), BEGIN + timedelta(seconds=7))
    assert (only.read().html, only.edited, only.created) == ("<p>y</p>", BEGIN + timedelta(seconds=7), BEGIN)
