"""Libraries are drives and lists alike."""

import pytest

from tests.simtenant.caller import Caller


@pytest.fixture
def site(caller: Caller) -> str:
    """The path of a site of no team."""
    return f"/sites/{caller.walk('/sites?$select=id')[0][-1]['id']}"


def test_libraries_are_lists_of_files(caller: Caller, site: str) -> None:
    """Each row leads to its file and each file to its row; a change shows up in the list's delta too."""
    lists = {each["displayName"]: each for each in caller.walk(f"{site}/lists")[0]}
    assert lists["Site Pages"]["list"]["template"] == "webPageLibrary"
    documents = f"{site}/lists/{lists['Documents']['id']}"
    drive = caller.get(f"{documents}/drive")
    assert drive["id"] in {each["id"] for each in caller.walk(f"{site}/drives")[0]}
    rows, link = caller.walk(f"{documents}/items/delta?$expand=fields")
    row = next(each for each in rows if each["contentType"]["name"] == "Document")
    file = caller.get(f"{documents}/items/{row['id']}/driveItem")
    assert file["name"] == row["fields"]["FileLeafRef"]
    assert file["webUrl"] == row["webUrl"]
    assert caller.get(f"/drives/{drive['id']}/items/{file['id']}/listItem")["id"] == row["id"]
    caller.send("PUT", f"/drives/{drive['id']}/root:/new.txt:/content", content=b"x")
    changed = caller.walk(link)[0]
    assert [each["fields"]["FileLeafRef"] for each in changed] == ["new.txt"]
    written = caller.send("PATCH", f"{documents}/items/{row['id']}/fields", json={"Title": "x"})
    assert (written.status_code, written.json()["Title"]) == (200, "x")


def test_groups_of_the_site_see_its_library(caller: Caller, site: str) -> None:
    """Until somebody shares a file and keeps nothing of that; its owners stay."""
    drive = f"/drives/{caller.get(f'{site}/drive')['id']}"
    item = f"{drive}/items/{caller.walk(f'{drive}/root/children')[0][0]['id']}"
    groups = [each["grantedToV2"] for each in caller.walk(f"{item}/permissions")[0] if "grantedToV2" in each]
    assert {"Owners", "Members", "Visitors"} == {
        each["siteGroup"]["displayName"].rpartition(" ")[2] for each in groups if "siteGroup" in each
    }
    fresh = caller.send("PUT", f"{drive}/root:/fresh.txt:/content", content=b"x").json()["id"]
    invited = {"roles": ["read"], "recipients": [{"objectId": caller.users()[0]}], "retainInheritedPermissions": False}
    caller.post(f"{drive}/items/{fresh}/invite", invited)
    kept = [list(each["grantedToV2"]) for each in caller.walk(f"{drive}/items/{fresh}/permissions")[0]]
    assert kept == [["siteGroup"], ["user"]]


def test_a_library_is_made_as_a_list(caller: Caller, site: str) -> None:
    """With a drive of its own, which takes files."""
    made = caller.post(f"{site}/lists", {"displayName": "Plans", "list": {"template": "documentLibrary"}})
    drive = caller.get(f"{site}/lists/{made['id']}/drive")
    assert drive["name"] == "Plans"
    reply = caller.send("PUT", f"/drives/{drive['id']}/root:/a b.txt:/content", content=b"x")
    assert reply.json()["webUrl"].endswith("/Plans/a%20b.txt")
    assert caller.plain.get(reply.json()["@microsoft.graph.downloadUrl"]).content == b"x"
    assert caller.send("DELETE", f"{site}/lists/{made['id']}").status_code == 403


def test_people_are_a_hidden_list(caller: Caller, site: str) -> None:
    """It comes to who selects the facet that tells of the system's own."""
    assert "User Information List" not in {each["displayName"] for each in caller.walk(f"{site}/lists")[0]}
    shown = caller.walk(f"{site}/lists?$select=displayName,system")[0]
    assert [each["displayName"] for each in shown if "system" in each] == ["User Information List"]


def test_some_sites_belong_to_no_team(caller: Caller, site: str) -> None:
    """That of the whole tenant has no path of its own."""
    root = caller.get("/sites/root")
    assert (root["name"], root["webUrl"].count("/")) == ("root", 2)
    roots = caller.walk("/sites?$filter=siteCollection/root ne null&$select=siteCollection,webUrl")[0]
    assert [(each["id"], each["siteCollection"]["root"]) for each in roots] == [(root["id"], {})]
    assert caller.walk(f"{site}/sites")[0] == []
    assert {root["id"], site.rpartition("/")[2]} <= {each["id"] for each in caller.walk("/sites/getAllSites")[0]}
