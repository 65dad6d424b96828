"""Carries the state of an Outlook delta walk in its links: $skiptoken between pages, $deltatoken between rounds.

A link is bound to the query it began with: https://learn.microsoft.com/graph/delta-query-messages
"""

from dataclasses import asdict, dataclass, replace

import msgspec

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import find_token, sealed_token


@dataclass(frozen=True, slots=True)
class DeltaState:
    """Where a walk stands. `since` is None in the first round; changes numbered up to `until` belong to this one.

    `position` counts entries shown; `after` is the last serial shown of a first round, or where that goes from the
    newest to the oldest, `newest_first`, `before` tells where it stands. `change_type` is what alone is asked for.
    """

    what: str
    generation: int
    since: int | None
    until: int
    position: int = 0
    after: int = -1
    select: list[str] | None = None
    immutable: bool = False
    received_after: str = ""
    expand: str = ""
    change_type: str = ""
    newest_first: bool = False
    before: str = ""


def opened_state(cloud: Cloud, call: Call, what: str, latest: int) -> DeltaState:
    """The state in the request's link, or that of a new walk. Raises Fault 400 and 410."""
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    immutable = call.preferences.get("idtype", "").lower() == "immutableid"
    if text is None:
        select = call.query.get("$select")
        return DeltaState(
            what, cloud.delta_generation, None, latest, immutable=immutable,
            select=[name.strip() for name in select.split(",")] if select else None,
            received_after=_received_after(call), expand=call.query.get("$expand", ""),
            change_type=_change_type(call), newest_first="$orderby" in call.query,
        )  # fmt: skip
    found = find_token(cloud.token_key, text)
    if found is None:
        raise Fault(400, "SyncStateInvalid", "The sync state is invalid.")
    try:
        state = msgspec.convert(found, DeltaState)
    except msgspec.ValidationError as error:
        raise Fault(400, "SyncStateInvalid", "The sync state is invalid.") from error
    _check(cloud, state, what, immutable)
    if "$deltatoken" in call.query:
        state = replace(state, until=latest)
    return state


def next_state(state: DeltaState, total: int, size: int, after: int = -1) -> DeltaState:
    """The state behind the next link: further in this round, or at the start of the next."""
    if state.position + size < total:
        return replace(state, position=state.position + size, after=after)
    return replace(state, since=state.until, position=0, after=-1)


def delta_link(cloud: Cloud, call: Call, state: DeltaState) -> tuple[str, str]:
    """The link that carries `state`, and its name."""
    token = sealed_token(cloud.token_key, asdict(state))
    if state.position or state.after >= 0 or state.before:
        return f"{call.root}{call.path}?$skiptoken={token}", "@odata.nextLink"
    return f"{call.root}{call.path}?$deltatoken={token}", "@odata.deltaLink"


def _check(cloud: Cloud, state: DeltaState, what: str, immutable: bool) -> None:
    if state.what != what:
        raise Fault(400, "SyncStateInvalid", "The sync state was made for another folder.")
    if state.immutable != immutable:
        raise Fault(410, "SyncStateInvalid", "The sync state was made for another type of ids.")
    if state.generation != cloud.delta_generation:
        high = 100 + cloud.delta_generation
        text = f"generation={100 + state.generation};[highest={high}][{high}]."
        raise Fault(410, "SyncStateNotFound", f"The sync state generation is not found; {text}")


def _change_type(call: Call) -> str:
    """Raises Fault 400."""
    wanted = call.query.get("changeType", "")
    if wanted not in ("", "created", "updated", "deleted"):
        raise Fault(400, "ErrorInvalidUrlQuery", f"The value '{wanted}' of changeType is not supported.")
    order = call.query.get("$orderby", "receivedDateTime desc").lower()
    if order != "receiveddatetime desc":
        raise Fault(400, "ErrorInvalidUrlQuery", "The query order is not supported by change tracking.")
    return wanted


def _received_after(call: Call) -> str:
    """The moment in `receivedDateTime ge|gt ...`, the only filter that delta takes. Raises Fault 400."""
    text = call.query.get("$filter", "").strip()
    if not text:
        return ""
    name, _, value = text.replace(" gt ", " ge ").partition(" ge ")
    if name != "receivedDateTime" or not value:
        raise Fault(400, "ErrorInvalidUrlQuery", "The query filter is not supported by change tracking.")
    return value.strip("' ")
