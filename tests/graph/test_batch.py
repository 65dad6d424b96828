"""Requests that go together."""

import asyncio
import base64
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tuiback.errors import GraphError, ItemGone, MicrosoftRefuses
from tuiback.graph import Answered, BatchRefused, GraphClient, Member
from tuiback.graph.batch import MOST_ANSWER_BYTES

from .clocks import InstantClock
from .scripted import Reply, ScriptedServer, Seen, as_json, fault

BATCH = "/v1.0/$batch"
Answers = Callable[[str], Mapping[str, Any]]


def mime(url: str) -> bytes:
    """What the mail behind an address says."""
    return f"Subject: {url}\r\n\r\nböse".encode()


def found(url: str) -> dict[str, Any]:
    """The answer to a member that gets its mail."""
    return {"status": 200, "headers": {"Content-Type": "text/plain"}, "body": base64.b64encode(mime(url)).decode()}


def refused(status: int, code: str, **headers: str) -> dict[str, Any]:
    """The answer to a member that fails."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return {"status": status, "headers": named, "body": {"error": {"code": code, "message": ""}}}


def members(*paths: str) -> list[Member]:
    """GETs of these."""
    return [Member("GET", path) for path in paths]


def asked(seen: Seen) -> list[Mapping[str, Any]]:
    """The members of a batch as they came."""
    requests: list[Mapping[str, Any]] = json.loads(seen.body)["requests"]
    return requests


def urls(server: ScriptedServer) -> list[list[str]]:
    """The addresses in each batch that came."""
    return [[each["url"] for each in asked(seen)] for seen in server.seen if seen.path == BATCH]


def in_turn(*rounds: Mapping[str, Mapping[str, Any]]) -> Sequence[Callable[[Seen], Reply]]:
    """Batches answered as a service does: in the n-th, these members fail, and those in the chain behind them."""

    def answer(failing: Mapping[str, Mapping[str, Any]], seen: Seen) -> Reply:
        responses = []
        failed: set[str] = set()
        for each in asked(seen):
            reply: Mapping[str, Any]
            if failed.intersection(each.get("dependsOn", ())):
                reply = refused(424, "FailedDependency")
            else:
                reply = failing.get(each["url"]) or found(each["url"])
            if reply["status"] >= 400:
                failed.add(each["id"])
            responses.append({"id": each["id"], **reply})
        return as_json({"responses": responses[::-1]})

    return [lambda seen, failing=failing: answer(failing, seen) for failing in rounds]  # type: ignore[misc]


async def run(client: GraphClient, *paths: str) -> list[bytes | GraphError]:
    """The contents that a chain of GETs brings."""
    answers = await client.lane("outlook", "ann").batch(members(*paths))
    return [answer.content if isinstance(answer, Answered) else answer for answer in answers]


async def test_a_chain_brings_each_body_decoded(server: ScriptedServer, client: GraphClient) -> None:
    """Members depend on the one before; bodies that are no JSON come as bytes, in the order asked for."""
    server.on("POST", BATCH, *in_turn({}))
    assert await run(client, "/a", "/b", "/c") == [mime("/a"), mime("/b"), mime("/c")]
    sent = asked(server.seen[-1])
    assert [each.get("dependsOn") for each in sent] == [None, ["0"], ["1"]]
    assert client.throttle_status()[0].requests == 3


async def test_side_by_side_nothing_depends(server: ScriptedServer, client: GraphClient) -> None:
    """Without a chain the service may carry the members out in any order; JSON comes as it is."""
    server.on("POST", BATCH, as_json({"responses": [{"id": "0", "status": 200, "body": {"id": "x"}}]}))
    (answer,) = await client.lane("directory").batch([Member("GET", "/users/x")], chain=False)
    assert isinstance(answer, Answered)
    assert json.loads(answer.content) == {"id": "x"}
    assert "dependsOn" not in asked(server.seen[-1])[0]


async def test_throttled_members_go_again_alone(
    server: ScriptedServer, client: GraphClient, clock: InstantClock, notices: list[tuple[str, float, int]]
) -> None:
    """Only the throttled one waits for the time it named: others were let in, and those behind it go on at once."""
    server.on("POST", BATCH, *in_turn({"/b": refused(429, "ApplicationThrottled", Retry_After="7")}, {}))
    assert await run(client, "/a", "/b", "/c") == [mime("/a"), mime("/b"), mime("/c")]
    assert urls(server) == [["/a", "/b", "/c"], ["/c"], ["/b"]]
    assert clock.slept == [pytest.approx(7, abs=0.1)]
    assert notices == [("outlook", 7.0, 429)]
    assert client.throttle_status()[0].throttled == 1


async def test_an_account_that_lets_nobody_in_is_left_alone(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """Where no member was answered, all of the account wait for the time that the refused one named."""
    wall = refused(429, "ApplicationThrottled", Retry_After="7")
    server.on("POST", BATCH, *in_turn({"/b": wall}, {"/c": wall}, {}))
    assert await run(client, "/a", "/b", "/c", "/d") == [mime(f"/{letter}") for letter in "abcd"]
    assert urls(server) == [["/a", "/b", "/c", "/d"], ["/c", "/d"], ["/d"], ["/b", "/c"]]
    assert clock.slept == [pytest.approx(7, abs=0.1)]


async def test_members_that_succeed_allow_more_at_once_again(server: ScriptedServer, client: GraphClient) -> None:
    """One refusal among many answers must not keep a mailbox at few requests at once for the rest of the run."""
    limits: list[int] = []

    def watched(seen: Seen) -> Reply:
        limits.append(client.throttle_status()[0].limit)
        failing = {"/a": refused(429, "ApplicationThrottled", Retry_After="1")} if len(limits) == 1 else {}
        return in_turn(failing)[0](seen)

    server.on("POST", BATCH, watched)
    for _ in range(2):
        await run(client, *(f"/{letter}" for letter in "abcdefgh"))
    assert limits == [4, 2, 4, 4]


async def test_a_failed_member_lets_the_others_through(server: ScriptedServer, client: GraphClient) -> None:
    """A message that is gone fails by itself; those behind it in the chain are sent again without it."""
    server.on("POST", BATCH, *in_turn({"/b": refused(404, "ErrorItemNotFound")}, {}))
    first, second, third = await run(client, "/a", "/b", "/c")
    assert (first, third) == (mime("/a"), mime("/c"))
    assert isinstance(second, ItemGone)
    assert urls(server) == [["/a", "/b", "/c"], ["/c"]]


async def test_a_passing_error_of_a_member_is_tried_again(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """It waits as a request of its own would, and is given up after as many tries."""
    server.on("POST", BATCH, *in_turn({"/a": refused(500, "InternalServerError")}))
    first, second = await run(client, "/a", "/b")
    assert isinstance(first, GraphError)
    assert first.status == 500
    assert second == mime("/b")
    assert len(clock.slept) == 3


async def test_an_expired_token_within_a_batch_is_renewed(server: ScriptedServer, client: GraphClient) -> None:
    """A member's 401 renews the token once for all that follows."""
    server.on("POST", BATCH, *in_turn({"/a": refused(401, "InvalidAuthenticationToken")}, {}))
    assert await run(client, "/a", "/b") == [mime("/a"), mime("/b")]
    assert server.tokens_issued == 2


async def test_a_missing_permission_ends_everything(server: ScriptedServer, client: GraphClient) -> None:
    """What no account can be read without is no matter of one member."""
    server.on("POST", BATCH, *in_turn({"/a": refused(403, "Authorization_RequestDenied")}, {}))
    with pytest.raises(MicrosoftRefuses):
        await run(client, "/a", "/b")


async def test_a_batch_too_large_is_halved(server: ScriptedServer, client: GraphClient) -> None:
    """413 asks for smaller sets, down to single members."""

    def answer(seen: Seen) -> Reply:
        return fault(413, "RequestEntityTooLarge") if len(asked(seen)) > 2 else in_turn({})[0](seen)

    server.on("POST", BATCH, answer)
    assert await run(client, "/a", "/b", "/c", "/d", "/e") == [mime(f"/{letter}") for letter in "abcde"]
    assert urls(server)[1:] == [["/a", "/b", "/c"], ["/a", "/b"], ["/c"], ["/d", "/e"]]


async def test_an_answer_too_large_is_halved(server: ScriptedServer, client: GraphClient) -> None:
    """More than memory should hold is read no further."""

    def answer(seen: Seen) -> Reply:
        return Reply(200, b" " * (MOST_ANSWER_BYTES + 1)) if len(asked(seen)) > 1 else in_turn({})[0](seen)

    server.on("POST", BATCH, answer)
    assert await run(client, "/a", "/b") == [mime("/a"), mime("/b")]


async def test_a_broken_answer_is_asked_for_again(server: ScriptedServer, client: GraphClient) -> None:
    """Reading twice does no harm."""
    server.on("POST", BATCH, Reply(200, b"x" * 100, cut_after=50), Reply(hang_up=True), *in_turn({}))
    assert await run(client, "/a", "/b") == [mime("/a"), mime("/b")]


@pytest.mark.parametrize(
    "broken", [Reply(200, b"x" * 100, cut_after=50), Reply(hang_up=True), fault(502, "BadGateway")]
)
async def test_a_post_in_a_batch_is_never_doubled(server: ScriptedServer, client: GraphClient, broken: Reply) -> None:
    """Where nobody knows whether it was carried out, it is not sent again, in halves neither."""
    server.on("POST", BATCH, broken)
    making = [Member("POST", "/a", body={"n": 1}), Member("GET", "/b")]
    try:
        answers = await client.lane("outlook", "ann").batch(making)
        assert all(isinstance(answer, GraphError) for answer in answers)
    except GraphError:
        pass
    assert len(urls(server)) == 1


async def test_a_throttled_post_is_sent_again(server: ScriptedServer, client: GraphClient) -> None:
    """A member that was refused unread was not carried out, nor were those behind it; the one before was."""
    server.on("POST", BATCH, *in_turn({"/b": refused(429, "ApplicationThrottled", Retry_After="1")}, {}))
    making = [Member("POST", path, body={"n": 1}) for path in ("/a", "/b", "/c")]
    answers = await client.lane("outlook", "ann").batch(making)
    assert all(isinstance(answer, Answered) for answer in answers)
    assert urls(server) == [["/a", "/b", "/c"], ["/b", "/c"]]
    assert asked(server.seen[-1])[0]["headers"] == {"Content-Type": "application/json"}


@pytest.mark.parametrize("status", [400, 404, 501])
async def test_a_cloud_without_batches_is_remembered(
    server: ScriptedServer, client: GraphClient, status: int
) -> None:
    """Whoever asks then asks one by one from the start."""
    server.on("POST", BATCH, fault(status, "BadRequest"))
    with pytest.raises(BatchRefused):
        await run(client, "/a", "/b")
    assert not client.takes_batches
    assert not client.urgent().takes_batches


@pytest.mark.parametrize(
    ("text", "content"), [("_-8", b"\xff\xef"), ("_-8=", b"\xff\xef"), ("/+8=", b"\xff\xef"), ("", b"")]
)
async def test_base64_of_either_alphabet(
    server: ScriptedServer, client: GraphClient, text: str, content: bytes
) -> None:
    """With or without padding."""
    server.on("POST", BATCH, as_json({"responses": [{"id": "0", "status": 200, "body": text}]}))
    assert await run(client, "/a") == [content]


async def test_text_that_is_no_base64_is_not_taken_for_content(server: ScriptedServer, client: GraphClient) -> None:
    """Guessing would store something else than the message."""
    server.on("POST", BATCH, as_json({"responses": [{"id": "0", "status": 200, "body": "Subject: hello\r\n\r\nyou"}]}))
    (answer,) = await run(client, "/a")
    assert isinstance(answer, GraphError)


async def test_raw_control_characters_are_survived(server: ScriptedServer, client: GraphClient) -> None:
    """One member's body that strict JSON does not allow spoils no other's."""
    body = b'{"responses":[{"id":"0","status":200,"body":{"t":"\x0b"}},{"id":"1","status":200,"body":"QQ=="}]}'
    server.on("POST", BATCH, Reply(200, body))
    first, second = await run(client, "/a", "/b")
    assert isinstance(first, bytes)
    assert json.loads(first) == {"t": "\x0b"}
    assert second == b"A"


async def test_a_member_left_out_of_the_answer_is_asked_for_again(server: ScriptedServer, client: GraphClient) -> None:
    """Nothing counts as read that did not come."""
    server.on("POST", BATCH, as_json({"responses": [{"id": "0", "status": 200, "body": "QQ=="}]}), *in_turn({}))
    assert await run(client, "/a", "/b") == [b"A", mime("/b")]
    assert urls(server)[1] == ["/b"]


async def test_each_member_waits_for_its_own_next_try(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """What failed twice waits longer than what failed once, and does not make that wait as well."""
    broken = refused(500, "InternalServerError")
    server.on("POST", BATCH, *in_turn({"/a": broken}, {"/b": broken}, {}, {"/a": broken}, {}))
    assert await run(client, "/a", "/b", "/c") == [mime("/a"), mime("/b"), mime("/c")]
    assert urls(server) == [["/a", "/b", "/c"], ["/b", "/c"], ["/c"], ["/a"], ["/b"], ["/a"]]
    assert [seconds <= 0.25 for seconds in clock.slept] == [True, True, False]


async def test_a_member_refused_without_a_time_waits_while_the_others_go_on(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """All keep away for a moment; the refused one comes back last."""
    server.on("POST", BATCH, *in_turn({"/a": refused(429, "ApplicationThrottled")}, {}))
    assert await run(client, "/a", "/b", "/c") == [mime("/a"), mime("/b"), mime("/c")]
    assert urls(server) == [["/a", "/b", "/c"], ["/b", "/c"], ["/a"]]
    moment, own = clock.slept
    assert moment == pytest.approx(0.25, abs=0.1)
    assert 1 - 0.25 - 0.1 <= own <= 2


async def test_what_is_left_of_several_batches_goes_together(server: ScriptedServer, client: GraphClient) -> None:
    """Half-empty batches would take the account's few places for little."""
    broken = refused(500, "InternalServerError")
    server.on("POST", BATCH, *in_turn({"/a": broken}, {"/c": broken}, {}))
    first, second = await asyncio.gather(run(client, "/a", "/b"), run(client, "/c", "/d"))
    assert (first, second) == ([mime("/a"), mime("/b")], [mime("/c"), mime("/d")])
    assert urls(server)[:2] == [["/a", "/b"], ["/c", "/d"]]
    later = urls(server)[2:]
    assert sorted(url for batch in later for url in batch) == ["/a", "/b", "/c", "/d"]
    assert len(later) < 4


async def test_a_batch_that_is_cancelled_takes_no_other_along(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """What it had in hand for another batch that one sends itself."""
    lane = client.lane("outlook", "ann")
    broken, never = refused(500, "InternalServerError"), asyncio.Event()

    def hold(seen: Seen) -> Reply:
        return dataclasses.replace(in_turn({})[0](seen), until=never)

    server.on("POST", BATCH, *in_turn({"/c": broken}, {}, {"/a": broken}), hold, *in_turn({}))
    kept = lane.answers(members("/c", "/d"))
    assert set(await anext(kept)) == {1}
    clock.seconds += 60
    cancelled = asyncio.ensure_future(run(client, "/a"))
    await server.arrival("POST", BATCH, 4)
    assert "/c" in urls(server)[3]
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert set(await anext(kept)) == {0}
    assert urls(server)[4] == ["/c"]
    await kept.aclose()


async def test_answers_come_before_what_is_tried_again(server: ScriptedServer, client: GraphClient) -> None:
    """What has come can be stored while the rest waits for its next try."""
    server.on("POST", BATCH, *in_turn({"/b": refused(500, "InternalServerError")}, {}))
    came = [set(answers) async for answers in client.lane("outlook", "ann").answers(members("/a", "/b", "/c"))]
    assert came == [{0}, {2}, {1}]


async def test_what_others_brought_meanwhile_is_told(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """Who is still storing the first answers finds the last one brought by another batch."""
    lane = client.lane("outlook", "ann")
    server.on("POST", BATCH, *in_turn({"/a": refused(500, "InternalServerError")}, {}))
    slow = lane.answers(members("/a", "/b"))
    assert set(await anext(slow)) == {1}
    clock.seconds += 60
    broken = refused(500, "InternalServerError")
    server.on("POST", BATCH, *in_turn({"/c": broken}, {}))
    assert await run(client, "/c") == [mime("/c")]
    assert [set(answers) async for answers in slow] == [{0}]
    assert [url for batch in urls(server)[2:] for url in batch].count("/a") == 1
