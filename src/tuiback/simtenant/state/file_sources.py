"""Fills drives: with generated documents, or with the files of a customer's folder."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tuiback.simtenant.content.chance import Chance, log_normal
from tuiback.simtenant.content.company import COMPANY_ENDS, COMPANY_STARTS, Person
from tuiback.simtenant.content.documents import Document
from tuiback.simtenant.content.library import Share
from tuiback.simtenant.content.sources import FileSource, GeneratedSource, Source
from tuiback.simtenant.content.words import DEPARTMENTS, PHASES, PROJECTS, SPOKEN
from tuiback.simtenant.state.drive import ROOT_NODE, Drive, EarlierVersion, Node
from tuiback.simtenant.state.grants import Grant

_MEDIAN_BYTES = 60_000
_SIGMA = 1.7
_LIMIT_BYTES = 64_000_000
_ONE_IN_WAS_REWRITTEN = 5
_EARLIER_VERSIONS = 2
_ONE_IN_IS_SHARED = 9
# So many files of a drive at most are remembered by where they lay first.
_FIRST_FILES = 64
_GOLDEN = 0.6180339887498949
_KINDS = ("docx", "xlsx", "pdf", "pptx", "docx", "png", "txt", "csv", "zip", "jpg")
_NOTEBOOK = "Notizbuch - Team 📓"


def generated_nodes(person: Person, chance: Chance, files: int, people: int = 1) -> list[Node]:
    """A drive of `files` files: department and project folders, documents in versions, a notebook, an empty file.

    Some are shared with others of the `people`, or by link.
    """
    desk = _Desk(person, chance, people)
    folders = _add_folders(desk)
    if files >= 4:
        notebook = desk.folder(ROOT_NODE, _NOTEBOOK)
        notebook.package = True
        desk.document(notebook.serial, "Open Notebook.onetoc2", Document(desk.family(0), 0, "onetoc2", 5_000))
        desk.document(notebook.serial, "Besprechungen.one", Document(desk.family(1), 0, "one", 180_000))
        desk.document(folders[0], "leer - 空.txt", Document(desk.family(2), 0, "txt", 0))
    family = version = 0
    while desk.tree.files < files:
        version = version + 1 if version and chance.below(2, desk.family(family), "version", version) else 0
        family += not version
        _add_version(desk, folders, family, version)
        version = version or int(chance.below(4, desk.family(family), "has versions") == 0)
    return list(desk.tree.nodes.values())


def given_nodes(person: Person, share: Share) -> list[Node]:
    """A drive that holds one person's share of a folder of files, under the same folders."""
    tree = _Tree(person)
    serials: dict[tuple[str, ...], int] = {(): ROOT_NODE}

    def folder(names: tuple[str, ...]) -> int:
        if names not in serials:
            serials[names] = tree.add(folder(names[:-1]), names[-1], None, COMPANY_STARTS).serial
        return serials[names]

    for names, paths in share.folders.items():
        parent = folder(names)
        for path in paths:
            tree.add(parent, path.name, FileSource(path), datetime.fromtimestamp(int(path.stat().st_mtime), UTC))
    return list(tree.nodes.values())


def empty_nodes(person: Person) -> list[Node]:
    """A drive with nothing but its root."""
    return list(_Tree(person).nodes.values())


class FirstFiles:
    """Where some files of each drive lay at the beginning, whatever became of them; `make` gives a drive as it was."""

    def __init__(self, make: Callable[[int], Drive]) -> None:
        self._make = make
        self._found: dict[int, list[tuple[int, list[str]]]] = {}

    def of(self, owner: Person) -> list[tuple[int, list[str]]]:
        """The number of each file, and the names from below the root down to it."""
        if owner.index not in self._found:
            drive = self._make(owner.index)
            files = [node for node in drive.nodes.values() if node.source is not None]
            self._found[owner.index] = [(node.serial, drive.path(node)) for node in files[:_FIRST_FILES]]
        return self._found[owner.index]


class _Tree:
    """The nodes of one drive while they are being made."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.files = 0
        created = person.created
        self.nodes: dict[int, Node] = {ROOT_NODE: Node(ROOT_NODE, None, "root", None, created, created)}
        self._taken: set[tuple[int, str]] = set()

    def add(self, parent: int, name: str, source: Source | None, created: datetime) -> Node:
        """Add a node; a number is put to the name where a sibling has it in whatever case of letters."""
        serial = len(self.nodes)
        if (parent, name.casefold()) in self._taken:
            stem, dot, ending = name.rpartition(".")
            name = f"{stem or ending} ({serial}){dot if stem else ''}{ending if stem else ''}"
        self._taken.add((parent, name.casefold()))
        self.nodes[serial] = Node(serial, parent, name, source, created, created)
        self.files += source is not None
        return self.nodes[serial]


class _Desk:
    """One person's tree with the means to make documents for it."""

    def __init__(self, person: Person, chance: Chance, people: int) -> None:
        self.person = person
        self.chance = chance
        self.tree = _Tree(person)
        self._people = people

    def family(self, number: int) -> str:
        """Names a document of this drive."""
        return f"file {self.person.index} {number}"

    def folder(self, parent: int, name: str) -> Node:
        """Add a folder."""
        made = self.tree.add(parent, name, None, self._moment())
        self._share(made)
        return made

    def document(self, parent: int, name: str, document: Document) -> None:
        """Add a file."""
        made = self.tree.add(parent, name, GeneratedSource(document, self.chance), self._moment())
        made.modified += timedelta(hours=1)
        self._share(made)
        if document.size and self.chance.below(_ONE_IN_WAS_REWRITTEN, document.family, "rewritten") == 0:
            made.earlier = [self._earlier(made, document, number) for number in range(_EARLIER_VERSIONS)]

    def _earlier(self, node: Node, document: Document, number: int) -> EarlierVersion:
        size = max(document.size - 400 * (_EARLIER_VERSIONS - number), 1_500)
        past = Document(document.family, document.version + 1 + number, document.kind, size)
        modified = node.modified - timedelta(days=_EARLIER_VERSIONS - number)
        return EarlierVersion(GeneratedSource(past, self.chance), modified)

    def _share(self, node: Node) -> None:
        """Let one in so many be seen by somebody else, or by who has the link."""
        key = (self.person.index, node.serial)
        if self.chance.below(_ONE_IN_IS_SHARED, "shared", *key):
            return
        grant_id = self.chance.digest(24, "generated grant", *key).hex()
        role = self.chance.pick(("read", "write"), "role", *key)
        other = self.chance.below(self._people, "shared with", *key)
        if other != self.person.index:
            node.grants.append(Grant(grant_id, role, node.modified, person=other))
        else:
            scope = self.chance.pick(("organization", "anonymous"), "scope", *key)
            node.grants.append(Grant(grant_id, role, node.modified, scope=scope))

    def _moment(self) -> datetime:
        part = self.chance.fraction("file date", self.person.index, len(self.tree.nodes))
        return (COMPANY_STARTS + (COMPANY_ENDS - COMPANY_STARTS) * part).replace(microsecond=0)


def _add_folders(desk: _Desk) -> list[int]:
    """The person's department, two others, and projects with phases below; all folders before any file."""
    person, chance = desk.person, desk.chance
    first = DEPARTMENTS.index(person.department)
    made = [desk.folder(ROOT_NODE, DEPARTMENTS[(first + place) % len(DEPARTMENTS)]).serial for place in (0, 3, 7)]
    projects = desk.folder(ROOT_NODE, person.language.projects).serial
    start = chance.below(len(PROJECTS), "file projects", person.index)
    for place in range(3):
        project = desk.folder(projects, PROJECTS[(start + place * 7) % len(PROJECTS)]).serial
        made += [project, *(desk.folder(project, phase).serial for phase in PHASES[: place + 2])]
    return made


def _add_version(desk: _Desk, folders: list[int], number: int, version: int) -> None:
    """One version of a document; the versions of one document lie side by side, as people keep them."""
    person, chance, family = desk.person, desk.chance, desk.family(number + 10)
    language = chance.pick(SPOKEN, family, "language") if chance.below(3, family, "foreign") == 0 else person.language
    kind = chance.pick(_KINDS, family, "kind")
    quantile = (chance.fraction("file size", person.index) + number * _GOLDEN) % 1
    size = max(log_normal(quantile, _MEDIAN_BYTES, _SIGMA, _LIMIT_BYTES), 1_500) + version * 700
    word = chance.pick(language.files, family, "word")
    name = f"{word} {chance.pick(PROJECTS, family, 'project')} {number}{f' v{version}' if version else ''}.{kind}"
    desk.document(chance.pick(folders, family, "folder"), name, Document(family, version, kind, size))
