"""The company goes on living while it is served."""

import time

from tests.simtenant.caller import Caller

DEADLINE_SECONDS = 20


def test_changes_go_on_in_the_background_until_stopped(caller: Caller) -> None:
    """They show up in delta; after the stop nothing more happens."""
    links = [caller.walk(f"/users/{user}/drive/root/delta")[1] for user in caller.users()]
    assert caller.control("/life", {"changes_per_minute": 60_000, "seed": 2, "people": False})["on"]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while caller.control("/stats")["life"] < 40 and time.monotonic() < deadline:
        pass
    stopped = caller.control("/life", {"stop": True})
    assert not stopped["on"]
    assert stopped["changes"] >= 40
    assert any(caller.walk(link)[0] for link in links)
    assert caller.control("/stats")["life"] == stopped["changes"]
    url = caller.endpoints.control_url + "/life"
    assert caller.plain.post(url, json={"changes_per_minute": 0}).status_code == 400
