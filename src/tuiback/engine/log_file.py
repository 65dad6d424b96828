"""Writes what happens into the home's log: one JSON object a line, readable by its owner only, of bounded size."""

import os
import re
from pathlib import Path

import msgspec

from tuiback.model import ActivityLine

LOG_FOLDER = "log"
LOG_FILE = "engine.jsonl"
# The log and the one before it: some 100,000 lines.
MOST_BYTES = 10 * 1024 * 1024
OLDER_FILES = 3

# Microsoft's support asks for the request's id; it gets a field of its own.
_REQUEST = re.compile(r" ?\[request ([0-9A-Za-z-]{1,64})\]")
# Pre-authenticated links and tokens are kept out where they arise; what slips through is cut out here.
_SECRETS = (
    re.compile(r"(?<=://)[^/\s@]+@"),
    re.compile(r"(?<=\?)[^\s'\"]{16,}"),
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),
)


class LogLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the log. `pid` tells engines apart."""

    time: str
    level: str
    subject: str
    text: str
    pid: int
    request_id: str = ""


def log_path(home: Path) -> Path:
    """Where the home's log is."""
    return home / LOG_FOLDER / LOG_FILE


def log_line(line: ActivityLine, pid: int) -> LogLine:
    """The line without secrets, its request id apart."""
    found = _REQUEST.search(line.text)
    return LogLine(
        time=line.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        level=line.level,
        subject=_clean(line.subject),
        text=_clean(_REQUEST.sub("", line.text)),
        pid=pid,
        request_id=found[1] if found else "",
    )


def _clean(text: str) -> str:
    for secret in _SECRETS:
        text = secret.sub("[...]", text)
    return text


class LogFile:
    """Callable with each line. A log that can't be written never disturbs the engine."""

    def __init__(self, home: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path = log_path(home)
        self._most_bytes = most_bytes
        self.failed = False

    def __call__(self, line: ActivityLine) -> None:
        """Append the line, and begin a new file when this one is full."""
        try:
            self._append(msgspec.json.encode(log_line(line, os.getpid())) + b"\n")
            self.failed = False
        except OSError:
            self.failed = True

    def _append(self, data: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        # Opened anew each time: another engine of this home may have turned the files over.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, data)
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size >= self._most_bytes:
            for number in range(OLDER_FILES, 0, -1):
                before = self._path.with_name(f"{LOG_FILE}.{number - 1}") if number > 1 else self._path
                if before.exists():
                    before.replace(self._path.with_name(f"{LOG_FILE}.{number}"))
