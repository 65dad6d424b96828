"""Holds the whole tenant: the company, and each mailbox and drive as soon as somebody asks for it."""

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import Company, Person
from tuiback.simtenant.content.correspondence import draw_pattern
from tuiback.simtenant.content.letters import Letters
from tuiback.simtenant.content.library import Share, deal_files, deal_mail
from tuiback.simtenant.ids import Ids
from tuiback.simtenant.plan import Plan
from tuiback.simtenant.state.accounts import Account, Purpose
from tuiback.simtenant.state.chats import Chats
from tuiback.simtenant.state.conversations import Conversations
from tuiback.simtenant.state.directory import Directory
from tuiback.simtenant.state.drive import ROOT_NODE, Drive, Node
from tuiback.simtenant.state.file_sources import FirstFiles, empty_nodes, generated_nodes, given_nodes
from tuiback.simtenant.state.groups import Groups
from tuiback.simtenant.state.mail_sources import (
    ArchivedMail,
    FiledMailbox,
    GeneratedMailbox,
    ServiceMailbox,
    drawn_searches,
)
from tuiback.simtenant.state.mailbox import Mailbox
from tuiback.simtenant.state.notebooks import Notebooks
from tuiback.simtenant.state.outlook import Outlook
from tuiback.simtenant.state.pages import Pages
from tuiback.simtenant.state.planner import Planner
from tuiback.simtenant.state.schedules import Schedules
from tuiback.simtenant.state.shelf import Shelf
from tuiback.simtenant.state.sites import FIRST_SITE, Sites
from tuiback.simtenant.state.teams import Teams
from tuiback.simtenant.state.term_store import TermStore

_SERVICE_MESSAGES = 40
# Archives are counted from here on, beside the mailboxes of the same people.
FIRST_ARCHIVE = 1 << 28
_ARCHIVED_MESSAGES = 40
_LIBRARY_FILES = 12
_ONE_IN_HAS_ARCHIVE = 5


class Tenant:
    """Everything that exists now. A new one is as the plan says; writes live as long as it does."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chance = Chance(plan.seed)
        self.ids = Ids(self.chance.digest(16, "ids"))
        self.company = Company(self.chance, plan.users)
        self.directory = Directory(self.company)
        self.groups = Groups(self.chance, self.company, self.directory)
        self.teams = Teams(self.chance, self.company, self.groups)
        self.chats = Chats(self.chance, self.company, plan.users)
        self.conversations = Conversations(self.chance, self.company)
        self.sites = Sites(self.chance, self.company, self.teams)
        self.schedules = Schedules(self.chance)
        self.term_store = TermStore(self.chance)
        self.notebooks = Notebooks(self.chance)
        self.planner = Planner(self.chance, self.groups)
        self._letters = Letters(self.chance, self.company, draw_pattern(plan.seed, plan.users, plan.messages))
        self._mail: list[Share] | None = None
        self.not_mail = 0
        if plan.mail is not None:
            self._mail, self.not_mail = deal_mail(plan.mail, plan.users)
        self._files = deal_files(plan.files, plan.users) if plan.files is not None else None
        self._mailboxes = Shelf(self._make_mailbox)
        self._archives = Shelf(self._make_archive)
        self.outlook = Outlook(self.company, self.chance, plan.users)
        self._drives = Shelf(self._make_drive)
        self.pages = Pages(self.chance, plan.users, lambda site: self.drive(self.sites.page_library(site)))
        self.first_files = FirstFiles(self._make_drive)

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
        return self.sites.find(name) or next((each for each in people if name.lower() in each.site_names), None)

    def drive_owner(self, index: int) -> Person | None:
        """Whose drives have this number, if they are still here."""
        if index >= FIRST_SITE:
            return self.sites.at(index)
        account = self.directory.accounts[index]
        return account.person if account.is_active else None

    @property
    def held_count(self) -> int:
        """How many mailboxes and drives are in memory."""
        shelves = (self._mailboxes, self._archives, self.outlook, self._drives)
        return sum(shelf.held_count for shelf in shelves)

    def _make_mailbox(self, owner: int) -> Mailbox:
        person = self.company.people[owner]
        if owner >= self.plan.users:
            # Who came later has written nothing yet; what belongs to nobody has got mail from outside.
            belongs_to_person = self.directory.accounts[owner].purpose is Purpose.USER
            return Mailbox(owner, ServiceMailbox(person, self._letters, 0 if belongs_to_person else _SERVICE_MESSAGES))
        if self._mail is not None:
            return Mailbox(owner, FiledMailbox(person, self._mail[owner]))
        mailbox = Mailbox(owner, GeneratedMailbox(person, self._letters, self.chance))
        mailbox.searches.held |= {each.serial: each for each in drawn_searches(person)}
        return mailbox

    def _make_archive(self, owner: int) -> Mailbox:
        # Its letters are others than those in the mailbox, so another correspondence is drawn.
        pattern = draw_pattern(self.plan.seed + 1, 1, _ARCHIVED_MESSAGES if self._mail is None else 0)
        letters = Letters(Chance(self.plan.seed + 1), self.company, pattern)
        return Mailbox(FIRST_ARCHIVE + owner, ArchivedMail(self.company.people[owner], letters))

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
        site = self.sites.at(owner)
        if site is None:
            raise LookupError(owner)
        if site.shelf:
            home = self.sites.home_of_pages(owner)
            return Drive(owner, self.pages.drawn_nodes(home, site) if home is not None else empty_nodes(site))
        files = min(self.plan.files_per_user, _LIBRARY_FILES) if self.plan.files is None else 0
        nodes = generated_nodes(site, self.chance, files, self.plan.users) if files else empty_nodes(site)
        nodes += [
            Node(len(nodes) + place, ROOT_NODE, name, None, site.created, site.created)
            for place, name in enumerate(self.sites.standard_channels(site))
        ]
        return Drive(owner, nodes)
