"""Knows which application permissions each service needs, and what is lost without each of them.

https://learn.microsoft.com/graph/permissions-reference
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

import msgspec


class Weight(StrEnum):
    """What the lack of a permission means for a service."""

    BACKUP = "backup"
    PART = "part"
    EXTRA = "extra"
    RESTORE = "restore"


class Permission(msgspec.Struct, frozen=True):
    """An application permission of Graph for one service. `needed_for` is what is lost without it.

    Without one of weight "backup" nothing of the service is backed up; "part": something of it is not; "extra":
    figures are missing; "restore": something can't be written back.
    """

    name: str
    service: str
    weight: Weight
    needed_for: str


_BACKUP, _PART, _EXTRA, _RESTORE = Weight.BACKUP, Weight.PART, Weight.EXTRA, Weight.RESTORE
_GROUPS = ("GroupMember.Read.All", _PART, "tasks that take their accounts from a group")

# Import and export of mailbox items and usage reports are offered by the global cloud only: elsewhere Graph does not
# list these permissions.
_TABLE: Mapping[str, tuple[tuple[str, Weight, str], ...]] = {
    "exchange": (
        ("User.Read.All", _BACKUP, "finding the mailboxes"),
        ("Mail.Read", _BACKUP, "mail"),
        ("Calendars.Read", _PART, "calendars"),
        ("Contacts.Read", _PART, "contacts"),
        ("Tasks.Read.All", _PART, "to-do lists"),
        ("MailboxSettings.Read", _PART, "mailbox settings and rules, and what kind each mailbox is"),
        ("MailboxFolder.Read.All", _PART, "archive mailboxes and copies in full fidelity"),
        ("MailboxItem.Read.All", _PART, "archive mailboxes and copies in full fidelity"),
        ("MailboxItem.Export.All", _PART, "archive mailboxes and copies in full fidelity"),
        _GROUPS,
        ("Reports.Read.All", _EXTRA, "mailbox sizes, and which mailboxes have an archive"),
        ("ReportSettings.Read.All", _EXTRA, "whether reports hide the users' names"),
        ("Place.Read.All", _EXTRA, "rooms"),
        ("Organization.Read.All", _EXTRA, "the tenant's name and licences"),
        ("Mail.ReadWrite", _RESTORE, "mail"),
        ("Calendars.ReadWrite", _RESTORE, "calendars"),
        ("Contacts.ReadWrite", _RESTORE, "contacts"),
        ("Tasks.ReadWrite.All", _RESTORE, "to-do lists"),
        ("MailboxSettings.ReadWrite", _RESTORE, "mailbox settings and rules"),
        ("MailboxFolder.ReadWrite.All", _RESTORE, "folders of copies in full fidelity"),
        ("MailboxItem.ImportExport.All", _RESTORE, "copies in full fidelity"),
    ),
    "onedrive": (
        ("User.Read.All", _BACKUP, "finding the drives"),
        ("Files.Read.All", _BACKUP, "files"),
        _GROUPS,
        ("Files.ReadWrite.All", _RESTORE, "files"),
        ("Sites.FullControl.All", _RESTORE, "sharing permissions"),
    ),
    "sharepoint": (
        ("Sites.Read.All", _BACKUP, "sites, lists and libraries"),
        ("Sites.ReadWrite.All", _RESTORE, "files, list rows and pages"),
        ("Sites.Manage.All", _RESTORE, "new lists and libraries"),
        ("Sites.FullControl.All", _RESTORE, "sharing permissions"),
    ),
    "teams": (
        ("Group.Read.All", _BACKUP, "finding the teams"),
        ("Channel.ReadBasic.All", _BACKUP, "channels"),
        ("TeamSettings.Read.All", _PART, "team settings"),
        ("ChannelSettings.Read.All", _PART, "channel settings"),
        ("TeamMember.Read.All", _PART, "members of teams"),
        ("ChannelMember.Read.All", _PART, "members of private and shared channels"),
        ("ChannelMessage.Read.All", _PART, "posts and replies"),
        ("TeamsTab.Read.All", _PART, "tabs"),
        ("Files.Read.All", _PART, "files of channels"),
        ("Team.Create", _RESTORE, "whole teams"),
        ("Channel.Create", _RESTORE, "channels"),
        ("TeamMember.ReadWrite.All", _RESTORE, "members of teams"),
        ("ChannelMember.ReadWrite.All", _RESTORE, "members of private and shared channels"),
        ("TeamsTab.ReadWrite.All", _RESTORE, "tabs"),
        ("Teamwork.Migrate.All", _RESTORE, "posts and replies"),
        ("Files.ReadWrite.All", _RESTORE, "files of channels"),
    ),
}
SERVICES = tuple(_TABLE)

# Permissions that hold others.
_HELD_BY: Mapping[str, frozenset[str]] = {
    "User.Read.All": frozenset({"Directory.Read.All"}),
    "GroupMember.Read.All": frozenset({"Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"}),
    "Group.Read.All": frozenset({"Group.ReadWrite.All", "Directory.Read.All"}),
    "Organization.Read.All": frozenset({"Directory.Read.All"}),
    "Mail.Read": frozenset({"Mail.ReadWrite"}),
    "Calendars.Read": frozenset({"Calendars.ReadWrite"}),
    "Contacts.Read": frozenset({"Contacts.ReadWrite"}),
    "Tasks.Read.All": frozenset({"Tasks.ReadWrite.All"}),
    "MailboxSettings.Read": frozenset({"MailboxSettings.ReadWrite"}),
    "MailboxFolder.Read.All": frozenset({"MailboxFolder.ReadWrite.All"}),
    "MailboxItem.Read.All": frozenset({"MailboxItem.ReadWrite.All", "MailboxItem.ImportExport.All"}),
    "MailboxItem.Export.All": frozenset({"MailboxItem.ImportExport.All"}),
    "Files.Read.All": frozenset(
        {"Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"}
    ),
    "Files.ReadWrite.All": frozenset({"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"}),
    "Sites.Read.All": frozenset({"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"}),
    "Sites.ReadWrite.All": frozenset({"Sites.Manage.All", "Sites.FullControl.All"}),
    "Sites.Manage.All": frozenset({"Sites.FullControl.All"}),
    "TeamMember.Read.All": frozenset({"TeamMember.ReadWrite.All"}),
    "ChannelMember.Read.All": frozenset({"ChannelMember.ReadWrite.All"}),
    "TeamsTab.Read.All": frozenset({"TeamsTab.ReadWrite.All"}),
}


def permissions_of(service: str) -> tuple[Permission, ...]:
    """Everything that backup and restore of a service can use."""
    return tuple(Permission(name, service, weight, text) for name, weight, text in _TABLE[service])


def wanted(services: Iterable[str], *, restore: bool) -> tuple[str, ...]:
    """The least permissions that back these services up as a whole; with `restore` those that write back too."""
    known = [each for service in services for each in permissions_of(service)]
    return tuple(dict.fromkeys(each.name for each in known if restore or each.weight is not Weight.RESTORE))


def is_granted(name: str, roles: Collection[str]) -> bool:
    """Whether the roles hold the permission, by itself or within a greater one."""
    return name in roles or not _HELD_BY.get(name, frozenset()).isdisjoint(roles)


def impossible(services: Iterable[str], roles: Collection[str]) -> tuple[str, ...]:
    """The services of which nothing can be backed up with these roles."""
    return tuple(
        service
        for service in services
        if any(each.weight is Weight.BACKUP and not is_granted(each.name, roles) for each in permissions_of(service))
    )
