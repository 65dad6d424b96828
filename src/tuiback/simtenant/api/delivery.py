"""Brings letters to the mailboxes of those they are for, where rules sort them in."""

from dataclasses import replace
from datetime import datetime

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.mail import Address, Mail
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.mailbox import DELETED, INBOX, Mailbox, Message
from tuiback.simtenant.state.preferences import Verdict


def deliver(cloud: Cloud, mail: Mail, now: datetime) -> None:
    """Put a letter into the mailbox of each recipient in the company; what goes elsewhere is out of sight."""
    head = mail.head
    seen = {}
    for each in (*head.to, *head.cc, *head.bcc):
        account = _find_receiver(cloud, each)
        if account is not None:
            seen[account.index] = account
    for account in seen.values():
        arrive(cloud, account.person, _without_bcc(mail), now)


def arrive(cloud: Cloud, person: Person, mail: Mail, now: datetime) -> None:
    """Put a letter where the rules of somebody's mailbox want it."""
    mailbox = cloud.tenant.mailbox(person)
    verdict = cloud.tenant.outlook.preferences(person).verdict(mail)
    folder = DELETED if verdict.is_deleted else _folder(cloud, mailbox, verdict)
    properties = {"categories": list(verdict.categories)} if verdict.categories else {}
    mailbox.add(lambda serial: Message(
        serial, folder, mail, now, now, is_draft=False, is_read=verdict.is_read, properties=properties
    ))  # fmt: skip


def _find_receiver(cloud: Cloud, address: Address) -> Account | None:
    """Who has a mailbox behind an address, be it a former one."""
    directory, wanted = cloud.tenant.directory, address.address.lower()
    account = directory.find(wanted) or next(
        (each for each in directory.users() if wanted in each.former_addresses), None
    )
    return account if account is not None and account.has_mailbox else None


def _folder(cloud: Cloud, mailbox: Mailbox, verdict: Verdict) -> int:
    """Where the rules put it; a folder that is no longer there is none."""
    if isinstance(verdict.folder, str):
        reference = cloud.tenant.ids.find(verdict.folder)
        is_here = reference is not None and (reference.kind, reference.owner) == ("folder", mailbox.owner)
        serial = reference.serial if reference is not None and is_here else INBOX
    else:
        serial = verdict.folder or INBOX
    return serial if serial in mailbox.folders else INBOX


def _without_bcc(mail: Mail) -> Mail:
    if not isinstance(mail, WrittenMail) or not mail.head.bcc:
        return mail
    return replace(mail, properties=mail.properties | {"bccRecipients": []})
