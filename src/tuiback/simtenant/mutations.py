"""Lets time pass in the company: people write, file, delete, rename, edit, share and meet, as the seed has it."""

import random
from collections.abc import Callable, Collection
from datetime import datetime

from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.content.prose import paragraph, subject
from tuiback.simtenant.content.sources import HeldSource
from tuiback.simtenant.content.written import WrittenMail
from tuiback.simtenant.day import Day
from tuiback.simtenant.outlook_changes import OUTLOOK_KINDS
from tuiback.simtenant.people_changes import PEOPLE_KINDS
from tuiback.simtenant.shared_changes import SITE_KINDS, TEAM_KINDS
from tuiback.simtenant.state.drive import ROOT_NODE, NameTaken, Node
from tuiback.simtenant.state.grants import Grant
from tuiback.simtenant.state.mailbox import DELETED, INBOX, SENT, WELL_KNOWN, Message
from tuiback.simtenant.state.rewriting import written_copy

# A conversation is looked for among so many messages of a folder.
_LOOKED_THROUGH = 300


def mutate(
    cloud: Cloud, changes: int, seed: int, *, people: bool = False, also: Collection[str] = ()
) -> dict[str, int]:
    """Make `changes` changes; the same seed makes the same ones. Gives how many of each kind were made.

    With `people` some come, leave, come back, are renamed, and change their groups or lose their licence. `also` names
    further parts of the tenant where something happens; see FURTHER_KINDS.
    """
    day = new_day(cloud, seed)
    made: dict[str, int] = {}
    while sum(made.values()) < changes:
        name = change(day, people=people, also=also)
        if name is not None:
            made[name] = made.get(name, 0) + 1
        elif day.number > changes * 20:
            break
    return made


def new_day(cloud: Cloud, seed: int) -> Day:
    """The beginning of a sequence of changes."""
    return Day(cloud, random.Random(f"{cloud.plan.seed} {seed}"))


def change(day: Day, *, people: bool = False, also: Collection[str] = ()) -> str | None:
    """Try one change. Gives its kind, or None where what was drawn can't be done."""
    day.number += 1
    kinds = [*_MAIL_KINDS, *_FILE_KINDS, *(PEOPLE_KINDS if people else ())]
    for part in also:
        kinds += FURTHER_KINDS[part]
    name, do = day.luck.choice(kinds)
    return name if do(day) else None


def _send(day: Day) -> bool:
    author, reader = day.person(), day.person()
    title = subject(day.cloud.tenant.chance, author.language, "mutation", day.luck.random().hex())
    _deliver(day, author, reader, {"subject": title})
    return True


def _answer(day: Day) -> bool:
    author = day.person()
    asked = day.message(day.cloud.tenant.mailbox(author))
    if asked is None or asked.mail.head.author is None:
        return False
    head = asked.mail.head
    reader = day.cloud.tenant.directory.find_person(head.author.address if head.author else "") or day.person()
    title = f"{author.language.reply}: {head.subject}"
    _deliver(day, author, reader, {"subject": title}, head.message_id)
    return True


def _deliver(day: Day, author: Person, reader: Person, properties: dict[str, object], answers: str = "") -> None:
    """One letter into the author's Sent Items and the reader's Inbox."""
    mark = day.luck.randbytes(12).hex()
    text = paragraph(day.cloud.tenant.chance, author.language, day.luck.randrange(200, 6000), "mutation", mark)
    properties = properties | {
        "from": _person(author),
        "toRecipients": [_person(reader)],
        "internetMessageId": f"<{mark}@northwind.example>",
        "body": {"contentType": "text", "content": text},
    }
    now = day.now
    for person, folder in ((author, SENT), (reader, INBOX)):
        mail = WrittenMail(dict(properties), now, now, answers=answers)
        day.cloud.tenant.mailbox(person).add(_maker(folder, mail, now, is_read=folder == SENT))


def _maker(folder: int, mail: WrittenMail, now: datetime, *, is_read: bool) -> Callable[[int], Message]:
    return lambda serial: Message(serial, folder, mail, now, now, is_draft=False, is_read=is_read)


def _person(person: Person) -> dict[str, dict[str, str]]:
    return {"emailAddress": {"name": person.name, "address": person.address}}


def _move_message(day: Day) -> bool:
    mailbox = day.cloud.tenant.mailbox(day.person())
    message = day.message(mailbox)
    targets = [each.serial for each in mailbox.folders.values() if each.parent is not None and not each.hidden]
    target = day.luck.choice(targets)
    if message is None or message.folder == target:
        return False
    mailbox.move(message, target, day.now)
    return True


def _move_conversation(day: Day) -> bool:
    """File all of a conversation that lies in one folder into another folder."""
    mailbox = day.cloud.tenant.mailbox(day.person())
    first = day.message(mailbox)
    targets = [each.serial for each in mailbox.folders.values() if each.parent is not None and not each.hidden]
    target = day.luck.choice(targets)
    if first is None or first.folder == target:
        return False
    conversation = first.mail.head.conversation
    nearby = (mailbox.find(serial) for serial in mailbox.serials(first.folder)[:_LOOKED_THROUGH])
    together = [each for each in nearby if each is not None and each.mail.head.conversation == conversation]
    for message in together or [first]:
        mailbox.move(message, target, day.now)
    return True


def _rename_mail_folder(day: Day) -> bool:
    mailbox = day.cloud.tenant.mailbox(day.person())
    own = [folder for folder in mailbox.folders.values() if folder.serial not in WELL_KNOWN.values()]
    if not own:
        return False
    folder = day.luck.choice(own)
    folder.name = f"{folder.name} ({day.luck.randbytes(2).hex()})"
    mailbox.touch_folder(folder)
    return True


def _delete_message(day: Day) -> bool:
    mailbox = day.cloud.tenant.mailbox(day.person())
    message = day.message(mailbox)
    if message is None:
        return False
    if day.luck.random() < 0.5:
        mailbox.move(message, DELETED, day.now)
    else:
        mailbox.delete(message)
    return True


def _edit_message(day: Day) -> bool:
    mailbox = day.cloud.tenant.mailbox(day.person())
    message = day.message(mailbox)
    if message is None:
        return False
    if message.is_draft:
        mail = written_copy(message)
        mail.properties["subject"] = f"{message.mail.head.subject} ({day.luck.randrange(1000)})"
        message.mail = mail
    else:
        message.is_read = not message.is_read
        message.properties["categories"] = [day.luck.choice(["Red category", "Blue category", "Project"])]
    mailbox.touch(message, day.now)
    return True


def _share_file(day: Day) -> bool:
    """Let somebody else see a file, or take that back."""
    person, other = day.person(), day.person()
    node = day.file(person)
    if node is None or other is person:
        return False
    if node.grants and day.luck.random() < 0.5:
        node.grants.pop()
    else:
        node.grants.append(Grant(day.luck.randbytes(24).hex(), "read", day.now, person=other.index))
    day.cloud.tenant.drive(person).share(node)
    return True


def _edit_file(day: Day) -> bool:
    person = day.person()
    node = day.file(person)
    if node is None or node.source is None:
        return False
    content = bytearray(b"".join(node.source.pieces(0, node.source.size)))
    place = day.luck.randrange(len(content) + 1)
    content[place:place] = day.luck.randbytes(day.luck.randrange(1, 4000))
    day.cloud.tenant.drive(person).write(node, HeldSource(bytes(content)), day.now)
    return True


def _add_file(day: Day) -> bool:
    person = day.person()
    drive = day.cloud.tenant.drive(person)
    folders = [node for node in drive.nodes.values() if node.is_folder and not node.package]
    content = day.luck.randbytes(day.luck.randrange(100, 200_000))
    name = f"{day.luck.choice(person.language.files)} {day.luck.randbytes(4).hex()}.pdf"
    try:
        drive.add(day.luck.choice(folders), name, HeldSource(content), day.now, day.now)
    except NameTaken:  # by the same draw of an earlier mutation
        return False
    return True


def _rename_file(day: Day) -> bool:
    person = day.person()
    node = day.file(person)
    if node is None or node.parent is None:
        return False
    stem, dot, ending = node.name.rpartition(".")
    name = f"{stem or ending} ({day.luck.randrange(1000)}){dot if stem else ''}{ending if stem else ''}"
    return _place(day, person, node, node.parent, name)


def _move_file(day: Day) -> bool:
    person = day.person()
    node = day.file(person)
    drive = day.cloud.tenant.drive(person)
    folders = [each.serial for each in drive.nodes.values() if each.is_folder and not each.package]
    target = day.luck.choice(folders)
    return node is not None and node.parent != target and _place(day, person, node, target, node.name)


def _place(day: Day, person: Person, node: Node, parent: int, name: str) -> bool:
    try:
        day.cloud.tenant.drive(person).place(node, parent, name)
    except NameTaken:
        return False
    return True


def _rename_folder(day: Day) -> bool:
    person = day.person()
    drive = day.cloud.tenant.drive(person)
    folders = [node for node in drive.nodes.values() if node.is_folder and node.parent is not None and not node.package]
    if not folders:
        return False
    node = day.luck.choice(folders)
    return _place(day, person, node, node.parent or ROOT_NODE, f"{node.name} ({day.luck.randbytes(2).hex()})")


def _delete_file(day: Day) -> bool:
    person = day.person()
    node = day.file(person)
    if node is None:
        return False
    day.cloud.tenant.drive(person).delete(node)
    return True


_MAIL_KINDS: tuple[tuple[str, Callable[[Day], bool]], ...] = (
    ("send", _send), ("answer", _answer), ("move_message", _move_message), ("delete_message", _delete_message),
    ("edit_message", _edit_message), ("move_conversation", _move_conversation),
    ("rename_mail_folder", _rename_mail_folder),
)  # fmt: skip
_FILE_KINDS: tuple[tuple[str, Callable[[Day], bool]], ...] = (
    ("edit_file", _edit_file), ("add_file", _add_file), ("rename_file", _rename_file), ("move_file", _move_file),
    ("delete_file", _delete_file), ("rename_folder", _rename_folder), ("share_file", _share_file),
)  # fmt: skip
# What happens only where it is asked for, so that the same seed goes on making the same changes elsewhere.
FURTHER_KINDS: dict[str, tuple[tuple[str, Callable[[Day], bool]], ...]] = {
    "outlook": OUTLOOK_KINDS, "teams": TEAM_KINDS, "sites": SITE_KINDS,
}  # fmt: skip
