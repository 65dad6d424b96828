"""Whatever way leads to a drive or a site, all that can be asked of it is there."""

from tests.simtenant.caller import Caller


def test_a_drive_lies_behind_whose_it_is(caller: Caller, user: str) -> None:
    """Behind a site, a group and a person, for reads and writes; others' drives are not there."""
    team = caller.walk("/teams?$select=id")[0][0]["id"]
    site = caller.get(f"/groups/{team}/sites/root")["id"]
    drive = caller.get(f"/sites/{site}/drive")["id"]
    own = caller.get(f"/users/{user}/drive")["id"]
    for path in (f"/sites/{site}/drives/{drive}", f"/groups/{team}/drives/{drive}", f"/users/{user}/drives/{own}"):
        made = caller.send("PUT", f"{path}/root:/way.txt:/content", content=path.encode()).json()["id"]
        page = caller.get(f"{path}/root/children?$top=1")
        assert page["@odata.nextLink"].startswith(f"{caller.root}{path}/root/children?")
        assert made in {each["id"] for each in caller.walk(f"{path}/root/children")[0]}
        assert caller.get(f"{path}/items/{made}/permissions")["value"]
        assert caller.send("DELETE", f"{path}/items/{made}").status_code == 204
    assert caller.send("GET", f"/sites/{site}/drives/{own}/root").status_code == 404
    assert caller.send("GET", f"/users/{user}/drives/{drive}/root").status_code == 404
    assert caller.send("GET", f"/groups/nothing/drives/{drive}/root").status_code == 404
    assert caller.plain.get(f"{caller.root}/groups/nothing/drives/{drive}/root").status_code == 401


def test_the_drive_of_a_site_is_written_without_its_id(caller: Caller) -> None:
    """That of a group too; and that of a list by the list's name."""
    team = caller.walk("/teams?$select=id")[0][0]["id"]
    site = caller.get(f"/groups/{team}/sites/root")["id"]
    for path in (f"/sites/{site}/drive", f"/groups/{team}/drive", f"/sites/{site}/lists/Documents/drive"):
        made = caller.send("PUT", f"{path}/root:/one.txt:/content", content=b"x").json()
        assert caller.get(f"{path}/items/{made['id']}/versions")["value"]
        assert caller.send("PATCH", f"{path}/items/{made['id']}", json={"name": "two.txt"}).json()["name"] == "two.txt"
        assert caller.send("DELETE", f"{path}/root:/two.txt").status_code == 204
    assert caller.send("GET", f"/sites/{site}/lists/nothing/drive/root").status_code == 404


def test_a_site_is_named_by_its_address(caller: Caller) -> None:
    """Before whatever is asked of it."""
    site = next(each for each in caller.walk("/sites")[0] if "/sites/" in each["webUrl"])
    host, _, path = site["webUrl"].partition("://")[2].partition("/")
    address = f"/sites/{host}:/{path}:"
    assert caller.walk(f"{address}/lists")[0] == caller.walk(f"/sites/{site['id']}/lists")[0]
    assert caller.get(f"{address}/drive")["id"] == caller.get(f"/sites/{site['id']}/drive")["id"]
    assert caller.send("PUT", f"{address}/drive/root:/a/b.txt:/content", content=b"x").status_code == 404
    caller.post(f"{address}/drive/root/children", {"name": "a", "folder": {}})
    assert caller.send("PUT", f"{address}/drive/root:/a/b.txt:/content", content=b"x").status_code == 201
    assert [each["name"] for each in caller.walk(f"{address}/drive/root:/a:/children")[0]] == ["b.txt"]
    assert caller.send("GET", f"/sites/{host}:/sites/nothing:/lists").status_code == 404
