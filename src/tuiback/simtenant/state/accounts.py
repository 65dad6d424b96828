"""One entry of the directory per person, shared mailbox, room or piece of equipment, and how it stands."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tuiback.simtenant.content.company import Person


class Purpose(StrEnum):
    """What a mailbox is for: https://learn.microsoft.com/graph/api/resources/mailboxsettings (userPurpose)."""

    USER = "user"
    SHARED = "shared"
    ROOM = "room"
    EQUIPMENT = "equipment"


@dataclass(slots=True, eq=False)
class Account:
    """A user object. Shared mailboxes, rooms and equipment are users too, disabled and without a licence.

    `former_addresses` still receive mail. A deleted account can be restored until it is `purged`. `refusals` counts
    the requests for a mailbox that is not there. An archive beside the mailbox `has_archive` where an order gave one.
    """

    person: Person
    purpose: Purpose = Purpose.USER
    is_guest: bool = False
    is_licensed: bool = True
    is_enabled: bool = True
    has_drive: bool = True
    former_addresses: list[str] = field(default_factory=list)
    deleted: datetime | None = None
    purged: bool = False
    refusals: int = 0
    has_archive: bool = False

    @property
    def index(self) -> int:
        """The number of the person."""
        return self.person.index

    @property
    def is_active(self) -> bool:
        """Whether the directory shows it."""
        return self.deleted is None

    @property
    def has_mailbox(self) -> bool:
        """A person's mailbox goes with the licence, the others need none."""
        return not self.is_guest and (self.is_licensed or self.purpose is not Purpose.USER)
