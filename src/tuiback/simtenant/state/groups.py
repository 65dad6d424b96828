"""Holds the groups: departments, projects, and groups of groups, and who is in them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS, Company
from tuiback.simtenant.content.words import DEPARTMENTS, PROJECTS
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.directory import Directory
from tuiback.simtenant.state.directory_log import DirectoryLog, Member

_MEMBERS = frozenset({"members"})
_PEOPLE_PER_PROJECT = 25
_MOST_IN_PROJECT = 12


@dataclass(slots=True, eq=False)
class Group:
    """One group. `is_unified` ones are Microsoft 365 groups; members keep the order in which they came.

    A `deleted` one is found only among the deleted. `owners`, `description` and `visibility` are what somebody set.
    Microsoft 365 groups without a team have their site all the same.
    """

    serial: int
    object_id: str
    name: str
    nickname: str
    created: datetime
    is_unified: bool = False
    members: dict[Member, None] = field(default_factory=dict)
    deleted: datetime | None = None
    owners: list[int] = field(default_factory=list)
    description: str | None = None
    visibility: str = ""
    has_team: bool = True


class Groups:
    """All groups of the tenant, by number."""

    def __init__(self, chance: Chance, company: Company, directory: Directory) -> None:
        self._chance = chance
        self._directory = directory
        self.groups: list[Group] = []
        self.changes = DirectoryLog()
        self._draw(company)
        self._by_id = {group.object_id: group for group in self.groups}

    def find(self, object_id: str) -> Group | None:
        """The group with this object id."""
        group = self._by_id.get(object_id.lower())
        return group if group is not None and group.deleted is None else None

    def present(self) -> list[Group]:
        """Every group that is not deleted."""
        return [each for each in self.groups if each.deleted is None]

    def delete(self, group: Group, now: datetime) -> None:
        """Delete a group; what belongs to it can be found for a while."""
        group.deleted = now
        self.changes.add(group.serial)

    def restore(self, group: Group) -> None:
        """Take a deletion back."""
        group.deleted = None
        self.changes.add(group.serial)

    def owners(self, group: Group) -> list[int]:
        """The numbers of who owns a group: at first its first person, if it is one of Microsoft 365, and else nobody.

        Who was deleted is left out.
        """
        found = group.owners
        if not found and group.is_unified:
            found = [index for kind, index in self.members(group) if kind == "user"][:1]
        return [each for each in found if self._is_here(("user", each))]

    def appoint(self, group: Group, owners: list[int]) -> None:
        """Let these own a group from now on."""
        group.owners = owners
        self.changes.add(group.serial, frozenset({"owners"}))

    def members(self, group: Group) -> list[Member]:
        """Who is in the group itself, deleted accounts and groups left out."""
        return [each for each in group.members if self._is_here(each)]

    def _is_here(self, member: Member) -> bool:
        kind, serial = member
        if kind == "group":
            return self.groups[serial].deleted is None
        return self._directory.accounts[serial].is_active

    def transitive_members(self, group: Group) -> list[Member]:
        """Everybody and every group below the group, each once, whatever circles there are."""
        found: dict[Member, None] = {}
        waiting = [group]
        while waiting:
            for member in self.members(waiting.pop(0)):
                if member not in found and member != ("group", group.serial):
                    found[member] = None
                    if member[0] == "group":
                        waiting.append(self.groups[member[1]])
        return list(found)

    def join(self, group: Group, account: Account) -> None:
        """Put somebody into a group."""
        self._change(group, ("user", account.index), joins=True)

    def part(self, group: Group, account: Account) -> None:
        """Take somebody out of a group."""
        self._change(group, ("user", account.index), joins=False)

    def note_absence(self, account: Account) -> None:
        """Tell who follows the groups of an account that it was deleted or restored."""
        member = ("user", account.index)
        for group in self.groups:
            if member in group.members:
                self.changes.add(group.serial, _MEMBERS, (member,))

    def add(self, name: str, members: list[Member], created: datetime, *, is_unified: bool = False) -> Group:
        """Make a group."""
        serial = len(self.groups)
        nickname = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
        object_id = str(self._chance.guid("group", serial))
        group = Group(serial, object_id, name, f"{nickname}{serial}", created, is_unified, dict.fromkeys(members))
        self.groups.append(group)
        return group

    def create(self, name: str, members: list[Member], created: datetime, *, is_unified: bool = True) -> Group:
        """Make a group, usually a Microsoft 365 one, and tell who follows the groups."""
        group = self.add(name, members, created, is_unified=is_unified)
        self._by_id[group.object_id] = group
        self.changes.add(group.serial)
        return group

    def _change(self, group: Group, member: Member, *, joins: bool) -> None:
        if joins:
            group.members[member] = None
        else:
            group.members.pop(member, None)
        self.changes.add(group.serial, _MEMBERS, (member,))

    def _draw(self, company: Company) -> None:
        """The departments that have people, projects across them, all departments as one group, and all groups."""
        for number, name in enumerate(DEPARTMENTS):
            inside: list[Member] = [("user", each) for each in range(number, len(company.people), len(DEPARTMENTS))]
            if inside:
                self.add(name, inside, self._moment(), is_unified=number % 3 == 0)
        departments: list[Member] = [("group", group.serial) for group in self.groups]
        everyone = self.add("All staff", departments, self._moment())
        for number in range(1 + len(company.people) // _PEOPLE_PER_PROJECT):
            name = f"{PROJECTS[number % len(PROJECTS)]} {number + 1}"
            self.add(name, self._team(len(company.people), number), self._moment(), is_unified=True)
        projects: list[Member] = [("group", each.serial) for each in self.groups[everyone.serial + 1 :]]
        self.add("Backup scope", [("group", everyone.serial), *projects, ("user", 0)], self._moment())

    def _team(self, people: int, number: int) -> list[Member]:
        size = min(people, 2 + self._chance.below(_MOST_IN_PROJECT - 1, "project size", number))
        source = self._chance.source("project members", number)
        return [("user", index) for index in sorted(source.sample(range(people), size))]

    def _moment(self) -> datetime:
        return COMPANY_STARTS + timedelta(days=len(self.groups))
