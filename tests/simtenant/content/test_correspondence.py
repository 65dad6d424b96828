"""The correspondence holds together for companies and mailboxes of any size."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tuiback.simtenant.content.correspondence import Kind, LetterKey, Pattern, draw_pattern


def everything(pattern: Pattern) -> dict[LetterKey, list[int]]:
    """For each letter the people in whose mailboxes it lies."""
    found: dict[LetterKey, list[int]] = {}
    for person in range(pattern.people):
        for place in range(pattern.messages):
            found.setdefault(pattern.letter_at(person, place)[0], []).append(person)
    return found


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 99), people=st.integers(1, 7), messages=st.integers(0, 60))
def test_every_copy_lies_where_the_letter_says(seed: int, people: int, messages: int) -> None:
    """A letter inside the company lies with its author and each recipient, once; mailboxes are exactly full."""
    pattern = draw_pattern(seed, people, messages)
    assert pattern.messages == messages
    for key, holders in everything(pattern).items():
        expected = {key.person, *pattern.recipients(key)} if key.kind is Kind.INSIDE else {key.person}
        assert sorted(holders) == sorted(expected)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seed=st.integers(0, 99), people=st.integers(1, 7), messages=st.integers(1, 60))
def test_answers_answer_letters_that_their_author_received(seed: int, people: int, messages: int) -> None:
    """The answered letter exists, came to the answer's author, and goes back to who wrote it."""
    pattern = draw_pattern(seed, people, messages)
    letters = everything(pattern)
    for key in letters:
        parent = pattern.find_parent(key)
        if parent is None:
            assert pattern.root(key) == key
            continue
        assert parent in letters
        assert parent.turn < key.turn
        assert pattern.root(key) == pattern.root(parent)
        if key.kind is Kind.INSIDE:
            assert key.person in pattern.recipients(parent)
            assert parent.person in pattern.recipients(key)


def test_well_over_two_in_five_are_answers() -> None:
    """At least 40 % of all messages answer another one, in small and in large mailboxes."""
    for people, messages in ((5, 120), (1, 200), (300, 1000)):
        pattern = draw_pattern(1, people, messages)
        keys = [pattern.letter_at(0, place)[0] for place in range(messages)]
        assert sum(pattern.find_parent(key) is not None for key in keys) >= 0.4 * messages
