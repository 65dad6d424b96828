"""Decides who writes to whom, so that every mailbox's share can be computed without making the others'.

Time is cut into turns. In one turn everybody writes one letter, to the people a fixed number of places after them;
a turn that answers an earlier one writes back by the opposite number of places. The pattern is therefore the same for
everybody, and one short table tells for any place in any mailbox whose letter lies there and which letter it answers.
"""

import random
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Where a letter comes from."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class LetterKey:
    """Names one letter: its author (of a letter from outside: whose mailbox it came to) and its turn."""

    kind: Kind
    person: int
    turn: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One letter of everybody: `shifts` lead to the recipients; `parent` is (turn, shift to its author)."""

    shifts: tuple[int, ...]
    parent: tuple[int, int] | None
    root: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pattern:
    """The table of turns. A mailbox holds, in this order: what it sent, received, got from outside, and drafts."""

    people: int
    turns: tuple[Turn, ...]
    received: tuple[tuple[int, int], ...]
    outside_parents: tuple[int | None, ...]
    drafts: int

    @property
    def messages(self) -> int:
        """How many messages a mailbox holds."""
        return len(self.turns) + len(self.received) + len(self.outside_parents) + self.drafts

    def letter_at(self, person: int, place: int) -> tuple[LetterKey, bool]:
        """The letter at one place of a person's mailbox, and whether the person wrote it."""
        if place < len(self.turns):
            return LetterKey(Kind.INSIDE, person, place), True
        place -= len(self.turns)
        if place < len(self.received):
            turn, shift = self.received[place]
            return LetterKey(Kind.INSIDE, (person - shift) % self.people, turn), False
        place -= len(self.received)
        if place < len(self.outside_parents):
            return LetterKey(Kind.OUTSIDE, person, place), False
        return LetterKey(Kind.DRAFT, person, place - len(self.outside_parents)), True

    def recipients(self, key: LetterKey) -> tuple[int, ...]:
        """The people a letter inside the company goes to."""
        return tuple((key.person + shift) % self.people for shift in self.turns[key.turn].shifts)

    def find_parent(self, key: LetterKey) -> LetterKey | None:
        """The letter that this one answers."""
        if key.kind is Kind.INSIDE:
            parent = self.turns[key.turn].parent
            return LetterKey(key.kind, (key.person + parent[1]) % self.people, parent[0]) if parent else None
        if key.kind is Kind.OUTSIDE:
            earlier = self.outside_parents[key.turn]
            return LetterKey(key.kind, key.person, earlier) if earlier is not None else None
        return None

    def root(self, key: LetterKey) -> LetterKey:
        """The letter that began the conversation."""
        if key.kind is Kind.INSIDE:
            turn, shift = self.turns[key.turn].root
            return LetterKey(key.kind, (key.person + shift) % self.people, turn)
        while (parent := self.find_parent(key)) is not None:
            key = parent
        return key


# Shares of a mailbox; with the share of answers among each they make well over 40 % of all messages answers.
_INSIDE_SHARE = 0.68
_DRAFT_SHARE = 0.03
_ANSWER_SHARE = 0.66
_RECENT_TURNS = 40


def draw_pattern(seed: int, people: int, messages: int) -> Pattern:
    """The pattern of a company of `people` with `messages` in each mailbox."""
    source = random.Random(seed)
    drafts = int(messages * _DRAFT_SHARE)
    turns = _draw_turns(source, people, int(messages * _INSIDE_SHARE) if people > 1 else 0)
    received = tuple((turn, shift) for turn, drawn in enumerate(turns) for shift in drawn.shifts)
    outside = messages - drafts - len(turns) - len(received)
    parents = tuple(
        source.randrange(max(0, place - _RECENT_TURNS), place) if place and source.random() < _ANSWER_SHARE else None
        for place in range(outside)
    )
    return Pattern(people, tuple(turns), received, parents, drafts)


def _draw_turns(source: random.Random, people: int, room: int) -> list[Turn]:
    turns: list[Turn] = []
    while room >= 2:
        most = min(people - 1, room - 1)
        if turns and source.random() < _ANSWER_SHARE:
            turn = _answer(source, turns, people, most)
        else:
            count = min(source.choice((1, 1, 1, 2, 3, 5)), most)
            turn = Turn(tuple(source.sample(range(1, people), count)), None, (len(turns), 0))
        turns.append(turn)
        room -= 1 + len(turn.shifts)
    return turns


def _answer(source: random.Random, turns: list[Turn], people: int, most: int) -> Turn:
    number = source.randrange(max(0, len(turns) - _RECENT_TURNS), len(turns))
    parent = turns[number]
    own = source.choice(parent.shifts)
    others = [(shift - own) % people for shift in parent.shifts if shift != own]
    shifts = (-own % people, *(others if source.random() < 0.5 else ()))
    root_turn, root_shift = parent.root
    return Turn(shifts[:most], (number, -own % people), (root_turn, (root_shift - own) % people))
