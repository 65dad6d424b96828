"""People change what they share, and every change shows up where it is followed."""

from typing import Any

from tests.simtenant.caller import Caller

KINDS = {"post", "reply", "edit_post", "delete_post", "react", "add_row", "edit_row", "delete_row", "edit_page"}


def followed(caller: Caller) -> dict[str, str]:
    """The delta links of channels and lists, without those of the first team, which has very long ones."""
    links = {}
    for team in caller.walk("/teams?$select=id")[0][1:]:
        for channel in caller.walk(f"/teams/{team['id']}/channels?$select=id")[0]:
            url = f"/teams/{team['id']}/channels/{channel['id']}/messages"
            links[url] = caller.walk(f"{url}/delta?$top=50")[1]
    for site in caller.walk("/sites?$select=id")[0][1:]:
        for held in caller.walk(f"/sites/{site['id']}/lists?$select=id,displayName")[0]:
            url = f"/sites/{site['id']}/lists/{held['id']}/items"
            links[url] = caller.walk(f"{url}/delta?$top=5000")[1]
    return links


def state(caller: Caller, url: str) -> dict[str, Any]:
    """What a channel or list holds, by id."""
    rows = url.endswith("/items")
    query = "?$expand=fields&$top=5000" if rows else "?$expand=replies&$top=50"
    kept: dict[str, Any] = {}
    for each in caller.walk(url + query)[0]:
        replies = [(reply["id"], reply["etag"]) for reply in each.get("replies", ())]
        kept[each["id"]] = (each["eTag"],) if rows else (each["etag"], *replies)
    return kept


def test_what_people_share_is_followed_by_delta(caller: Caller) -> None:
    """Whatever changed is told, and nothing else; the same seed makes the same changes."""
    links = followed(caller)
    before = {url: state(caller, url) for url in links}
    given = {"changes": 150, "seed": 5, "also": ["teams", "sites"]}
    done = caller.control("/mutate", given)
    assert done.keys() >= KINDS
    for url, earlier in before.items():
        later = state(caller, url)
        changed = {name for name in earlier.keys() | later.keys() if earlier.get(name) != later.get(name)}
        told = {each["id"] for each in caller.walk(links[url])[0]}
        assert told == changed
    caller.control("/mutate", {"reset": True})
    assert caller.control("/mutate", given) == done


def test_unknown_parts_are_refused(caller: Caller) -> None:
    """The control names those that there are."""
    for path in ("/mutate", "/life"):
        body = {"changes_per_minute": 1, "also": ["phones"]}
        reply = caller.plain.post(caller.endpoints.control_url + path, json=body)
        assert reply.status_code == 400
        assert "teams" in reply.text
