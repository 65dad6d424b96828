"""One stretch of the company's time: somebody, something of theirs, and the luck that decides."""

import random
from dataclasses import dataclass
from datetime import datetime

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.drive import Node
from tuiback.simtenant.state.mailbox import DELETED, Mailbox, Message


@dataclass(slots=True)
class Day:
    """One round of changes: who may do what with which luck."""

    cloud: Cloud
    luck: random.Random
    number: int = 0

    @property
    def now(self) -> datetime:
        """The present, in whole seconds."""
        return self.cloud.clock.now().replace(microsecond=0)

    def person(self) -> Person:
        """Somebody."""
        return self.luck.choice(self.cloud.tenant.directory.people()).person

    def message(self, mailbox: Mailbox) -> Message | None:
        """Some message that is not yet thrown away."""
        filled = [folder for folder in mailbox.folders if folder != DELETED and mailbox.count(folder)]
        return mailbox.find(self.luck.choice(mailbox.serials(self.luck.choice(filled)))) if filled else None

    def file(self, person: Person) -> Node | None:
        """Some file that is not part of a notebook."""
        drive = self.cloud.tenant.drive(person)
        files = [n for n in drive.nodes.values() if n.source is not None and not drive.nodes[n.parent or 0].package]
        return self.luck.choice(files) if files else None
