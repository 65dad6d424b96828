"""What the store saved is told apart: single instances, equal blocks, base64, compression."""

from concurrent.futures import Executor

import pytest

from tests.store.doubles import DictIndex
from tests.store.mails import base64_text, letter
from tests.store.test_writer import content
from tuiback.store import Repository, Savings, Writer
from tuiback.store.savings import SavingsTally


@pytest.fixture
def writer(repository: Repository, executor: Executor) -> Writer:
    """A writer whose index knows nothing."""
    return Writer(repository, DictIndex(), executor)


def adds_up(savings: Savings) -> bool:
    """Whether every byte that was put is accounted for once."""
    stored = savings.single_instance_bytes + savings.block_bytes + savings.new_bytes
    return savings.put_bytes - savings.decoded_bytes == stored


def test_pieces_known_in_part_are_blocks() -> None:
    """A piece that is known whole is a single instance; of one that is not, what is known is block saving."""
    tally = SavingsTally()
    tally.add_part(150)
    for known_bytes, new_bytes in ((30, 0), (20, 50), (0, 10), (10, 0)):
        tally.add_piece(known_bytes, new_bytes)
    assert tally.total(60, 40) == Savings(
        put_bytes=150, decoded_bytes=30, single_instance_bytes=40, block_bytes=20, new_bytes=60,
        sealed_plain_bytes=60, sealed_bytes=40,
    )  # fmt: skip


async def test_nothing_saved_at_first(writer: Writer) -> None:
    """New content that does not compress; all counters are told before anything is put."""
    assert writer.savings == Savings()
    await writer.put("drive:a", "file", "file", content(1, 500_000))
    await writer.put("drive:a", "file", "file", content(2, 5000))
    await writer.flush()
    savings = writer.savings
    assert (savings.put_bytes, savings.new_bytes, savings.sealed_plain_bytes) == (505_000, 505_000, 505_000)
    assert (savings.decoded_bytes, savings.single_instance_bytes, savings.block_bytes) == (0, 0, 0)
    assert savings.sealed_bytes >= 505_000


@pytest.mark.parametrize("size", [5000, 900_000])
async def test_same_attachment_is_a_single_instance(writer: Writer, size: int) -> None:
    """Nine of ten mails save it, and all ten what base64 added, less their recipes."""
    data = content(1, size)
    for number in range(10):
        await writer.put("mailbox:a", "message", "mime", letter(number, data))
    savings = writer.savings
    assert savings.single_instance_bytes == 9 * size
    assert 0 <= 10 * (len(base64_text(data)) - size) - savings.decoded_bytes < 10 * 64
    assert adds_up(savings)


async def test_changed_file_is_block_saving(writer: Writer) -> None:
    """A large file with bytes put in: what it shares with its former version is no single instance."""
    data = content(1, 8_000_000)
    await writer.put("drive:a", "file", "file", data)
    await writer.put("drive:a", "file", "file", data[:4_000_000] + b"new" + data[4_000_000:])
    savings = writer.savings
    assert savings.single_instance_bytes == 0
    assert savings.block_bytes > 5_000_000
    assert adds_up(savings)


async def test_compression_is_what_sealing_saves(writer: Writer) -> None:
    """Text shrinks only when it is sealed."""
    await writer.put("mailbox:a", "message", "properties", b"All the same. " * 5000)
    assert writer.savings.sealed_plain_bytes == 0
    await writer.flush()
    savings = writer.savings
    assert savings.sealed_plain_bytes == savings.new_bytes == 70_000
    assert savings.sealed_bytes < 1000


def test_savings_since_another_moment() -> None:
    """What came between two looks is their difference, field by field."""
    assert Savings(9, 8, 7, 6, 5, 4, 3).since(Savings(1, 1, 1, 1, 1, 1, 1)) == Savings(8, 7, 6, 5, 4, 3, 2)
