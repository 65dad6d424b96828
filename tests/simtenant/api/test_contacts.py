"""Contacts: in the folder that everybody has and in others, their changes, their pictures."""

from tests.simtenant.caller import Caller, code_of

PICTURE = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def test_folders_lie_in_the_one_that_everybody_has(caller: Caller, user: str) -> None:
    """It is in no list of folders, holds them all, answers to its name, and keeps its own."""
    top = caller.walk(f"/users/{user}/contactFolders")[0]
    (known,) = {each["parentFolderId"] for each in top}
    assert caller.get(f"/users/{user}/contactFolders/contacts")["id"] == known
    children = [each for folder in top for each in caller.walk(
        f"/users/{user}/contactFolders/{folder['id']}/childFolders")[0]]  # fmt: skip
    assert {each["id"] for each in caller.walk(f"/users/{user}/contactFolders/delta")[0]} == {
        each["id"] for each in (*top, *children)
    }
    assert children
    assert code_of(caller.send("DELETE", f"/users/{user}/contactFolders/{known}")) == "ErrorDeleteDistinguishedFolder"
    taken = {"displayName": top[0]["displayName"].upper()}
    assert code_of(caller.send("POST", f"/users/{user}/contactFolders", json=taken)) == "ErrorFolderExists"


def test_contacts_without_a_folder_are_those_that_everybody_has(caller: Caller, user: str) -> None:
    """The same as by the folder's name; one may be found by an address and counted, and they can be sorted."""
    contacts = caller.walk(f"/users/{user}/contacts")[0]
    assert contacts == caller.walk(f"/users/{user}/contactFolders/contacts/contacts?$top=5")[0]
    outside = next(each for each in contacts if len(each["emailAddresses"]) == 2)
    address = outside["emailAddresses"][1]["address"]
    wanted = f"$filter=emailAddresses/any(a:a/address eq '{address}')"
    assert outside["id"] in {each["id"] for each in caller.walk(f"/users/{user}/contacts?{wanted}")[0]}
    assert caller.send("GET", f"/users/{user}/contacts/$count").text == str(len(contacts))
    assert outside["secondaryEmailAddress"]["address"] == address
    names = [each["displayName"] for each in caller.walk(
        f"/users/{user}/contacts?$orderby=displayName desc&$select=displayName")[0]]  # fmt: skip
    assert names == sorted(names, key=str.lower, reverse=True)


def test_delta_follows_one_folder(caller: Caller, user: str) -> None:
    """New, changed and deleted contacts of that folder and of no other, once each, page by page."""
    folder = caller.post(f"/users/{user}/contactFolders", {"displayName": "Followed"})["id"]
    url = f"/users/{user}/contactFolders/{folder}/contacts"
    first = [caller.post(url, {"givenName": name})["id"] for name in ("Ada", "Bob", "Cem")]
    entries, link = caller.walk(f"{url}/delta?$select=givenName", headers={"Prefer": "odata.maxpagesize=2"})
    assert [each["id"] for each in entries] == first
    assert caller.walk(link)[0] == []
    assert caller.send("PATCH", f"{url}/{first[0]}", json={"mobilePhone": "1"}).json()["mobilePhone"] == "1"
    assert caller.send("DELETE", f"/users/{user}/contacts/{first[1]}").status_code == 204
    new = caller.post(url, {"givenName": "Dee", "surname": "Nice"})
    caller.post(f"/users/{user}/contacts", {"givenName": "Elsewhere"})
    assert new["displayName"] == "Dee Nice"
    found, link = caller.walk(link)
    assert [(each["id"], "@removed" in each, each.get("givenName")) for each in found] == [
        (first[0], False, "Ada"), (first[1], True, None), (new["id"], False, "Dee"),
    ]  # fmt: skip
    caller.control("/expire-deltas", {})
    assert code_of(caller.send("GET", link)) == "SyncStateNotFound"


def test_deleted_folders_are_told_with_all_below(caller: Caller, user: str) -> None:
    """Folder delta has the folder and its child, and their contacts are gone."""
    _, link = caller.walk(f"/users/{user}/contactFolders/delta")
    outer = caller.post(f"/users/{user}/contactFolders", {"displayName": "Outer"})["id"]
    inner = caller.post(f"/users/{user}/contactFolders/{outer}/childFolders", {"displayName": "Inner"})["id"]
    contact = caller.post(f"/users/{user}/contactFolders/{outer}/childFolders/{inner}/contacts", {"surname": "X"})["id"]
    found, link = caller.walk(link)
    assert [each["displayName"] for each in found] == ["Outer", "Inner"]
    assert caller.send("DELETE", f"/users/{user}/contactFolders/{outer}").status_code == 204
    assert {each["id"] for each in caller.walk(link)[0] if "@removed" in each} == {outer, inner}
    assert caller.send("GET", f"/users/{user}/contacts/{contact}").status_code == 404


def test_pictures_are_read_and_written(caller: Caller, user: str) -> None:
    """Some contacts have one; a new contact has none until one is put there, and only an image can be."""
    url = f"/users/{user}/contacts"
    held = [each["id"] for each in caller.walk(url)[0]]
    sizes = [len(reply.content) for name in held
             if (reply := caller.send("GET", f"{url}/{name}/photo/$value")).status_code == 200]  # fmt: skip
    assert sizes
    assert min(sizes) > 1000
    new = f"{url}/{caller.post(url, {'surname': 'Unseen'})['id']}/photo"
    assert code_of(caller.send("GET", f"{new}/$value")) == "ImageNotFound"
    assert caller.send("PUT", f"{new}/$value", content=b"no picture").status_code == 400
    assert caller.send("PUT", f"{new}/$value", content=PICTURE).is_success
    assert caller.send("GET", f"{new}/$value").content == PICTURE
    assert caller.get(new)["@odata.mediaContentType"] == "image/jpeg"


def test_immutable_ids_and_regular_ones_lead_to_the_same_contact(caller: Caller, user: str) -> None:
    """They differ, either works, and a delta link is good for the kind of ids it began with."""
    url, immutable = f"/users/{user}/contacts", {"Prefer": 'IdType="ImmutableId"'}
    one, other = caller.get(url)["value"][0]["id"], caller.get(url, headers=immutable)["value"][0]["id"]
    assert one != other
    assert caller.get(f"{url}/{other}")["id"] == one
    _, link = caller.walk(f"{url}/delta", headers=immutable)
    assert code_of(caller.send("GET", link)) == "SyncStateInvalid"


def test_contacts_ask_for_their_permission(caller: Caller, user: str) -> None:
    """403 for reading without it, and for writing with that for reading."""
    made = caller.control("/applications", {"secret": "s", "roles": ["Contacts.Read"]})
    caller.sign_in(made["client_id"], "s")
    assert caller.send("GET", f"/users/{user}/contacts").status_code == 200
    assert code_of(caller.send("POST", f"/users/{user}/contacts", json={})) == "ErrorAccessDenied"
    made = caller.control("/applications", {"secret": "s", "roles": ["Mail.Read"]})
    caller.sign_in(made["client_id"], "s")
    assert code_of(caller.send("GET", f"/users/{user}/contactFolders/delta")) == "ErrorAccessDenied"
