"""The words that columns take their values from, and which applications reach single sites."""

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def site(caller: Caller) -> str:
    """The path of a site of no team."""
    return f"/sites/{caller.walk('/sites?$select=id')[0][-1]['id']}"


def names(caller: Caller, url: str) -> list[str]:
    """The first labels of terms."""
    return [each["labels"][0]["name"] for each in caller.walk(url)[0]]


def test_rows_name_terms_of_the_store(caller: Caller, site: str) -> None:
    """A value in a list leads to its term."""
    assets = next(each for each in caller.walk(f"{site}/lists")[0] if each["displayName"] == "Assets")["id"]
    value = caller.get(f"{site}/lists/{assets}/items/1")["fields"]["Area"]
    store = f"{site}/termStore"
    assert caller.get(store)["defaultLanguageTag"] == "en-US"
    group = next(each for each in caller.walk(f"{store}/groups")[0] if each["scope"] == "global")
    assert caller.get(f"{store}/groups/{group['id']}")["displayName"] == "Northwind"
    found = caller.walk(f"{store}/groups/{group['id']}/sets")[0]
    sets = {each["localizedNames"][0]["name"]: each["id"] for each in found}
    term = caller.get(f"{store}/sets/{sets['Departments']}/terms/{value['TermGuid']}")
    assert term["labels"] == [{"languageTag": "en-US", "name": value["Label"], "isDefault": True}]
    regions = f"{store}/sets/{sets['Regions']}"
    assert names(caller, f"{regions}/children") == ["Europe", "Asia"]
    assert len(names(caller, f"{regions}/terms?$top=2")) == 7
    europe = caller.walk(f"{regions}/children")[0][0]["id"]
    assert "Poland" in names(caller, f"{regions}/terms/{europe}/children")


def test_terms_are_written(caller: Caller, site: str) -> None:
    """Groups, sets and terms come, change and go; what lies below a term goes with it."""
    store = f"{site}/termStore"
    group = caller.post(f"{store}/groups", {"displayName": "Mine", "description": "of mine"})
    assert caller.send("POST", f"{store}/groups", json={"displayName": "mine"}).status_code == 409
    named = {"parentGroup": {"id": group["id"]}, "localizedNames": [{"languageTag": "en-US", "name": "Colours"}]}
    held = f"{store}/sets/{caller.post(f'{store}/sets', named)['id']}"
    changed = {"description": "all of them", "localizedNames": [{"languageTag": "de-DE", "name": "Farben"}]}
    assert len(caller.send("PATCH", held, json=changed).json()["localizedNames"]) == 2
    red = {"labels": [{"languageTag": "en-US", "name": "Red", "isDefault": True}]}
    term = f"{held}/terms/{caller.post(f'{held}/children', red)['id']}"
    assert caller.send("POST", f"{held}/children", json=red).status_code == 409
    caller.post(f"{term}/children", {"labels": [{"languageTag": "en-US", "name": "Crimson"}]})
    told = {"descriptions": [{"languageTag": "en-US", "description": "like blood"}]}
    assert caller.send("PATCH", term, json=told).json()["descriptions"] == told["descriptions"]
    assert names(caller, f"{held}/terms") == ["Red", "Crimson"]
    assert caller.send("DELETE", term).status_code == 204
    assert caller.walk(f"{held}/terms")[0] == []
    assert caller.send("DELETE", f"{store}/groups/{group['id']}").status_code == 400
    assert caller.send("DELETE", held).status_code == 204
    assert caller.send("DELETE", f"{store}/groups/{group['id']}").status_code == 204
    assert caller.send("GET", held).status_code == 404
    assert caller.send("POST", f"{store}/groups", json={}).status_code == 400


def test_an_application_reaches_the_sites_it_was_granted(caller: Caller, site: str) -> None:
    """With the permission for selected ones: none at first, then one to read, then to write, and none again."""
    other = caller.control("/applications", {"secret": "s", "roles": ["Sites.Selected"]})["client_id"]
    ends, drive = caller.endpoints, caller.get(f"{site}/drive")["id"]

    def status(method: str, url: str) -> int:
        caller.sign_in(other, "s")
        found = caller.send(method, url, content=b"x" if method == "PUT" else None).status_code
        caller.sign_in(ends.client_id, ends.client_secret)
        return found

    assert status("GET", site) == 403
    wanted = {"roles": ["read"], "grantedToIdentities": [{"application": {"id": other, "displayName": "Other"}}]}
    made = caller.post(f"{site}/permissions", wanted)
    assert (made["roles"], made["grantedToIdentitiesV2"][0]["application"]["id"]) == (["read"], other)
    assert (status("GET", site), status("GET", f"{site}/lists")) == (200, 200)
    assert (status("GET", f"/drives/{drive}/root/children"), status("GET", "/sites")) == (200, 403)
    assert status("PUT", f"/drives/{drive}/root:/x.txt:/content") == 403
    listed = caller.walk(f"{site}/permissions")[0]
    assert [(each["id"], "roles" in each) for each in listed] == [(made["id"], False)]
    one = f"{site}/permissions/{made['id']}"
    assert caller.send("PATCH", one, json={"roles": ["write"]}).json()["roles"] == ["write"]
    assert status("PUT", f"/drives/{drive}/root:/x.txt:/content") == 201
    assert caller.get(one)["roles"] == ["write"]
    assert caller.send("DELETE", one).status_code == 204
    assert (status("GET", site), caller.send("GET", one).status_code) == (403, 404)
    assert code_of(caller.send("POST", f"{site}/permissions", json={"roles": ["read"]})) == "invalidRequest"
    assert caller.send("POST", f"{site}/permissions", json=wanted | {"roles": ["all"]}).status_code == 400


def test_lists_have_permissions_of_their_own(caller: Caller, site: str) -> None:
    """What was granted on one list is not granted on the site."""
    path = f"{site}/lists/{caller.walk(f'{site}/lists')[0][0]['id']}/permissions"
    application = {"id": "11111111-1111-1111-1111-111111111111", "displayName": "Other"}
    made = caller.post(path, {"roles": ["write"], "grantedToV2": {"application": application}})
    assert [each["id"] for each in caller.walk(path)[0]] == [made["id"]]
    assert caller.walk(f"{site}/permissions")[0] == []
