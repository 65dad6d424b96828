"""The ledger finds exactly the chunks that are needed and not there, also when ids have gone to the disk."""

from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tuiback.store.chunk_ledger import ID_BYTES, KEPT_BYTES, ChunkLedger


def settled(there: list[bytes], needed: list[bytes], folder: Path | None = None) -> tuple[int, set[bytes]]:
    """What a new ledger says of these ids."""
    ledger = ChunkLedger(folder)
    ledger.there(b"".join(there))
    ledger.need(b"".join(needed))
    try:
        balance = ledger.settle()
        assert balance.not_findable == frozenset()
        return balance.there, set(balance.missing)
    finally:
        ledger.close()


ids = st.lists(st.binary(min_size=ID_BYTES, max_size=ID_BYTES), max_size=20)


@given(there=ids, needed=ids)
@settings(max_examples=50, deadline=None)
def test_missing_is_needed_without_there(there: list[bytes], needed: list[bytes]) -> None:
    """Whatever comes, and however often."""
    kept = {one[:KEPT_BYTES] for one in there}
    assert settled(there * 2, needed * 2) == (len(kept), {one[:KEPT_BYTES] for one in needed} - kept)


def test_many_ids_of_one_share_go_to_the_disk(tmp_path: Path) -> None:
    """One share is far more than what stays in memory; nothing is left in the folder."""
    random = Random(1)
    there = [bytes([7, *random.randbytes(31)]) for _ in range(40_000)]
    lost = [bytes([7, *random.randbytes(31)]) for _ in range(3)]
    assert settled(there, there[::2] + lost, tmp_path) == (len(there), {one[:KEPT_BYTES] for one in lost})
    assert list(tmp_path.iterdir()) == []


def test_what_an_index_does_not_find_is_told_where_there_is_one() -> None:
    """Only what is needed and there: what is missing is told as such."""
    one, other, lost = (bytes([number]) * ID_BYTES for number in range(3))
    ledger = ChunkLedger()
    ledger.there(one + other)
    ledger.need(one + other + lost)
    ledger.can_find(other)
    balance = ledger.settle()
    ledger.close()
    assert (set(balance.missing), set(balance.not_findable)) == ({lost[:KEPT_BYTES]}, {one[:KEPT_BYTES]})
