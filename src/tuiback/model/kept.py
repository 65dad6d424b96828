"""The rows of a base: all that is kept of one account, by ids that mean the same in every catalog.

Rows are arrays on the disk and grow only at their end. Times are RFC 3339 texts in UTC with microseconds, all of one
width; what the catalog works out from the rows themselves (figures, sort keys, spans) does not stand in them.
"""

import msgspec


class KeptAccount(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The account as its newest description says; `kind` is "" where only snapshots have named it so far."""

    kind: str
    tenant: str
    task: str
    owner_id: str
    name: str
    address: str
    state: str
    gone_at: str | None
    gone_reason: str


class KeptAlias(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An address of the account; `until` is None for the present one."""

    since: str
    address: str
    until: str | None


class KeptContainer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A container with its cursor; one that went (not `present`) is still named by versions."""

    container_id: str
    kind: str
    name: str
    cursor: str
    relisting: bool
    present: bool


class KeptSnapshot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A snapshot with the account's figures at its close."""

    seq: int
    run: int
    opened_at: str
    closed_at: str | None
    outcome: str | None
    verified_until: str | None
    items: int
    bytes: int


# name, size, digest, the 32-byte chunk ids in a row, form.
KeptPart = tuple[str, int, bytes, bytes, str]


class KeptVersion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A version that began at snapshot `from_seq`; live while `until_seq` is None, `removed` where the item left.

    `attrs` is a JSON object.
    """

    item_id: str
    from_seq: int
    until_seq: int | None
    removed: bool
    container_id: str
    parent_id: str
    kind: str
    name: str
    size: int
    modified: str
    etag: str
    content_tag: str
    attrs: str
    parts: list[KeptPart]


class KeptRemoval(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An item that left its container, waiting for snapshot `seq` to close."""

    item_id: str
    container_id: str
    seq: int


class KeptDebt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An owed item, or with `item_id` "" an owed container or the account itself."""

    item_id: str
    container_id: str
    kind: str
    path: str
    since: str
    tries: int
    error: str
    request_id: str
    ack: str = ""


class KeptControl(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Configuration as the newest commit says."""

    kind: str
    name: str
    data: bytes


class KeptRun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run; `counters` is a JSON object."""

    run: int
    task: str
    trigger: str
    started_at: str
    ended_at: str | None
    outcome: str | None
    counters: str


class BasePiece(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """A piece of a base; the pieces of one account, one after the other, are all of it.

    Rows come in the order of the fields over all pieces, versions in that of (item id, from_seq). An account has one
    row in `accounts`; `parents` are the ids of all folders that its versions lie in. The base of what belongs to no
    account has controls and runs only.
    """

    accounts: list[KeptAccount] = []
    aliases: list[KeptAlias] = []
    containers: list[KeptContainer] = []
    snapshots: list[KeptSnapshot] = []
    parents: list[str] = []
    versions: list[KeptVersion] = []
    removals: list[KeptRemoval] = []
    owed: list[KeptDebt] = []
    controls: list[KeptControl] = []
    runs: list[KeptRun] = []


# What a piece is made of.
KeptRow = (
    KeptAccount
    | KeptAlias
    | KeptContainer
    | KeptSnapshot
    | str
    | KeptVersion
    | KeptRemoval
    | KeptDebt
    | KeptControl
    | KeptRun
)

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(BasePiece)


def encode_piece(piece: BasePiece) -> bytes:
    """The piece as a record's plain bytes."""
    return _ENCODER.encode(piece)


def encoded_bytes(row: KeptRow) -> int:
    """How many bytes the row adds to a piece."""
    return len(_ENCODER.encode(row))


def decode_piece(data: bytes) -> BasePiece:
    """The piece that encode_piece wrote. Raises msgspec.DecodeError."""
    return _DECODER.decode(data)
