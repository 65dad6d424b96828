"""Rows are chosen by their fields where an index allows it; columns and the fields of files can be changed."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller, code_of

SLOWLY = {"Prefer": "HonorNonIndexedQueriesWarningMayFailRandomly"}


@pytest.fixture
def site(caller: Caller) -> str:
    """The path of a site without a long list."""
    return f"/sites/{caller.walk('/sites?$select=id')[0][-1]['id']}"


@pytest.fixture
def parts(caller: Caller, site: str) -> str:
    """The path of a list of five rows, with an indexed column and another one."""
    columns = [{"name": "Code", "text": {}, "indexed": True}, {"name": "Weight", "number": {}}]
    made = caller.post(f"{site}/lists", {"displayName": "Parts", "columns": columns})
    for number in range(5):
        fields = {"Title": f"part {number}", "Code": f"C{number % 2}", "Weight": 10 - number}
        caller.post(f"{site}/lists/{made['id']}/items", {"fields": fields})
    return f"{site}/lists/{made['id']}"


def titles(caller: Caller, url: str, **options: Any) -> list[str]:
    """What a listing of rows holds."""
    return [each["fields"]["Title"] for each in caller.walk(f"{url}&$expand=fields", **options)[0]]


def test_rows_are_chosen_by_their_fields(caller: Caller, parts: str) -> None:
    """By what is indexed at once, by other columns for who takes the risk; page by page, too."""
    rows = f"{parts}/items"
    assert titles(caller, f"{rows}?$filter=fields/Code eq 'C1'") == ["part 1", "part 3"]
    assert titles(caller, f"{rows}?$filter=startswith(fields/Code,'c') and fields/Code ne 'C1'&$top=1") == [
        "part 0", "part 2", "part 4",
    ]  # fmt: skip
    refused = caller.send("GET", f"{rows}?$filter=fields/Weight lt 8")
    assert (refused.status_code, code_of(refused)) == (400, "invalidRequest")
    assert "not indexed" in refused.json()["error"]["message"]
    assert titles(caller, f"{rows}?$filter=fields/Weight lt 8", headers=SLOWLY) == ["part 3", "part 4"]
    assert titles(caller, f"{rows}?$orderby=fields/Weight", headers=SLOWLY)[0] == "part 4"
    assert titles(caller, f"{rows}?$orderby=fields/Weight desc", headers=SLOWLY)[0] == "part 0"
    unknown = caller.send("GET", f"{rows}?$filter=fields/Colour eq 'red'", headers=SLOWLY)
    assert (unknown.status_code, code_of(unknown)) == (400, "invalidRequest")


def test_lists_are_chosen_by_their_names(caller: Caller, site: str, parts: str) -> None:
    """Or by their templates."""
    assert [each["id"] for each in caller.walk(f"{site}/lists?$filter=displayName eq 'Parts'")[0]] == [
        parts.rpartition("/")[2]
    ]
    found = caller.walk(f"{site}/lists?$filter=list/template eq 'documentLibrary'")[0]
    assert [each["displayName"] for each in found] == ["Documents"]


def test_a_column_is_changed_and_removed(caller: Caller, parts: str) -> None:
    """It is found by its id; the ids of others stay as they were, and with it goes what it held."""
    columns = {each["name"]: each["id"] for each in caller.walk(f"{parts}/columns")[0]}
    one = f"{parts}/columns/{columns['Weight']}"
    assert caller.send("PATCH", one, json={"indexed": True, "displayName": "Mass"}).json()["displayName"] == "Mass"
    assert caller.get(one)["indexed"] is True
    assert titles(caller, f"{parts}/items?$filter=fields/Weight eq 10") == ["part 0"]
    assert caller.send("DELETE", f"{parts}/columns/{columns['Code']}").status_code == 204
    assert caller.get(one)["name"] == "Weight"
    assert "Code" not in caller.get(f"{parts}/items/1")["fields"]
    assert caller.send("DELETE", f"{parts}/columns/{columns['Created']}").status_code == 403
    assert caller.send("DELETE", f"{parts}/columns/{columns['Title']}").status_code == 403
    assert caller.send("GET", f"{parts}/columns/x").status_code == 404


def test_a_row_is_changed_as_a_whole(caller: Caller, parts: str) -> None:
    """The fields are in its body."""
    changed = caller.send("PATCH", f"{parts}/items/1", json={"fields": {"Title": "new"}}).json()
    assert (changed["id"], changed["fields"]["Title"]) == ("1", "new")


def test_files_have_columns_too(caller: Caller, site: str) -> None:
    """Who asks a file for its numbers in SharePoint can write into the columns of its library, and rename it so."""
    drive = caller.get(f"{site}/drive")["id"]
    file = caller.send("PUT", f"/drives/{drive}/root:/plan.txt:/content", content=b"x").json()
    assert "sharepointIds" not in caller.get(f"/drives/{drive}/items/{file['id']}")
    ids = caller.get(f"/drives/{drive}/items/{file['id']}?$select=sharepointIds")["sharepointIds"]
    library = f"{site}/lists/{ids['listId']}"
    assert ids["siteId"] in site
    caller.post(f"{library}/columns", {"name": "Stage", "text": {}})
    row = f"{library}/items/{ids['listItemId']}"
    _, link = caller.walk(f"{library}/items/delta?token=latest")
    fields = {"Stage": "draft", "FileLeafRef": "plan 2.txt"}
    assert fields.items() <= caller.send("PATCH", f"{row}/fields", json=fields).json().items()
    assert caller.get(f"/drives/{drive}/items/{file['id']}")["name"] == "plan 2.txt"
    assert caller.get(f"{row}?$expand=fields")["fields"]["Stage"] == "draft"
    assert [each["id"] for each in caller.walk(link)[0]] == [ids["listItemId"]]
    other = caller.send("PUT", f"/drives/{drive}/root:/other.txt:/content", content=b"x").json()["id"]
    taken = {"FileLeafRef": "OTHER.txt"}
    assert caller.send("PATCH", f"{row}/fields", json=taken).status_code == 409
    assert caller.get(f"/drives/{drive}/items/{other}")["name"] == "other.txt"


def test_a_checked_out_file_is_for_one_only(caller: Caller, site: str) -> None:
    """Others can't write it until it is given back; folders can't be taken."""
    path = f"/drives/{caller.get(f'{site}/drive')['id']}"
    file = caller.send("PUT", f"{path}/root:/held.txt:/content", content=b"x").json()["id"]
    assert caller.send("POST", f"{path}/items/{file}/checkin", json={}).status_code == 400
    assert caller.send("POST", f"{path}/root:/held.txt:/checkout").status_code == 204
    assert caller.get(f"{path}/items/{file}?$select=publication")["publication"]["level"] == "checkout"
    other = caller.control("/applications", {"secret": "s", "roles": ["Files.ReadWrite.All"]})
    caller.sign_in(other["client_id"], "s")
    refused = caller.send("PUT", f"{path}/items/{file}/content", content=b"y")
    assert (refused.status_code, code_of(refused)) == (423, "resourceLocked")
    assert caller.send("POST", f"{path}/items/{file}/checkin", json={}).status_code == 423
    caller.sign_in(caller.endpoints.client_id, caller.endpoints.client_secret)
    assert caller.send("PUT", f"{path}/items/{file}/content", content=b"y").status_code == 200
    assert caller.send("POST", f"{path}/items/{file}/checkin", json={"comment": "done"}).status_code == 204
    assert caller.get(f"{path}/items/{file}?$select=publication")["publication"]["level"] == "published"
    assert caller.send("POST", f"{path}/root/checkout").status_code == 400
