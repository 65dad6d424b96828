"""Opens every object of a repository with its keys, to see whether something is really nowhere in it."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tuiback.store import Repository
from tuiback.store.envelope import COMMIT_MAGIC, GC_MAGIC, RecordType, split_record
from tuiback.store.segment import read_records


def plain_objects(repository: Repository) -> Iterator[tuple[str, bytes]]:
    """Each object's name and all plain bytes in it, ids of accounts in the trailers of segments too."""
    for name in repository.backend.list(""):
        folder, _, rest = name.partition("/")
        if folder == "packs":
            yield name, b"".join(_pack(repository, rest.rpartition("/")[2]))
        elif folder == "segments":
            records = read_records(repository.objects, rest.rpartition("/")[2])
            yield name, b"".join(entry.subject.encode() + plain for entry, plain in records)
        elif folder == "commits":
            yield name, _only(repository, name, COMMIT_MAGIC, RecordType.COMMIT)
        elif folder == "gc":
            yield name, _only(repository, name, GC_MAGIC, RecordType.GC)
        else:
            yield name, repository.backend.read(name)


def objects_with(repository: Repository, text: bytes) -> list[str]:
    """The names of the objects that hold the text."""
    return [name for name, plain in plain_objects(repository) if text in plain]


def files_with(folder: Path, text: bytes) -> list[str]:
    """The files of a folder, pages of databases that are in use or not, that hold the text."""
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file() and text in path.read_bytes()]


def _only(repository: Repository, name: str, magic: bytes, kind: RecordType) -> bytes:
    return repository.objects.open_one(repository.backend.read(name), magic, kind, name)


def _pack(repository: Repository, pack_id: str) -> Iterator[bytes]:
    data = repository.backend.read(f"packs/{pack_id[:2]}/{pack_id}")
    envelope = repository.open_pack(pack_id)
    for _, group in groupby(repository.pack_table(pack_id).entries, key=lambda entry: entry.slot):
        entry = next(group)
        yield envelope.unseal(split_record(data[entry.offset : entry.offset + entry.length], pack_id), pack_id)
