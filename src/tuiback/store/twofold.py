"""Keeps the few objects without which nothing opens in two copies, each with a checksum of its own.

An object is one line of JSON and one line with its BLAKE3, so that a person can read it with any tool.
"""

from typing import TypeVar

import blake3
import msgspec

from tuiback.errors import Damage, EnvironmentFault, FormatTooNew, NoSuchThing
from tuiback.store.backend import AlreadyThere, Backend

Content = TypeVar("Content", bound=msgspec.Struct)


class _Preamble(msgspec.Struct):
    version: int
    required_features: int = 0


def copies(name: str) -> tuple[str, str]:
    """The two names that the object `name` is kept under."""
    return name, f"{name}.2"


def write_twice(backend: Backend, name: str, content: msgspec.Struct) -> None:
    """Write both copies, the second first, so that whoever sees the first knows that both are there.

    Raises AlreadyThere when another object has the name; the same one is taken for written.
    """
    line = msgspec.json.encode(content)
    data = line + b"\n" + blake3.blake3(line).hexdigest().encode() + b"\n"
    for copy in reversed(copies(name)):
        try:
            backend.create(copy, (data,))
        except AlreadyThere:
            if backend.read(copy) != data:
                raise


def read_copy(backend: Backend, copy: str, content: type[Content], *, version: int, features: int) -> Content:
    """One copy.

    Raises NoSuchThing, Damage, EnvironmentFault below `version`, FormatTooNew above or for unknown feature bits.
    """
    line, _, _ = read_whole(backend, copy).partition(b"\n")
    try:
        preamble = msgspec.json.decode(line, type=_Preamble)
        if preamble.version > version or preamble.required_features & ~features:
            raise FormatTooNew(f"it has format version {preamble.version}", copy, "update tuiback")
        if preamble.version < version:
            what = f"it has format version {preamble.version}, which was never released"
            raise EnvironmentFault(what, copy, "make a new repository with tuiback init")
        return msgspec.json.decode(line, type=content)
    except msgspec.DecodeError as error:
        raise Damage(f"it can't be understood: {error}", copy, "run tuiback check") from error


def read_whole(backend: Backend, copy: str) -> bytes:
    """The bytes of one copy, compared with their checksum. Raises NoSuchThing, Damage."""
    data = backend.read(copy)
    line, _, checksum = data.partition(b"\n")
    if blake3.blake3(line).hexdigest().encode() != checksum.strip():
        raise Damage("it is not what was written", copy, "put it back from a copy of the repository")
    return data


def find_either(backend: Backend, name: str, content: type[Content], *, version: int, features: int) -> Content | None:
    """The first copy that is whole; None when neither exists. Raises Damage when none is whole."""
    damage: Damage | None = None
    for copy in copies(name):
        try:
            return read_copy(backend, copy, content, version=version, features=features)
        except NoSuchThing:
            continue
        except Damage as error:
            damage = error
    if damage is not None:
        raise damage
    return None
