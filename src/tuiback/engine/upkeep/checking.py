"""Checks a repository of a home: what its catalog says must be there, in the order in which packs were last seen."""

import contextlib
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec

from tuiback.catalog import Audit, CatalogReader, CheckDates, Coverage
from tuiback.engine.home import CATALOG, STATE
from tuiback.errors import Damage, FormatTooNew, NoSuchThing
from tuiback.model import Clock, Commit, CommitHead
from tuiback.model.need import Need
from tuiback.store import CheckReport, Finding, Needs, Reader, Repository, Sources, needs_of
from tuiback.store.check import Progress, check
from tuiback.store.commits import commit_name, number_prefix

# Of each percent of the packs, so many items are brought back as a restore would.
_ITEMS_A_PERCENT = 20
_NOTED_AT_ONCE = 16

Unseen = Callable[[], Iterable[Commit]]


class Extent(msgspec.Struct, frozen=True):
    """How much a check does: structure alone, or packs looked into: all of them, or `percent` read whole."""

    scrub: bool = False
    read_data: bool = False
    percent: float = 0.0

    @property
    def looks_into_packs(self) -> bool:
        """Whether dates are kept of it."""
        return self.scrub or self.reads

    @property
    def reads(self) -> bool:
        """Whether packs are read whole."""
        return self.read_data or self.percent > 0


class Checked(msgspec.Struct, frozen=True):
    """The report over repository and catalog, and how many items were brought back to compare them."""

    report: CheckReport
    items_compared: int = 0


def check_repository(
    folder: Path, repository: Repository, clock: Clock, extent: Extent, progress: Progress | None = None
) -> Checked:
    """Check the repository with the catalog and state in `folder`, as far as these are there and can be trusted.

    Needs no lock: an engine may run. Raises EnvironmentFault when the backend fails.
    """
    with _Ground(folder, repository, clock, extent) as ground:
        report = check(
            repository, read_data=extent.reads, scrub=extent.scrub, sources=ground.sources, progress=progress
        )
        ground.end_pass()
    findings = list(ground.findings)
    compared = 0
    if extent.percent and not findings:
        compared = _compare_items(folder / CATALOG, repository, extent.percent, findings)
    return Checked(replace(report, damaged=(*report.damaged, *findings)), compared)


def coverage(state: Path, now: datetime, days: float, *, read: bool) -> Coverage:
    """How much of a repository was looked into in the last `days`, by its home's state.db."""
    dates = CheckDates.open(state)
    try:
        return dates.coverage(now - timedelta(days=days), read=read)
    finally:
        dates.close()


class _Ground:
    """What a home knows of a repository, for one check."""

    def __init__(self, folder: Path, repository: Repository, clock: Clock, extent: Extent) -> None:
        self.findings: tuple[Finding, ...] = ()
        self._clock = clock
        self._extent = extent
        needs: Needs | None = None
        pack_bytes: dict[bytes, int] = {}
        findable: Callable[[], Iterable[bytes]] = tuple
        self._audit: Audit | None = None
        path = folder / CATALOG
        if path.exists():
            try:
                self._audit = Audit(path)
                self.findings, unseen = _compare(self._audit, repository)
                if not self.findings:
                    needs, pack_bytes = _needs(self._audit, unseen), self._audit.pack_bytes()
                    findable = _findable(self._audit, unseen, repository)
            except (Damage, FormatTooNew) as error:
                self.findings = (Finding("catalog", str(path), error.what),)
        # Of a home whose catalog's disk is lost, the repository can be checked all the same.
        scratch = folder if folder.is_dir() else None
        self._dates = CheckDates.open(scratch / STATE) if scratch and extent.looks_into_packs else None
        order = _Order(self._dates, clock, extent) if self._dates else None
        self._order = order
        self.sources = Sources(needs, pack_bytes, findable, order, scratch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._audit is not None:
            self._audit.close()
        if self._dates is not None and self._order is not None:
            # After an interruption too: the next check goes on from here.
            self._order.write_down()
            self._dates.close()

    def end_pass(self) -> None:
        """All packs were looked into."""
        if self._dates is not None and not self._extent.percent:
            self._dates.end(read=self._extent.reads)


class _Order:
    """The longest unseen packs first; of a pass that was cut off only those that it had not come to."""

    def __init__(self, dates: CheckDates, clock: Clock, extent: Extent) -> None:
        self._dates = dates
        self._clock = clock
        self._extent = extent
        self._whole: list[str] = []

    def choose(self, pack_ids: Iterable[str]) -> Iterable[str]:
        """See PackOrder."""
        self._dates.track(pack_ids)
        now, read = self._clock.now(), self._extent.reads
        if not self._extent.percent:
            return self._dates.due(self._dates.begin(now, read=read), read=read)
        everything = self._dates.coverage(now, read=read).packs
        return self._dates.due(now, read=read, limit=math.ceil(everything * self._extent.percent / 100))

    def looked_at(self, pack_id: str) -> None:
        """See PackOrder."""
        self._whole.append(pack_id)
        if len(self._whole) >= _NOTED_AT_ONCE:
            self.write_down()

    def write_down(self) -> None:
        """Make what was seen durable."""
        self._dates.note(self._whole, self._clock.now(), read=self._extent.reads)
        self._whole.clear()


def _compare(audit: Audit, repository: Repository) -> tuple[tuple[Finding, ...], Unseen]:
    """What speaks against trusting the catalog, and the commits that it has not applied yet, as of now."""
    if audit.repository_id() != repository.repository_id:
        what = "it belongs to another repository"
        return (Finding("catalog", repository.url, what),), tuple
    heads = audit.heads()
    try:
        there = {head.writer: head for head in repository.heads()}
    except Damage:
        # The object is named where commits are looked at.
        return (), tuple

    def unseen() -> Iterator[Commit]:
        # A damaged one is named where commits are looked at; those of an engine that goes on are not looked at.
        with contextlib.suppress(Damage):
            for commit in repository.commits(heads):
                newest = there.get(commit.head.writer)
                if newest is not None and commit.head.number <= newest.number:
                    yield commit

    return tuple(_ahead(heads, there)), unseen


def _ahead(heads: Iterable[CommitHead], there: Mapping[str, CommitHead]) -> Iterator[Finding]:
    """Commits that the catalog has applied and the repository does not have, or not any more."""
    for head in heads:
        newest = there.get(head.writer)
        if newest is None or newest.number < head.number:
            yield Finding("commit", f"{number_prefix(head.writer, head.number)}{head.digest}", "it is missing")
        elif newest.number == head.number and newest != head:
            yield Finding("commit", commit_name(newest), "it is another one than the catalog knows")


def _needs(audit: Audit, unseen: Unseen) -> Needs:
    last = audit.last_version()

    def every() -> Iterator[Need]:
        yield from audit.needs(last)
        yield from needs_of(lambda: (commit.body for commit in unseen()))()

    return every


def _findable(audit: Audit, unseen: Unseen, repository: Repository) -> Callable[[], Iterator[bytes]]:
    """What the catalog can find now, and what it will once it has seen the commits that it has not."""

    def every() -> Iterator[bytes]:
        yield from audit.chunk_ids()
        for pack_id in (pack_id for commit in unseen() for pack_id in commit.packs):
            with contextlib.suppress(Damage, NoSuchThing):
                yield b"".join(entry.chunk_id for entry in repository.pack_table(pack_id).entries)

    return every


def _compare_items(path: Path, repository: Repository, percent: float, findings: list[Finding]) -> int:
    """Bring some items back, any ones, as a restore would; how many. What fails becomes a finding."""
    audit, reader = Audit(path), CatalogReader(path)
    try:
        content = Reader(repository, reader)
        last = audit.last_version()
        wanted = min(last, math.ceil(_ITEMS_A_PERCENT * percent))
        chosen = audit.parted(sorted(random.sample(range(1, last + 1), wanted)))
        for account_id, item_id, from_seq in chosen:
            try:
                for part in reader.parts(account_id, item_id, from_seq):
                    for _ in content.read(part):
                        pass
            except (Damage, FormatTooNew) as error:
                findings.append(Finding("item", f"{account_id} {item_id}", f"version #{from_seq}: {error}"))
        return len(chosen)
    finally:
        reader.close()
        audit.close()
