"""The people of the company: who they are, how their ids are made, and which drive is theirs."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.words import DEPARTMENTS, SPOKEN, TITLES, Language

DOMAIN = "northwind.example"
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
        return f"{self.given} {self.family}"

    @property
    def drive_id(self) -> str:
        """The mark b! and base64url of the three GUIDs, as OneDrive for Business makes it (66 characters)."""
        return "b!" + urlsafe_b64encode(b"".join(guid.bytes_le for guid in self.drive_guids)).decode()

    @property
    def site_path(self) -> str:
        """The path of the personal site on the OneDrive host."""
        return "/personal/" + self.address.replace("@", "_").replace(".", "_")


class Company:
    """Everybody, by number, object id, address and drive id."""

    def __init__(self, chance: Chance, size: int) -> None:
        taken: set[str] = set()
        self.people = tuple(_hire(chance, index, taken) for index in range(size))
        self._by_name = {key: person for person in self.people for key in (person.object_id, person.address)}
        self._by_drive = {person.drive_id: person for person in self.people}

    def find(self, name: str) -> Person | None:
        """The person with this object id or address, in any case of letters."""
        return self._by_name.get(name.lower())

    def find_drive(self, drive_id: str) -> Person | None:
        """The owner of the drive."""
        return self._by_drive.get(drive_id)


def _hire(chance: Chance, index: int, taken: set[str]) -> Person:
    language = SPOKEN[index % len(SPOKEN)] if index else SPOKEN[0]
    given, given_ascii = chance.pick(language.given, "given", index)
    family, family_ascii = chance.pick(language.family, "family", index)
    local = f"{given_ascii}.{family_ascii}".lower()
    if local in taken:
        local = f"{local}{index}"
    taken.add(local)
    return Person(
        index=index,
        object_id=str(chance.guid("person", index)),
        given=given,
        family=family,
        address=f"{local}@{DOMAIN}",
        department=DEPARTMENTS[index % len(DEPARTMENTS)],
        title=chance.pick(TITLES, "title", index),
        language=language,
        created=COMPANY_STARTS - timedelta(days=chance.below(1500, "hired", index)),
        drive_guids=(chance.guid("site", index), chance.guid("web", index), chance.guid("list", index)),
    )
