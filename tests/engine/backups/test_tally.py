"""Counting what a container holds against what the service states."""

from tuiback.engine.backups.tally import Tally


def test_fewer_than_stated_is_short() -> None:
    """Live items, what came and what left, and what is owed are counted; one missing is told."""
    tally = Tally()
    tally.expect("in", 5)
    tally.start("in", 3)
    tally.add("in", 2)
    assert tally.short({}) == []
    tally.add("in", -2)
    assert tally.short({"in": 2}) == []
    assert tally.short({"in": 1}) == ["in"]
    assert tally.present("in") == 3


def test_nothing_is_said_of_containers_that_were_not_counted() -> None:
    """A total without a walk, or a walk without a total, is no finding; nor are more items than stated."""
    tally = Tally()
    tally.expect("never walked", 9)
    tally.start("no total", 0)
    tally.expect("more", 1)
    tally.start("more", 2)
    tally.add("unknown", 1)
    assert tally.short({}) == []
    assert not tally.is_started("unknown")
    assert (tally.find_total("more"), tally.find_total("no total")) == (1, None)


def test_what_was_not_walked_to_its_end_is_not_compared() -> None:
    """Its trouble is told already, and its figures are half a walk's."""
    tally = Tally()
    tally.expect("in", 3)
    tally.start("in", 1)
    tally.drop("in")
    tally.drop("unknown")
    assert (tally.short({}), tally.counted()) == ([], [])
