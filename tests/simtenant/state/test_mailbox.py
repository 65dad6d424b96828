"""A mailbox keeps what was generated and what was written apart, and tells every change once."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tuiback.simtenant.content.parsed import ParsedMail
from tuiback.simtenant.state.mailbox import FIRST_WRITTEN, INBOX, ROOT, SENT, Folder, Mailbox, Message

NOW = datetime(2026, 5, 5, tzinfo=UTC)


def message(serial: int, folder: int) -> Message:
    """Some message."""
    mail = ParsedMail(lambda: b"Subject: x\r\n\r\n", NOW)
    return Message(serial, folder, mail, NOW, NOW, is_draft=False, is_read=True)


class Five:
    """Messages 0 to 4 in the Inbox."""

    def folders(self) -> list[Folder]:
        return [Folder(ROOT, None, "root"), Folder(INBOX, ROOT, "Inbox"), Folder(SENT, ROOT, "Sent")]

    def places(self) -> dict[int, Sequence[int]]:
        return {INBOX: range(5)}

    def message(self, serial: int) -> Message | None:
        return message(serial, INBOX) if serial < 5 else None

    def is_read(self, _serial: int) -> bool:
        return True


@pytest.fixture
def mailbox() -> Mailbox:
    """A mailbox of five messages."""
    return Mailbox(0, Five())


def got(mailbox: Mailbox, serial: int) -> Message:
    """The message that must exist."""
    found = mailbox.find(serial)
    assert found is not None
    return found


def test_untouched_is_as_generated(mailbox: Mailbox) -> None:
    """Nothing is held in memory before something is written."""
    assert not mailbox.is_changed
    assert mailbox.serials(INBOX) == [0, 1, 2, 3, 4]
    assert mailbox.count(SENT) == 0


def test_move_there_and_back(mailbox: Mailbox) -> None:
    """A message that comes back lies where it was, but counts two moves."""
    mailbox.move(got(mailbox, 2), SENT, NOW)
    assert (mailbox.serials(INBOX), mailbox.serials(SENT)) == ([0, 1, 3, 4], [2])
    assert (mailbox.count(INBOX), mailbox.count(SENT)) == (4, 1)
    mailbox.move(got(mailbox, 2), INBOX, NOW)
    assert (mailbox.serials(INBOX), mailbox.serials(SENT)) == ([0, 1, 2, 3, 4], [])
    assert (got(mailbox, 2).moves, mailbox.count(INBOX)) == (2, 5)


def test_deleted_is_gone_for_good(mailbox: Mailbox) -> None:
    """A deleted message is neither found nor listed, also after a move."""
    mailbox.move(got(mailbox, 1), SENT, NOW)
    mailbox.delete(got(mailbox, 1))
    mailbox.delete(got(mailbox, 3))
    assert mailbox.find(1) is None
    assert (mailbox.serials(INBOX), mailbox.serials(SENT)) == ([0, 2, 4], [])
    assert (mailbox.count(INBOX), mailbox.count(SENT)) == (3, 0)


def test_new_messages_get_serials_of_their_own(mailbox: Mailbox) -> None:
    """Written messages never take the serial of a generated one."""
    made = mailbox.add(lambda serial: message(serial, INBOX))
    assert made.serial == FIRST_WRITTEN
    assert mailbox.serials(INBOX) == [0, 1, 2, 3, 4, FIRST_WRITTEN]


def test_the_log_names_both_folders_of_a_move(mailbox: Mailbox) -> None:
    """A move is a change in the folder it leaves, under the old count of moves, and in the one it reaches."""
    mailbox.move(got(mailbox, 0), SENT, NOW)
    changes = [(each.container, each.serial, each.moves) for each in mailbox.message_changes.between(0, 99)]
    assert changes == [(INBOX, 0, 0), (SENT, 0, 1)]


def test_deleting_a_folder_takes_everything_in_it(mailbox: Mailbox) -> None:
    """Subfolders and messages go with the folder."""
    top = mailbox.add_folder(ROOT, "top", hidden=False)
    below = mailbox.add_folder(top.serial, "below", hidden=False)
    mailbox.move(got(mailbox, 4), below.serial, NOW)
    mailbox.delete_folder(top)
    assert below.serial not in mailbox.folders
    assert mailbox.find(4) is None


def test_unread_messages_are_counted_as_they_change(mailbox: Mailbox) -> None:
    """What was generated and what was touched since are counted alike."""
    assert mailbox.unread_count(INBOX) == 0
    one = got(mailbox, 1)
    one.is_read = False
    mailbox.touch(one, NOW)
    assert mailbox.unread_count(INBOX) == 1
    mailbox.move(one, SENT, NOW)
    assert (mailbox.unread_count(INBOX), mailbox.unread_count(SENT)) == (0, 1)
