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
from tuiback.simtenant.state.accounts import Purpose
from tuiback.simtenant.state.directory import Directory
from tuiback.simtenant.state.drive import Drive
from tuiback.simtenant.state.file_sources import empty_nodes, generated_nodes, given_nodes
from tuiback.simtenant.state.groups import Groups
from tuiback.simtenant.state.mail_sources import FiledMailbox, GeneratedMailbox, ServiceMailbox
from tuiback.simtenant.state.mailbox import Mailbox

# Untouched mailboxes and drives can be made again at any time; this many stay at hand.
_KEPT_UNCHANGED = 64
_SERVICE_MESSAGES = 40


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
        self._letters = Letters(self.chance, self.company, draw_pattern(plan.seed, plan.users, plan.messages))
        self._mail: list[Share] | None = None
        self.not_mail = 0
        if plan.mail is not None:
            self._mail, self.not_mail = deal_mail(plan.mail, plan.users)
        self._files = deal_files(plan.files, plan.users) if plan.files is not None else None
        self._mailboxes = _Shelf(self._make_mailbox)
        self._drives = _Shelf(self._make_drive)

    def mailbox(self, person: Person) -> Mailbox:
        """The person's mailbox."""
        return self._mailboxes.take(person.index)

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

    @property
    def held_count(self) -> int:
        """How many mailboxes and drives are in memory."""
        return self._mailboxes.held_count + self._drives.held_count

    def _make_mailbox(self, owner: int) -> Mailbox:
        person = self.company.people[owner]
        if owner >= self.plan.users:
            # Who came later has written nothing yet; what belongs to nobody has got mail from outside.
            belongs_to_person = self.directory.accounts[owner].purpose is Purpose.USER
            return Mailbox(owner, ServiceMailbox(person, self._letters, 0 if belongs_to_person else _SERVICE_MESSAGES))
        if self._mail is not None:
            return Mailbox(owner, FiledMailbox(person, self._mail[owner]))
        return Mailbox(owner, GeneratedMailbox(person, self._letters, self.chance))

    def _make_drive(self, owner: int) -> Drive:
        person = self.company.people[owner]
        if owner >= self.plan.users:
            return Drive(owner, empty_nodes(person))
        if self._files is not None:
            return Drive(owner, given_nodes(person, self._files[owner]))
        return Drive(owner, generated_nodes(person, self.chance, self.plan.files_per_user, self.plan.users))
