"""Tests of upload sessions against a host that keeps to the protocol and loses answers by script."""

import re
from collections.abc import AsyncIterator

import pytest

from tuiback.errors import Damage, GraphError, ItemGone, Unreachable
from tuiback.graph import GraphClient
from tuiback.graph.upload import UNIT_BYTES

from .scripted import Answer, Reply, ScriptedServer, Seen, as_json, fault

_CREATE = "/v1.0/drives/d/items/p:/n:/createUploadSession"
_DATA = bytes(range(251)) * 7000
_FRAGMENT = 2 * UNIT_BYTES


class Host:
    """The session's host: it accepts fragments in order, and `lose` makes it lose the answer to some of them."""

    def __init__(self, server: ScriptedServer) -> None:
        self.received = b""
        self.discarded = 0
        self.lose: list[int] = []
        self.puts: list[str] = []
        self._server = server
        server.on("POST", _CREATE, as_json({"uploadUrl": f"{server.url}/up%2F1?k=a%21"}))
        server.on("PUT", "/up%2F1", self.put)
        server.on("GET", "/up%2F1", self.status)
        server.on("DELETE", "/up%2F1", self.delete)

    def then(self, method: str, *answers: Answer) -> None:
        """Answer otherwise first."""
        usual = {"PUT": self.put, "GET": self.status}[method]
        self._server.on(method, "/up%2F1", *answers, usual)

    def put(self, seen: Seen) -> Reply:
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", seen.headers["content-range"])
        assert match is not None
        start, last, total = (int(group) for group in match.groups())
        assert "authorization" not in seen.headers
        assert (total, last - start + 1) == (len(_DATA), len(seen.body))
        self.puts.append(f"{start}-{last}")
        if start != len(self.received):
            return fault(416, "invalidRange")
        self.received += seen.body
        if len(self.puts) in self.lose:
            return Reply(hang_up=True)
        if len(self.received) == total:
            return as_json({"id": "new"}, 201)
        assert len(seen.body) % UNIT_BYTES == 0
        return self.status(seen)

    def status(self, _: Seen) -> Reply:
        return as_json({"nextExpectedRanges": [f"{len(self.received)}-"]}, 202)

    def delete(self, _: Seen) -> Reply:
        self.discarded += 1
        return Reply(204)


@pytest.fixture
def host(server: ScriptedServer) -> Host:
    """A host with an empty session."""
    return Host(server)


async def pieces(data: bytes = _DATA, step: int = 100_001) -> AsyncIterator[bytes]:
    """The content in pieces that fit no fragment."""
    for start in range(0, len(data), step):
        yield data[start : start + step]


async def send(client: GraphClient, data: AsyncIterator[bytes] | None = None) -> dict[str, object]:
    """Upload the content."""
    lane = client.lane("sharepoint", "d")
    path = "/drives/d/items/p:/n:/createUploadSession"
    return await lane.upload(path, {"item": {}}, data or pieces(), len(_DATA), fragment_bytes=_FRAGMENT + 5)


async def test_fragments_go_in_order_and_without_token(server: ScriptedServer, client: GraphClient, host: Host) -> None:
    """Every fragment but the last is a multiple of 320 KiB; the last brings the object."""
    assert await send(client) == {"id": "new"}
    assert host.received == _DATA
    assert host.puts == [
        f"{start}-{min(start + _FRAGMENT, len(_DATA)) - 1}" for start in range(0, len(_DATA), _FRAGMENT)
    ]
    assert host.discarded == 0
    assert server.seen[-1].target == "/up%2F1?k=a%21"


async def test_a_lost_answer_is_not_sent_twice(client: GraphClient, host: Host) -> None:
    """After 416 the service is asked where it stands."""
    host.lose = [2]
    assert await send(client) == {"id": "new"}
    assert host.received == _DATA


async def test_a_half_accepted_fragment_goes_on_where_it_stands(client: GraphClient, host: Host) -> None:
    """Only what the service does not have is sent again."""

    def half(seen: Seen) -> Reply:
        host.received += seen.body[:UNIT_BYTES]
        return Reply(504)

    host.then("PUT", half)
    assert await send(client) == {"id": "new"}
    assert host.received == _DATA
    assert f"{UNIT_BYTES}-{_FRAGMENT - 1}" in host.puts


async def test_a_new_session_may_be_unknown_at_first(client: GraphClient, host: Host) -> None:
    """404 right after the session was made passes in some seconds."""
    host.then("PUT", fault(404, "itemNotFound"))
    assert await send(client) == {"id": "new"}


async def test_exchange_counts_without_a_dash(client: GraphClient, host: Host) -> None:
    """Exchange writes the next range as a bare number and ends with an empty 201."""

    def put(seen: Seen) -> Reply:
        host.received += seen.body
        if len(host.received) == len(_DATA):
            return Reply(201)
        return as_json({"nextExpectedRanges": [str(len(host.received))]})

    host.then("PUT", *[put] * 10)
    assert await send(client) == {}
    assert host.received == _DATA


async def test_a_session_that_ended_unanswered_says_so(client: GraphClient, host: Host) -> None:
    """When the last answer is lost and the session is gone, it is not an item that is gone."""
    host.lose = [3]
    host.then("GET", fault(404, "itemNotFound"))
    with pytest.raises(GraphError, match="not known") as caught:
        await send(client)
    assert not isinstance(caught.value, ItemGone)


async def test_a_name_that_is_taken_is_told_and_the_session_dropped(client: GraphClient, host: Host) -> None:
    """409 comes through with its code."""
    host.then("PUT", fault(409, "nameAlreadyExists"))
    with pytest.raises(GraphError) as caught:
        await send(client)
    assert (caught.value.status, caught.value.graph_code, host.discarded) == (409, "nameAlreadyExists", 1)


async def test_a_host_that_accepts_nothing_is_given_up(client: GraphClient, host: Host) -> None:
    """Without progress it ends."""
    host.then("PUT", *[host.status] * 20)
    with pytest.raises(GraphError, match="stands still"):
        await send(client)


async def test_a_host_that_forgets_is_told(client: GraphClient, host: Host) -> None:
    """What was sent is not kept here: a service that wants it again gets a new upload."""

    def forget(_: Seen) -> Reply:
        return as_json({"nextExpectedRanges": ["0-"]}, 202)

    host.then("PUT", host.put, forget)
    with pytest.raises(GraphError, match="lost a part"):
        await send(client)


@pytest.mark.parametrize("answer", [{"nextExpectedRanges": ["soon"]}, {"nextExpectedRanges": 5}])
async def test_a_host_that_mumbles_is_told(client: GraphClient, host: Host, answer: dict[str, object]) -> None:
    """An answer that can't be read is an error of this upload."""
    host.then("PUT", as_json(answer, 202))
    with pytest.raises(GraphError, match="where to go on"):
        await send(client)


@pytest.mark.parametrize("data", [_DATA[:-1], _DATA + b"x", b""])
async def test_content_of_another_length_is_refused(client: GraphClient, host: Host, data: bytes) -> None:
    """Never a file with fewer or more bytes than were announced."""
    with pytest.raises(GraphError, match="as long as announced"):
        await send(client, pieces(data))
    assert host.discarded == 1


async def test_an_error_of_the_content_ends_the_session(client: GraphClient, host: Host) -> None:
    """What the repository can't give is not half uploaded."""

    async def damaged() -> AsyncIterator[bytes]:
        yield _DATA[:UNIT_BYTES]
        raise Damage("a chunk is not what was written", "pack 1")

    with pytest.raises(Damage):
        await send(client, damaged())
    assert host.discarded == 1


async def test_a_dead_network_is_not_asked_to_forget(client: GraphClient, host: Host) -> None:
    """Where nothing answers, nothing more is tried."""
    host.then("PUT", *[Reply(hang_up=True)] * 40)
    host.then("GET", *[Reply(hang_up=True)] * 40)
    with pytest.raises(Unreachable):
        await send(client)
    assert host.discarded == 0


@pytest.mark.parametrize("session", [{}, {"uploadUrl": "http://files.example/up"}])
async def test_a_session_without_a_safe_address_is_refused(
    server: ScriptedServer, client: GraphClient, host: Host, session: dict[str, str]
) -> None:
    """Content never goes over a network in clear."""
    server.on("POST", _CREATE, as_json(session))
    with pytest.raises(GraphError, match="no safe address"):
        await send(client)
