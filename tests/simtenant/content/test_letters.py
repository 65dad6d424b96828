"""Generated mail looks like the mail of a company, by the figures and in its bytes."""

import unicodedata
from base64 import encodebytes
from collections import Counter, defaultdict
from email import message_from_bytes
from email.policy import default

import pytest

from tuiback.simtenant.content.chance import Chance
from tuiback.simtenant.content.company import Company
from tuiback.simtenant.content.correspondence import Kind, LetterKey, draw_pattern
from tuiback.simtenant.content.letters import Letter, Letters, encoded_bytes, encoded_part
from tuiback.simtenant.content.mail import Attachment

PEOPLE, MESSAGES = 10, 120


def office(seed: int) -> Letters:
    """The mail of a small company."""
    chance = Chance(seed)
    return Letters(chance, Company(chance, PEOPLE), draw_pattern(seed, PEOPLE, MESSAGES))


@pytest.fixture(scope="module")
def letters() -> Letters:
    """One company for all tests here."""
    return office(1)


def mailboxes(letters: Letters) -> list[tuple[int, Letter]]:
    """Every message as (owner, letter)."""
    return [
        (person, letters.letter(letters.pattern.letter_at(person, place)[0]))
        for person in range(PEOPLE)
        for place in range(MESSAGES)
    ]


def test_sizes_are_log_normal(letters: Letters) -> None:
    """The median message is of 10 to 60 KB, and one in a hundred has more than 2 MB of attachments."""
    sizes = sorted(
        sum(each.size for each in letter.attachments) * 4 // 3 + len(letter.body.content.encode()) * 2
        for _, letter in mailboxes(letters)
    )
    assert 10_000 < sizes[len(sizes) // 2] < 60_000
    assert sizes[int(len(sizes) * 0.99)] > 2_000_000


def test_attachments_circulate(letters: Letters) -> None:
    """At least 15 % of the different attachments, by content, lie in three or more mailboxes."""
    holders: dict[bytes, set[int]] = defaultdict(set)
    for owner, letter in mailboxes(letters):
        for each in letter.attachments:
            if each.size < 60_000:
                holders[each.read()].add(owner)
    assert sum(len(found) >= 3 for found in holders.values()) >= 0.15 * len(holders)
    assert len(holders) > 30


def test_people_write_in_many_scripts(letters: Letters) -> None:
    """Subjects and bodies are in Latin and at least three other scripts."""
    scripts: Counter[str] = Counter()
    for _, letter in mailboxes(letters):
        text = letter.head.subject + letter.body.preview
        scripts.update({unicodedata.name(each, "?").split()[0] for each in text if each.isalpha()})
    assert {"LATIN", "CYRILLIC", "GREEK", "CJK", "ARABIC"} <= {name for name, count in scripts.items() if count >= 10}


def test_mime_is_well_formed_and_tells_the_same(letters: Letters) -> None:
    """A strict parser finds no defect and reads the same subject, text and attachments."""
    sample = [letter for _, letter in mailboxes(letters) if sum(a.size for a in letter.attachments) < 500_000][::9]
    assert len(sample) > 50
    for letter in sample:
        raw = letter.mime()
        assert b"\n" not in raw.replace(b"\r\n", b"")
        parsed = message_from_bytes(raw, policy=default)
        assert not [part.defects for part in parsed.walk() if part.defects]
        assert parsed["subject"] == letter.head.subject
        assert parsed["message-id"] == letter.head.message_id
        files = list(parsed.iter_attachments()) if parsed.is_multipart() else []
        assert [(part.get_filename(), part.get_content()) for part in files if part.get_filename()] == [
            (each.name, each.read() if not each.content_type.startswith("text/") else each.read().decode())
            for each in letter.attachments
        ]


def test_answers_name_a_message_of_the_tenant(letters: Letters) -> None:
    """In-Reply-To and References name Message-IDs that exist, and no answer is older than its question."""
    known = {letter.head.message_id: letter for _, letter in mailboxes(letters)}
    answers = 0
    for letter in known.values():
        headers = dict(letter.headers)
        if "In-Reply-To" in headers:
            answers += 1
            asked = known[headers["In-Reply-To"]]
            assert asked.head.sent <= letter.head.sent
            assert all(each in known for each in headers["References"].split())
            assert asked.head.conversation == letter.head.conversation
    assert answers > 0.4 * len(known)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two companies of one seed are equal letter by letter; another seed's differs."""
    keys = [LetterKey(Kind.INSIDE, 2, turn) for turn in range(8)]
    first, second, other = ([office(seed).letter(key).mime() for key in keys] for seed in (5, 5, 6))
    assert first == second
    assert first != other


def test_size_is_told_without_the_bytes(letters: Letters) -> None:
    """A message's size is the length of its MIME, for any message."""
    for _, letter in mailboxes(letters)[::7]:
        assert letter.size == len(letter.mime())


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 114, 1000])
def test_attachments_are_lines_of_base64(size: int) -> None:
    """An attachment of any size is encoded in lines of 76 characters, as the email package does."""
    content = bytes(range(256)) * 4
    attachment = Attachment("a.bin", "application/octet-stream", size, lambda: content[:size])
    encoded = encoded_part(attachment)
    head, _, lines = encoded.partition(b"\r\n\r\n")
    assert lines == encodebytes(content[:size]).replace(b"\n", b"\r\n")
    assert len(encoded) == len(head) + 2 + encoded_bytes(size)
