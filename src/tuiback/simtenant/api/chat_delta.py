"""Answers what changed in all chats that a person is in: the messages of the last eight months, then what changed.

https://learn.microsoft.com/graph/api/chatmessage-delta
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tuiback.simtenant.api.call import Fault, Reply, json_reply
from tuiback.simtenant.api.odata import collection, find_token, sealed_token
from tuiback.simtenant.api.post_json import Place, post_json
from tuiback.simtenant.api.post_lists import post_page_size
from tuiback.simtenant.state.posts import Post

_LIFE = timedelta(days=8 * 30)


def delta_of_all(owner: str, places: Sequence[Place]) -> Reply:
    """One page over the chats of `owner`, of which there is at least one. Raises Fault 400 and 410."""
    call, cloud = places[0].call, places[0].cloud
    state = _opened(owner, places)
    found = [(place, post) for place in places for post in _followed(place, state)]
    size = post_page_size(call)
    value = [post_json(place, post) for place, post in found[state["shown"] : state["shown"] + size]]
    more = state["shown"] + size < len(found)
    following = state | ({"shown": state["shown"] + size} if more else {"shown": 0, "since": state["until"]})
    token = sealed_token(cloud.token_key, following)
    name, link = ("$skiptoken", "@odata.nextLink") if more else ("$deltatoken", "@odata.deltaLink")
    document = collection("Collection(chatMessage)", value, None, call)
    return json_reply(document | {link: f"{call.root}{call.path}?{name}={token}"})


def _opened(owner: str, places: Sequence[Place]) -> dict[str, Any]:
    """The state in the link: for each chat up to which change it was told. A chat that came since has none."""
    call, cloud = places[0].call, places[0].cloud
    latest = {place.thread_id: place.thread.changes.latest for place in places}
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    if not text:
        return {"of": owner, "age": cloud.delta_generation, "since": {}, "until": latest, "shown": 0}
    state = find_token(cloud.token_key, text)
    if state is None or (state.get("of"), state.get("age")) != (owner, cloud.delta_generation):
        raise Fault(410, "SyncStateNotFound", "The sync state is not found.")
    return state | ({"until": latest} if "$deltatoken" in call.query else {})


def _followed(place: Place, state: dict[str, Any]) -> list[Post]:
    thread, since = place.thread, state["since"].get(place.thread_id)
    if since is None:
        posts = list(thread.posts.values())
    else:
        log = thread.changes.between(since, state["until"].get(place.thread_id, since))
        posts = [thread.posts[serial] for serial in dict.fromkeys(change.serial for change in log)]
    oldest = place.cloud.clock.now() - _LIFE
    return [each for each in posts if each.modified >= oldest]
