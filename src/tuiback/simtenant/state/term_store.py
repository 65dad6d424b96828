"""Holds the managed words of the tenant: groups of sets of terms, which may lie below one another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS
from tuiback.simtenant.content.words import DEPARTMENTS

DEFAULT_LANGUAGE = "en-US"
_REGIONS = {"Europe": ("Germany", "Poland", "Portugal"), "Asia": ("Japan", "India")}


@dataclass(slots=True, eq=False)
class Term:
    """A word with its `labels` by language, of which each has one that counts, and the terms below it."""

    term_id: str
    labels: dict[str, str]
    created: datetime
    changed: datetime
    descriptions: dict[str, str] = field(default_factory=dict)
    children: list["Term"] = field(default_factory=list)

    def below(self) -> Iterator["Term"]:
        """This term and all below it."""
        yield self
        for each in self.children:
            yield from each.below()


@dataclass(slots=True, eq=False)
class TermSet:
    """Words of one kind, in a group."""

    set_id: str
    group_id: str
    names: dict[str, str]
    created: datetime
    description: str = ""
    children: list[Term] = field(default_factory=list)

    def terms(self) -> Iterator[Term]:
        """Every term, each before those below it."""
        for each in self.children:
            yield from each.below()


@dataclass(slots=True, eq=False)
class TermGroup:
    """Sets that belong together; `scope` is global, system or siteCollection."""

    group_id: str
    name: str
    created: datetime
    scope: str = "global"
    description: str = ""


class TermStore:
    """All of one tenant: the departments, which rows of lists name too, and some regions."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self.store_id = str(chance.guid("term store"))
        self._made = 0
        self.groups: list[TermGroup] = []
        self.sets: list[TermSet] = []
        ours = self.add_group("Northwind", COMPANY_STARTS)
        system = self.add_group("System", COMPANY_STARTS)
        system.scope = "system"
        departments = self.add_set(ours, {DEFAULT_LANGUAGE: "Departments"}, COMPANY_STARTS)
        for name in DEPARTMENTS:
            mark = str(chance.guid("term", name))
            departments.children.append(Term(mark, {DEFAULT_LANGUAGE: name}, COMPANY_STARTS, COMPANY_STARTS))
        regions = self.add_set(ours, {DEFAULT_LANGUAGE: "Regions", "de-DE": "Regionen"}, COMPANY_STARTS)
        for name, parts in _REGIONS.items():
            term = self.add_term(regions.children, {DEFAULT_LANGUAGE: name}, COMPANY_STARTS)
            for part in parts:
                self.add_term(term.children, {DEFAULT_LANGUAGE: part}, COMPANY_STARTS)

    def add_group(self, name: str, now: datetime) -> TermGroup:
        """A new group without sets."""
        made = TermGroup(self._new_id(), name, now)
        self.groups.append(made)
        return made

    def add_set(self, group: TermGroup, names: dict[str, str], now: datetime) -> TermSet:
        """A new set without terms."""
        made = TermSet(self._new_id(), group.group_id, names, now)
        self.sets.append(made)
        return made

    def add_term(self, above: list[Term], labels: dict[str, str], now: datetime) -> Term:
        """A new term among the children of a set or of another term."""
        made = Term(self._new_id(), labels, now, now)
        above.append(made)
        return made

    def _new_id(self) -> str:
        self._made += 1
        return str(self._chance.guid("in term store", self._made))
