"""Holds the SharePoint sites: one for each team, one for each of its private and shared channels, with their lists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS, DOMAIN, SITE_PAGES, Company, Site
from tuiback.simtenant.content.list_columns import title_column
from tuiback.simtenant.content.words import DEPARTMENTS, ENGLISH
from tuiback.simtenant.state.drawn_lists import draw_lists
from tuiback.simtenant.state.lists import SiteList
from tuiback.simtenant.state.teams import Channel, Team, Teams

# Sites are counted from here on, beside the people who own drives.
FIRST_SITE = 1 << 27
_MOST_SITES_OF_TEAM = 16
# Behind all of them come those of no team: that of the whole tenant first.
_LONE_SITES = FIRST_SITE + (1 << 26)
_LONE = (("Northwind", ""), ("Intranet", "intranet"))
# Libraries beside the first one of a site are counted like sites, from here on.
_PAGE_LIBRARIES, _MADE_LIBRARIES = 1 << 30, 1 << 31


@dataclass(frozen=True, slots=True)
class SiteGrant:
    """What an application, known by this name, was granted on one site or list: a role."""

    role: str
    name: str


class Sites:
    """All sites of the tenant; their lists are drawn when somebody asks for them."""

    def __init__(self, chance: Chance, company: Company, teams: Teams) -> None:
        self._chance = chance
        self._people = list(company.people)
        self._teams = teams
        self._lists: dict[int, list[SiteList]] = {}
        # What applications were granted on single sites and lists, by the ids of these and of the applications.
        self.grants: dict[str, dict[str, SiteGrant]] = {}
        # The columns of libraries by the ids of their lists, once somebody has looked.
        self.library_columns: dict[str, list[dict[str, Any]]] = {}
        self._made: dict[int, Site] = {}
        self._by_name: dict[str, Site] = {}
        self._indexed: list[int] = []
        self._libraries: dict[int, list[Site]] = {}
        self._by_index: dict[int, Site] = {}

    def all(self) -> Iterator[Site]:
        """Every site, those of channels behind their team's."""
        for team in self._teams.all():
            yield self.of_team(team)
            for channel in team.channels:
                if channel.kind != "standard":
                    yield self.of_channel(team, channel)
        for number, (name, leaf) in enumerate(_LONE):
            yield self._lone(_LONE_SITES + number, name, leaf)

    def of_team(self, team: Team) -> Site:
        """The site behind a team."""
        return self._site(team, 0, team.group.name, team.group.nickname)

    def of_channel(self, team: Team, channel: Channel) -> Site:
        """The site that holds a channel's files: a standard channel's are in the team's."""
        if channel.kind == "standard":
            return self.of_team(team)
        number = channel.number + 1
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
        numbers = [each.index for each in found]
        if numbers != self._indexed:
            self._by_name = {
                name: each for each in found for name in (*each.site_names, each.address_on_host)
            } | {library.drive_id: library for each in found for library in self.libraries(each)}
            self._by_name["root"] = next(each for each in found if not each.leaf)
            self._indexed = numbers
        return self._by_name

    def at(self, index: int) -> Site | None:
        """The site with this number."""
        if index >= _PAGE_LIBRARIES:
            return self._by_index.get(index)
        return self._made.get(index) or next((each for each in self.all() if each.index == index), None)

    def libraries(self, site: Site) -> list[Site]:
        """The libraries of a site: that of documents, that of pages, and those that somebody made."""
        if site.index not in self._libraries:
            self._libraries[site.index] = [site]
            self.add_library(site, SITE_PAGES, site.index + _PAGE_LIBRARIES)
        return self._libraries[site.index]

    def page_library(self, site: Site) -> Site:
        """The library whose files are the pages of a site."""
        return self.libraries(site)[1]

    def add_library(self, site: Site, name: str, index: int = 0) -> Site:
        """A new library without files."""
        index = index or _MADE_LIBRARIES + len(self._by_index)
        guids = (*site.drive_guids[:2], self._chance.guid("list", index))
        made = replace(site, index=index, drive_guids=guids, shelf=name)
        self.libraries(site).append(made)
        self._by_index[index] = made
        self._indexed = []
        return made

    def home_of_pages(self, index: int) -> Site | None:
        """The site whose library of pages has this number."""
        return self.at(index - _PAGE_LIBRARIES) if _PAGE_LIBRARIES <= index < _MADE_LIBRARIES else None

    def standard_channels(self, site: Site) -> Sequence[str]:
        """The names of the channels that have a folder in the site's library."""
        if site.index >= _LONE_SITES:
            return ()
        serial, number = divmod(site.index - FIRST_SITE, _MOST_SITES_OF_TEAM)
        team = next((each for each in self._teams.all() if each.group.serial == serial), None)
        if team is None or number:
            return ()
        return [each.name for each in team.channels if each.kind == "standard"]

    def lists(self, site: Site) -> list[SiteList]:
        """The lists of a site, without its library."""
        if site.index not in self._lists:
            is_team = (site.index - FIRST_SITE) % _MOST_SITES_OF_TEAM == 0
            self._lists[site.index] = self._draw(site) if is_team or site.index >= _LONE_SITES else []
        return self._lists[site.index]

    def add_list(self, site: Site, name: str, columns: list[dict[str, Any]], created: datetime) -> SiteList:
        """A new list without rows."""
        lists = self.lists(site)
        mark = str(self._chance.guid("site list", site.index, len(lists)))
        made = SiteList(mark, name, [title_column(), *columns], created)
        lists.append(made)
        return made

    def _site(self, team: Team, number: int, name: str, leaf: str) -> Site:
        index = FIRST_SITE + team.group.serial * _MOST_SITES_OF_TEAM + number
        if index not in self._made:
            self._made[index] = self._new_site(team, index, name, leaf)
        return self._made[index]

    def _lone(self, index: int, name: str, leaf: str) -> Site:
        if index not in self._made:
            mark, address = str(self._chance.guid("lone site", index)), f"{leaf or 'root'}@{DOMAIN}"
            self._made[index] = Site(
                index, mark, name, "", address, DEPARTMENTS[0], "", ENGLISH, COMPANY_STARTS, self._guids(index),
                leaf=leaf,
            )  # fmt: skip
        return self._made[index]

    def _new_site(self, team: Team, index: int, name: str, leaf: str) -> Site:
        department = DEPARTMENTS[index % len(DEPARTMENTS)]
        return Site(
            index, team.group.object_id, name, "", f"{team.group.nickname}@{DOMAIN}", department, "", ENGLISH,
            team.group.created, self._guids(index), leaf=leaf,
        )  # fmt: skip

    def _guids(self, index: int) -> tuple[UUID, UUID, UUID]:
        return self._chance.guid("site", index), self._chance.guid("web", index), self._chance.guid("list", index)

    def _draw(self, site: Site) -> list[SiteList]:
        self._lists[site.index] = []

        def make(name: str, columns: list[dict[str, Any]]) -> SiteList:
            return self.add_list(site, name, columns, COMPANY_STARTS)

        draw_lists(self._chance, self._people, site, make, is_first=site.index == FIRST_SITE)
        return self._lists[site.index]
