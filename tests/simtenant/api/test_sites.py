"""Sites, their libraries and lists, and what is odd about them."""

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def site(caller: Caller) -> str:
    """The path of the first team's site."""
    return f"/sites/{caller.walk('/sites')[0][0]['id']}"


def test_every_team_has_a_site(caller: Caller, site: str) -> None:
    """A site is found by id, by host and path, through its group, and by name; people's own are among all."""
    found = caller.get(site)
    host, _, path = found["webUrl"].partition("://")[2].partition("/")
    assert caller.get(f"/sites/{host}:/{path}")["id"] == found["id"]
    _, collection, web = found["id"].split(",")
    for name in (collection, f"{collection},{web}"):
        assert caller.get(f"/sites/{name}")["id"] == found["id"]
    group = caller.walk("/teams")[0][0]["id"]
    assert caller.get(f"/groups/{group}/sites/root")["id"] == found["id"]
    assert found["id"] in {each["id"] for each in caller.walk(f"/sites?search={found['displayName']}")[0]}
    everything = caller.walk("/sites/getAllSites")[0]
    personal = [each for each in everything if each["isPersonalSite"]]
    assert len(personal) == len(caller.users())
    assert caller.get(f"/sites/{personal[0]['id']}/drive")["driveType"] == "business"
    assert caller.send("GET", "/sites/nothing").status_code == 404


def test_a_library_is_a_drive(caller: Caller, site: str) -> None:
    """The site's drive can be walked, read and written like any other; it has a folder for each standard channel."""
    drive = caller.get(f"{site}/drive")
    assert drive["driveType"] == "documentLibrary"
    entries = caller.walk(f"/drives/{drive['id']}/root/delta")[0]
    file = max((each for each in entries if "file" in each), key=lambda each: int(each["size"]))
    assert len(caller.plain.get(file["@microsoft.graph.downloadUrl"]).content) == file["size"]
    made = caller.send("PUT", f"/drives/{drive['id']}/root:/General/new.txt:/content", content=b"x")
    assert made.status_code == 201
    assert {"General", "Angebote"} <= {each["name"] for each in entries if "folder" in each}


def test_channels_lead_to_their_files(caller: Caller) -> None:
    """Standard channels to a folder of the team's library, private ones to a site of their own."""
    team = f"/teams/{caller.walk('/teams')[0][0]['id']}"
    folders = {}
    for each in caller.walk(f"{team}/channels")[0]:
        folders[each["displayName"]] = caller.get(f"{team}/channels/{each['id']}/filesFolder")
    general, private = folders["General"], folders["Board"]
    library = caller.get(f"/drives/{general['parentReference']['driveId']}/items/{general['id']}")
    assert (library["name"], general["createdDateTime"]) == ("General", "0001-01-01T00:00:00Z")
    host, _, path = private["webUrl"].partition("://")[2].partition("/")
    own = caller.get(f"/sites/{host}:/{'/'.join(path.split('/')[:2])}")
    assert caller.get(f"/sites/{own['id']}/drive")["id"] == private["parentReference"]["driveId"]
    assert private["parentReference"]["driveId"] != general["parentReference"]["driveId"]
    caller.control("/fault", {"id": "files-folder-not-ready"})
    channel = caller.get(f"{team}/primaryChannel")["id"]
    assert caller.send("GET", f"{team}/channels/{channel}/filesFolder").status_code == 404


def test_a_long_list_comes_page_by_page(caller: Caller, site: str) -> None:
    """More than 5,000 rows, each once; lookups name rows of another list of the site."""
    lists = {each["displayName"]: each for each in caller.walk(f"{site}/lists?$expand=columns")[0]}
    tasks = f"{site}/lists/{lists['Tasks']['id']}"
    rows = caller.walk(f"{tasks}/items?$top=2000&$expand=fields")[0]
    assert len({each["id"] for each in rows}) == len(rows) == 5200
    projects = {each["id"] for each in caller.walk(f"{site}/lists/Projects/items")[0]}
    assert {each["fields"]["ProjectLookupId"] for each in rows} <= projects
    lookup = next(each["lookup"] for each in lists["Tasks"]["columns"] if "lookup" in each)
    assert lookup["listId"] == lists["Projects"]["id"]
    assert caller.get(f"{tasks}/items?$top=1")["value"][0].get("fields") is None


def test_lists_are_made_and_followed(caller: Caller, site: str) -> None:
    """A lookup column needs its list; rows that come, change and go show up in delta."""
    wrong = {"displayName": "Copy", "columns": [{"name": "P", "lookup": {"listId": "missing", "columnName": "Title"}}]}
    reply = caller.send("POST", f"{site}/lists", json=wrong)
    assert (reply.status_code, code_of(reply)) == (400, "invalidRequest")
    made = caller.post(f"{site}/lists", {"displayName": "Copy", "columns": [{"name": "Note", "text": {}}]})
    assert caller.send("POST", f"{site}/lists", json={"displayName": "copy"}).status_code == 409
    items = f"{site}/lists/{made['id']}/items"
    first = caller.post(items, {"fields": {"Title": "one", "Note": "a"}})["id"]
    assert caller.send("POST", items, json={"fields": {"Colour": "red"}}).status_code == 400
    _, link = caller.walk(f"{items}/delta?$expand=fields")
    second = caller.post(items, {"fields": {"Title": "two"}})["id"]
    caller.send("PATCH", f"{items}/{second}/fields", json={"Note": "b"})
    caller.send("DELETE", f"{items}/{first}")
    changed = {each["id"]: each for each in caller.walk(link)[0]}
    assert changed[second]["fields"]["Note"] == "b"
    assert changed[first]["deleted"] == {"state": "deleted"}
    caller.control("/expire-deltas", {})
    assert caller.send("GET", link).status_code == 410


def test_the_delta_of_sites_fails_for_old_tokens(caller: Caller, site: str) -> None:
    """500 instead of 410, as others have met it; archived sites are locked."""
    everything, link = caller.walk("/sites/delta")
    assert site.rpartition("/")[2] in {each["id"] for each in everything}
    assert caller.walk(link)[0] == []
    caller.control("/expire-deltas", {})
    reply = caller.send("GET", link)
    assert (reply.status_code, code_of(reply)) == (500, "generalException")
    caller.control("/fault", {"id": "site-archived"})
    assert caller.send("GET", f"{site}/lists").status_code == 423
