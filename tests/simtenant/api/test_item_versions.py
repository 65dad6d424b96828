"""Files keep their earlier versions, generated ones included."""

from typing import Any

from tests.simtenant.caller import Caller, code_of


def files(caller: Caller, user: str) -> list[dict[str, Any]]:
    """All files of a drive."""
    return [each for each in caller.walk(f"/users/{user}/drive/root/delta")[0] if "file" in each]


def rewritten(caller: Caller) -> tuple[str, list[dict[str, Any]]]:
    """Some file with generated versions: its address and them."""
    for user in caller.users():
        for each in files(caller, user):
            versions = caller.walk(f"/users/{user}/drive/items/{each['id']}/versions")[0]
            if len(versions) > 1:
                return f"/users/{user}/drive/items/{each['id']}", versions
    raise AssertionError("no file has versions")


def test_generated_versions_can_be_read(caller: Caller) -> None:
    """The newest comes first; each older one has content of the size that the list tells."""
    item, versions = rewritten(caller)
    assert [each["id"] for each in versions] == [f"{number}.0" for number in range(len(versions), 0, -1)]
    contents = set()
    for each in versions[1:]:
        reply = caller.send("GET", f"{item}/versions/{each['id']}/content")
        content = caller.plain.get(reply.headers["location"]).content
        assert len(content) == each["size"]
        contents.add(content)
    assert len(contents) == len(versions) - 1
    assert caller.send("GET", f"{item}/versions/{versions[0]['id']}/content").status_code == 400
    assert code_of(caller.send("GET", f"{item}/versions/99.0")) == "itemNotFound"


def test_writing_makes_a_version_and_going_back_another(caller: Caller, user: str) -> None:
    """What was overwritten can be read and made the newest again."""
    item = f"/users/{user}/drive/root:/versions.bin:"
    for content in (b"one", b"two!", b"three"):
        caller.send("PUT", f"{item}/content", content=content)
    versions = caller.walk(f"{item}/versions")[0]
    assert [(each["id"], each["size"]) for each in versions] == [("3.0", 5), ("2.0", 4), ("1.0", 3)]
    assert caller.send("POST", f"{item}/versions/1.0/restoreVersion").status_code == 204
    reply = caller.send("GET", f"{item}/content")
    assert caller.plain.get(reply.headers["location"]).content == b"one"
    assert len(caller.walk(f"{item}/versions")[0]) == 4
    assert caller.get(f"{item}/versions/2.0")["size"] == 4
