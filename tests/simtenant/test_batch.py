"""$batch carries its members out one by one, each with its own answer."""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simtenant.caller import SCOPE, Caller, code_of
from tuiback.simtenant import Plan, Server
from tuiback.simtenant.api.call import Call
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.batch import answer_batch
from tuiback.simtenant.front import resolve_api
from tuiback.simtenant.reception import Counts, Orders, Reception, Taken


def get(number: object, url: str, **more: Any) -> dict[str, Any]:
    """A member that reads."""
    return {"id": str(number), "method": "GET", "url": url, **more}


def sent(caller: Caller, *members: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The answers by id."""
    return {each["id"]: each for each in caller.post("/$batch", {"requests": members})["responses"]}


@pytest.fixture(scope="module")
def throttled() -> Iterator[Server]:
    """A tenant that keeps to the limits."""
    with Server(Plan(users=2, messages=3, files_per_user=1, throttled=True)) as running:
        yield running


def test_members_are_answered_like_requests_of_their_own(caller: Caller, user: str) -> None:
    """JSON as JSON, content as base64, failures with their status, redirects with their Location."""
    message = next(caller.messages(user))["id"]
    items, _ = caller.walk(f"/users/{user}/drive/root/delta")
    file = next(each["id"] for each in items if "file" in each)
    answers = sent(
        caller,
        get(1, f"/users/{user}?$select=id"),
        get(2, f"/users/{user}/messages/{message}/$value"),
        get(3, "/users/nobody"),
        get(4, f"/users/{user}/drive/items/{file}/content"),
    )
    assert answers["1"]["body"]["id"] == user
    plain = caller.send("GET", f"/users/{user}/messages/{message}/$value").content
    assert b64decode(answers["2"]["body"]) == plain
    assert (answers["3"]["status"], answers["3"]["body"]["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert answers["4"]["status"] == 302
    assert caller.plain.get(answers["4"]["headers"]["Location"]).status_code == 200


def test_what_depends_comes_after_and_fails_with_it(caller: Caller, user: str) -> None:
    """A failed member takes along what depends on it, directly or not, with 424; nothing of that is carried out."""
    folder = {"method": "POST", "url": f"/users/{user}/mailFolders", "headers": {"Content-Type": "application/json"}}
    answers = sent(
        caller,
        {**folder, "id": "3", "body": {"displayName": "Third"}, "dependsOn": ["2"]},
        get(2, "/users/nobody", dependsOn=["1"]),
        {**folder, "id": "1", "body": {"displayName": "First"}},
    )
    assert [answers[each]["status"] for each in "123"] == [201, 404, 424]
    names = {each["displayName"] for each in caller.walk(f"/users/{user}/mailFolders")[0]}
    assert "First" in names
    assert "Third" not in names


def test_bodies_that_are_no_json_come_as_base64url(caller: Caller, user: str) -> None:
    """A file uploaded by a batch has the bytes that were encoded."""
    content = bytes(range(256))
    member = {
        "id": "1", "method": "PUT", "url": f"/users/{user}/drive/root:/batched.bin:/content",
        "headers": {"Content-Type": "application/octet-stream"}, "body": urlsafe_b64encode(content).decode(),
    }  # fmt: skip
    assert sent(caller, member)["1"]["status"] == 201
    url = caller.send("GET", f"/users/{user}/drive/root:/batched.bin:/content").headers["location"]
    assert caller.plain.get(url).content == content


def test_an_id_may_be_a_number(caller: Caller) -> None:
    """It comes back as a text, under which another may name it."""
    members = [get(0, "/organization") | {"id": 1}, get(2, "/users", dependsOn=[1])]
    answers = caller.post("/$batch", {"requests": members})["responses"]
    assert [(each["id"], each["status"]) for each in answers] == [("1", 200), ("2", 200)]


@pytest.mark.parametrize(
    "members",
    [
        [],
        [get(number, "/organization") for number in range(21)],
        [get(1, "/organization"), get(1, "/users")],
        [get(1, "/organization", dependsOn=["2"])],
        [get(1, "/organization", dependsOn=["2"]), get(2, "/organization", dependsOn=["1"])],
        [get(1, "organization")],
        [{"id": "1", "method": "POST", "url": "/users/x/mailFolders", "body": {}}],
        [get(1, "/$batch")],
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(caller: Caller, members: list[dict[str, Any]]) -> None:
    """None, too many, ids twice or unknown, circles, no Content-Type: 400 and nothing is carried out."""
    reply = caller.send("POST", "/$batch", json={"requests": members})
    assert (reply.status_code, code_of(reply)) == (400, "BadRequest")


def test_a_batch_needs_a_token(caller: Caller) -> None:
    """Without one the whole is refused."""
    assert caller.plain.post(caller.root + "/$batch", json={"requests": [get(1, "/users")]}).status_code == 401


def test_members_meet_faults_and_limits_one_by_one(throttled: Server) -> None:
    """More than four of one mailbox side by side: the excess is throttled inside a 200; in a chain none is."""
    with Caller(throttled.endpoints) as caller:
        first, second = caller.users()
        members = [get(number, f"/users/{first}/mailFolders/inbox") for number in range(6)]
        answers = sent(caller, *members, get("x", f"/users/{second}/mailFolders/inbox"))
        assert [answers[str(number)]["status"] for number in range(6)] == [200] * 4 + [429] * 2
        assert answers["x"]["status"] == 200
        assert {each["body"]["error"]["code"] for each in answers.values() if each["status"] == 429} == {
            "ApplicationThrottled"
        }
        chain = [
            get(number, f"/users/{first}/mailFolders/inbox", dependsOn=[str(number - 1)] if number else [])
            for number in range(6)
        ]
        assert {each["status"] for each in sent(caller, *chain).values()} == {200}
        rule = {"match": f"GET /v1.0/users/{second}$", "status": 429, "retry_after": 3}
        caller.control("/fault", rule)
        answers = sent(caller, get(1, f"/users/{first}"), get(2, f"/users/{second}"))
        assert [answers[each]["status"] for each in "12"] == [200, 429]
        assert answers["2"]["headers"]["Retry-After"] == "3"


def test_a_chain_holds_one_place_until_its_answer_is_sent() -> None:
    """Four of them at once are let in for one mailbox; a fifth is let in when one of them has been sent."""
    cloud = Cloud(Plan(users=1, messages=3, files_per_user=1, throttled=True))
    reception = Reception(cloud, Counts(), Orders(), resolve_api)
    cloud.signin.register("app", ["s"], [], cloud.plan.roles)
    form = {"client_id": "app", "client_secret": "s", "grant_type": "client_credentials", "scope": SCOPE}
    token = cloud.signin.issue(form, "https://entra/token", "https://entra/v2.0")["access_token"]
    user = cloud.tenant.directory.people()[0].person.object_id
    folder = f"/users/{user}/mailFolders/inbox?$select=id"
    chain = [get(n, folder, **({"dependsOn": [str(n - 1)]} if n else {})) for n in range(6)]
    body = json.dumps({"requests": chain}).encode()

    def batch() -> tuple[Taken, set[int]]:
        headers = {"authorization": f"Bearer {token}"}
        taken = answer_batch(reception, Call("POST", "http://graph", "/v1.0/$batch", "", headers, body))
        return taken, {each["status"] for each in json.loads(taken.reply.body)["responses"]}

    under_way = [batch() for _ in range(4)]
    assert [statuses for _, statuses in under_way] == [{200}] * 4
    fifth, statuses = batch()
    assert statuses == {429, 424}
    fifth.leave()
    under_way[0][0].leave()
    assert batch()[1] == {200}


def test_a_batch_can_be_refused_as_a_whole(caller: Caller, user: str) -> None:
    """A tester's fault strikes the batch like any other request, and none of its members is carried out."""
    caller.control("/fault", {"match": r"POST .*batch$", "status": 413})
    answer = caller.send("POST", "/$batch", json={"requests": [get(1, f"/users/{user}")]})
    assert answer.status_code == 413
    assert sent(caller, get(1, f"/users/{user}"))["1"]["status"] == 200
