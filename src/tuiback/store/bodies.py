"""Takes commit bodies apart by account and puts them together again, in records small enough to hold in memory.

A record of changes is msgpack: an array of bodies, to be applied one after the other. Each is a map of CommitBody's
fields, rows as maps of theirs.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from tuiback.model import CommitBody
from tuiback.store.segment import RECORD_BYTES

# The subject of rows that belong to no account: runs and controls.
NOBODY = ""
_ROW_FIELDS = tuple(name for name in CommitBody.__struct_fields__ if name != "time")
_OF_NOBODY = frozenset({"controls", "runs"})
# Rows are of unequal size: pieces planned this much smaller are seldom too large after all.
_PIECE_BYTES = RECORD_BYTES * 3 // 4

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[CommitBody, ...])


def row_count(body: CommitBody) -> int:
    """How many rows the body has."""
    return sum(len(getattr(body, name)) for name in _ROW_FIELDS)


def by_account(body: CommitBody) -> dict[str, CommitBody]:
    """The body's rows by their account, "" for runs and controls; accounts in the order they come in."""
    taken: dict[str, dict[str, list[Any]]] = {}
    for name in _ROW_FIELDS:
        for row in getattr(body, name):
            taken.setdefault(_subject(name, row), {}).setdefault(name, []).append(row)
    return {subject: _body(body.time, rows) for subject, rows in taken.items()}


def joined(time: datetime, bodies: Iterable[CommitBody]) -> CommitBody:
    """One body with the rows of all, each field's in the order they come in."""
    rows: dict[str, list[Any]] = {name: [] for name in _ROW_FIELDS}
    for body in bodies:
        for name in _ROW_FIELDS:
            rows[name] += getattr(body, name)
    return _body(time, rows)


def encode_bodies(bodies: Sequence[CommitBody]) -> bytes:
    """A record of changes."""
    return _encoder.encode(bodies)


def decode_bodies(plain: bytes) -> tuple[CommitBody, ...]:
    """What encode_bodies() was given. Raises msgspec.DecodeError."""
    return _decoder.decode(plain)


def records(bodies: Iterable[CommitBody]) -> Iterator[tuple[bytes, int]]:
    """Records of changes that give these bodies in their order, at most 1 MiB each, with their numbers of rows.

    A body that is too large is cut between its rows; only a single row may be larger than that.
    """
    gathered: list[CommitBody] = []
    size = 0
    for body in bodies:
        for piece, piece_bytes in _pieces(body):
            if gathered and size + piece_bytes > RECORD_BYTES:
                yield _record(gathered)
                gathered, size = [], 0
            gathered.append(piece)
            size += piece_bytes
    if gathered:
        yield _record(gathered)


def _record(bodies: Sequence[CommitBody]) -> tuple[bytes, int]:
    return encode_bodies(bodies), sum(map(row_count, bodies))


def _pieces(body: CommitBody) -> Iterator[tuple[CommitBody, int]]:
    """The body in pieces, to be applied in their order, and about how many bytes each takes."""
    size = len(_encoder.encode(body))
    count = row_count(body)
    if size + _ARRAY_BYTES <= RECORD_BYTES or count <= 1:
        yield body, size
        return
    step = max(1, min(count - 1, count * _PIECE_BYTES // size))
    rows = ((name, row) for name in _ROW_FIELDS for row in getattr(body, name))
    while some := list(islice(rows, step)):
        taken: dict[str, list[Any]] = {}
        for name, row in some:
            taken.setdefault(name, []).append(row)
        yield from _pieces(_body(body.time, taken))


# What encode_bodies() adds to the bodies: the start of an array.
_ARRAY_BYTES = 5


def _body(time: datetime, rows: dict[str, list[Any]]) -> CommitBody:
    fields_given: dict[str, Any] = {name: tuple(some) for name, some in rows.items()}
    return CommitBody(time, **fields_given)


def _subject(name: str, row: Any) -> str:  # noqa: ANN401 - rows of all kinds
    if name in _OF_NOBODY:
        return NOBODY
    account_id: str = row[0] if isinstance(row, tuple) else row.account_id
    return account_id
