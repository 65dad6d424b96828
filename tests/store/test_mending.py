"""What is mended and put aside is what was there, and nothing is lost by it."""

from concurrent.futures import Executor

from msgspec.structs import replace

from tests.store.doubles import DictIndex, MemoryBackend
from tests.store.test_writer import content
from tuiback.store import Repository, Writer
from tuiback.store.mending import put_aside, whole_records
from tuiback.store.pack import pack_name


def test_what_lies_in_quarantine_is_no_reason_to_delete(backend: MemoryBackend) -> None:
    """Where another object has the name in quarantine the damaged one stays; once it lies there itself, it leaves."""
    backend.objects["packs/ab/x"] = b"damaged"
    backend.objects["quarantine/packs/ab/x"] = b"another one"
    assert not put_aside(backend, "packs/ab/x")
    assert backend.objects["packs/ab/x"] == b"damaged"
    del backend.objects["quarantine/packs/ab/x"]
    assert put_aside(backend, "packs/ab/x")
    assert backend.objects == {"quarantine/packs/ab/x": b"damaged"}


async def test_of_a_pack_without_a_table_only_proven_chunks_are_saved(
    repository: Repository, backend: MemoryBackend, executor: Executor
) -> None:
    """What a catalog says of places is compared with the bytes there: a wrong row saves nothing under a wrong name."""
    writer = Writer(repository, DictIndex(), executor)
    await writer.put_all("a", "message", "mime", [content(seed, 3_000) for seed in range(3)])
    (table,) = await writer.flush()
    writer.close()
    name = pack_name(table.pack_id)
    backend.objects[name] = backend.objects[name][:-1]
    wrong = [replace(table.entries[0], inner_offset=table.entries[0].inner_offset + 1), *table.entries[1:]]
    for known, missing in ((table.entries, set()), (wrong, {table.entries[0].chunk_id})):
        saved = [one for record in whole_records(repository.objects, table.pack_id, known) for one in record.chunks]
        assert {chunk_id for chunk_id, _ in saved} == {entry.chunk_id for entry in table.entries} - missing
