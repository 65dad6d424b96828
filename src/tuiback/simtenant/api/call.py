"""What a request handler gets and gives: a Call, a Reply, or a Fault in Graph's error envelope."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec

from tuiback.simtenant.state.clock import Clock

VERSIONS = ("/v1.0", "/beta")
# OData takes these options with and without `$` before them.
_OPTIONS = frozenset({"select", "expand", "top", "skip", "filter", "orderby", "count", "search", "skiptoken"})
JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_encode = msgspec.json.Encoder().encode


class Fault(Exception):
    """A refusal: https://learn.microsoft.com/graph/errors. `inner` is the code inside innerError."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        super().__init__(code, message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner
        self.headers: dict[str, str] = {}


@dataclass(slots=True)
class Reply:
    """An answer: `body` goes out as it is, `stream` piece by piece with `length` bytes announced.

    With `later` the answer takes its time: it is what that gives, which may be asked for in another thread.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    length: int = 0
    later: "Callable[[], Reply] | None" = None


@dataclass(eq=False)
class Call:
    """One request. `root` is scheme and host as the request named them; `where` holds the path's variable parts.

    `app_id` is who asks, once the token has been looked at.
    """

    method: str
    root: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    where: dict[str, str] = field(default_factory=dict)
    app_id: str = ""
    request_id: str = field(default_factory=lambda: str(uuid4()))

    @cached_property
    def query(self) -> dict[str, str]:
        """The query options; OData's own with `$` and in lower case, since Graph takes them in any and without."""
        found = parse_qsl(self.raw_query, keep_blank_values=True)
        return {_option(name): value for name, value in found}

    @property
    def version(self) -> str:
        """The API version in the path, "/v1.0" or "/beta"."""
        return self.path[:5]

    @cached_property
    def preferences(self) -> dict[str, str]:
        """The Prefer header as names in lower case and values without quotes."""
        found = {}
        for each in self.headers.get("prefer", "").split(","):
            name, _, value = each.strip().partition("=")
            found[name.strip().lower()] = value.strip().strip('"')
        return found

    @property
    def client_request_id(self) -> str:
        """What the client calls this request; its request-id where it does not."""
        return self.headers.get("client-request-id", self.request_id)

    def arguments(self) -> dict[str, Any]:
        """The body as an action's parameters, whose names Graph takes with a capital first letter, too."""
        return {name[:1].lower() + name[1:]: value for name, value in self.json().items()}

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises Fault 400."""
        try:
            found = msgspec.json.decode(self.body or b"{}")
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            raise Fault(400, "BadRequest", "Unable to read JSON request payload.")
        return found


def _option(name: str) -> str:
    if name.startswith("$"):
        return name.lower()
    return f"${name}" if name in _OPTIONS else name


def json_reply(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """`document` as JSON."""
    return Reply(status, _encode(document), headers=headers or {})


def no_content() -> Reply:
    """204."""
    return Reply(204)


def fault_reply(fault: Fault, call: Call, clock: Clock) -> Reply:
    """The error envelope, with when and which request."""
    inner: dict[str, str] = {"code": fault.inner} if fault.inner else {}
    inner |= {
        "date": clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": call.request_id,
        "client-request-id": call.client_request_id,
    }
    document = {"error": {"code": fault.code, "message": fault.message, "innerError": inner}}
    return json_reply(document, fault.status, fault.headers)
