"""What must be readable: the question that a catalog answers and a check of a repository asks."""

from typing import NamedTuple


class Need(NamedTuple):
    """One part of a version that is kept: `chunks` are ids of 32 bytes in a row, `form` how they make the part up.

    The version is of the item (account_id, item_id) and began at snapshot `from_seq`; `live` while nothing ended it.
    """

    account_id: str
    item_id: str
    from_seq: int
    live: bool
    part: str
    form: str
    chunks: bytes
