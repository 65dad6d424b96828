"""Takes commit bodies apart by account and puts them together again, in records small enough to hold in memory.

A record of changes is msgpack: an array of bodies, to be applied one after the other. Each is a map of CommitBody's
fields, rows as maps of theirs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
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
# Of many rows so many are encoded at once: to touch all of them once more takes longer than encoding a few again.
_ROWS_AT_ONCE = 2000

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[CommitBody, ...])


def row_count(body: CommitBody) -> int:
    """How many rows the body has."""
    return sum(len(getattr(body, name)) for name in _ROW_FIELDS)


def takes_more(body: CommitBody, limit_bytes: int) -> bool:
    """Whether the body is encoded to more bytes; of a large one only as much is encoded as it takes to see that."""
    if row_count(body) > _ROWS_AT_ONCE:
        size = 0
        without_rows = len(_encoder.encode(CommitBody(body.time)))
        for some in _sliced(body, _ROWS_AT_ONCE):
            size += len(_encoder.encode(some)) - without_rows
            if size > limit_bytes:
                return True
    return len(_encoder.encode(body)) > limit_bytes


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
    gathered: list[msgspec.Raw] = []
    size = rows = 0
    for body in bodies:
        for piece, piece_rows in _pieces(body):
            if gathered and size + len(piece) > RECORD_BYTES:
                yield _encoder.encode(gathered), rows
                gathered, size, rows = [], 0, 0
            gathered.append(msgspec.Raw(piece))
            size += len(piece)
            rows += piece_rows
    if gathered:
        yield _encoder.encode(gathered), rows


def _pieces(body: CommitBody) -> Iterator[tuple[bytes, int]]:
    """The body in encoded pieces, to be applied in their order, and how many rows each has."""
    count = row_count(body)
    step = _ROWS_AT_ONCE
    if count <= _ROWS_AT_ONCE:
        encoded = _encoder.encode(body)
        if len(encoded) + _ARRAY_BYTES <= RECORD_BYTES or count <= 1:
            yield encoded, count
            return
        step = max(1, min(count - 1, count * _PIECE_BYTES // len(encoded)))
    for some in _sliced(body, step):
        yield from _pieces(some)


def _sliced(body: CommitBody, step: int) -> Iterator[CommitBody]:
    """Bodies of at most `step` rows of one kind that make up this one, in their order."""
    for name in _ROW_FIELDS:
        rows = getattr(body, name)
        for start in range(0, len(rows), step):
            yield _body(body.time, {name: rows[start : start + step]})


# What encode_bodies() adds to the bodies: the start of an array.
_ARRAY_BYTES = 5


def _body(time: datetime, rows: Mapping[str, Sequence[Any]]) -> CommitBody:
    fields_given: dict[str, Any] = {name: tuple(some) for name, some in rows.items()}
    return CommitBody(time, **fields_given)


def _subject(name: str, row: Any) -> str:  # noqa: ANN401 - rows of all kinds
    if name in _OF_NOBODY:
        return NOBODY
    account_id: str = row[0] if isinstance(row, tuple) else row.account_id
    return account_id
