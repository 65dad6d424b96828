"""Drives are walked by delta and by folder, and give exactly the bytes they promise."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller, code_of
from tuiback.simtenant.quickxor import quick_xor


@pytest.fixture
def drive(caller: Caller, user: str) -> str:
    """The URL of one user's drive."""
    return f"/drives/{caller.get(f'/users/{user}/drive')['id']}"


def files(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files among the entries."""
    return [each for each in entries if "file" in each and "deleted" not in each]


def test_delta_shows_parents_first_and_everything_once(caller: Caller, drive: str) -> None:
    """The first round gives the whole tree in an order that can be built as it comes, without cTag or path."""
    entries, _ = caller.walk(drive + "/root/delta?$top=5")
    seen: set[str] = set()
    for each in entries:
        assert each.get("parentReference", {}).get("id") in seen or "root" in each
        assert "cTag" not in each
        assert "path" not in each["parentReference"]
        assert each["id"] not in seen
        seen.add(each["id"])
    assert len(files(entries)) == 14


def test_walking_down_shows_the_same(caller: Caller, drive: str) -> None:
    """Listing children folder by folder finds what delta finds; addressing by path leads to the same items."""
    entries, _ = caller.walk(drive + "/root/delta")
    waiting, found = [(drive + "/root", "")], []
    while waiting:
        url, path = waiting.pop()
        children, _ = caller.walk(url + "/children?$top=2")
        found += children
        for each in children:
            here = f"{path}/{each['name']}".removeprefix("/")
            assert caller.get(f"{drive}/root:/{here}:")["id"] == each["id"]
            if "folder" in each:
                waiting.append((f"{drive}/items/{each['id']}", here))
    assert {each["id"] for each in found} == {each["id"] for each in entries if "root" not in each}


def test_content_is_what_size_and_hash_promise(caller: Caller, drive: str) -> None:
    """302 leads to another host that needs no token; size and quickXorHash are those of the bytes."""
    entries, _ = caller.walk(drive + "/root/delta")
    assert any(each["size"] == 0 for each in files(entries))
    for each in files(entries):
        reply = caller.send("GET", f"{drive}/items/{each['id']}/content")
        assert reply.status_code == 302
        assert not reply.headers["location"].startswith(caller.endpoints.graph_url)
        content = caller.plain.get(reply.headers["location"]).content
        assert len(content) == each["size"]
        assert quick_xor([content]) == each["file"]["hashes"]["quickXorHash"]


def test_later_rounds_tell_changes_with_their_parents(caller: Caller, drive: str) -> None:
    """A changed file brings the folders above it unless told not to; a deleted one has an id and no name."""
    entries, link = caller.walk(drive + "/root/delta")
    changed = next(each for each in files(entries) if each["parentReference"]["name"] != "Documents")
    gone = next(each for each in files(entries) if each["id"] != changed["id"] and each["size"])
    assert caller.send("PUT", f"{drive}/items/{changed['id']}/content", content=b"new").status_code == 200
    assert caller.send("DELETE", f"{drive}/items/{gone['id']}").status_code == 204
    later, _ = caller.walk(link)
    alone, last = caller.walk(link, headers={"deltaExcludeParent": "true"})
    assert {each["id"] for each in alone} == {changed["id"], gone["id"]}
    assert {changed["id"], changed["parentReference"]["id"]} < {each["id"] for each in later}
    (deleted,) = [each for each in later if each["id"] == gone["id"]]
    assert "name" not in deleted
    assert deleted["deleted"] == {"state": "deleted"}
    assert caller.walk(last)[0] == []


def test_renaming_a_folder_does_not_tell_its_descendants(caller: Caller, drive: str) -> None:
    """Only the folder comes, and the folders above."""
    entries, link = caller.walk(drive + "/root/delta")
    inner = next(each for each in files(entries) if each["parentReference"]["name"] != "Documents")
    folder = inner["parentReference"]["id"]
    caller.send("PATCH", f"{drive}/items/{folder}", json={"name": "Renamed"})
    later, _ = caller.walk(link)
    assert folder in {each["id"] for each in later}
    assert not files(later)


def test_deleting_a_folder_tells_everything_in_it(caller: Caller, drive: str) -> None:
    """Each descendant has a deleted entry of its own."""
    folder = caller.post(drive + "/root/children", {"name": "Short", "folder": {}})["id"]
    file = caller.send("PUT", f"{drive}/items/{folder}:/x.txt:/content", content=b"x").json()["id"]
    link = caller.get(drive + "/root/delta?token=latest")["@odata.deltaLink"]
    caller.send("DELETE", f"{drive}/items/{folder}")
    later, _ = caller.walk(link)
    assert {each["id"] for each in later if "deleted" in each} == {folder, file}


def test_tokens_may_be_latest_a_time_or_in_parentheses(caller: Caller, drive: str) -> None:
    """`latest` gives a link only, a time what is younger, and the function form is the same call."""
    latest = caller.get(drive + "/root/delta(token='latest')")
    assert latest["value"] == []
    assert caller.walk(latest["@odata.deltaLink"])[0] == []
    everything, _ = caller.walk(drive + "/root/delta()")
    younger, _ = caller.walk(drive + "/root/delta?token=2026-01-01T00%3A00%3A00Z")
    assert 0 < len(files(younger)) < len(files(everything))


def test_expired_tokens_ask_for_a_new_walk(caller: Caller, drive: str) -> None:
    """410 resyncRequired with the place to begin anew; another drive's token is no better."""
    link = caller.walk(drive + "/root/delta")[1]
    other = caller.get(f"/users/{caller.users()[1]}/drive")["id"]
    assert caller.send("GET", f"/drives/{other}/root/delta?" + link.partition("?")[2]).status_code == 410
    caller.control("/expire-deltas", {})
    reply = caller.send("GET", link)
    assert (reply.status_code, code_of(reply)) == (410, "resyncRequired")
    assert caller.walk(reply.headers["location"])[0]


def test_a_notebook_is_a_package_without_content(caller: Caller, drive: str) -> None:
    """The notebook's root shows folder and package; its content is 404, its sections download."""
    entries, _ = caller.walk(drive + "/root/delta")
    (notebook,) = [each for each in entries if "package" in each]
    assert (notebook["package"], "folder" in notebook) == ({"type": "oneNote"}, True)
    assert caller.send("GET", f"{drive}/items/{notebook['id']}/content").status_code == 404
    sections, _ = caller.walk(f"{drive}/items/{notebook['id']}/children")
    one = next(each for each in sections if each["name"].endswith(".one"))
    assert caller.plain.get(one["@microsoft.graph.downloadUrl"]).content.hex().startswith("e4525c7b8cd8a74d")


def test_drive_ids_have_their_real_shape(caller: Caller, drive: str, user: str) -> None:
    """Two characters and 64 more, found also when its mark is encoded; the quota counts what lies there."""
    name = drive.removeprefix("/drives/")
    assert len(name) == 66
    found = caller.get(drive.replace("!", "%21"))
    assert found["id"] == name
    assert found["quota"]["used"] == caller.get(drive + "/root")["size"]
    assert caller.get(f"/users/{user}/drives")["value"][0]["id"] == name


def test_select_narrows_delta(caller: Caller, drive: str) -> None:
    """Only what is selected comes, and the id."""
    entries, _ = caller.walk(drive + "/root/delta?$select=id,name,deleted")
    assert all(each.keys() == {"id", "name"} for each in entries)
