"""Special folders, files used lately, what others share, and previews."""

import pytest

from tests.simtenant.caller import Caller


@pytest.fixture
def drive(caller: Caller, user: str) -> str:
    """The path of a user's drive."""
    return f"/users/{user}/drive"


def test_special_folders_are_made_when_asked_for(caller: Caller, drive: str) -> None:
    """Each once; an application has one of its own."""
    made = caller.get(f"{drive}/special/documents")
    assert caller.get(f"{drive}/special/documents")["id"] == made["id"]
    assert caller.get(f"{drive}/special/documents/children")["value"] == []
    assert caller.get(f"{drive}/special/approot")["parentReference"]["name"] == "Apps"
    assert caller.send("GET", f"{drive}/special/nothing").status_code == 404


def test_recent_files_come_first(caller: Caller, drive: str) -> None:
    """The one that was written last begins."""
    caller.send("PUT", f"{drive}/root:/now.txt:/content", content=b"x")
    assert caller.get(f"{drive}/recent")["value"][0]["name"] == "now.txt"


def test_what_others_share_is_remote(caller: Caller, user: str, drive: str) -> None:
    """With the drive where it is at home."""
    other = f"/users/{caller.users()[1]}/drive"
    item = caller.send("PUT", f"{other}/root:/shared.txt:/content", content=b"x").json()
    invited = {"roles": ["read"], "recipients": [{"objectId": user}]}
    caller.post(f"/drives/{item['parentReference']['driveId']}/items/{item['id']}/invite", invited)
    shared = {each["name"]: each["remoteItem"] for each in caller.walk(f"{drive}/sharedWithMe")[0]}
    home = shared["shared.txt"]["parentReference"]["driveId"]
    assert caller.get(f"/drives/{home}/items/{shared['shared.txt']['id']}")["name"] == "shared.txt"


def test_pictures_have_previews(caller: Caller, drive: str) -> None:
    """Others have none."""
    for name, count in (("a.png", 1), ("a.txt", 0)):
        caller.send("PUT", f"{drive}/root:/{name}:/content", content=b"x")
        sets = caller.get(f"{drive}/root:/{name}:/thumbnails")["value"]
        assert len(sets) == count
        for each in sets:
            assert caller.plain.get(each["small"]["url"]).content == b"x"
