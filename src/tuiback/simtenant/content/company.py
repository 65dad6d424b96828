"""The people of the company: who they are, how their ids are made, and which drive is theirs."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.words import DEPARTMENTS, SPOKEN, TITLES, Language

DOMAIN = "northwind.example"
# Every site has a library of this name, whose files are its pages.
SITE_PAGES = "Site Pages"
# Generated content lies between these moments, so that a seed gives the same bytes on every day.
COMPANY_STARTS = datetime(2024, 1, 8, 7, 0, tzinfo=UTC)
COMPANY_ENDS = datetime(2026, 10, 30, 17, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """One user: `drive_guids` are the site, web and list behind the personal drive."""

    index: int
    object_id: str
    given: str
    family: str
    address: str
    department: str
    title: str
    language: Language
    created: datetime
    drive_guids: tuple[UUID, UUID, UUID]

    @property
    def name(self) -> str:
        """The display name, in the person's own script."""
        return f"{self.given} {self.family}".strip()

    @property
    def drive_id(self) -> str:
        """The mark b! and base64url of the three GUIDs, as OneDrive for Business makes it (66 characters)."""
        return "b!" + urlsafe_b64encode(b"".join(guid.bytes_le for guid in self.drive_guids)).decode()

    @property
    def host(self) -> str:
        """The root of the host of the site behind the drive."""
        return "https://northwind-my.sharepoint.com"

    @property
    def site_path(self) -> str:
        """The path of the personal site on the OneDrive host."""
        return "/personal/" + self.address.replace("@", "_").replace(".", "_")

    @property
    def site_id(self) -> str:
        """The host's name, the site and the web."""
        return f"{self.host.partition('://')[2]},{self.drive_guids[0]},{self.drive_guids[1]}"

    @property
    def site_names(self) -> tuple[str, str, str]:
        """What names the site in URLs, in lower case: its id, that without the host, and the site alone."""
        site, web, _ = self.drive_guids
        return self.site_id.lower(), f"{site},{web}", str(site)

    @property
    def drive_type(self) -> str:
        """What kind of drive it is."""
        return "business"

    @property
    def library(self) -> str:
        """The folder of the site that is the drive."""
        return "Documents"

    @property
    def drive_name(self) -> str:
        """What the drive is called."""
        return "OneDrive"


@dataclass(frozen=True, slots=True)
class Site(Person):
    """A SharePoint site, which owns its library as a person does a drive; `leaf` is the end of its path.

    Each further library is a site of its own with the same ids, and has its name in `shelf`.
    """

    leaf: str = ""
    shelf: str = ""

    @property
    def host(self) -> str:
        """The root of the host of all sites that are nobody's own."""
        return "https://northwind.sharepoint.com"

    @property
    def site_path(self) -> str:
        """The path of the site."""
        return f"/sites/{self.leaf}" if self.leaf else ""

    @property
    def address_on_host(self) -> str:
        """The other name of the site in URLs, in lower case."""
        return f"{self.host.partition('://')[2]}:{self.site_path}".lower()

    @property
    def drive_type(self) -> str:
        """What kind of drive it is."""
        return "documentLibrary"

    @property
    def library(self) -> str:
        """The folder of the site that is the library."""
        return self.shelf.replace(" ", "") if self.shelf == SITE_PAGES else self.shelf or "Shared Documents"

    @property
    def drive_name(self) -> str:
        """What the library is called."""
        return self.shelf or "Documents"


class Company:
    """Everybody who was ever here, by number, as they were when they came; letters name them so."""

    def __init__(self, chance: Chance, size: int) -> None:
        self._chance = chance
        self._taken: set[str] = set()
        self.people: list[Person] = []
        for _ in range(size):
            self.hire()

    def hire(self, address: str = "", given: str = "", family: str = "", created: datetime | None = None) -> Person:
        """One person more, under a free address unless one is given."""
        drawn = _drawn(self._chance, len(self.people))
        local = drawn.address.partition("@")[0]
        if not address:
            address = f"{local if local not in self._taken else f'{local}{drawn.index}'}@{DOMAIN}"
        self._taken.add(address.partition("@")[0])
        person = replace(
            drawn,
            address=address,
            given=given or drawn.given,
            family=family if given else drawn.family,
            created=created or drawn.created,
        )
        self.people.append(person)
        return person


def _drawn(chance: Chance, index: int) -> Person:
    language = SPOKEN[index % len(SPOKEN)] if index else SPOKEN[0]
    given, given_ascii = chance.pick(language.given, "given", index)
    family, family_ascii = chance.pick(language.family, "family", index)
    return Person(
        index=index,
        object_id=str(chance.guid("person", index)),
        given=given,
        family=family,
        address=f"{given_ascii}.{family_ascii}@{DOMAIN}".lower(),
        department=DEPARTMENTS[index % len(DEPARTMENTS)],
        title=chance.pick(TITLES, "title", index),
        language=language,
        created=COMPANY_STARTS - timedelta(days=chance.below(1500, "hired", index)),
        drive_guids=(chance.guid("site", index), chance.guid("web", index), chance.guid("list", index)),
    )
