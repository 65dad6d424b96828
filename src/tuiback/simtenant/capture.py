"""Writes every exchange down as a line of JSON that schema checkers and rate checks can read, secrets left out."""

import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from tuiback.simtenant.api.call import Call, Reply

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_JSON = "application/json"


class Capture:
    """Appends to one file; each line is complete when it is there."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._turn = threading.Lock()

    def write(self, call: Call, reply: Reply, begun: float, *, sent_whole: bool) -> None:
        """One exchange: `begun` in seconds since 1970, `seconds` until its answer was sent or given up."""
        line = {
            "time": round(begun, 6),
            "seconds": round(time.time() - begun, 6),
            "method": call.method,
            "url": f"{call.root}{call.path}" + (f"?{call.raw_query}" if call.raw_query else ""),
            "request_headers": {name: _shown(name, value) for name, value in call.headers.items()},
            "request_bytes": len(call.body),
            "status": reply.status,
            "response_headers": reply.headers,
            "response_bytes": reply.length if reply.stream is not None else len(reply.body),
            "sent_whole": sent_whole,
            "body": _document(call, reply),
        }
        if call.path.endswith("/$batch"):
            line["members"] = _members(call)
        with self._turn:
            self._file.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def _shown(name: str, value: str) -> str:
    if name not in _SECRET_HEADERS:
        return value
    return "Bearer -" if value.lower().startswith("bearer ") else "-"


def _members(call: Call) -> list[dict[str, Any]]:
    """What a batch asks for, without headers and bodies: whose budgets it is charged to can't be told otherwise."""
    try:
        asked = msgspec.json.decode(call.body)["requests"]
        return [{name: each[name] for name in ("id", "method", "url", "dependsOn") if name in each} for each in asked]
    except (msgspec.DecodeError, KeyError, TypeError):
        return []


def _document(call: Call, reply: Reply) -> Any:  # noqa: ANN401 - whatever JSON the service gave
    """The answer as JSON; None for content, and for tokens, which nobody else may see."""
    if reply.stream is not None or not reply.content_type.startswith(_JSON) or not reply.body:
        return None
    if "/oauth2/" in call.path:
        return None
    try:
        return msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        return None
