"""Open alerts and undelivered messages last over restarts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tuiback.catalog import AlertBook, AlertRow
from tuiback.errors import NoSuchThing

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FAILED = AlertRow("failed:mail", "critical", NOW, "mail", "it failed", "look", "1")
LOW = AlertRow("low:main", "critical", NOW + timedelta(hours=1), "main", "low", "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the book lies."""
    return tmp_path / "alerts.db"


@pytest.fixture
def book(path: Path) -> Iterator[AlertBook]:
    """A new book."""
    book = AlertBook.open(path)
    yield book
    book.close()


def test_a_change_and_its_messages_are_one(book: AlertBook, path: Path) -> None:
    """After a restart the same is open, and the same is to be told, each channel in the order it came."""
    book.change([LOW, FAILED], [], [], {"hook": [b"1", b"2"], "mail": [b"1"]}, NOW)
    book.change([], [], ["low:main"], {"hook": [b"3"]}, NOW + timedelta(hours=2))
    again = AlertBook.open(path)
    assert again.alerts() == (FAILED,)
    told = [(message.channel, message.payload) for message in again.messages()]
    assert told == [("hook", b"1"), ("hook", b"2"), ("mail", b"1"), ("hook", b"3")]
    again.close()


def test_what_is_acknowledged_stays_so_until_it_opens_again(book: AlertBook) -> None:
    """Other words change nothing of that; what is not open can't be acknowledged."""
    book.change([FAILED], [], [], {}, NOW)
    book.ack("failed:mail", NOW, "eve", "I know")
    book.change([], [replace(FAILED, text="it failed twice", severity="warning")], [], {}, NOW)
    (row,) = book.alerts()
    assert (row.text, row.severity, row.acked_by, row.acked_at, row.ack_reason) == (
        "it failed twice", "warning", "eve", NOW, "I know",
    )  # fmt: skip
    book.change([FAILED], [], [], {}, NOW)
    assert book.alerts() == (FAILED,)
    with pytest.raises(NoSuchThing, match="no such alert"):
        book.ack("low:main", NOW, "eve", "")


def test_messages_leave_when_delivered_or_unwanted(book: AlertBook) -> None:
    """A failed try is counted and put off; channels that are no more are told nothing."""
    book.queue({"hook": [b"1"], "mail": [b"2"], "old": [b"3"]}, NOW)
    first, second, _ = book.messages()
    book.postpone(first.number, NOW + timedelta(minutes=1))
    book.delivered(second.number)
    book.forget_channels(["hook", "mail"])
    (left,) = book.messages()
    assert left == replace(first, tries=1, due_at=NOW + timedelta(minutes=1))
    book.forget_channels([])
    assert book.messages() == ()


def test_a_digest_is_made_once(book: AlertBook) -> None:
    """The moment it was made for is remembered together with the message."""
    assert book.digest_at("mail") is None
    book.queue_digest("mail", NOW, None, NOW)
    book.queue_digest("mail", NOW + timedelta(days=1), b"digest", NOW)
    assert book.digest_at("mail") == NOW + timedelta(days=1)
    assert [message.payload for message in book.messages()] == [b"digest"]


def test_reported_conditions_stand_until_withdrawn(book: AlertBook) -> None:
    """Reported again, they keep since when they are known."""
    book.report(FAILED)
    book.report(replace(FAILED, since=NOW + timedelta(days=1), text="worse", news="2"))
    assert book.reported() == (replace(FAILED, text="worse", news="2"),)
    book.withdraw("failed:mail")
    book.withdraw("failed:mail")
    assert book.reported() == ()
