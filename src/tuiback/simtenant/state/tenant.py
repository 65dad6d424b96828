"""Holds the whole tenant: the company, and each mailbox and drive as soon as somebody asks for it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import Company, Person
from tuiback.simtenant.content.correspondence import draw_pattern
from tuiback.simtenant.content.letters import Letters
from tuiback.simtenant.content.library import Share, deal_files, deal_mail
from tuiback.simtenant.ids import Ids
from tuiback.simtenant.plan import Plan
from tuiback.simtenant.state.accounts import Account, Purpose
from tuiback.simtenant.state.calendars import Calendar, drawn_calendar
from tuiback.simtenant.state.directory import Directory
from tuiback.simtenant.state.drive import ROOT_NODE, Drive, Node
from tuiback.simtenant.state.file_sources import empty_nodes, generated_nodes, given_nodes
from tuiback.simtenant.state.groups import Groups
from tuiback.simtenant.state.mail_sources import ArchivedMail, FiledMailbox, GeneratedMailbox, ServiceMailbox
from tuiback.simtenant.state.mailbox import Mailbox
from tuiback.simtenant.state.sites import FIRST_SITE, Sites
from tuiback.simtenant.state.teams import Teams

# Untouched mailboxes and drives can be made again at any time; this many stay at hand.
_KEPT_UNCHANGED = 64
_SERVICE_MESSAGES = 40
# Archives are counted from here on, beside the mailboxes of the same people.
FIRST_ARCHIVE = 1 << 28
_ARCHIVED_MESSAGES = 40
_LIBRARY_FILES = 12
_ONE_IN_HAS_ARCHIVE = 5


class _Changeable(Protocol):
    @property
    def is_changed(self) -> bool: ...


S = TypeVar("S", bound=_Changeable)


class _Shelf(Generic[S]):
    """Mailboxes or drives by owner: changed ones for good, unchanged ones while they are in use."""

    def __init__(self, make: Callable[[int], S]) -> None:
        self._make = make
        self._changed: dict[int, S] = {}
        self._recent: OrderedDict[int, S] = OrderedDict()

    def find(self, owner: int) -> S | None:
        """The owner's, if it is in memory."""
        return self._recent.get(owner) or self._changed.get(owner)

    def take(self, owner: int) -> S:
        """The owner's, made if need be."""
        held = self.find(owner)
        if held is None:
            held = self._make(owner)
        self._recent[owner] = held
        self._recent.move_to_end(owner)
        self._settle()
        return held

    @property
    def held_count(self) -> int:
        """How many are in memory."""
        return len(self._recent.keys() | self._changed.keys())

    def _settle(self) -> None:
        while len(self._recent) > _KEPT_UNCHANGED:
            owner, oldest = self._recent.popitem(last=False)
            if oldest.is_changed:
                self._changed[owner] = oldest


class Tenant:
    """Everything that exists now. A new one is as the plan says; writes live as long as it does."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chance = Chance(plan.seed)
        self.ids = Ids(self.chance.digest(16, "ids"))
        self.company = Company(self.chance, plan.users)
        self.directory = Directory(self.company)
        self.groups = Groups(self.chance, self.company, self.directory)
        self.teams = Teams(self.chance, self.groups)
        self.sites = Sites(self.chance, self.teams)
        self._letters = Letters(self.chance, self.company, draw_pattern(plan.seed, plan.users, plan.messages))
        self._mail: list[Share] | None = None
        self.not_mail = 0
        if plan.mail is not None:
            self._mail, self.not_mail = deal_mail(plan.mail, plan.users)
        self._files = deal_files(plan.files, plan.users) if plan.files is not None else None
        self._mailboxes = _Shelf(self._make_mailbox)
        self._archives = _Shelf(self._make_archive)
        self._calendars = _Shelf(self._make_calendar)
        self._drives = _Shelf(self._make_drive)

    def mailbox(self, person: Person) -> Mailbox:
        """The person's mailbox."""
        return self._mailboxes.take(person.index)

    def has_archive(self, account: Account) -> bool:
        """Whether an In-Place Archive lies beside the mailbox."""
        by_nature = self.chance.below(_ONE_IN_HAS_ARCHIVE, "archive", account.index) == 0
        return account.has_mailbox and (account.has_archive or by_nature)

    def archive(self, account: Account) -> Mailbox:
        """The archive of one who has one."""
        return self._archives.take(account.index)

    def calendar(self, person: Person) -> Calendar:
        """The person's calendars."""
        return self._calendars.take(person.index)

    def message_count(self, person: Person) -> int:
        """How many messages a mailbox holds; one that nobody has touched need not be made for it."""
        held = self._mailboxes.find(person.index)
        if held is None and person.index < self.plan.users and self._mail is None:
            return self._letters.pattern.messages
        held = held or self.mailbox(person)
        return sum(held.count(folder) for folder in held.folders)

    def drive(self, person: Person) -> Drive:
        """The person's drive."""
        return self._drives.take(person.index)

    def find_drive(self, drive_id: str) -> Person | None:
        """Who owns the drive: somebody here, or a site."""
        account = self.directory.find_drive(drive_id)
        return account.person if account is not None else self.sites.find_drive(drive_id)

    def find_site(self, name: str) -> Person | None:
        """The site with this id or address: one of the company's, or somebody's own."""
        people = (each.person for each in self.directory.users() if each.has_drive)
        return self.sites.find(name) or next((each for each in people if each.site_id == name.lower()), None)

    def drive_owner(self, index: int) -> Person | None:
        """Whose drives have this number, if they are still here."""
        if index >= FIRST_SITE:
            return self.sites.at(index)
        account = self.directory.accounts[index]
        return account.person if account.is_active else None

    @property
    def held_count(self) -> int:
        """How many mailboxes and drives are in memory."""
        shelves = (self._mailboxes, self._archives, self._calendars, self._drives)
        return sum(shelf.held_count for shelf in shelves)

    def _make_mailbox(self, owner: int) -> Mailbox:
        person = self.company.people[owner]
        if owner >= self.plan.users:
            # Who came later has written nothing yet; what belongs to nobody has got mail from outside.
            belongs_to_person = self.directory.accounts[owner].purpose is Purpose.USER
            return Mailbox(owner, ServiceMailbox(person, self._letters, 0 if belongs_to_person else _SERVICE_MESSAGES))
        if self._mail is not None:
            return Mailbox(owner, FiledMailbox(person, self._mail[owner]))
        return Mailbox(owner, GeneratedMailbox(person, self._letters, self.chance))

    def _make_archive(self, owner: int) -> Mailbox:
        # Its letters are others than those in the mailbox, so another correspondence is drawn.
        pattern = draw_pattern(self.plan.seed + 1, 1, _ARCHIVED_MESSAGES if self._mail is None else 0)
        letters = Letters(Chance(self.plan.seed + 1), self.company, pattern)
        return Mailbox(FIRST_ARCHIVE + owner, ArchivedMail(self.company.people[owner], letters))

    def _make_calendar(self, owner: int) -> Calendar:
        return drawn_calendar(self.company.people[owner], self.company, self.chance, self.plan.users)

    def _make_drive(self, owner: int) -> Drive:
        if owner >= FIRST_SITE:
            return self._make_library(owner)
        person = self.company.people[owner]
        if owner >= self.plan.users:
            return Drive(owner, empty_nodes(person))
        if self._files is not None:
            return Drive(owner, given_nodes(person, self._files[owner]))
        return Drive(owner, generated_nodes(person, self.chance, self.plan.files_per_user, self.plan.users))

    def _make_library(self, owner: int) -> Drive:
        """A site's library: a folder for each channel, and as many files as a small drive has."""
        site = next(each for each in self.sites.all() if each.index == owner)
        files = min(self.plan.files_per_user, _LIBRARY_FILES) if self.plan.files is None else 0
        nodes = generated_nodes(site, self.chance, files, self.plan.users) if files else empty_nodes(site)
        nodes += [
            Node(len(nodes) + place, ROOT_NODE, name, None, site.created, site.created)
            for place, name in enumerate(self.sites.standard_channels(site))
        ]
        return Drive(owner, nodes)
