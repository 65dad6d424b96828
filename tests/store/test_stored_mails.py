"""Mails put into a repository come back, and what is attached to many of them lies there once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor

import pytest
from msgspec.structs import replace

from tests.store.doubles import DictIndex, body, version
from tests.store.mails import attachment, forwarded, letter, multipart, plain
from tests.store.test_writer import content, stream
from tuiback.errors import Damage, FormatTooNew
from tuiback.model import PackTable, StoredPart
from tuiback.store import Reader, Repository, Writer
from tuiback.store.check import check
from tuiback.store.chunker import WHOLE_PART_BYTES
from tuiback.store.gathering import GATHERED_BYTES_MAX


@pytest.fixture
def index() -> DictIndex:
    """An index that knows nothing yet."""
    return DictIndex()


@pytest.fixture
def writer(repository: Repository, index: DictIndex, executor: Executor) -> Writer:
    """A writer with packs of 1 MiB."""
    return Writer(repository, index, executor, pack_bytes=1 << 20)


async def put_mails(writer: Writer, mails: Sequence[bytes | AsyncIterator[bytes]]) -> list[StoredPart]:
    """Put each mail for another account, all at once."""
    return list(
        await asyncio.gather(
            *(writer.put(f"mailbox:{number}", "message", "mime", mail) for number, mail in enumerate(mails))
        )
    )


def stored_bytes(tables: Sequence[PackTable]) -> int:
    """How large these packs are."""
    return sum(table.stored_bytes for table in tables)


@pytest.mark.parametrize("size", [2000, WHOLE_PART_BYTES, WHOLE_PART_BYTES + 1, 1_500_000])
async def test_attachment_of_many_mails_and_a_file_lies_there_once(
    repository: Repository, writer: Writer, index: DictIndex, size: int
) -> None:
    """Fifty people got it and somebody keeps it in a drive: its bytes are stored once, and all of it comes back."""
    data = content(1, size)
    file = await writer.put("drive:ann", "file", "file", stream(data[:1000], data[1000:]))
    first = await writer.flush()
    index.take(first)
    writer.committed(first)
    mails = [letter(number, data) for number in range(50)]
    parts = await put_mails(writer, [stream(mail[:700], mail[700:]) for mail in mails])
    rest = await writer.flush()
    index.take(rest)
    assert stored_bytes(first) >= size
    assert stored_bytes(rest) < 50 * 1000
    assert {part.form for part in parts} == {"mime"}
    assert all(part.chunks[1:] == file.chunks for part in parts)
    assert [part.size for part in parts] == [len(mail) for mail in mails]
    assert [Reader(repository, index).read_all(part) for part in parts] == mails


async def test_mails_put_at_once_share_their_attachment(writer: Writer) -> None:
    """Also while none of them is stored yet."""
    mails = [letter(number, content(1, size)) for size in (20_000, 600_000) for number in range(30)]
    await put_mails(writer, mails)
    tables = await writer.flush()
    ids = [entry.chunk_id for table in tables for entry in table.entries]
    assert len(ids) == len(set(ids))
    assert stored_bytes(tables) < 620_000 + 60 * 1000


async def test_nested_mails_of_all_sizes_come_back(repository: Repository, writer: Writer, index: DictIndex) -> None:
    """Forwarded mails, several attachments, large and small, with and without anything to take apart."""
    small, large = content(1, 9000), content(2, 700_000)
    mails = [
        plain(),
        plain(content(3, 200_000)),
        letter(1, small, large, small),
        multipart(forwarded(letter(2, large)), attachment(small), boundary=b"outer"),
        letter(3, *(content(number, 30_000) for number in range(20))),
        letter(4, content(4, 7_000_000)),
        letter(5, small)[:-20],
        b"",
    ]
    parts = await put_mails(writer, mails)
    again = await put_mails(writer, [stream(mail[: len(mail) // 2], mail[len(mail) // 2 :]) for mail in mails])
    index.take(await writer.flush())
    assert again == parts
    assert [part.form for part in parts] == ["", "mime", "mime", "mime", "mime", "mime", "mime", ""]
    reader = Reader(repository, index)
    assert [reader.read_all(part) for part in parts] == mails


async def test_reading_does_not_hold_the_mail(repository: Repository, writer: Writer, index: DictIndex) -> None:
    """A large attachment comes in pieces."""
    mail = letter(1, content(1, 6_000_000))
    part = await writer.put("mailbox:a", "message", "mime", mail)
    index.take(await writer.flush())
    pieces = list(Reader(repository, index).read(part))
    assert max(map(len, pieces)) < 300_000
    assert b"".join(pieces) == mail


async def test_mail_too_large_to_gather_is_kept_whole(
    repository: Repository, writer: Writer, index: DictIndex
) -> None:
    """It is cut like a file while it comes, and read back the same way."""
    mail = letter(1, bytes(GATHERED_BYTES_MAX // 4 * 3))
    part = await writer.put("mailbox:a", "message", "mime", stream(mail[:5_000_000], mail[5_000_000:], b"more"))
    index.take(await writer.flush())
    assert (part.form, part.size) == ("", len(mail) + 4)
    assert Reader(repository, index).read_all(part) == mail + b"more"


@pytest.mark.parametrize("wrong", ["order", "recipe", "missing", "digest", "size", "other"])
async def test_mail_that_does_not_come_back_is_damage(
    repository: Repository, writer: Writer, index: DictIndex, wrong: str
) -> None:
    """Pieces exchanged, lost or of another mail, no recipe, another digest or size."""
    part = await writer.put("mailbox:a", "message", "mime", letter(1, content(1, 5000), content(2, 5000)))
    other = await writer.put("mailbox:a", "message", "mime", letter(2, content(3, 5000)))
    index.take(await writer.flush())
    recipe, first, second = part.chunks
    broken = {
        "order": replace(part, chunks=(recipe, second, first)),
        "recipe": replace(part, chunks=(first, second)),
        "missing": replace(part, chunks=(recipe, first)),
        "digest": replace(part, digest=bytes(32)),
        "size": replace(part, size=part.size - 1),
        "other": replace(part, chunks=(recipe, first, other.chunks[1])),
    }[wrong]
    with pytest.raises(Damage, match="part mime"):
        Reader(repository, index).read_all(broken)


async def test_unknown_form_is_refused_by_its_reader_and_named_by_check(
    repository: Repository, writer: Writer, index: DictIndex
) -> None:
    """A form of a later version is neither guessed at nor passed over."""
    part = replace(await writer.put("mailbox:a", "message", "mime", letter(1, content(1, 5000))), form="zip")
    tables = await writer.flush()
    index.take(tables)
    with pytest.raises(FormatTooNew, match="part mime: it is stored in form 'zip'"):
        next(Reader(repository, index).read(part))
    repository.append("nas", None, [table.pack_id for table in tables], body(version("m1", part)))
    findings = check(repository, read_data=True).damaged
    assert [finding.name for finding in findings] == ["mailbox:ann m1"]
    assert "form 'zip'" in findings[0].what


async def test_check_finds_a_mail_whose_attachment_is_lost(
    repository: Repository, writer: Writer, index: DictIndex
) -> None:
    """Every piece counts, not the recipe alone; with all of them there nothing is found."""
    lost = await writer.put("mailbox:a", "message", "mime", letter(1, content(1, 400_000)))
    tables = await writer.flush()
    head = repository.append("nas", None, [table.pack_id for table in tables], body(version("m1", lost))).head
    assert check(repository, read_data=True).ok
    gone = replace(lost, chunks=(*lost.chunks[:-1], bytes(32)))
    repository.append("nas", head, [], body(version("m2", gone)))
    assert [finding.name for finding in check(repository, read_data=False).damaged] == ["mailbox:ann m2"]


async def test_breaking_stream_is_the_callers_error(writer: Writer) -> None:
    """What the source raises in mid-mail comes out of put, however large the mail is, and the next mails get in."""

    async def torn(size: int) -> AsyncIterator[bytes]:
        yield content(1, size)
        raise ConnectionResetError

    for size in (1000, 5_000_000, 5_000_000, 5_000_000):
        with pytest.raises(ConnectionResetError):
            await writer.put("mailbox:a", "message", "mime", torn(size))
    part = await writer.put("mailbox:a", "message", "mime", stream(letter(1, content(1, 5_000_000))))
    assert part.form == "mime"
