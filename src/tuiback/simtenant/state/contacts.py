"""Draws the contacts of a person: colleagues, and people outside in folders of their own."""

from typing import Any

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Company, Person
from tuiback.simtenant.content.documents import CONTENT_TYPES, Document
from tuiback.simtenant.content.mail import Attachment
from tuiback.simtenant.content.prose import paragraph
from tuiback.simtenant.content.words import LANGUAGES, OUTSIDE, PROJECTS
from tuiback.simtenant.state.cabinet import Cabinet, Drawer, Record

# The folder that everybody has; it holds the others and is in no list of folders.
CONTACTS = 1
_PROJECT, _FORMER, _PRIVATE = 2, 3, 4
_COUNT = 24
_ONE_IN_HAS_PICTURE = 4
_ONE_IN_HAS_NOTES = 3
_ONE_IN_IS_COLLEAGUE = 3
# Most lie in the folder that everybody has.
_DRAWERS = (CONTACTS, CONTACTS, CONTACTS, _PROJECT, _FORMER, _PRIVATE)


def drawn_contacts(person: Person, company: Company, chance: Chance, people: int) -> Cabinet:
    """The contacts of somebody who is one of the first `people`, all drawn; others have none."""
    drawers = [Drawer(CONTACTS, None, "Contacts")]
    if person.index >= people:
        return Cabinet(person.index, drawers, [])
    project = chance.pick(PROJECTS, "contact folder", person.index)
    drawers += [
        Drawer(_PROJECT, CONTACTS, project), Drawer(_FORMER, _PROJECT, f"{project} 2024"),
        Drawer(_PRIVATE, CONTACTS, "Private"),
    ]  # fmt: skip
    return Cabinet(person.index, drawers, (_drawn(person, company, chance, number) for number in range(_COUNT)))


def _drawn(person: Person, company: Company, chance: Chance, number: int) -> Record:
    key = ("contact", person.index, number)
    created = COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * chance.fraction(*key)
    created = created.replace(microsecond=0)
    properties = _colleague(company, chance, key) if number % _ONE_IN_IS_COLLEAGUE == 0 else _outsider(chance, key)
    if chance.below(_ONE_IN_HAS_NOTES, *key, "notes") == 0:
        properties["personalNotes"] = paragraph(chance, person.language, 300, *key)
    record = Record(number, _DRAWERS[number % len(_DRAWERS)], created, created, properties)
    if chance.below(_ONE_IN_HAS_PICTURE, *key, "picture") == 0:
        document = Document(f"portrait {person.index} {number}", 0, "jpg", 2_000 + chance.below(9_000, *key, "size"))
        record.picture = Attachment("photo", CONTENT_TYPES["jpg"], document.size, lambda: document.read(chance))
    return record


def _colleague(company: Company, chance: Chance, key: tuple[str, int, int]) -> dict[str, Any]:
    other = chance.pick(company.people, *key, "who")
    return _named(other.given, other.family) | {
        "companyName": "Northwind Traders",
        "department": other.department,
        "jobTitle": other.title,
        "emailAddresses": [{"name": other.name, "address": other.address}],
        "businessPhones": [_number(chance, *key)],
        "officeLocation": f"{1 + chance.below(4, *key, 'building')}/{100 + chance.below(400, *key, 'room')}",
    }


def _outsider(chance: Chance, key: tuple[str, int, int]) -> dict[str, Any]:
    language = chance.pick(LANGUAGES, *key, "language")
    given, given_ascii = chance.pick(language.given, *key, "given")
    family, family_ascii = chance.pick(language.family, *key, "family")
    company, address = chance.pick(OUTSIDE, *key, "company")
    domain = address.partition("@")[2]
    local = f"{given_ascii}.{family_ascii}".lower()
    year, month, day = (chance.below(limit, *key, limit) for limit in (40, 12, 28))
    return _named(given, family) | {
        "companyName": company,
        "birthday": f"{1960 + year}-{1 + month:02}-{1 + day:02}T11:59:00Z",
        "emailAddresses": [
            {"name": f"{given} {family}", "address": f"{local}@{domain}"},
            {"name": f"{given} {family} (private)", "address": f"{local}@mail.example"},
        ],
        "mobilePhone": _number(chance, *key, "mobile"),
        "businessPhones": [_number(chance, *key), _number(chance, *key, "second")],
        "businessAddress": {
            "street": f"{1 + chance.below(200, *key, 'street')} {chance.pick(PROJECTS, *key, 'road')} Road",
            "city": "Redmond", "state": "WA", "countryOrRegion": "USA", "postalCode": "98052",
        },
        "categories": ["Project"] if chance.below(5, *key, "category") == 0 else [],
    }  # fmt: skip


def _named(given: str, family: str) -> dict[str, Any]:
    return {
        "givenName": given, "surname": family, "displayName": f"{given} {family}", "fileAs": f"{family}, {given}",
    }  # fmt: skip


def _number(chance: Chance, *key: str | int) -> str:
    return f"+1 425 555 {chance.below(10_000, *key, 'number'):04}"
