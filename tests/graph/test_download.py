"""Tests of reading files to their end."""

import re
from collections.abc import Callable

import pytest

from tuiback.errors import AccessDenied, GraphError, ItemGone
from tuiback.graph import GraphClient

from .scripted import Reply, ScriptedServer, Seen, fault

_CONTENT = "/v1.0/drives/d/items/1/content"
_DATA = bytes(range(256)) * 4000


@pytest.fixture
def located(server: ScriptedServer) -> list[str]:
    """/content redirects to a new link each time; the links given so far."""
    links: list[str] = []

    def locate(_: Seen) -> Reply:
        links.append(f"/download/{len(links) + 1}?tempauth=v1.a%2Fb%21")
        return Reply(302, b"", {"Location": server.url + links[-1]})

    server.on("GET", _CONTENT, locate)
    return links


def ranged(data: bytes = _DATA, etag: str = '"e1"', *, cut_after: int | None = None) -> Callable[[Seen], Reply]:
    """A host that keeps to Range and If-Match."""

    def answer(seen: Seen) -> Reply:
        match = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        if match is None:
            return Reply(200, data, {"ETag": etag}, cut_after=cut_after)
        if seen.headers.get("if-match", etag) != etag:
            return Reply(412)
        start = int(match[1])
        headers = {"ETag": etag, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        return Reply(206, data[start:], headers, cut_after=cut_after)

    return answer


async def read(client: GraphClient, **options: str | int) -> bytes:
    """The whole file."""
    lane = client.lane("sharepoint", "d")
    return b"".join([piece async for piece in lane.download("/drives/d/items/1/content", **options)])  # type: ignore[arg-type]


async def test_a_file_comes_through_its_link_without_token(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """The redirect is followed by hand, byte for byte, and our token stays here."""
    server.on("GET", "/download/1", ranged())
    assert await read(client) == _DATA
    seen = server.seen[-1]
    assert seen.target == located[0]
    assert "authorization" not in seen.headers
    assert "client-request-id" not in seen.headers
    assert seen.headers["accept-encoding"] == "identity"
    assert client.throttle_status()[1].in_flight == 0


async def test_an_empty_file_is_read(server: ScriptedServer, client: GraphClient, located: list[str]) -> None:
    """No bytes are a file too."""
    server.on("GET", "/download/1", ranged(b""))
    assert await read(client) == b""


async def test_bytes_without_redirect_are_taken(server: ScriptedServer, client: GraphClient) -> None:
    """/content may answer the file itself; after a break it is asked again and the known part skipped."""
    server.on("GET", _CONTENT, Reply(200, _DATA, cut_after=300_000), Reply(200, _DATA))
    assert await read(client) == _DATA


async def test_a_break_is_resumed_by_range(server: ScriptedServer, client: GraphClient, located: list[str]) -> None:
    """Nothing is read twice: the rest is asked for from the byte where it broke, of the same content only."""
    server.on("GET", "/download/1", ranged(cut_after=400_000), ranged(cut_after=200_000), ranged())
    assert await read(client) == _DATA
    asked = server.asked("GET", "/download/1")
    assert [(seen.headers.get("range"), seen.headers.get("if-match")) for seen in asked] == [
        (None, None),
        ("bytes=400000-", '"e1"'),
        ("bytes=600000-", '"e1"'),
    ]
    assert len(located) == 1


async def test_without_the_hosts_tag_the_items_own_must_hold(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """The caller's etag is used when the host names none."""
    server.on("GET", "/download/1", Reply(200, _DATA, cut_after=9), ranged(etag='"item,1"'))
    assert await read(client, etag='"item,1"') == _DATA
    assert server.seen[-1].headers["if-match"] == '"item,1"'


async def test_an_ignored_range_is_skipped_over(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """A host that sends the whole file again costs time but no wrong byte."""
    server.on("GET", "/download/1", ranged(cut_after=400_000), Reply(200, _DATA))
    assert await read(client) == _DATA


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_an_expired_link_is_renewed(
    server: ScriptedServer, client: GraphClient, located: list[str], status: int
) -> None:
    """A link that ended in the middle is replaced, and reading goes on where it was."""
    server.on("GET", "/download/1", ranged(cut_after=400_000), Reply(status))
    server.on("GET", "/download/2", ranged())
    assert await read(client) == _DATA
    assert server.seen[-1].headers["range"] == "bytes=400000-"
    assert server.tokens_issued == 1


async def test_a_link_that_never_works_is_refused(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """Two fresh links refused in a row are meant."""
    for number in (1, 2, 3):
        server.on("GET", f"/download/{number}", Reply(403))
    with pytest.raises(AccessDenied):
        await read(client)
    assert len(located) == 2


async def test_an_infected_file_is_not_asked_for_again(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """The service won't hand it out, and says so by name."""
    server.on("GET", "/download/1", Reply(403, b"", {"X-Virus-Infected": "true"}))
    with pytest.raises(AccessDenied, match="malwareDetected"):
        await read(client)
    assert len(located) == 1


async def test_a_file_deleted_meanwhile_is_gone(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """When even a new link can't be had, the item is gone."""

    def gone(_: Seen) -> Reply:
        server.on("GET", _CONTENT, fault(404, "itemNotFound"))
        return Reply(404)

    server.on("GET", "/download/1", gone)
    with pytest.raises(ItemGone):
        await read(client)


@pytest.mark.parametrize(
    "second",
    [
        ranged(_DATA, '"e2"'),
        Reply(206, b"x" * 100, {"ETag": '"e2"', "Content-Range": f"bytes 400000-400099/{len(_DATA)}"}),
        Reply(206, b"x" * 100, {"Content-Range": "bytes 400000-400099/400100"}),
        Reply(200, b"x" * 400_100),
        Reply(206, b"x" * 10, {"ETag": '"e1"', "Content-Range": f"bytes 400001-400010/{len(_DATA)}"}),
    ],
    ids=["if-match", "etag", "size", "size of the whole", "gap"],
)
async def test_a_file_that_changed_is_never_mixed(
    server: ScriptedServer, client: GraphClient, located: list[str], second: Reply | Callable[[Seen], Reply]
) -> None:
    """Resumed bytes of other content end the read."""
    server.on("GET", "/download/1", ranged(cut_after=400_000), second)
    with pytest.raises(GraphError, match="changed"):
        await read(client)


async def test_a_throttled_link_is_waited_for(
    server: ScriptedServer, client: GraphClient, located: list[str], notices: list[tuple[str, float, int]]
) -> None:
    """The host of the link throttles like the service itself."""
    server.on("GET", "/download/1", Reply(429, b"", {"Retry-After": "17"}), ranged())
    assert await read(client) == _DATA
    assert notices == [("sharepoint", 17, 429)]


async def test_breaks_without_progress_end_it(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """A host that breaks at once every time is given up, and one that always gives a little is not."""
    server.on("GET", "/download/1", ranged(cut_after=100_000))
    assert await read(client) == _DATA
    server.on("GET", "/download/2", ranged(cut_after=0))
    with pytest.raises(GraphError, match="broke before the whole answer"):
        await read(client)


async def test_a_short_body_without_length_is_noticed(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """Only where the host states no length is the caller's size believed."""
    chunked = Reply(200, b"4\r\n0123\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"})
    server.on("GET", "/download/1", chunked)
    with pytest.raises(GraphError, match="4 of 9 bytes"):
        await read(client, size=9)


async def test_the_links_key_shows_in_no_error(
    server: ScriptedServer, client: GraphClient, located: list[str]
) -> None:
    """What stands in a pre-authenticated link's query opens the file: it never gets into a message."""
    garbage = Reply(200, b"no chunk\r\n", {"Transfer-Encoding": "chunked"})
    for reply in (Reply(hang_up=True), garbage, Reply(500), ranged(cut_after=0)):
        located.clear()
        server.on("GET", "/download/1", reply)
        with pytest.raises(GraphError) as caught:
            await read(client)
        assert "tempauth" not in repr(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("location", ["", "http://files.example/1?k=v", "ftp://127.0.0.1/1"])
async def test_a_redirect_out_of_the_safe_ends_it(
    server: ScriptedServer, client: GraphClient, location: str
) -> None:
    """A file is not fetched in clear over a network."""
    server.on("GET", _CONTENT, Reply(302, b"", {"Location": location}))
    with pytest.raises(GraphError, match="nowhere safe"):
        await read(client)


async def test_a_relative_redirect_is_followed(server: ScriptedServer, client: GraphClient) -> None:
    """A path alone means the same host."""
    server.on("GET", _CONTENT, Reply(302, b"", {"Location": "/files/1?k=%21"}))
    server.on("GET", "/files/1", ranged())
    assert await read(client) == _DATA
    assert server.seen[-1].target == "/files/1?k=%21"


async def test_a_link_at_hand_is_used_first(server: ScriptedServer, client: GraphClient, located: list[str]) -> None:
    """It saves a request; when it has ended the file's own address tells another."""
    server.on("GET", "/listed", ranged(), Reply(401))
    server.on("GET", "/download/1", ranged())
    link = f"{server.url}/listed"
    assert await read(client, link=link) == _DATA
    assert located == []
    assert await read(client, link=link) == _DATA
    assert len(located) == 1
    assert all("authorization" not in seen.headers for seen in server.seen if seen.path == "/listed")


async def test_a_link_at_hand_must_be_safe(server: ScriptedServer, client: GraphClient, located: list[str]) -> None:
    """What leads through an open line to another host is not followed."""
    server.on("GET", "/download/1", ranged())
    assert await read(client, link="http://files.example/listed") == _DATA
    assert len(located) == 1
