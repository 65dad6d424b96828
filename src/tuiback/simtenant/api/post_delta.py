"""Answers what changed among posts: conversations of the last eight months, and then those that changed.

https://learn.microsoft.com/graph/api/chatmessage-delta
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tuiback.simtenant.api.call import Fault, Reply, json_reply
from tuiback.simtenant.api.odata import collection, find_token, sealed_token
from tuiback.simtenant.api.post_json import Place, written
from tuiback.simtenant.api.post_lists import post_page_size, with_replies
from tuiback.simtenant.state.posts import Post

_LIFE = timedelta(days=8 * 30)


def delta(place: Place) -> Reply:
    """One page. Raises Fault 400 and 410."""
    call, cloud = place.call, place.cloud
    state = _opened(place)
    roots = _followed(place, state)
    size = post_page_size(call)
    value = [with_replies(place, each) for each in roots[state["shown"] : state["shown"] + size]]
    more = state["shown"] + size < len(roots)
    following = state | ({"shown": state["shown"] + size} if more else {"shown": 0, "since": state["until"]})
    token = sealed_token(cloud.token_key, following)
    name, link = ("$skiptoken", "@odata.nextLink") if more else ("$deltatoken", "@odata.deltaLink")
    expand = "&$expand=replies" if "replies" in call.query.get("$expand", "") else ""
    document = collection("Collection(chatMessage)", value, None, call)
    return json_reply(document | {link: f"{call.root}{call.path}?{name}={token}{expand}"})


def _opened(place: Place) -> dict[str, Any]:
    call, cloud, latest = place.call, place.cloud, place.thread.changes.latest
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    fresh: dict[str, Any] = {
        "of": place.thread_id, "age": cloud.delta_generation, "since": -1, "until": latest,
        "shown": 0, "filter": call.query.get("$filter", ""),
    }  # fmt: skip
    state = find_token(cloud.token_key, text) if text else fresh
    if state is None or state.get("of") != place.thread_id or state["age"] != cloud.delta_generation:
        raise Fault(410, "SyncStateNotFound", "The sync state is not found.")
    if call.query.get("$deltatoken"):
        state["until"] = latest
    return state


def _followed(place: Place, state: dict[str, Any]) -> Sequence[Post]:
    thread = place.thread
    oldest = place.cloud.clock.now() - _LIFE
    if state["since"] < 0:
        roots = thread.roots()
    else:
        log = thread.changes.between(state["since"], state["until"])
        roots = [thread.posts[serial] for serial in dict.fromkeys(change.serial for change in log)]
    after = str(state["filter"]).rpartition(" gt ")[2].strip()
    changed = [(each, thread.last_change(each)) for each in roots]
    return [each for each, moment in changed if moment >= oldest and (not after or written(moment) > after)]
