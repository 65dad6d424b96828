"""Tells what prunes gave up and got back, in the fields of the command line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import to_builtins

from tuiback.engine.settings.retention import Figures
from tuiback.model import Outcome

_ERRORS_TOLD = 20
_COUNTED = frozenset(
    {"expired_versions", "expired_bytes", "last_copies", "reclaimable_bytes", "freed_bytes", "retained_bytes"}
)


class PruneReport(msgspec.Struct):
    """What a prune gave up and got back, in bytes of the repository.

    `expired` are versions and their logical bytes. `reclaimable_bytes` have been decided and leave at `leaves_at`, at
    the first prune from then on; `retained_bytes` the store refused to delete. `unreadable` packs stay as they are.
    """

    expired: Figures = msgspec.field(default_factory=Figures)
    reclaimable_bytes: int = 0
    leaves_at: datetime | None = None
    freed_bytes: int = 0
    retained_bytes: int = 0
    unreadable: list[str] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """A line for each thing that could not be done."""
        damaged = [f"pack {pack_id} can't be read and stays; run tuiback check" for pack_id in self.unreadable]
        return damaged + self.notes


def prune_fields(job: int | None, outcome: Outcome, report: PruneReport) -> dict[str, object]:
    """A prune as cli.md tells it, and what people want to know of it."""
    return {
        "job": job,
        "outcome": str(outcome),
        "expired_versions": report.expired.versions,
        "expired_bytes": report.expired.bytes,
        "last_copies": report.expired.last_copies,
        "reclaimable_bytes": report.reclaimable_bytes,
        "leaves_at": to_builtins(report.leaves_at),
        "freed_bytes": report.freed_bytes,
        "retained_bytes": report.retained_bytes,
        "errors": report.troubles[:_ERRORS_TOLD],
    }


def summed(answers: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Several prunes as one; the job is the first one's, the worst outcome counts, and the latest time."""
    if len(answers) == 1 or any("expired_versions" not in answer for answer in answers):
        return dict(answers[0])
    total: dict[str, Any] = dict(answers[0])
    for answer in answers[1:]:
        total |= {name: total[name] + answer[name] for name in answer if name == "errors" or name in _COUNTED}
        if answer["outcome"] != Outcome.OK:
            total["outcome"] = answer["outcome"]
        total["leaves_at"] = max(filter(None, (total["leaves_at"], answer["leaves_at"])), default=None)
    return total
