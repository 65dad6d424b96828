"""Makes long files to measure with: archives of the files of the running Python, each in two versions."""

import io
import os
import sysconfig
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

_ARCHIVE_BYTES = 16 << 20
_LONGEST_BYTES = 8 << 20
# Folders that differ from start to start, and the packages inside the standard library's folder.
_LEFT_OUT = frozenset({"__pycache__", "site-packages", "dist-packages"})
# What a newer version of an archive has more than the one before.
_INSERTIONS = 12
_INSERTED_BYTES = 32 * 1024
# One archive in so many is there as a compressed file too, as photos and office files are.
_COMPRESSED_EVERY = 4
_LEVEL = 1


def source_files() -> Iterator[Path]:
    """The files of the installed packages and of Python itself, in the same order everywhere; none is very long."""
    for place in ("platlib", "stdlib"):
        for folder, inner, names in os.walk(sysconfig.get_path(place)):
            inner[:] = sorted(set(inner) - _LEFT_OUT)
            for path in (Path(folder, name) for name in sorted(names)):
                if path.is_file() and 0 < path.stat().st_size <= _LONGEST_BYTES:
                    yield path


def make_archives(folder: Path, size: int) -> None:
    """Write archives of about `size` bytes together: two versions of each, more where the files run out."""
    folder.mkdir(parents=True)
    written = 0
    version = 0
    while written < size:
        version += 2
        for number, archive in enumerate(_archives()):
            kept = {
                f"{number:03}-{version - 1}.tar": archive,
                f"{number:03}-{version}.tar": _newer(archive, number, version),
            }
            if number % _COMPRESSED_EVERY == 0:
                kept[f"{number:03}-{version}.tar.z"] = zlib.compress(archive, _LEVEL)
            for name, content in kept.items():
                (folder / name).write_bytes(content)
                written += len(content)
            if written >= size:
                return


def _archives() -> Iterator[bytes]:
    buffer = io.BytesIO()
    archive = tarfile.open(fileobj=buffer, mode="w")  # noqa: SIM115 - closed when it is full
    for path in source_files():
        content = path.read_bytes()
        member = tarfile.TarInfo("/".join(path.parts[-4:]))
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
        if buffer.tell() >= _ARCHIVE_BYTES:
            archive.close()
            yield buffer.getvalue()
            buffer = io.BytesIO()
            archive = tarfile.open(fileobj=buffer, mode="w")  # noqa: SIM115
    archive.close()
    yield buffer.getvalue()


def _newer(archive: bytes, number: int, version: int) -> bytes:
    random = Random(f"{number} {version}")  # noqa: S311 - equal environments give equal data
    places = sorted(random.randrange(len(archive)) for _ in range(_INSERTIONS))
    pieces = []
    for start, end in zip([0, *places], [*places, len(archive)], strict=True):
        # What is new resembles what is old, as a newer program does.
        origin = random.randrange(len(archive))
        pieces += [archive[start:end], archive[origin : origin + _INSERTED_BYTES][::-1]]
    return b"".join(pieces)
