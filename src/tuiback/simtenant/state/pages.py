"""Holds the pages of sites, each of which is a file in the site's library of pages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS, Person, Site
from tuiback.simtenant.content.page_content import draw_canvas, page_file
from tuiback.simtenant.content.prose import subject
from tuiback.simtenant.content.sources import HeldSource
from tuiback.simtenant.state.drive import ROOT_NODE, Drive, Node

_DRAWN = 5


@dataclass(slots=True, eq=False)
class Page:
    """One page; `serial` is that of its file. `level` is published, draft or checkout.

    Versions that were published count in front of the dot. `told` is what can be said of a page beside its content, by
    the names on the wire.
    """

    serial: int
    name: str
    title: str
    created: datetime
    modified: datetime
    author: int
    canvas: dict[str, Any]
    level: str = "published"
    major: int = 1
    minor: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The number of the present version."""
        return f"{self.major}.{self.minor}"

    def content(self) -> HeldSource:
        """The bytes of its file."""
        return HeldSource(page_file(self.title, self.canvas))


class Pages:
    """All pages of the tenant by site; those of one are drawn when somebody asks for them.

    `drive` gives the library of pages of a site, where each has its file.
    """

    def __init__(self, chance: Chance, people: int, drive: Callable[[Site], Drive]) -> None:
        self._chance = chance
        self._people = people
        self._drive = drive
        self._of_site: dict[int, list[Page]] = {}

    def of_site(self, site: Site) -> list[Page]:
        """The pages whose files are still there."""
        nodes = self._drive(site).nodes
        return [each for each in self._held(site) if each.serial in nodes]

    def drawn_nodes(self, site: Site, library: Person) -> list[Node]:
        """The files of the pages of a site, as they are at the beginning."""
        nodes = [Node(ROOT_NODE, None, "root", None, library.created, library.created)]
        nodes += [
            Node(page.serial, ROOT_NODE, page.name, page.content(), page.created, page.modified)
            for page in self._held(site)
        ]
        return nodes

    def add(self, site: Site, page: Page) -> Page:
        """A new page with its file. Raises NameTaken."""
        drive = self._drive(site)
        root = drive.nodes[ROOT_NODE]
        page.serial = drive.add(root, page.name, page.content(), page.created, page.modified).serial
        self._held(site).append(page)
        return page

    def change(self, site: Site, page: Page, now: datetime) -> None:
        """Write a page's file anew after it was changed; it is a draft until it is published."""
        page.level, page.modified, page.minor = "draft", now, page.minor + 1
        self._write(site, page)

    def publish(self, site: Site, page: Page, now: datetime) -> None:
        """Let everybody see the page as it is now."""
        page.level, page.modified = "published", now
        page.major, page.minor = page.major + 1, 0
        self._write(site, page)

    def delete(self, site: Site, page: Page) -> None:
        """Remove a page and its file."""
        drive = self._drive(site)
        drive.delete(drive.nodes[page.serial])
        self._held(site).remove(page)

    def _write(self, site: Site, page: Page) -> None:
        drive = self._drive(site)
        drive.write(drive.nodes[page.serial], page.content(), page.modified)

    def _held(self, site: Site) -> list[Page]:
        if site.index not in self._of_site:
            self._of_site[site.index] = [self._draw(site, number) for number in range(_DRAWN)]
        return self._of_site[site.index]

    def _draw(self, site: Site, number: int) -> Page:
        chance = self._chance
        is_home = number == 0
        title = "Home" if is_home else subject(chance, site.language, "page", site.index, number)
        name = "Home.aspx" if is_home else f"page-{number}.aspx"
        created = COMPANY_STARTS + timedelta(days=20 * number)
        author = chance.below(self._people, "page author", site.index, number) if self._people else 0
        canvas = draw_canvas(chance, site.language, site.index, number, is_home=is_home)
        page = Page(number + 1, name, title, created, created, author, canvas)
        page.told = {
            "pageLayout": "home" if is_home else "article",
            "promotionKind": "newsPost" if number % 2 and not is_home else "page",
            "showComments": not is_home,
            "showRecommendedPages": number % 2 == 0,
            "description": title,
        }
        if number == _DRAWN - 1:
            page.level, page.major, page.minor = "draft", 0, 3
        return page
