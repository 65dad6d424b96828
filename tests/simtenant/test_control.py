"""The control counts, disturbs, lets time pass and tells the truth about what exists."""

import json
from hashlib import sha256

import httpx
import pytest

from tests.simtenant.caller import IMMUTABLE, Caller, code_of
from tuiback.simtenant import Server


def manifest(caller: Caller, account: str) -> dict[str, dict[str, object]]:
    """What an account holds, by id."""
    return {each["id"]: each for each in caller.control(f"/manifest?account={account}")["items"]}


def test_the_manifest_is_what_is_served(caller: Caller, user: str) -> None:
    """Its ids, sizes and hashes are those of $value and of downloads, for all items."""
    held = manifest(caller, user)
    messages = {each["id"] for each in caller.messages(user)}
    entries, _ = caller.walk(f"/users/{user}/drive/root/delta")
    files = {each["id"]: each for each in entries if "file" in each}
    assert held.keys() == messages | files.keys()
    for name in sorted(messages)[::8]:
        content = caller.send("GET", f"/users/{user}/messages/{name}/$value").content
        assert (held[name]["size"], held[name]["sha256"]) == (len(content), sha256(content).hexdigest())
    for name in sorted(files)[::4]:
        content = caller.plain.get(files[name]["@microsoft.graph.downloadUrl"]).content
        assert held[name]["sha256"] == sha256(content).hexdigest()
    assert manifest(caller, "mailbox:" + user).keys() == messages
    assert manifest(caller, "drive:" + caller.get(f"/users/{user}")["mail"]).keys() == files.keys()


def test_the_manifest_may_be_of_contacts_tasks_or_events(caller: Caller, user: str) -> None:
    """Their immutable ids, and hashes of what is served of each."""
    immutable = {"Prefer": 'IdType="ImmutableId"'}
    contacts = manifest(caller, "contacts:" + user)
    for each in caller.walk(f"/users/{user}/contacts", headers=immutable)[0]:
        shown = json.dumps({name: each[name] for name in sorted(each) if name[0] != "@"}, sort_keys=True)
        held = contacts[each["id"]]
        assert (held["path"], held["sha256"]) == (
            f"Contacts/{each['displayName']}", sha256(shown.encode()).hexdigest())  # fmt: skip
    lists = [each["id"] for each in caller.walk(f"/users/{user}/todo/lists")[0]]
    tasks = [each["id"] for name in lists for each in caller.walk(
        f"/users/{user}/todo/lists/{name}/tasks", headers=immutable)[0]]  # fmt: skip
    assert manifest(caller, "tasks:" + user).keys() == set(tasks)
    events = {each["id"] for each in caller.walk(f"/users/{user}/events")[0]}
    assert manifest(caller, "calendar:" + user).keys() == events
    assert caller.send("GET", f"/users/{user}/events/$count").text == str(len(events))


def test_mutations_show_up_in_delta_and_nowhere_else(caller: Caller) -> None:
    """Following every delta over the mutations leads from the first manifest's ids to the second's."""
    users = caller.users()
    known: dict[str, set[str]] = {}
    links: dict[str, str] = {}
    for user in users:
        for folder in caller.walk(f"/users/{user}/mailFolders/delta")[0]:
            url = f"/users/{user}/mailFolders/{folder['id']}/messages/delta?$select=id"
            entries, links[url] = caller.walk(url, headers=IMMUTABLE)
            known[url] = {each["id"] for each in entries}
        url = f"/users/{user}/drive/root/delta"
        entries, links[url] = caller.walk(url)
        known[url] = {each["id"] for each in entries if "file" in each}
    done = caller.control("/mutate", {"changes": 60, "seed": 7})
    assert sum(done.values()) == 60
    assert len(done) >= 8
    for url, link in links.items():
        entries, _ = caller.walk(link, headers=IMMUTABLE)
        for each in entries:
            if "@removed" in each or "deleted" in each:
                known[url].discard(each["id"])
            elif "file" in each or "root/delta" not in url:
                known[url].add(each["id"])
    for user in users:
        expected = set().union(*(ids for url, ids in known.items() if user in url))
        assert manifest(caller, user).keys() == expected


def test_a_seed_may_come_twice(caller: Caller) -> None:
    """Its second draws can't all be done as the first were: then others are made in their place."""
    for _ in range(2):
        assert sum(caller.control("/mutate", {"changes": 60, "seed": 4}).values()) == 60


def test_people_keep_contacts_tasks_and_meetings(caller: Caller) -> None:
    """Where that is asked for, all their deltas tell of changes, and letters bring cards and links."""
    span = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2032-01-01T00:00:00Z"
    paths = ("contacts/delta", "todo/lists/defaultList/tasks/delta", f"calendarView/delta?{span}")
    large = {"Prefer": "odata.maxpagesize=500"}
    users = caller.users()
    links = {path: [caller.walk(f"/users/{user}/{path}", headers=large)[1] for user in users] for path in paths}
    order = {"changes": 80, "seed": 5, "also": ["outlook"]}
    done = caller.control("/mutate", order)
    assert {"add_contact", "add_task", "meet", "send_card", "send_link"} <= done.keys()
    for found in links.values():
        assert any(caller.walk(link, headers=large)[0] for link in found)
    kinds = {
        attachment["@odata.type"]
        for user in users
        for message in caller.get(f"/users/{user}/mailFolders/sentitems/messages?$top=30&$expand=attachments")["value"]
        for attachment in message["attachments"]
    }
    assert {"#microsoft.graph.itemAttachment", "#microsoft.graph.referenceAttachment"} <= kinds
    caller.control("/mutate", {"reset": True})
    assert caller.control("/mutate", order) == done


def test_reset_takes_everything_back(caller: Caller, user: str, server: Server) -> None:
    """After a reset the tenant is byte for byte as at first, and the counts begin anew."""
    before = manifest(caller, user)
    caller.control("/mutate", {"changes": 30, "seed": 1})
    assert manifest(caller, user) != before
    caller.control("/mutate", {"reset": True})
    assert manifest(caller, user) == before
    assert caller.control("/stats")["requests"] == 0


def test_faults_answer_in_place_of_the_service(caller: Caller, user: str) -> None:
    """The rule holds for its number of times, says Retry-After, counts as throttled, and nothing is carried out."""
    rule = {"match": r"POST .*/mailFolders$", "status": 429, "retry_after": 7, "times": 2}
    caller.control("/fault", rule)
    url = f"/users/{user}/mailFolders"
    for _ in range(2):
        reply = caller.send("POST", url, json={"displayName": "X"})
        assert (reply.status_code, reply.headers["retry-after"], code_of(reply)) == (429, "7", "TooManyRequests")
    assert caller.send("POST", url, json={"displayName": "X"}).status_code == 201
    stats = caller.control("/stats")
    assert stats["throttled"] == 2
    assert stats["by_route"]["POST /users/{user}/mailFolders"] == 3


def test_a_fault_may_have_any_body_and_last_for_ever(caller: Caller) -> None:
    """A rule with times -1 never ends until cleared; an empty body stays empty."""
    caller.control("/fault", {"match": "GET /v1.0/users", "status": 503, "body": "", "times": -1})
    for _ in range(3):
        reply = caller.send("GET", "/users")
        assert (reply.status_code, reply.content) == (503, b"")
    caller.control("/fault", {"clear": True})
    caller.control("/fault", {"match": "GET /v1.0/users", "status": 500, "body": {"error": {"code": "x"}}})
    assert caller.send("GET", "/users").json() == {"error": {"code": "x"}}
    assert caller.send("GET", "/users").status_code == 200


def test_a_connection_can_be_cut_in_the_body(caller: Caller) -> None:
    """The true answer begins and breaks off after the given bytes."""
    caller.control("/fault", {"match": "GET /v1.0/users", "drop_after_bytes": 20})
    with pytest.raises(httpx.RemoteProtocolError):
        caller.send("GET", "/users")
    assert caller.send("GET", "/users").status_code == 200


def test_wrong_orders_are_refused(caller: Caller) -> None:
    """A fault that is none, and an account that does not exist."""
    url = caller.endpoints.control_url
    assert caller.plain.post(url + "/fault", json={"status": 500}).status_code == 400
    assert caller.plain.post(url + "/fault", json={"match": "("}).status_code == 400
    assert caller.plain.post(url + "/mutate", content=b"no json").status_code == 400
    assert caller.plain.get(url + "/manifest?account=nobody").status_code == 404
