"""What a pass knows of things that move while it goes on."""

from tuiback.engine.backups.whereabouts import Whereabouts


def walked(*containers: str) -> Whereabouts:
    """A pass that has begun to walk these."""
    whereabouts = Whereabouts()
    for container_id in containers:
        whereabouts.walk(container_id)
    return whereabouts


def test_whatever_was_begun_may_have_been_listed_too_early() -> None:
    """An item that left one container and was found in none may be in any that was begun by then."""
    whereabouts = walked("root", "in", "archive")
    whereabouts.leave("m1", "in")
    whereabouts.walk("junk")
    assert whereabouts.to_look_at_again() == ["root", "archive"]


def test_what_was_found_needs_no_second_look() -> None:
    """Whether it is seen in its new place before or after it is missed in the old one."""
    whereabouts = walked("in", "archive")
    whereabouts.leave("m1", "in")
    whereabouts.come("m1", "archive")
    whereabouts.come("m2", "archive")
    whereabouts.leave("m2", "in")
    assert whereabouts.to_look_at_again() == []


def test_what_is_in_a_container_that_is_gone_is_not_looked_for() -> None:
    """Its other places are all walked later."""
    whereabouts = walked("root")
    whereabouts.leave("m1", "a folder that was deleted")
    assert whereabouts.to_look_at_again() == []


def test_the_last_container_that_showed_an_item_has_it() -> None:
    """Another that shows it too has to be asked about; one that it left has it no more."""
    whereabouts = walked("in", "archive")
    whereabouts.come("m1", "in")
    assert [whereabouts.is_elsewhere("m1", place) for place in ("in", "archive")] == [False, True]
    whereabouts.leave("m1", "in")
    assert not whereabouts.is_elsewhere("m1", "archive")


def test_a_move_is_told_once() -> None:
    """So that it is counted as a change and not as a removal."""
    whereabouts = walked("in", "archive")
    whereabouts.leave("m1", "in")
    whereabouts.come("m1", "archive")
    assert [whereabouts.settle_move("m1"), whereabouts.settle_move("m1")] == [True, False]
