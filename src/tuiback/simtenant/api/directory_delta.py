"""Carries a delta walk of users or groups in its links, and expires it after a week.

https://learn.microsoft.com/graph/delta-query-overview
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import collection, find_token, page_size, sealed_token, selected
from tuiback.simtenant.state.directory_log import DirectoryChange, DirectoryLog

_LIFE_SECONDS = 7 * 24 * 3600
_MOST = 999
_MOST_IDS = 50
_REFUSED = ("$top", "$orderby", "$expand", "$search")
_ONE_ID = re.compile(r"id eq '([^']+)'")


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """Where a walk stands: entries behind `position`, of changes after `since` (None in the first round)."""

    what: str
    generation: int
    issued: float
    since: int | None
    until: int
    position: int = 0
    select: list[str] | None = None
    only: list[str] | None = None

    @property
    def names(self) -> frozenset[str] | None:
        """The properties followed; None stands for the default ones."""
        return frozenset(self.select) if self.select is not None else None


@dataclass(frozen=True, slots=True)
class Followed:
    """What a walk follows: `everything` tells the numbers of what exists, `show` gives the documents of one object.

    `show` takes the number, the state and the changes of this round (none in the first).
    """

    what: str
    context: str
    log: DirectoryLog
    everything: Callable[[], list[int]]
    show: Callable[[int, DirectoryState, list[DirectoryChange]], Iterator[dict[str, Any]]]


def delta_page(cloud: Cloud, call: Call, followed: Followed) -> Reply:
    """One page of a round. Raises Fault 400 and 410."""
    for name in _REFUSED:
        if name in call.query:
            raise Fault(400, "Request_UnsupportedQuery", f"{name} is not supported by delta.")
    state = _opened(cloud, call, followed)
    if call.query.get("$deltatoken") == "latest":
        return _answered(cloud, call, followed, [], replace(state, since=state.until))
    changes: dict[int, list[DirectoryChange]] = {}
    if state.since is None:
        # Numbers are never given twice, so nobody is missed when others leave between two pages.
        serials = [serial for serial in followed.everything() if serial >= state.position]
        start = 0
    else:
        for change in followed.log.between(state.since, state.until):
            if change.shows(state.names):
                changes.setdefault(change.serial, []).append(change)
        serials, start = list(changes), state.position
    size = page_size(call, cloud.plan.user_page, _MOST, preferred=True)
    page = serials[start : start + size]
    value: list[dict[str, Any]] = []
    for serial in page:
        shown = followed.show(serial, state, changes.get(serial, []))
        value += [each for each in shown if state.only is None or each["id"] in state.only]
    following = replace(state, issued=cloud.clock.seconds(), since=state.until, position=0)
    if start + size < len(serials):
        position = page[-1] + 1 if state.since is None else start + size
        following = replace(following, since=state.since, position=position)
    return _answered(cloud, call, followed, value, following)


def _answered(
    cloud: Cloud, call: Call, followed: Followed, value: list[dict[str, Any]], state: DirectoryState
) -> Reply:
    token = sealed_token(cloud.token_key, asdict(state))
    name, link = ("$skiptoken", "@odata.nextLink") if state.position else ("$deltatoken", "@odata.deltaLink")
    document = collection(followed.context, value, None, call) | {link: f"{call.root}{call.path}?{name}={token}"}
    reply = json_reply(document)
    if is_minimal(call):
        reply.headers["Preference-Applied"] = "return=minimal"
    return reply


def is_minimal(call: Call) -> bool:
    """Whether only changed properties are wanted."""
    return call.preferences.get("return", "").lower() == "minimal"


def _opened(cloud: Cloud, call: Call, followed: Followed) -> DirectoryState:
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    now = cloud.clock.seconds()
    if text is None or text in ("", "latest"):
        names = selected(call)
        return DirectoryState(
            followed.what, cloud.delta_generation, now, None, followed.log.latest,
            select=sorted(names) if names is not None else None, only=_only(call),
        )  # fmt: skip
    found = find_token(cloud.token_key, text)
    try:
        state = msgspec.convert(found, DirectoryState)
    except msgspec.ValidationError as error:
        raise Fault(400, "Request_BadRequest", "The delta token is not valid.") from error
    if state.what != followed.what:
        raise Fault(400, "Request_BadRequest", "The delta token was made for another resource.")
    if state.generation != cloud.delta_generation or now - state.issued > _LIFE_SECONDS:
        raise _gone(call, state)
    return replace(state, until=followed.log.latest) if "$deltatoken" in call.query else state


def _gone(call: Call, state: DirectoryState) -> Fault:
    fault = Fault(410, "syncStateNotFound", "The sync state is no longer known; begin a full synchronization.")
    fault.headers["Location"] = f"{call.root}{call.path}?$deltatoken=" + (
        f"&$select={','.join(state.select)}" if state.select is not None else ""
    )
    return fault


def _only(call: Call) -> list[str] | None:
    """The ids in `id eq 'x' or id eq 'y'`, the only filter that delta takes. Raises Fault 400."""
    text = call.query.get("$filter", "").strip()
    if not text:
        return None
    found = [_ONE_ID.fullmatch(part.strip(" ()")) for part in text.split(" or ")]
    ids = [each.group(1).lower() for each in found if each is not None]
    if len(ids) < len(found) or len(ids) > _MOST_IDS:
        raise Fault(400, "Request_UnsupportedQuery", f"Delta filters by id only, at most {_MOST_IDS} of them.")
    return ids
