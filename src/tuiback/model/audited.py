"""The audit's entries: who did what, from where and why, each with the hash of the one before."""

from collections.abc import Iterable
from datetime import datetime

import blake3
import msgspec


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for. `accounts` are the ids of those concerned; `detail` is JSON without any secret."""

    who: str
    uid: int
    origin: str
    action: str
    subject: str
    accounts: tuple[str, ...] = ()
    detail: str = ""
    reason: str = ""


class AuditEntry(Deed, frozen=True, kw_only=True):
    """A deed as entry `number`, from 1, of a home; `log` is the name under which that home wrote then.

    `previous` is the digest of the entry before, "" for the first; `digest` the hex BLAKE3 of everything else here.
    """

    log: str
    number: int
    time: datetime
    previous: str
    digest: str = ""


def entry_after(previous: AuditEntry | None, log: str, time: datetime, deed: Deed) -> AuditEntry:
    """The deed as the next entry."""
    entry = AuditEntry(
        **{name: getattr(deed, name) for name in Deed.__struct_fields__},
        log=log,
        number=previous.number + 1 if previous else 1,
        time=time,
        previous=previous.digest if previous else "",
    )
    return msgspec.structs.replace(entry, digest=digest_of(entry))


def digest_of(entry: AuditEntry) -> str:
    """What the entry's digest must be."""
    facts = [getattr(entry, name) for name in entry.__struct_fields__ if name != "digest"]
    return blake3.blake3(msgspec.json.encode(facts)).hexdigest()


def find_breaks(entries: Iterable[AuditEntry]) -> list[str]:
    """Where the chain is broken, a line each: an entry that was changed, twofold, or whose predecessor is missing."""
    ordered = sorted(entries, key=lambda entry: (entry.log, entry.number))
    numbers = {entry.digest: entry.number for entry in ordered}
    breaks: list[str] = []
    last: AuditEntry | None = None
    for entry in ordered:
        called = f"entry {entry.number} of {entry.log}"
        if entry.digest != digest_of(entry):
            breaks.append(f"{called} is not what was written")
        if last is not None and (last.log, last.number) == (entry.log, entry.number):
            breaks.append(f"{called} is there twice, and not the same")
        if entry.previous:
            if numbers.get(entry.previous) != entry.number - 1:
                breaks.append(f"{called} follows an entry that is missing or was changed")
        elif entry.number != 1:
            breaks.append(f"{called} follows no entry")
        last = entry
    return breaks
