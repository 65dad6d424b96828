"""Holds who is in the tenant now, and lets people come, leave, be renamed and come back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tuiback.simtenant.content.company import DOMAIN, Company, Person
from tuiback.simtenant.state.accounts import Account, Purpose
from tuiback.simtenant.state.directory_log import DirectoryLog

_LICENCE = frozenset({"assignedPlans", "assignedLicenses"})
_NAMES = frozenset({"displayName", "surname", "userPrincipalName", "mail", "mailNickname", "proxyAddresses"})
_PURPOSES = {"shared": Purpose.SHARED, "rooms": Purpose.ROOM, "equipment": Purpose.EQUIPMENT}
FURNITURE = {
    "shared": ("Info", "Support", "Invoices", "Sales", "Jobs", "Orders", "Press", "Travel"),
    "rooms": ("Room Zürich", "Room Kraków", "Room 東京", "Room Bilbao", "Room Malmö", "Room Tunis"),
    "equipment": ("Beamer", "Company car", "Camera", "Laptop pool"),
    "guests": ("Guest Architect", "Guest Auditor", "Guest Lawyer", "Guest Trainer"),
    "unlicensed": ("Scanner Service", "Break Glass", "Build Agent"),
}


class AddressTaken(Exception):
    """Somebody has this address already."""


class Directory:
    """Every account that ever was, by number; deleted ones are found only among the deleted."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.accounts = [Account(person) for person in company.people]
        self.changes = DirectoryLog()
        self._by_name: dict[str, Account] = {}
        self._by_drive: dict[str, Account] = {}
        for account in self.accounts:
            self._enter(account)

    def users(self) -> list[Account]:
        """Everybody who is here."""
        return [account for account in self.accounts if account.is_active]

    def people(self) -> list[Account]:
        """Who writes mail and works on files."""
        return [each for each in self.users() if each.has_mailbox and each.has_drive]

    def deleted(self) -> Iterator[Account]:
        """Who can still be restored."""
        return (account for account in self.accounts if account.deleted is not None and not account.purged)

    def find(self, name: str) -> Account | None:
        """The account with this object id or user principal name, in any case of letters."""
        return self._by_name.get(name.lower())

    def find_person(self, name: str) -> Person | None:
        """The person with this object id or address."""
        account = self.find(name)
        return account.person if account is not None else None

    def find_deleted(self, name: str) -> Account | None:
        """The account last deleted that had this object id or address."""
        found = [each for each in self.deleted() if name.lower() in (each.person.object_id, each.person.address)]
        return max(found, key=lambda each: each.index, default=None)

    def find_drive(self, drive_id: str) -> Account | None:
        """The owner of the drive."""
        return self._by_drive.get(drive_id)

    def hire(self, now: datetime, address: str = "", given: str = "", family: str = "") -> Account:
        """Somebody new, with an empty mailbox and an empty drive. Raises AddressTaken."""
        self._check_free(address)
        account = Account(self._company.hire(address.lower(), given, family, now.replace(microsecond=0)))
        self._admit(account)
        return account

    def leave(self, account: Account, now: datetime) -> None:
        """Delete an account; its address is free again."""
        for key in [key for key, each in self._by_name.items() if each is account]:
            del self._by_name[key]
        self._by_drive.pop(account.person.drive_id, None)
        account.deleted = now.replace(microsecond=0)
        self.changes.add(account.index)

    def purge(self, account: Account) -> None:
        """Delete a deleted account for good."""
        account.purged = True
        self.changes.add(account.index)

    def restore(self, account: Account) -> None:
        """Take a deletion back. Raises AddressTaken."""
        self._check_free(account.person.address)
        account.deleted = None
        self._enter(account)
        self.changes.add(account.index)

    def rehire(self, account: Account, now: datetime) -> Account:
        """Make a deleted person again under the same address: a new object with nothing in it. Raises AddressTaken."""
        person = account.person
        return self.hire(now, person.address, person.given, person.family)

    def license(self, account: Account, *, licensed: bool) -> None:
        """Give or take the licence; without it a person's mailbox is gone."""
        account.is_licensed = licensed
        self.changes.add(account.index, _LICENCE)

    def rename(self, account: Account, family: str, address: str) -> None:
        """A new name and address; the old address stays as one that receives mail. Raises AddressTaken."""
        self._check_free(address)
        before = account.person
        account.former_addresses.append(before.address)
        account.person = replace(before, family=family or before.family, address=address.lower())
        del self._by_name[before.address]
        self._enter(account)
        self.changes.add(account.index, _NAMES)

    def free_address(self, wanted: str) -> str:
        """The wanted local part in the tenant's domain, with a number where it is taken."""
        number = 1
        address = f"{wanted}@{DOMAIN}"
        while address in self._by_name:
            number += 1
            address = f"{wanted}{number}@{DOMAIN}"
        return address

    def furnish(self, kind: str, count: int, now: datetime) -> None:
        """Add what is no person of the company: shared, rooms, equipment, guests or unlicensed."""
        names = FURNITURE[kind]
        for number in range(count):
            given, _, family = names[number % len(names)].partition(" ")
            round_number = number // len(names)
            if round_number:
                family = f"{family} {round_number + 1}".strip()
            plain = f"{given} {family}".strip().lower().replace(" ", ".").encode("ascii", "ignore").decode()
            wanted = f"{plain}_partner.example#ext#" if kind == "guests" else plain
            person = self._company.hire(self.free_address(wanted), given, family, now.replace(microsecond=0))
            self._admit(
                Account(
                    person,
                    _PURPOSES.get(kind, Purpose.USER),
                    is_guest=kind == "guests",
                    is_licensed=False,
                    is_enabled=kind in ("guests", "unlicensed"),
                    has_drive=False,
                )
            )

    def _admit(self, account: Account) -> None:
        self.accounts.append(account)
        self._enter(account)
        self.changes.add(account.index)

    def _enter(self, account: Account) -> None:
        self._by_name[account.person.object_id] = self._by_name[account.person.address] = account
        if account.has_drive:
            self._by_drive[account.person.drive_id] = account

    def _check_free(self, address: str) -> None:
        if address.lower() in self._by_name:
            raise AddressTaken(address)
