"""Holds the SharePoint sites: one for each team, one for each of its private and shared channels, with their lists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS, DOMAIN, Site
from tuiback.simtenant.content.words import DEPARTMENTS, ENGLISH, PHASES, PROJECTS
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.teams import Channel, Team, Teams

# Sites are counted from here on, beside the people who own drives.
FIRST_SITE = 1 << 27
_MOST_SITES_OF_TEAM = 16
_LONG_LIST = 5_200
_SHORT_LIST = 30


@dataclass(slots=True, eq=False)
class Item:
    """One row of a list: the fields by their names on the wire."""

    number: int
    fields: dict[str, Any]
    created: datetime
    version: int = 1


@dataclass(slots=True, eq=False)
class SiteList:
    """A list with its columns, as Graph's columnDefinitions, and its rows by number."""

    list_id: str
    name: str
    columns: list[dict[str, Any]]
    created: datetime
    items: dict[int, Item] = field(default_factory=dict)
    changes: ChangeLog = field(default_factory=ChangeLog)
    next_number: int = 1

    def add(self, fields: dict[str, Any], created: datetime) -> Item:
        """A new row."""
        item = Item(self.next_number, fields, created)
        self.next_number += 1
        self.items[item.number] = item
        self.changes.add(0, item.number)
        return item

    def delete(self, item: Item) -> None:
        """Remove a row."""
        del self.items[item.number]
        self.changes.add(0, item.number)


class Sites:
    """All sites of the tenant; their lists are drawn when somebody asks for them."""

    def __init__(self, chance: Chance, teams: Teams) -> None:
        self._chance = chance
        self._teams = teams
        self._lists: dict[int, list[SiteList]] = {}
        self._made: dict[int, Site] = {}
        self._by_name: dict[str, Site] = {}
        self._indexed = 0

    def all(self) -> Iterator[Site]:
        """Every site, those of channels behind their team's."""
        for team in self._teams.all():
            yield self.of_team(team)
            for channel in team.channels:
                if channel.kind != "standard":
                    yield self.of_channel(team, channel)

    def of_team(self, team: Team) -> Site:
        """The site behind a team."""
        return self._site(team, 0, team.group.name, team.group.nickname)

    def of_channel(self, team: Team, channel: Channel) -> Site:
        """The site that holds a channel's files: a standard channel's are in the team's."""
        if channel.kind == "standard":
            return self.of_team(team)
        number = team.channels.index(channel) + 1
        name = f"{team.group.name}-{channel.name}"
        return self._site(team, number, name, f"{team.group.nickname}-{channel.name}")

    def find(self, name: str) -> Site | None:
        """The site with this id, or whose host and path these are ("host:/sites/x")."""
        return self._named().get(name.lower())

    def find_drive(self, drive_id: str) -> Site | None:
        """The site whose library this is."""
        return self._named().get(drive_id)

    def _named(self) -> dict[str, Site]:
        """Every site by all its names."""
        found = list(self.all())
        if len(found) != self._indexed:
            self._indexed = len(found)
            self._by_name = {
                name: each for each in found for name in (each.site_id, each.address_on_host, each.drive_id)
            }
        return self._by_name

    def at(self, index: int) -> Site | None:
        """The site with this number."""
        return self._made.get(index) or next((each for each in self.all() if each.index == index), None)

    def standard_channels(self, site: Site) -> Sequence[str]:
        """The names of the channels that have a folder in the site's library."""
        serial, number = divmod(site.index - FIRST_SITE, _MOST_SITES_OF_TEAM)
        team = next(each for each in self._teams.all() if each.group.serial == serial)
        return [each.name for each in team.channels if each.kind == "standard"] if number == 0 else ()

    def lists(self, site: Site) -> list[SiteList]:
        """The lists of a site, without its library."""
        if site.index not in self._lists:
            is_team = (site.index - FIRST_SITE) % _MOST_SITES_OF_TEAM == 0
            self._lists[site.index] = self._draw(site) if is_team else []
        return self._lists[site.index]

    def add_list(self, site: Site, name: str, columns: list[dict[str, Any]], created: datetime) -> SiteList:
        """A new list without rows."""
        lists = self.lists(site)
        mark = str(self._chance.guid("site list", site.index, len(lists)))
        made = SiteList(mark, name, [_column("Title", text={}), *columns], created)
        lists.append(made)
        return made

    def _site(self, team: Team, number: int, name: str, leaf: str) -> Site:
        index = FIRST_SITE + team.group.serial * _MOST_SITES_OF_TEAM + number
        if index not in self._made:
            self._made[index] = self._new_site(team, index, name, leaf)
        return self._made[index]

    def _new_site(self, team: Team, index: int, name: str, leaf: str) -> Site:
        guids: tuple[UUID, UUID, UUID] = (
            self._chance.guid("site", index), self._chance.guid("web", index), self._chance.guid("list", index),
        )  # fmt: skip
        department = DEPARTMENTS[index % len(DEPARTMENTS)]
        return Site(
            index, team.group.object_id, name, "", f"{team.group.nickname}@{DOMAIN}", department, "", ENGLISH,
            team.group.created, guids, leaf=leaf,
        )  # fmt: skip

    def _draw(self, site: Site) -> list[SiteList]:
        """Projects, and tasks that look them up; those of the first team are more than a view may show."""
        self._lists[site.index] = []
        projects = self.add_list(site, "Projects", [_column("Phase", choice={"choices": list(PHASES)})], COMPANY_STARTS)
        for number, name in enumerate(PROJECTS):
            projects.add({"Title": name, "Phase": PHASES[number % len(PHASES)]}, COMPANY_STARTS)
        looked_up = {"listId": projects.list_id, "columnName": "Title", "allowMultipleValues": False}
        tasks = self.add_list(site, "Tasks", [_column("Project", lookup=looked_up)], COMPANY_STARTS)
        for number in range(_LONG_LIST if site.index == FIRST_SITE else _SHORT_LIST):
            fields = {"Title": f"Task {number + 1}", "ProjectLookupId": str(1 + number % len(PROJECTS))}
            tasks.add(fields, COMPANY_STARTS + timedelta(minutes=number))
        for each in (projects, tasks):
            each.changes = ChangeLog()
        return self._lists[site.index]


def _column(name: str, **kind: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "displayName": name, "readOnly": False, "required": False, "hidden": False, **kind}
