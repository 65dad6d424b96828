"""Fills mailboxes: with generated letters, or with the messages of a customer's folder."""

from array import array
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import COMPANY_STARTS, Person
from tuiback.simtenant.content.correspondence import Kind, LetterKey
from tuiback.simtenant.content.letters import Letters
from tuiback.simtenant.content.library import Share
from tuiback.simtenant.content.mail import Mail
from tuiback.simtenant.content.parsed import ParsedMail
from tuiback.simtenant.content.words import PHASES, PROJECTS
from tuiback.simtenant.state.mailbox import (
    ARCHIVE,
    DELETED,
    DRAFTS,
    INBOX,
    JUNK,
    OUTBOX,
    RECOVERABLE,
    ROOT,
    SENT,
    Folder,
    Message,
    SearchFolder,
)

_FIRST_OWN_FOLDER = 20
_PROJECTS_EACH = 3
_ONE_IN_IS_UNREAD = 5
_SCATTER = 2_654_435_761
# Which of eight people has a search folder.
_EIGHT, _WHO_SEARCHES = 8, 5
_HIDDEN_NAME = "Conversation Action Settings"


def well_known_folders(person: Person) -> list[Folder]:
    """The folders of every mailbox, named in its owner's language."""
    serials = (INBOX, DRAFTS, SENT, DELETED, ARCHIVE, JUNK, OUTBOX)
    named = [Folder(serial, ROOT, name) for serial, name in zip(serials, person.language.folders, strict=True)]
    return [
        Folder(ROOT, None, "Top of Information Store"),
        *named,
        Folder(RECOVERABLE, ROOT, "Deletions", hidden=True),
        Folder(_FIRST_OWN_FOLDER - 1, ROOT, _HIDDEN_NAME, hidden=True),
    ]


def drawn_searches(person: Person) -> list[SearchFolder]:
    """The search folder for unread mail that one in eight people has."""
    if person.index % _EIGHT != _WHO_SEARCHES:
        return []
    sources = (INBOX, ARCHIVE)
    return [
        SearchFolder(
            _FIRST_OWN_FOLDER - 2, ROOT, "Unread Mail", sources=sources, nested=True, query="isRead eq false",
            holds=lambda mailbox, serial: not mailbox.is_read(serial),
        )
    ]  # fmt: skip


class GeneratedMailbox:
    """A person's share of the company's letters (see state.mailbox.Generated)."""

    def __init__(self, person: Person, letters: Letters, chance: Chance) -> None:
        self._person = person
        self._letters = letters
        self._chance = chance
        self._own = self._own_folders()
        self._folder_of = self._sorted_in()

    def folders(self) -> list[Folder]:
        """The well-known folders, and projects three deep."""
        return [*well_known_folders(self._person), *(Folder(each.serial, each.parent, each.name) for each in self._own)]

    def places(self) -> dict[int, Sequence[int]]:
        """The messages of each folder."""
        found: dict[int, array[int]] = {}
        for serial, folder in enumerate(self._folder_of):
            found.setdefault(folder, array("I")).append(serial)
        return dict(found)

    def message(self, serial: int) -> Message | None:
        """The letter at this place of the mailbox."""
        if serial >= len(self._folder_of):
            return None
        key, own = self._letters.pattern.letter_at(self._person.index, serial)
        letter = self._letters.letter(key)
        created = letter.sent
        return Message(
            serial=serial,
            folder=self._folder_of[serial],
            mail=letter,
            created=created,
            modified=created + timedelta(minutes=1),
            is_draft=key.kind is Kind.DRAFT,
            is_read=own or self.is_read(serial),
        )

    def is_read(self, serial: int) -> bool:
        """All that the person wrote, and four in five of the others, spread as if by chance but counted quickly."""
        pattern = self._letters.pattern
        first = len(pattern.turns)
        if not first <= serial < pattern.messages - pattern.drafts:
            return True
        return (serial * _SCATTER + self._person.index) % 2**32 % _ONE_IN_IS_UNREAD > 0

    def _own_folders(self) -> list[Folder]:
        index = self._person.index
        top = Folder(_FIRST_OWN_FOLDER, ROOT, self._person.language.projects)
        made = [top]
        first = self._chance.below(len(PROJECTS), "projects", index)
        for number in range(_PROJECTS_EACH):
            name = PROJECTS[(first + number * 5) % len(PROJECTS)]
            project = Folder(_FIRST_OWN_FOLDER + len(made), top.serial, name)
            made.append(project)
            made += [
                Folder(project.serial + 1 + place, project.serial, phase)
                for place, phase in enumerate(PHASES[: 1 + number])
            ]
        return made

    def _sorted_in(self) -> "array[int]":
        """The folder of each message: most stay where they came to, some were filed, some thrown away."""
        source = self._chance.source("filing", self._person.index)
        filed = [folder.serial for folder in self._own]
        kept = [INBOX] * 12 + [ARCHIVE] * 3 + [DELETED] * 2 + [_FIRST_OWN_FOLDER - 1, JUNK] + filed
        sent = [SENT] * 18 + [DELETED, ARCHIVE]
        pattern = self._letters.pattern
        arrivals = len(pattern.received) + len(pattern.outside_parents)
        return array("I", [
            *(sent[int(source.random() * len(sent))] for _ in pattern.turns),
            *(kept[int(source.random() * len(kept))] for _ in range(arrivals)),
            *(DRAFTS for _ in range(pattern.drafts)),
        ])  # fmt: skip


class ServiceMailbox:
    """A mailbox of nobody's own: the first letters from outside, all in its Inbox (see state.mailbox.Generated)."""

    def __init__(self, person: Person, letters: Letters, most: int) -> None:
        self._person = person
        self._letters = letters
        self._count = min(most, len(letters.pattern.outside_parents))

    def folders(self) -> list[Folder]:
        """The well-known folders."""
        return well_known_folders(self._person)

    def places(self) -> dict[int, Sequence[int]]:
        """The messages of the Inbox."""
        return {INBOX: range(self._count)}

    def message(self, serial: int) -> Message | None:
        """The letter at this place."""
        if serial >= self._count:
            return None
        letter = self._letters.letter(LetterKey(Kind.OUTSIDE, self._person.index, serial))
        created = letter.sent
        modified = created + timedelta(minutes=1)
        return Message(serial, INBOX, letter, created, modified, is_draft=False, is_read=False)

    def is_read(self, _serial: int) -> bool:
        """Nobody reads here."""
        return False


class ArchivedMail:
    """An In-Place Archive: old letters from outside, in folders of its own (see state.mailbox.Generated)."""

    def __init__(self, person: Person, letters: Letters) -> None:
        self._letters = letters
        self._person = person
        self._folder_of = array("I", [
            _FIRST_OWN_FOLDER + turn % (_PROJECTS_EACH + 1) for turn in range(len(letters.pattern.outside_parents))
        ])  # fmt: skip

    def folders(self) -> list[Folder]:
        """An inbox, and some projects; none is known by another name than its id."""
        names = [self._person.language.folders[0], *PROJECTS[:_PROJECTS_EACH]]
        made = [Folder(_FIRST_OWN_FOLDER + place, ROOT, name) for place, name in enumerate(names)]
        return [Folder(ROOT, None, "Top of Information Store"), *made]

    def places(self) -> dict[int, Sequence[int]]:
        """The messages of each folder."""
        found: dict[int, list[int]] = {}
        for serial, folder in enumerate(self._folder_of):
            found.setdefault(folder, []).append(serial)
        return dict(found)

    def message(self, serial: int) -> Message | None:
        """The letter at this place."""
        if serial >= len(self._folder_of):
            return None
        letter = self._letters.letter(LetterKey(Kind.OUTSIDE, self._person.index, serial))
        modified = letter.sent + timedelta(minutes=1)
        return Message(serial, self._folder_of[serial], letter, letter.sent, modified, is_draft=False, is_read=True)

    def is_read(self, _serial: int) -> bool:
        """Everything has been."""
        return True


class FiledMailbox:
    """A person's share of a folder of message files (see state.mailbox.Generated)."""

    def __init__(self, person: Person, share: Share) -> None:
        self._person = person
        self._folders = well_known_folders(person)
        self._paths: list[Path] = []
        self._folder_of: list[int] = []
        # Exchange knows no two folders of one name in any case of letters; such source folders become one.
        serials: dict[tuple[str, ...], int] = {(): ROOT}
        serials |= {(folder.name.casefold(),): folder.serial for folder in self._folders if folder.parent == ROOT}
        for names, paths in share.folders.items():
            folder = self._folder(names, serials) if names else INBOX
            self._paths += paths
            self._folder_of += [folder] * len(paths)

    def folders(self) -> list[Folder]:
        """The well-known folders and the folders of the source."""
        return self._folders

    def places(self) -> dict[int, Sequence[int]]:
        """The messages of each folder."""
        found: dict[int, list[int]] = {}
        for serial, folder in enumerate(self._folder_of):
            found.setdefault(folder, []).append(serial)
        return dict(found)

    def message(self, serial: int) -> Message | None:
        """The message in this file, its bytes read when needed."""
        if serial >= len(self._paths):
            return None
        arrived = COMPANY_STARTS + timedelta(minutes=serial)
        mail: Mail = ParsedMail(self._paths[serial].read_bytes, arrived)
        return Message(serial, self._folder_of[serial], mail, arrived, arrived, is_draft=False, is_read=True)

    def is_read(self, _serial: int) -> bool:
        """Everything has been."""
        return True

    def _folder(self, names: tuple[str, ...], serials: dict[tuple[str, ...], int]) -> int:
        key = tuple(name.casefold() for name in names)
        if key not in serials:
            parent = self._folder(names[:-1], serials)
            serials[key] = _FIRST_OWN_FOLDER + len(serials)
            self._folders.append(Folder(serials[key], parent, names[-1]))
        return serials[key]
