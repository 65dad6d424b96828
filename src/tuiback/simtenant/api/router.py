"""Leads a Graph URL to its handler.

Starlette's routes can't say what Graph's URLs do: segments in any case, keys in parentheses (`users('x')`), functions
with and without them (`delta`, `delta()`), and addresses between colons (`/root:/a/b:/content`).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from tuiback.simtenant.api.call import Call, Reply
from tuiback.simtenant.api.cloud import Cloud

Handler = Callable[[Cloud, Call], Reply]
# Clients made from templates write an address between colons as one encoded segment: root%3A%2Fa%2Fb.txt%3A.
_ENCODED_ADDRESS = re.compile(r"([^/%]+)%3a(%2f[^/]+?)(?:%3a)?(?=/|$)", re.IGNORECASE)
_KEYED = re.compile(r"([^(]+)\((?:[A-Za-z]+=)?'?(.*?)'?\)$")


@dataclass(frozen=True, slots=True)
class Permission:
    """The application roles of which one is needed, and how the service words its refusal; none: a token is enough."""

    roles: frozenset[str]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one template; variable segments stand in braces. `filtered` routes take $filter.

    `searched` ones $search, `typed` ones changeType; `in_beta` ones are not in v1.0.
    """

    method: str
    template: str
    handler: Handler
    permission: Permission
    filtered: bool = False
    searched: bool = False
    in_beta: bool = False
    typed: bool = False


class Router:
    """A tree of segments; fixed names win over variables."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._top = _Branch()
        for route in routes:
            branch = self._top
            for segment in route.template.strip("/").split("/"):
                branch = branch.grown(segment)
            branch.routes[route.method] = route

    def find(self, raw_path: str) -> tuple[dict[str, Route], dict[str, str]]:
        """The routes by method and the values of the variables. Raises UnknownSegment."""
        branch, where = self._top, dict[str, str]()
        for segment in _segments(raw_path):
            # Kinds are named with the namespace of the model, or with its alias.
            known = branch.fixed.get(segment.lower().removeprefix("microsoft.").removeprefix("graph."))
            if known is not None:
                branch = known
            elif branch.variable is not None:
                where[branch.name] = segment
                branch = branch.variable
            else:
                raise UnknownSegment(segment)
        return branch.routes, where


class UnknownSegment(Exception):
    """No route has this segment here."""


class _Branch:
    def __init__(self) -> None:
        self.fixed: dict[str, _Branch] = {}
        self.variable: _Branch | None = None
        self.name = ""
        self.routes: dict[str, Route] = {}

    def grown(self, segment: str) -> "_Branch":
        if not segment.startswith("{"):
            return self.fixed.setdefault(segment.lower(), _Branch())
        self.name = segment.strip("{}")
        if self.variable is None:
            self.variable = _Branch()
        return self.variable


def _segments(raw_path: str) -> Iterable[str]:
    """The decoded segments; an address between colons becomes the two segments ":" and the address, still encoded."""
    address: list[str] | None = None
    if "%3a%2f" in raw_path.lower():
        raw_path = _ENCODED_ADDRESS.sub(_with_plain_address, raw_path)
    for raw in raw_path.strip("/").split("/"):
        if address is not None:
            address.append(raw.removesuffix(":"))
            if raw.endswith(":"):
                yield from (":", "/".join(address))
                address = None
        elif raw.endswith(":"):
            yield unquote(raw[:-1])
            address = []
        elif not raw:
            raise UnknownSegment("")
        elif "(" in raw:
            yield from _keyed(unquote(raw))
        else:
            yield unquote(raw) if "%" in raw else raw
    if address is not None:
        yield from (":", "/".join(address))


def _with_plain_address(found: re.Match[str]) -> str:
    return f"{found[1]}:{re.sub('%2f', '/', found[2], flags=re.IGNORECASE)}:"


def _keyed(segment: str) -> Sequence[str]:
    found = _KEYED.match(segment)
    if found is None:
        return (segment,)
    name, key = found.groups()
    return (name, key.replace("''", "'")) if key else (name,)
