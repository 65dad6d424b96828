"""Draws the lists that the site of a team begins with: projects, tasks, and one with a column of every kind."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS, Person
from tuiback.simtenant.content.list_columns import column, columns_of_every_kind
from tuiback.simtenant.content.prose import paragraph
from tuiback.simtenant.content.words import DEPARTMENTS, PHASES, PROJECTS
from tuiback.simtenant.state.changes import ChangeLog
from tuiback.simtenant.state.lists import FIRST_PERSON, SiteList

_LONG_LIST = 5_200
_SHORT_LIST = 30
_ASSETS = 24
_NOTE_BYTES = 160
# One row of so many was changed before, one has a file hanging on it.
_ONE_IN_CHANGED, _ONE_IN_ATTACHED = 4, 4


class MakeList(Protocol):
    """Puts a new list into the site."""

    def __call__(self, name: str, columns: list[dict[str, Any]]) -> SiteList:
        """The list, still empty."""
        ...


def draw_lists(chance: Chance, people: Sequence[Person], site: Person, make: MakeList, *, is_first: bool) -> None:
    """Make the lists of a site and fill them, by `people`; in the first site one is longer than a view may show."""
    projects = make("Projects", [column("Phase", choice={"choices": list(PHASES)})])
    for number, name in enumerate(PROJECTS):
        projects.add({"Title": name, "Phase": PHASES[number % len(PHASES)]}, COMPANY_STARTS)
    looked_up = {"listId": projects.list_id, "columnName": "Title", "allowMultipleValues": False}
    tasks = make("Tasks", [column("Project", lookup=looked_up)])
    for number in range(_LONG_LIST if is_first else _SHORT_LIST):
        fields = {"Title": f"Task {number + 1}", "ProjectLookupId": str(1 + number % len(PROJECTS))}
        tasks.add(fields, COMPANY_STARTS + timedelta(minutes=number))
    assets = make("Assets", columns_of_every_kind(projects.list_id))
    assets.kinds = ("Asset",)
    for number in range(_ASSETS):
        _add_asset(chance, people, site, assets, number)
    for each in (projects, tasks, assets):
        each.changes = ChangeLog()


def _add_asset(chance: Chance, people: Sequence[Person], site: Person, assets: SiteList, number: int) -> None:
    key = ("asset", site.index, number)
    created = COMPANY_STARTS + timedelta(days=chance.below(700, *key, "created"))
    author = chance.below(len(people), *key, "author")
    item = assets.add(_fields(chance, people, site, number, created), created, author, number % 2)
    if chance.below(_ONE_IN_CHANGED, *key, "changed") == 0:
        editor = chance.below(len(people), *key, "editor")
        assets.change(item, {"InUse": False, "Phase": PHASES[-1]}, created + timedelta(days=30), editor)
    if chance.below(_ONE_IN_ATTACHED, *key, "attached") == 0:
        item.attachments[f"receipt {number}.txt"] = paragraph(chance, site.language, 600, *key).encode()


def _fields(chance: Chance, people: Sequence[Person], site: Person, number: int, created: datetime) -> dict[str, Any]:
    key = ("asset", site.index, number)
    project = number % len(PROJECTS)
    price = chance.below(500_000, *key, "price") / 100
    readers = sorted({chance.below(len(people), *key, "reader", turn) for turn in range(2)})
    picture = {"type": "thumbnail", "fileName": f"asset{number}.png", "serverUrl": site.host}
    return {
        "Title": f"{PROJECTS[project]} asset {number + 1}",
        "Serial": chance.digest(6, *key, "serial").hex().upper(),
        "Notes": f"<div>{paragraph(chance, site.language, _NOTE_BYTES, *key)}</div>",
        "Price": price,
        "Value": price * 2,
        "Bought": created.strftime("%Y-%m-%dT00:00:00Z"),
        "Checked": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "InUse": number % 3 != 0,
        "Phase": PHASES[number % len(PHASES)],
        "Tags": [DEPARTMENTS[project % len(DEPARTMENTS)], "Loan"][: 1 + number % 2],
        "OwnerLookupId": str(FIRST_PERSON + readers[0]),
        "Readers": [_person(people[each]) for each in readers],
        "ProjectLookupId": str(project + 1),
        "Related": [{"LookupId": each + 1, "LookupValue": PROJECTS[each]} for each in sorted({project, number % 5})],
        "Manual": {"Description": f"Manual {number}", "Url": f"https://intranet.northwind.example/manuals/{number}"},
        "Photo": json.dumps(picture),
        "Place": {"latitude": 47.0 + number / 10, "longitude": 8.0 + number / 10, "altitude": 0.0, "measure": 0.0},
        "Area": _term(chance, DEPARTMENTS[project % len(DEPARTMENTS)]),
        "Areas": [_term(chance, each) for each in DEPARTMENTS[number % 3 : number % 3 + 2]],
        "Gross": round(price * 1.19, 4),
    }


def _person(person: Person) -> dict[str, Any]:
    return {"LookupId": FIRST_PERSON + person.index, "LookupValue": person.name, "Email": person.address}


def _term(chance: Chance, label: str) -> dict[str, Any]:
    number = DEPARTMENTS.index(label) + 1
    return {"Label": label, "TermGuid": str(chance.guid("term", label)), "WssId": number}
