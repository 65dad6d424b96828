"""The frames of the attach socket: one JSON document a line, the first of each side a Hello."""

from datetime import datetime

import msgspec

from tuiback.engine.commands import AnyCommand, Command, Hello
from tuiback.errors import TuibackError
from tuiback.model import EngineStatus

PROTOCOL = 1
# A status of 50 tasks with 50 accounts at work is about 20 KB; a selection of 100,000 items 8 MB.
FRAME_BYTES = 32 * 1024 * 1024
# What the engine's hello grants to whoever it does not let in.
STRANGER = "nothing"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A command with the number that its answer will carry."""

    number: int
    command: AnyCommand


class _Numbered(msgspec.Struct, frozen=True):
    """What can be read of any command."""

    number: int


class _Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read of a hello in any protocol."""

    protocol: int
    version: str
    pid: int = 0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A TuibackError on its way to another process."""

    code: str
    exit: int
    what: str
    subject: str
    remedy: str


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an engine sends: a new picture, or the answer or fault of command `number`."""

    status: EngineStatus | None = None
    number: int | None = None
    answer: dict[str, object] | None = None
    fault: Fault | None = None


_hello = msgspec.json.Decoder(Hello)
_ask = msgspec.json.Decoder(Ask)
_told = msgspec.json.Decoder(Told)
_numbered = msgspec.json.Decoder(_Numbered)
_speaker = msgspec.json.Decoder(_Speaker)


def encode(frame: Hello | Ask | Told) -> bytes:
    """One line."""
    return msgspec.json.encode(frame) + b"\n"


def decode_hello(line: bytes) -> Hello:
    """Of another protocol only who speaks is read. Raises msgspec.DecodeError."""
    speaker = _speaker.decode(line)
    if speaker.protocol != PROTOCOL:
        return Hello(protocol=speaker.protocol, version=speaker.version, pid=speaker.pid)
    return _hello.decode(line)


def number_of(line: bytes) -> int:
    """The number of a command that can't be decoded. Raises msgspec.DecodeError."""
    return _numbered.decode(line).number


def decode_ask(line: bytes) -> Ask:
    """Raises msgspec.DecodeError."""
    return _ask.decode(line)


def decode_told(line: bytes) -> Told:
    """Raises msgspec.DecodeError."""
    return _told.decode(line)


def ask(number: int, command: Command) -> bytes:
    """A command as a frame."""
    return msgspec.json.encode({"number": number, "command": command}) + b"\n"


def hello(version: str, pid: int, role: str, time: datetime, origin: str = "", grants: str = "") -> bytes:
    """The first frame; `origin` says from where somebody asks, for the audit, `grants` what the engine allows."""
    return encode(
        Hello(protocol=PROTOCOL, version=version, pid=pid, role=role, time=time, origin=origin, grants=grants)
    )


def error_fields(error: TuibackError) -> dict[str, object]:
    """An error as the command line's tuiback.error/1 and the attach socket tell it."""
    return {
        "code": error.code,
        "exit": error.exit_code,
        "what": error.what,
        "subject": error.subject,
        "remedy": error.remedy,
    }


def fault_of(error: TuibackError) -> Fault:
    """An error as it travels."""
    return msgspec.convert(error_fields(error), Fault)


def error_of(fault: Fault) -> TuibackError:
    """The error that travelled, as the class that its code names, so that exit codes hold."""
    for kind in _all_kinds(TuibackError):
        if kind.code == fault.code:
            return kind(fault.what, fault.subject, fault.remedy)
    # A newer engine's: what it is called and how it ends is known all the same.
    error = TuibackError(fault.what, fault.subject, fault.remedy)
    error.code, error.exit_code = fault.code, fault.exit
    return error


def _all_kinds(kind: type[TuibackError]) -> list[type[TuibackError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _all_kinds(child))]
