"""Files and folders are written by OneDrive's rules."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller, code_of
from tuiback.simtenant.quickxor import quick_xor

FRAGMENT = 327_680


@pytest.fixture
def drive(caller: Caller, user: str) -> str:
    """The URL of one user's drive."""
    return f"/drives/{caller.get(f'/users/{user}/drive')['id']}"


def begin(caller: Caller, url: str, **item: Any) -> str:
    """Open an upload session."""
    return str(caller.post(url + ":/createUploadSession", {"item": item})["uploadUrl"])


def push(caller: Caller, upload_url: str, content: bytes, start: int, stop: int) -> Any:
    """Send one fragment."""
    headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
    return caller.plain.put(upload_url, content=content[start:stop], headers=headers)


def test_put_creates_replaces_and_respects_conflict_behaviour(caller: Caller, drive: str) -> None:
    """201, then 200 with the same id; fail is 409, rename gives another name; empty files are fine."""
    url = drive + "/root:/new%20%C3%A4%23.txt:/content"
    first = caller.send("PUT", url, content=b"")
    second = caller.send("PUT", url, content=b"hello world")
    assert (first.status_code, second.status_code) == (201, 200)
    assert (first.json()["id"], second.json()["name"]) == (second.json()["id"], "new ä#.txt")
    assert second.json()["file"]["hashes"]["quickXorHash"] == quick_xor([b"hello world"])
    assert first.json()["eTag"] != second.json()["eTag"]
    option = "?@microsoft.graph.conflictBehavior="
    assert code_of(caller.send("PUT", url + option + "fail", content=b"")) == "nameAlreadyExists"
    assert caller.send("PUT", url + option + "rename", content=b"").json()["name"] == "new ä# 1.txt"


def test_sessions_take_fragments_in_order_and_keep_times(caller: Caller, drive: str) -> None:
    """202 names the next byte, GET the same; the last fragment gives the item with the times of the session."""
    content = bytes(range(256)) * 3000
    times = {"createdDateTime": "2011-01-02T03:04:05Z", "lastModifiedDateTime": "2012-01-02T03:04:05Z"}
    url = begin(caller, drive + "/root:/big.bin", fileSystemInfo=times)
    assert not url.startswith(caller.endpoints.graph_url)
    reply = push(caller, url, content, 0, FRAGMENT)
    last = len(content) - 1
    assert (reply.status_code, reply.json()["nextExpectedRanges"]) == (202, [f"{FRAGMENT}-{last}"])
    caller.control("/behaviour", {"open_ranges": True})
    assert caller.plain.get(url).json()["nextExpectedRanges"] == [f"{FRAGMENT}-"]
    done = push(caller, url, content, FRAGMENT, len(content))
    assert (done.status_code, done.json()["size"]) == (201, len(content))
    assert done.json()["fileSystemInfo"] == times
    assert caller.plain.get(done.json()["@microsoft.graph.downloadUrl"]).content == content
    assert caller.plain.get(url).status_code == 404
    again = push(caller, url, content, FRAGMENT, len(content))
    assert (again.status_code, again.json()["id"]) == (200, done.json()["id"])
    assert push(caller, url, content, 0, FRAGMENT).status_code == 404


def test_wrong_fragments_are_refused(caller: Caller, drive: str) -> None:
    """Repeated, skipped and odd-sized fragments, and a changed total."""
    content = bytes(4 * FRAGMENT)
    url = begin(caller, drive + "/root:/big.bin")
    caller.control("/behaviour", {"strict_fragments": True})
    assert push(caller, url, content, 0, FRAGMENT + 1).status_code == 400
    push(caller, url, content, 0, FRAGMENT)
    for start, inner in ((0, "fragmentOverlap"), (2 * FRAGMENT, "fragmentOutOfOrder")):
        reply = push(caller, url, content, start, start + FRAGMENT)
        assert (reply.status_code, code_of(reply)) == (416, "invalidRange")
        assert reply.json()["error"]["innerError"]["code"] == inner
    assert push(caller, url, content + b"x", FRAGMENT, 2 * FRAGMENT).status_code == 400
    assert caller.plain.put(url, content=b"x").status_code == 400


def test_a_session_ends_by_delete_or_conflict(caller: Caller, drive: str) -> None:
    """DELETE is 204 and then 404; the default conflict behaviour fails on the last fragment."""
    url = begin(caller, drive + "/root:/a.bin")
    assert caller.plain.delete(url).status_code == 204
    assert push(caller, url, b"abc", 0, 3).status_code == 404
    caller.send("PUT", drive + "/root:/a.bin:/content", content=b"there")
    late = push(caller, begin(caller, drive + "/root:/a.bin"), b"abc", 0, 3)
    assert (late.status_code, code_of(late)) == (409, "nameAlreadyExists")
    replaced = push(
        caller, begin(caller, drive + "/root:/A.BIN", **{"@microsoft.graph.conflictBehavior": "replace"}), b"abc", 0, 3
    )
    assert (replaced.status_code, replaced.json()["name"]) == (200, "a.bin")


def test_folders_are_got_or_created(caller: Caller, drive: str) -> None:
    """Replacing gives an existing folder back; the default is a conflict; a file is always one."""
    url = drive + "/root/children"
    option = "?@microsoft.graph.conflictBehavior=replace"
    made = caller.post(url, {"name": "Restored", "folder": {}})
    assert caller.post(url + option, {"name": "restored", "folder": {}})["id"] == made["id"]
    assert caller.send("POST", url, json={"name": "Restored", "folder": {}}).status_code == 409
    renamed = {"name": "Restored", "folder": {}, "@microsoft.graph.conflictBehavior": "rename"}
    assert caller.post(url, renamed)["name"] == "Restored 1"
    caller.send("PUT", drive + "/root:/file:/content", content=b"x")
    assert caller.send("POST", url + option, json={"name": "file", "folder": {}}).status_code == 409


def test_patch_renames_moves_and_sets_times(caller: Caller, drive: str) -> None:
    """Name, parent and fileSystemInfo can be changed; a folder can't be moved into itself."""
    folder = caller.post(drive + "/root/children", {"name": "A", "folder": {}})["id"]
    inner = caller.post(f"{drive}/items/{folder}/children", {"name": "B", "folder": {}})["id"]
    file = caller.send("PUT", drive + "/root:/f.txt:/content", content=b"x").json()["id"]
    info = {"lastModifiedDateTime": "2001-02-03T00:00:00Z"}
    change = {"name": "g.txt", "parentReference": {"id": inner}, "fileSystemInfo": info}
    changed = caller.send("PATCH", f"{drive}/items/{file}", json=change).json()
    assert caller.get(f"{drive}/root:/A/B/g.txt")["id"] == file
    assert changed["lastModifiedDateTime"] == "2001-02-03T00:00:00Z"
    into_itself = caller.send("PATCH", f"{drive}/items/{folder}", json={"parentReference": {"id": inner}})
    assert into_itself.status_code == 400
    by_path = {"parentReference": {"path": "/drive/root:/A"}}
    assert caller.send("PATCH", f"{drive}/items/{file}", json=by_path).json()["parentReference"]["id"] == folder


@pytest.mark.parametrize(
    ("name", "inner"),
    [("a%3Ab", "invalidPath"), ("CON", "invalidPath"), ("~x", "invalidPath"), ("x_vti_y", "invalidPath"),
     ("forms", "invalidPath"), ("%20x", "invalidPath"), ("n" * 401, "pathIsTooLong"),
     ("n" * 256, "pathIsTooLong"), ("a%0Ab", "invalidPath")],
)  # fmt: skip
def test_names_that_onedrive_refuses(caller: Caller, drive: str, name: str, inner: str) -> None:
    """400 with the reason inside."""
    reply = caller.send("PUT", f"{drive}/root:/{name}:/content", content=b"x")
    assert reply.status_code == 400
    assert reply.json()["error"]["innerError"]["code"] == inner


def test_writes_can_be_bound_to_a_state(caller: Caller, drive: str) -> None:
    """A stale If-Match is 412, and so is If-None-Match: * on something that exists."""
    url = drive + "/root:/f.txt:/content"
    tag = caller.send("PUT", url, content=b"1").json()["eTag"]
    assert caller.send("PUT", url, content=b"2", headers={"If-Match": tag}).status_code == 200
    assert caller.send("PUT", url, content=b"3", headers={"If-Match": tag}).status_code == 412
    assert caller.send("PUT", url, content=b"3", headers={"If-None-Match": "*"}).status_code == 412
    assert caller.send("DELETE", drive + "/root:/f.txt", headers={"If-Match": tag}).status_code == 412


def test_permanent_delete(caller: Caller, drive: str) -> None:
    """An item deleted for good is not found; the root stays."""
    file = caller.send("PUT", drive + "/root:/f.txt:/content", content=b"1").json()["id"]
    assert caller.send("POST", f"{drive}/items/{file}/permanentDelete").status_code == 204
    assert code_of(caller.send("GET", f"{drive}/items/{file}")) == "itemNotFound"
    assert caller.send("DELETE", drive + "/root").status_code == 400
