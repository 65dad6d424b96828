"""What a Lane and its process say to each other; every order gets one answer, in the order they were given.

Parts and records lie in memory that both share, a stretch of it for each batch.
"""

import msgspec

from tuiback.store.batch import BATCH_BYTES, BatchCuts

STRETCHES = 12
# Sealed records may be longer than what they hold: padding adds up to 12 %.
STRETCH_BYTES = BATCH_BYTES + BATCH_BYTES // 4
MEMORY_BYTES = STRETCHES * STRETCH_BYTES


class CutOrder(msgspec.Struct, array_like=True, frozen=True, tag="cut"):
    """Cut the parts `name` that lie one after the other in the stretch, of these lengths. The answer is BatchCuts."""

    stretch: int
    name: str
    lengths: list[int]


class SealOrder(msgspec.Struct, array_like=True, frozen=True, tag="seal"):
    """Seal what is new of the batch that was cut there; see CutBatch.seal(). `header` is the clear start of the pack.

    The answer is the length of each record; they lie in the stretch, where the parts were.
    """

    stretch: int
    new: bytes
    header: bytes
    first_slot: int


encode = msgspec.msgpack.Encoder().encode
decode_order = msgspec.msgpack.Decoder(CutOrder | SealOrder).decode
decode_cuts = msgspec.msgpack.Decoder(BatchCuts).decode
decode_lengths = msgspec.msgpack.Decoder(list[int]).decode
