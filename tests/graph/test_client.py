"""Tests of the client and its lanes against a server that misbehaves by script."""

import asyncio
import random
import socket
from contextlib import aclosing
from dataclasses import replace

import pytest

from tuiback.errors import AccessDenied, CursorExpired, GraphError, ItemGone, MicrosoftRefuses, Unreachable, UsageError
from tuiback.graph import AppIdentity, GraphClient
from tuiback.graph.client import USER_AGENT
from tuiback.graph.retry import MOST_TRIES_BEFORE_ANY_ANSWER

from .clocks import InstantClock
from .scripted import Reply, ScriptedServer, Seen, as_json, fault

_USERS = "/v1.0/users"
_MAIL = "/v1.0/users/1/messages"


async def test_an_object_comes_with_token_agent_and_id(server: ScriptedServer, client: GraphClient) -> None:
    """Each request is signed, decorated and has an id of its own."""
    server.on("GET", _USERS, as_json({"displayName": "é"}))
    lane = client.lane("directory")

    assert await lane.get("/users", params={"$select": "id,mail", "$filter": "a eq 'b c'"}) == {"displayName": "é"}
    await lane.get("/users", headers={"Prefer": "x"})

    first, second = server.asked("GET", _USERS)
    assert first.target == f"{_USERS}?$select=id,mail&$filter=a%20eq%20%27b%20c%27"
    assert first.headers["authorization"] == "Bearer token-1"
    assert first.headers["user-agent"] == USER_AGENT
    assert first.headers["x-ms-throttle-priority"] == "low"
    assert first.headers["client-request-id"] != second.headers["client-request-id"]
    assert second.headers["prefer"] == "x"
    assert server.tokens_issued == 1


async def test_pages_follow_links_byte_for_byte(server: ScriptedServer, client: GraphClient) -> None:
    """Parameters go with the first request only, headers with all; the last page has the delta link."""
    link = f"{server.url}/v1.0/users('1')/delta?$skiptoken=a%2Fb%21c%3D"
    delta = f"{server.url}/v1.0/users('1')/delta?$deltatoken=z%2B"
    server.on("GET", _MAIL, as_json({"value": [{"id": "1"}], "@odata.nextLink": link}))
    server.on("GET", "/v1.0/users('1')/delta", as_json({"value": [], "@odata.deltaLink": delta}))

    lane = client.lane("outlook", "1")
    pages = [page async for page in lane.pages("/users/1/messages", params={"$top": 2}, headers={"Prefer": "p"})]

    assert [(page.items, page.next_link, page.delta_link) for page in pages] == [
        ([{"id": "1"}], link, None),
        ([], None, delta),
    ]
    assert server.seen[-1].target == "/v1.0/users('1')/delta?$skiptoken=a%2Fb%21c%3D"
    assert [seen.headers.get("prefer") for seen in server.seen[-2:]] == ["p", "p"]


async def test_the_token_goes_nowhere_else(server: ScriptedServer, client: GraphClient) -> None:
    """A next link to another host is refused before anything is sent."""
    server.on("GET", _USERS, as_json({"value": [], "@odata.nextLink": "http://127.0.0.1:1/v1.0/users"}))
    with pytest.raises(GraphError, match="leads away"):
        [page async for page in client.lane("directory").pages("/users")]


async def test_a_list_without_items_is_an_error(server: ScriptedServer, client: GraphClient) -> None:
    """An object where a list should be never reads as an empty list."""
    server.on("GET", _USERS, as_json({"id": "1"}))
    with pytest.raises(GraphError, match="without its items"):
        [page async for page in client.lane("directory").pages("/users")]


async def test_a_refusal_is_waited_out_and_told(
    server: ScriptedServer, client: GraphClient, clock: InstantClock, notices: list[tuple[str, float, int]]
) -> None:
    """429 with 31 seconds is waited out exactly; the figures and the listener hear of it."""
    server.on("GET", _MAIL, fault(429, "ApplicationThrottled", Retry_After="31"), as_json({"ok": 1}))

    assert await client.lane("outlook", "1").get("/users/1/messages") == {"ok": 1}

    assert clock.slept == [31]
    assert notices == [("outlook", 31, 429)]
    figures = next(figures for figures in client.throttle_status() if figures.service == "outlook")
    assert (figures.requests, figures.throttled, figures.in_flight, figures.waiting) == (2, 1, 0, 0)


async def test_a_refusal_without_a_time_backs_off(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """Without Retry-After the waits grow."""
    server.on("GET", _MAIL, fault(429, "x"), fault(429, "x"), fault(429, "x"), as_json({}))
    await client.lane("outlook", "1").get("/users/1/messages")

    first, second, third = clock.slept
    assert 1 <= first <= 2 <= second <= 4 <= third <= 8


async def test_an_empty_503_is_tried_again(
    server: ScriptedServer, client: GraphClient, notices: list[tuple[str, float, int]]
) -> None:
    """A 503 without body or time passes after a moment."""
    server.on("GET", _MAIL, Reply(503), as_json({"ok": 1}))
    assert await client.lane("outlook", "1").get("/users/1/messages") == {"ok": 1}
    assert notices == [("outlook", 0, 503)]


async def test_a_server_error_that_stays_is_given_up(server: ScriptedServer, client: GraphClient) -> None:
    """The fourth 500 is the last, and the error carries Microsoft's code and request id."""
    server.on("GET", _MAIL, fault(500, "ErrorInternalServerError", "no luck"))
    with pytest.raises(GraphError, match=r"500 \(ErrorInternalServerError no luck\) \[request r-1\]") as caught:
        await client.lane("outlook", "1").get("/users/1/messages")
    error = caught.value
    assert (error.status, error.graph_code, error.request_id) == (500, "ErrorInternalServerError", "r-1")
    assert len(server.asked("GET", _MAIL)) == 4


async def test_a_body_that_breaks_is_asked_for_again(server: ScriptedServer, client: GraphClient) -> None:
    """Half a page is no page."""
    whole = as_json({"value": [1, 2, 3]})
    server.on("GET", _MAIL, replace(whole, cut_after=5), whole)
    assert await client.lane("outlook", "1").get("/users/1/messages") == {"value": [1, 2, 3]}


async def test_an_expired_token_is_renewed_and_the_request_repeated(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """401 costs one sign-in and no waiting, for a POST as well."""
    server.on("POST", _MAIL, fault(401, "InvalidAuthenticationToken"), as_json({"id": "9"}, 201))
    assert await client.lane("outlook", "1").post("/users/1/messages", {"a": 1}) == {"id": "9"}
    tokens = [seen.headers["authorization"] for seen in server.asked("POST", _MAIL)]
    assert tokens == ["Bearer token-1", "Bearer token-2"]
    assert clock.slept == []


async def test_a_new_token_that_is_rejected_too_ends_it(server: ScriptedServer, client: GraphClient) -> None:
    """Microsoft refuses when even a fresh token is rejected."""
    server.on("GET", _MAIL, fault(401, "InvalidAuthenticationToken"))
    with pytest.raises(MicrosoftRefuses):
        await client.lane("outlook", "1").get("/users/1/messages")
    assert len(server.asked("GET", _MAIL)) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (fault(404, "ErrorItemNotFound"), ItemGone),
        (fault(410, "SyncStateNotFound"), CursorExpired),
        (fault(403, "ErrorAccessDenied"), AccessDenied),
        (fault(403, "Authorization_RequestDenied"), MicrosoftRefuses),
        (Reply(302, b"", {"Location": "/elsewhere"}), GraphError),
    ],
)
async def test_a_final_answer_is_not_repeated(
    server: ScriptedServer, client: GraphClient, reply: Reply, kind: type[Exception]
) -> None:
    """What can't change by asking again is asked once."""
    server.on("GET", _MAIL, reply)
    with pytest.raises(kind):
        await client.lane("outlook", "1").get("/users/1/messages")
    assert len(server.asked("GET", _MAIL)) == 1


async def test_a_post_is_never_doubled(server: ScriptedServer, client: GraphClient) -> None:
    """When the connection breaks after a POST nobody knows whether it was carried out: it is not repeated."""
    server.on("POST", _MAIL, Reply(hang_up=True), as_json({"id": "9"}, 201))
    with pytest.raises(Unreachable):
        await client.lane("outlook", "1").post("/users/1/messages", {"a": 1})
    assert len(server.asked("POST", _MAIL)) == 1


async def test_a_refused_post_is_repeated(server: ScriptedServer, client: GraphClient) -> None:
    """429 says that it was not carried out."""
    server.on("POST", _MAIL, fault(429, "x", Retry_After="1"), as_json({"id": "9"}, 201))
    assert await client.lane("outlook", "1").post("/users/1/messages", {"a": 1}) == {"id": "9"}
    assert [seen.body for seen in server.asked("POST", _MAIL)] == [b'{"a":1}'] * 2


async def test_a_patch_is_repeated_after_a_break(server: ScriptedServer, client: GraphClient) -> None:
    """A PATCH twice is as good as once."""
    server.on("PATCH", _MAIL, Reply(hang_up=True), Reply(204))
    assert await client.lane("outlook", "1").patch("/users/1/messages", {"a": 1}) == {}
    assert len(server.asked("PATCH", _MAIL)) >= 2


async def test_deleting_what_is_gone_is_fine(server: ScriptedServer, client: GraphClient) -> None:
    """Gone is what was wanted."""
    server.on("DELETE", _MAIL, fault(404, "ErrorItemNotFound"))
    await client.lane("outlook", "1").delete("/users/1/messages")
    assert len(server.asked("DELETE", _MAIL)) == 1


async def test_small_content_is_put_as_bytes(server: ScriptedServer, client: GraphClient) -> None:
    """A file's bytes go out as they are, an empty file's too."""
    path = "/v1.0/drives/d/items/p:/n:/content"
    server.on("PUT", path, as_json({"id": "7"}, 201))
    lane = client.lane("sharepoint")
    for data in (b"\x00\xff" * 400_000, b""):
        answer = await lane.put_bytes(
            "/drives/d/items/p:/n:/content", data, params={"@microsoft.graph.conflictBehavior": "fail"}
        )
        assert answer == {"id": "7"}
        assert server.seen[-1].body == data
        assert server.seen[-1].headers["content-length"] == str(len(data))
        assert server.seen[-1].target == f"{path}?%40microsoft.graph.conflictBehavior=fail"


async def test_a_stream_gives_the_body_once(server: ScriptedServer, client: GraphClient) -> None:
    """A message's MIME comes piece by piece, and its place is given back."""
    mime = b"Subject: x\r\n\r\n" + b"y" * 700_000
    server.on("GET", f"{_MAIL}/2/$value", Reply(200, mime))
    pieces = [piece async for piece in client.lane("outlook", "1").stream("/users/1/messages/2/$value")]
    assert b"".join(pieces) == mime
    assert client.throttle_status()[0].in_flight == 0


async def test_a_stream_that_breaks_raises(server: ScriptedServer, client: GraphClient) -> None:
    """Bytes already handed out can't be taken back: the caller starts over."""
    server.on("GET", f"{_MAIL}/2/$value", Reply(200, b"y" * 1000, cut_after=500))
    with pytest.raises(GraphError, match="broke before the whole answer"):
        [piece async for piece in client.lane("outlook", "1").stream("/users/1/messages/2/$value")]
    assert client.throttle_status()[0].in_flight == 0


async def test_a_stream_left_early_gives_its_place_back(server: ScriptedServer, client: GraphClient) -> None:
    """Who stops reading frees the account for others."""
    server.on("GET", f"{_MAIL}/2/$value", Reply(200, b"y" * 3_000_000))
    async with aclosing(client.lane("outlook", "1").stream("/users/1/messages/2/$value")) as stream:
        async for _ in stream:
            assert client.throttle_status()[0].in_flight == 1
            break
    assert client.throttle_status()[0].in_flight == 0


async def test_a_mailbox_is_asked_for_four_things_at_once(server: ScriptedServer, client: GraphClient) -> None:
    """Twelve requests to one mailbox go out four at a time."""
    release = asyncio.Event()
    server.on("GET", _MAIL, Reply(200, b"{}", until=release))
    lane = client.lane("outlook", "1")
    work = asyncio.gather(*(lane.get("/users/1/messages") for _ in range(12)))
    await server.arrival("GET", _MAIL, 4)
    figures = client.throttle_status()[0]
    assert (figures.in_flight, figures.waiting) == (4, 8)
    release.set()
    await work
    assert server.most_in_flight == 4


async def test_a_cancelled_request_frees_its_place(server: ScriptedServer, client: GraphClient) -> None:
    """Cancelling while Microsoft is silent leaves nothing behind."""
    server.on("GET", _MAIL, Reply(200, b"{}", until=asyncio.Event()))
    task = asyncio.create_task(client.lane("outlook", "1").get("/users/1/messages"))
    await server.arrival("GET", _MAIL)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client.throttle_status()[0].in_flight == 0


async def test_no_network_is_tried_for_a_while(app: AppIdentity, clock: InstantClock) -> None:
    """Where nobody ever answered, the request waits a few times between its tries and then says what to check."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        client = GraphClient(replace(app, graph_url=nobody), clock=clock, chance=random.Random(1))
        with pytest.raises(Unreachable, match="check the network"):
            await client.lane("outlook", "1").get("/users/1/messages")
        await client.close()
    assert len(clock.slept) == MOST_TRIES_BEFORE_ANY_ANSWER - 1
    assert client.throttle_status()[0].in_flight == 0


async def test_entra_out_of_reach_counts_as_no_answer(server: ScriptedServer, client: GraphClient) -> None:
    """A request waits for Entra to come back as it waits for Graph."""
    path = "/7c0a2d1e-1111-4222-8333-444455556666/oauth2/v2.0/token"
    good = server._script[("POST", path)][0]
    server.on("POST", path, Reply(hang_up=True), good)
    server.on("GET", _MAIL, as_json({"ok": 1}))
    assert await client.lane("outlook", "1").get("/users/1/messages") == {"ok": 1}


async def test_signing_in_proves_the_credential(server: ScriptedServer, client: GraphClient) -> None:
    """Nothing but Entra is asked."""
    await client.sign_in()
    assert server.tokens_issued == 1
    assert all("/v1.0" not in seen.target for seen in server.seen)


@pytest.mark.parametrize("field", ["graph_url", "authority"])
def test_an_unencrypted_address_is_refused(app: AppIdentity, clock: InstantClock, field: str) -> None:
    """Tokens and mail never go over a network in clear."""
    with pytest.raises(UsageError, match="not encrypted"):
        GraphClient(replace(app, **{field: "http://graph.example"}), clock=clock)


async def test_a_folder_that_moved_to_another_mailbox_is_read_there(
    server: ScriptedServer, client: GraphClient, clock: InstantClock
) -> None:
    """308 leads within the service: the token goes along, and nothing is waited for."""
    server.on("GET", _MAIL, Reply(308, headers={"Location": f"{server.url}/v1.0/elsewhere?a=%21"}))
    server.on("GET", "/v1.0/elsewhere", as_json({"ok": 1}))
    assert await client.lane("outlook", "1").get("/users/1/messages") == {"ok": 1}
    (seen,) = server.asked("GET", "/v1.0/elsewhere")
    assert (seen.target, seen.headers["authorization"]) == ("/v1.0/elsewhere?a=%21", "Bearer token-1")
    assert clock.slept == []


async def test_a_redirect_to_another_host_gets_no_token(server: ScriptedServer, client: GraphClient) -> None:
    """A report's file lies behind a link that is its own key."""
    async with ScriptedServer().running() as other:
        server.on("GET", _MAIL, Reply(302, headers={"Location": f"{other.url}/report?key=k"}))
        other.on("GET", "/report", as_json({"ok": 1}))
        assert await client.lane("outlook", "1").get("/users/1/messages") == {"ok": 1}
        (seen,) = other.asked("GET", "/report")
    assert "authorization" not in seen.headers


async def test_redirects_that_lead_round_in_a_circle_end(server: ScriptedServer, client: GraphClient) -> None:
    """Five in a row are more than any archive has."""
    server.on("GET", _MAIL, Reply(308, headers={"Location": f"{server.url}{_MAIL}"}))
    with pytest.raises(GraphError, match="308"):
        await client.lane("outlook", "1").get("/users/1/messages")
    assert len(server.asked("GET", _MAIL)) == 6


async def test_a_write_follows_a_redirect_that_keeps_it_a_write(server: ScriptedServer, client: GraphClient) -> None:
    """308 says that nothing was carried out yet; 302 would make a read of it."""
    moved = {"Location": f"{server.url}/v1.0/elsewhere"}
    server.on("POST", _MAIL, Reply(308, headers=moved), Reply(302, headers=moved))
    server.on("POST", "/v1.0/elsewhere", as_json({"id": "9"}, 201))
    assert await client.lane("outlook", "1").post("/users/1/messages", {"a": 1}) == {"id": "9"}
    assert [seen.body for seen in server.asked("POST", "/v1.0/elsewhere")] == [b'{"a":1}']
    with pytest.raises(GraphError, match="302"):
        await client.lane("outlook", "1").post("/users/1/messages", {"a": 2})
    assert len(server.asked("POST", "/v1.0/elsewhere")) == 1


async def test_what_is_not_there_was_looked_for(server: ScriptedServer, client: GraphClient) -> None:
    """A 404 is an answer like any other: after a refusal it shows that the mailbox lets requests in."""
    limits: list[int] = []

    def gone(_seen: Seen) -> Reply:
        limits.append(client.throttle_status()[0].limit)
        return fault(404, "ErrorItemNotFound")

    server.on("GET", "/v1.0/refused", fault(429, "ApplicationThrottled", Retry_After="1"), as_json({}))
    server.on("GET", "/v1.0/gone", gone)
    lane = client.lane("outlook", "ann")
    await lane.get("/refused")
    for _ in range(5):
        with pytest.raises(ItemGone):
            await lane.get("/gone")
    assert limits == [2, 3, 3, 3, 4]
