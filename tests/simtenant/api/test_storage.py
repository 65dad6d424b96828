"""Download URLs serve ranges, expire, and need no Authorization."""

import pytest

from tests.simtenant.caller import Caller

CONTENT = bytes(range(256)) * 8


@pytest.fixture
def url(caller: Caller, user: str) -> str:
    """The download URL of a new file."""
    made = caller.send("PUT", f"/users/{user}/drive/root:/f.bin:/content", content=CONTENT)
    return str(made.json()["@microsoft.graph.downloadUrl"])


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=2040-", 2040, 2048), ("bytes=-5", 2043, 2048), ("bytes=2000-9999", 2000, 2048)],
)
def test_ranges(caller: Caller, url: str, wanted: str, start: int, stop: int) -> None:
    """206 with exactly the bytes asked for, clipped at the end."""
    reply = caller.plain.get(url, headers={"Range": wanted})
    assert (reply.status_code, reply.content) == (206, CONTENT[start:stop])
    assert reply.headers["content-range"] == f"bytes {start}-{stop - 1}/2048"


def test_a_range_behind_the_end_is_416(caller: Caller, url: str) -> None:
    """The answer tells the true size; a malformed range is ignored."""
    reply = caller.plain.get(url, headers={"Range": "bytes=2048-"})
    assert (reply.status_code, reply.headers["content-range"]) == (416, "bytes */2048")
    assert caller.plain.get(url, headers={"Range": "lines=1-2"}).content == CONTENT


def test_conditions_on_the_state(caller: Caller, url: str, user: str) -> None:
    """If-Range of an older state gives the whole new file, If-Match of one is 412."""
    tag = caller.plain.get(url).headers["etag"]
    caller.send("PUT", f"/users/{user}/drive/root:/f.bin:/content", content=b"newer")
    reply = caller.plain.get(url, headers={"Range": "bytes=0-1", "If-Range": tag})
    assert (reply.status_code, reply.content) == (200, b"newer")
    assert caller.plain.get(url, headers={"If-Match": tag}).status_code == 412


def test_urls_expire_and_cannot_be_made_up(caller: Caller, url: str, user: str) -> None:
    """After an hour it is 401; a changed signature never worked; a new URL does."""
    assert caller.plain.get(url.replace("tempauth=v1.", "tempauth=v1.x")).status_code == 401
    caller.control("/clock", {"seconds": 3500})
    assert caller.plain.get(url).status_code == 200
    caller.control("/clock", {"seconds": 200})
    assert caller.plain.get(url).status_code == 401
    caller.sign_in(caller.endpoints.client_id, caller.endpoints.client_secret)
    fresh = caller.send("GET", f"/users/{user}/drive/root:/f.bin:/content").headers["location"]
    assert caller.plain.get(fresh).content == CONTENT


def test_a_deleted_file_is_404(caller: Caller, url: str, user: str) -> None:
    """The URL outlives the file, the bytes don't."""
    caller.send("DELETE", f"/users/{user}/drive/root:/f.bin")
    assert caller.plain.get(url).status_code == 404
