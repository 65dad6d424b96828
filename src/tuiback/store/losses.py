"""Writes down what a repair had to give up, so that a check tells new damage from what is known.

A loss is an object of one record (see sealed), quarantine/losses/<16 hex>: msgpack of {time, packs, chunks, again}.
Packs that it names do not count any more: what could be saved of them lies in others. Its chunks were in none when it
was written; one that is stored again later is whole again. If that is lost too it stands in `again` of a later loss,
and is no known loss any more until one after that names it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

import msgspec

from tuiback.errors import Damage, FormatTooNew
from tuiback.store.envelope import LOSS_MAGIC, RecordType
from tuiback.store.sealed import SealedObjects

QUARANTINE = "quarantine/"
_PREFIX = f"{QUARANTINE}losses/"
_WRITER_BYTES = 16


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What one repair gave up."""

    time: datetime
    packs: tuple[str, ...]
    chunks: tuple[bytes, ...]
    again: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Losses:
    """All that was given up so far, and the losses that can't be read themselves."""

    packs: frozenset[str] = frozenset()
    chunks: frozenset[bytes] = frozenset()
    damaged: tuple[tuple[str, str], ...] = ()


def note_loss(objects: SealedObjects, loss: Loss) -> None:
    """Make the loss part of the repository: durable when this returns."""
    plain = msgspec.msgpack.encode(loss)
    data = objects.seal_one(LOSS_MAGIC, secrets.token_bytes(_WRITER_BYTES), 1, RecordType.LOSS, plain)
    objects.create(f"{_PREFIX}{secrets.token_hex(8)}", (data,))


def read_losses(objects: SealedObjects) -> Losses:
    """Everything that repairs have given up."""
    losses: list[tuple[datetime, str, Loss]] = []
    damaged: list[tuple[str, str]] = []
    for name in list(objects.backend.list(_PREFIX)):
        try:
            plain = objects.open_one(objects.backend.read(name), LOSS_MAGIC, RecordType.LOSS, name)
            loss = msgspec.msgpack.decode(plain, type=Loss)
        except (Damage, FormatTooNew, msgspec.DecodeError) as error:
            damaged.append((name, error.what if isinstance(error, Damage | FormatTooNew) else str(error)))
            continue
        losses.append((loss.time, name, loss))
    packs: set[str] = set()
    chunks: set[bytes] = set()
    for _, _, loss in sorted(losses, key=lambda one: one[:2]):
        packs.update(loss.packs)
        chunks.difference_update(loss.again)
        chunks.update(loss.chunks)
    return Losses(frozenset(packs), frozenset(chunks), tuple(damaged))
