"""Columns of every kind, how their values are read and written, content types, and what rows held before."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def site(caller: Caller) -> str:
    """The path of a site without a long list."""
    return f"/sites/{caller.walk('/sites?$select=id')[0][-1]['id']}"


@pytest.fixture
def assets(caller: Caller, site: str) -> str:
    """The path of the list with columns of every kind."""
    found = next(each for each in caller.walk(f"{site}/lists")[0] if each["displayName"] == "Assets")
    return f"{site}/lists/{found['id']}"


def test_a_list_has_columns_of_every_kind(caller: Caller, assets: str) -> None:
    """Beside those that SharePoint adds to each list, which nobody can write."""
    columns = caller.walk(f"{assets}/columns")[0]
    kinds = {kind for each in columns for kind in each}
    assert {"text", "number", "currency", "dateTime", "boolean", "choice", "lookup", "personOrGroup", "calculated",
            "hyperlinkOrPicture", "geolocation", "term", "thumbnail"} <= kinds  # fmt: skip
    names = {each["name"]: each for each in columns}
    assert names["Title"]["readOnly"] is False
    assert all(names[each]["readOnly"] for each in ("ID", "Created", "Author", "Gross", "Attachments"))
    rows = caller.walk(f"{assets}/items?$expand=fields")[0]
    lookups = {f"{each}LookupId" for each in names} | {"id", "@odata.etag", "LinkTitleNoMenu", "ItemChildCount"}
    for row in rows:
        assert row["fields"].keys() - lookups - {"FolderChildCount", "_ComplianceFlags"} <= names.keys()
    assert any(row["fields"]["Attachments"] for row in rows)
    assert {row["contentType"]["name"] for row in rows} == {"Item", "Asset"}


def test_some_fields_only_are_told(caller: Caller, assets: str) -> None:
    """Those that $expand selects."""
    row = caller.get(f"{assets}/items?$top=1&$expand=fields($select=Title,Price)")["value"][0]
    assert row["fields"].keys() == {"@odata.etag", "Title", "Price"}


def test_several_values_are_written_with_their_type(caller: Caller, assets: str) -> None:
    """Rows and people by number; they are read with their names."""
    people = caller.walk(f"{assets.rpartition('/')[0]}/User Information List/items?$expand=fields")[0]
    numbers = [int(each["id"]) for each in people[:2]]
    fields: dict[str, Any] = {
        "Title": "x", "Price": 1.5, "Tags@odata.type": "Collection(Edm.String)", "Tags": ["Sales", "Loan"],
        "ReadersLookupId@odata.type": "Collection(Edm.Int32)", "ReadersLookupId": numbers,
        "RelatedLookupId@odata.type": "Collection(Edm.Int32)", "RelatedLookupId": [2], "OwnerLookupId": numbers[0],
    }  # fmt: skip
    made = caller.post(f"{assets}/items", {"contentType": {"name": "Asset"}, "fields": fields})
    found = made["fields"]
    assert [each["LookupId"] for each in found["Readers"]] == numbers
    assert [each["LookupValue"] for each in found["Readers"]] == [each["fields"]["Title"] for each in people[:2]]
    assert (found["Tags"], found["OwnerLookupId"]) == (["Sales", "Loan"], str(numbers[0]))
    assert found["Related"][0]["LookupValue"]
    assert (made["contentType"]["name"], found["ContentType"]) == ("Asset", "Asset")
    for wrong in (
        {"Tags": ["Sales"]}, {"Readers": numbers}, {"Gross": 1}, {"Created": "2020-01-01T00:00:00Z"},
        {"Manual": {"Url": "https://x.example/", "Description": "x"}}, {"Area": {"Label": "x"}},
    ):  # fmt: skip
        reply = caller.send("POST", f"{assets}/items", json={"fields": wrong})
        assert (reply.status_code, code_of(reply)) == (400, "invalidRequest")


def test_rows_remember_what_they_held(caller: Caller, assets: str) -> None:
    """Each change is a version, the newest first; one of the past can be brought back; an old eTag is refused."""
    item = f"{assets}/items/{caller.post(f'{assets}/items', {'fields': {'Title': 'first'}})['id']}"
    tag = caller.get(item)["eTag"]
    second = caller.send("PATCH", f"{item}/fields", json={"Title": "second"})
    assert second.json()["_UIVersionString"] == "2.0"
    stale = caller.send("PATCH", f"{item}/fields", json={"Title": "third"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    versions = caller.walk(f"{item}/versions?$expand=fields")[0]
    assert [(each["id"], each["fields"]["Title"]) for each in versions] == [("2.0", "second"), ("1.0", "first")]
    assert all("fields" not in each for each in caller.walk(f"{item}/versions")[0])
    assert caller.send("POST", f"{item}/versions/1.0/restoreVersion").status_code == 204
    assert caller.get(f"{item}/fields")["Title"] == "first"
    assert caller.get(f"{item}/versions/2.0/fields")["Title"] == "second"
    assert caller.send("POST", f"{item}/versions/3.0/restoreVersion").status_code == 400
    assert caller.send("GET", f"{item}/versions/9.0").status_code == 404


def test_content_types_have_columns(caller: Caller, assets: str) -> None:
    """A plain row has a title, the list's own kind everything."""
    kinds = {each["name"]: each for each in caller.walk(f"{assets}/contentTypes")[0]}
    assert kinds.keys() == {"Item", "Asset", "Folder"}
    assert kinds["Item"]["order"]["default"]
    plain, own = (f"{assets}/contentTypes/{kinds[name]['id']}" for name in ("Item", "Asset"))
    assert [each["name"] for each in caller.walk(f"{plain}/columns")[0]] == ["Title"]
    assert "Price" in {each["name"] for each in caller.walk(f"{own}/columnLinks")[0]}
    assert caller.get(own)["name"] == "Asset"
    assert caller.send("GET", f"{assets}/contentTypes/0x99").status_code == 404


def test_a_site_has_content_types_too(caller: Caller, site: str) -> None:
    """Those that its lists derive theirs from, and columns that every list has."""
    kinds = {each["name"]: each["id"] for each in caller.walk(f"{site}/contentTypes")[0]}
    assert (kinds["Item"], kinds["Document"], kinds["Folder"]) == ("0x01", "0x0101", "0x0120")
    assert "Author" in {each["name"] for each in caller.walk(f"{site}/columns")[0]}


def test_lists_are_made_changed_and_deleted(caller: Caller, site: str) -> None:
    """With their columns; what is there but empty makes the service fail."""
    for wrong, status in (
        ({"columns": [{"name": "A", "text": {}, "validation": None}]}, 500), ({"createdByUser": None}, 400),
        ({"columns": [{"text": {}}]}, 400),
    ):  # fmt: skip
        assert caller.send("POST", f"{site}/lists", json={"displayName": "New"} | wrong).status_code == status
    given = {"displayName": "New", "description": "d", "columns": [{"name": "A", "number": {}}]}
    made = caller.post(f"{site}/lists?$expand=columns,contentTypes,items(expand=fields)", given)
    assert (made["description"], made["columns"][1]["number"], made["items"]) == ("d", {}, [])
    one = f"{site}/lists/{made['id']}"
    assert caller.post(f"{one}/columns", {"name": "B", "boolean": {}})["name"] == "B"
    assert caller.send("POST", f"{one}/columns", json={"name": "B", "boolean": {}}).status_code == 409
    assert caller.send("PATCH", one, json={"displayName": "Newer"}).json()["displayName"] == "Newer"
    assert caller.send("DELETE", one).status_code == 204
    assert caller.send("GET", one).status_code == 404
