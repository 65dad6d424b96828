"""Decides what a prune deletes: announces it, proves that nobody needs it, and draws up the final list."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from tuiback.catalog import Catalog
from tuiback.engine.archives.archive import Archive
from tuiback.engine.archives.committer import CommitNow
from tuiback.engine.archives.proving import ChunkProof, Search, settled
from tuiback.errors import Damage, NoSuchThing, TuibackError
from tuiback.model import CommitHead, PackTable
from tuiback.store import Repository, gc, newest_generation
from tuiback.store.backend import store_time
from tuiback.store.segment import segment_name
from tuiback.store.sweep import named_segments, pack_names, standing_commits, stray_packs, unnamed_segments

Step = Callable[[str], None]


class Doomed(msgspec.Struct, frozen=True):
    """What a prune would delete if nobody needed it at the last moment.

    `since` are the heads that it was found out with: what was committed later may need some of it.
    """

    packs: frozenset[str]
    since: tuple[CommitHead, ...]


class Decision:
    """One decision. While it is made nothing else is committed by this engine."""

    def __init__(self, archive: Archive, doomed: Doomed, step: Step) -> None:
        self._archive = archive
        self._repository = archive.repository
        self._doomed = doomed
        self._step = step
        self._spared: set[str] = set()

    async def make(self) -> gc.Accept | None:
        """The final list, durable; None when there is nothing to delete.

        Once begun it is finished, even when the job is cancelled. Raises TuibackError, and then everything counts as
        before.
        """
        making = asyncio.ensure_future(self._make())
        try:
            return await asyncio.shield(making)
        finally:
            await asyncio.wait([making])

    async def _make(self) -> gc.Accept | None:
        async with self._archive.committer.alone() as commit:
            intent = await asyncio.to_thread(self._intent)
            if not (intent.doomed or intent.stray or intent.superseded):
                return None
            try:
                await asyncio.to_thread(gc.put_intent, self._repository.objects, intent)
                self._step("announced")
                self._archive.committer.generation = intent.generation
                return await self._decide(intent, commit)
            except TuibackError:
                self._archive.committer.generation = await self._archive.settle_prunes()
                raise

    def _intent(self) -> gc.Intent:
        backend = self._repository.backend
        rounds = gc.read_rounds(self._repository.objects)
        decided = {name for told in rounds if told.accept for name in told.accept.doomed}
        known = self._archive.pack_ids() | gc.packs_in(decided)
        strays = stray_packs(backend, known, store_time(backend))
        segments = tuple(name for name in unnamed_segments(self._repository) if name not in decided)
        doomed = (*pack_names(sorted(self._doomed.packs)), *segments)
        newest = self._repository.newest_checkpoint()
        covers = newest[1].covers if newest else ()
        superseded = covers if any(True for _ in standing_commits(backend, covers)) else ()
        return gc.Intent(newest_generation(backend) + 1, self._archive.writer_id, doomed, strays, superseded)

    async def _decide(self, intent: gc.Intent, commit: CommitNow) -> gc.Accept:
        await self._archive.with_catalog(Catalog.forget_packs, sorted(self._doomed.packs))
        self._step("forgotten")
        proof = ChunkProof(self._repository, self._archive.reader, self._spare)
        self._archive.committer.proof = proof
        await self._spare_for_late_commits()
        await commit()
        self._step("barred")
        # Whoever runs at this moment may have found chunks in these packs. Who begins later can't: after this commit
        # the writer, too, knows of no chunk that was committed before the packs were forgotten.
        proof.decided(self._archive.under_way.still())
        accept = await asyncio.to_thread(self._accept, intent)
        await asyncio.to_thread(gc.put_accept, self._repository.objects, accept)
        self._step("decided")
        return accept

    async def _spare_for_late_commits(self) -> None:
        """Keep what was committed, by whomever, since it was found out what is needed."""
        # Packs of other writers are not in this catalog before it is brought up to date.
        foreign: list[PackTable] = []
        commits = await asyncio.to_thread(self._repository.commits, self._doomed.since)
        while (commit := await asyncio.to_thread(next, commits, None)) is not None:
            if commit.head.writer != self._archive.writer_id:
                foreign += [await asyncio.to_thread(self._repository.pack_table, pack_id) for pack_id in commit.packs]
            await settled(partial(self._search, tuple(foreign)), commit.body.versions, self._spare)

    def _search(self, packs: tuple[PackTable, ...]) -> Search:
        return Search(self._repository, self._archive.reader, packs)

    async def _spare(self, chunk_ids: frozenset[bytes]) -> bool:
        """Keep the packs that have these chunks after all; whether there was any."""
        tables = await asyncio.to_thread(lambda: list(self._having(set(chunk_ids))))
        self._spared.update(table.pack_id for table in tables)
        if tables:
            await self._archive.with_catalog(Catalog.put_packs, tables)
        return bool(tables)

    def _having(self, missing: set[bytes]) -> Iterator[PackTable]:
        for pack_id in sorted(self._doomed.packs - self._spared):
            if not missing:
                return
            try:
                table = self._repository.pack_table(pack_id)
            except (NoSuchThing, Damage):
                # It was given up because nothing of it could be told any more.
                continue
            there = missing.intersection(entry.chunk_id for entry in table.entries)
            if there:
                missing -= there
                yield table

    def _accept(self, intent: gc.Intent) -> gc.Accept:
        """The final list: without what was spared and what commits have named meanwhile."""
        named = {segment_name(segment_id) for segment_id in named_segments(self._repository)}
        named.update(pack_names(self._spared))
        for commit in self._repository.commits(self._doomed.since):
            named.update(pack_names(commit.packs))
        doomed = tuple(name for name in (*intent.doomed, *intent.stray) if name not in named)
        seen, void = self._repository.heads(), void_among(self._repository)
        return gc.Accept(intent.generation, intent.writer, doomed, intent.superseded, seen, void)


def void_among(repository: Repository) -> tuple[str, ...]:
    """The digests of commits behind the newest checkpoint that earlier prunes have made void."""
    accepts = gc.read_accepts(repository.objects)
    if not accepts:
        return ()
    heads = [head for chain in repository.chains() for head in chain.heads]
    return tuple(
        head.digest for head in heads if gc.is_void(head, repository.read_commit(head).generation, accepts)
    )
