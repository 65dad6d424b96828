"""Who may see what: generated shares, invitations and links, and how delta tells of them."""

from tests.simtenant.api.test_item_versions import files
from tests.simtenant.caller import Caller, code_of

HIERARCHICAL = "hierarchicalsharing"
ALL_SHARING = "deltashowremovedasdeleted,deltatraversepermissiongaps,deltashowsharingchanges"


def test_the_shared_facet_tells_where_to_look(caller: Caller) -> None:
    """With hierarchicalsharing exactly the items with permissions of their own have it; without, all below too."""
    own = inherited = 0
    for user in caller.users():
        url = f"/users/{user}/drive/root/delta"
        roots = {e["id"] for e in caller.walk(url, headers={"Prefer": HIERARCHICAL})[0] if "shared" in e}
        everywhere = {e["id"] for e in caller.walk(url)[0] if "shared" in e}
        assert roots <= everywhere
        for name in everywhere:
            listed = caller.walk(f"/users/{user}/drive/items/{name}/permissions")[0]
            assert listed[0]["roles"] == ["owner"]
            assert len(listed) >= 2
        own += len(roots)
        inherited += len(everywhere - roots)
    assert own
    assert inherited


def test_inviting_linking_and_taking_back(caller: Caller) -> None:
    """A grant and a link appear among the permissions, can be changed, and go."""
    user, other = caller.users()[:2]
    item = f"/users/{user}/drive/items/{files(caller, user)[0]['id']}"
    before = len(caller.walk(f"{item}/permissions")[0])
    order = {"requireSignIn": True, "sendInvitation": False, "roles": ["read"], "recipients": [{"objectId": other}]}
    granted = caller.post(f"{item}/invite", order)["value"][0]
    assert granted["grantedToV2"]["user"]["id"] == other
    link = {"type": "view", "scope": "organization"}
    assert caller.send("POST", f"{item}/createLink", json=link).status_code == 201
    again = caller.send("POST", f"{item}/createLink", json=link)
    assert (again.status_code, again.json()["link"]["scope"]) == (200, "organization")
    changed = caller.send("PATCH", f"{item}/permissions/{granted['id']}", json={"roles": ["write"]})
    assert changed.json()["roles"] == ["write"]
    assert len(caller.walk(f"{item}/permissions")[0]) == before + 2
    assert caller.send("DELETE", f"{item}/permissions/{granted['id']}").status_code == 204
    assert len(caller.walk(f"{item}/permissions")[0]) == before + 1
    assert caller.send("DELETE", f"{item}/permissions/{granted['id']}").status_code == 404
    nobody = order | {"recipients": [{"email": "nobody@northwind.example"}]}
    assert code_of(caller.send("POST", f"{item}/invite", json=nobody)) == "noResolvedUsers"


def test_sharing_is_told_only_to_who_asks(caller: Caller) -> None:
    """A change of permissions appears in delta with the three preferences, and is marked there."""
    user, other = caller.users()[:2]
    file = files(caller, user)[0]["id"]
    _, link = caller.walk(f"/users/{user}/drive/root/delta")
    order = {"roles": ["read"], "recipients": [{"objectId": other}]}
    caller.post(f"/users/{user}/drive/items/{file}/invite", order)
    assert caller.walk(link)[0] == []
    marked = [e for e in caller.walk(link, headers={"Prefer": ALL_SHARING})[0] if "@microsoft.graph.sharedChanged" in e]
    assert [each["id"] for each in marked] == [file]


def test_inheritance_is_cut_for_good(caller: Caller, user: str) -> None:
    """By a link for nobody that keeps nothing, even after the link is gone; before, what holds above holds below."""
    drive = f"/drives/{caller.get(f'/users/{user}/drive')['id']}"
    folder = caller.post(f"{drive}/root/children", {"name": "Open", "folder": {}})["id"]
    file = f"{drive}/items/{caller.send('PUT', f'{drive}/items/{folder}:/a.txt:/content', content=b'x').json()['id']}"
    caller.post(f"{drive}/items/{folder}/createLink", {"type": "view", "scope": "organization"})
    above = {each["id"] for each in caller.walk(f"{drive}/items/{folder}/permissions")[0]}
    assert {each["id"] for each in caller.walk(f"{file}/permissions")[0]} == above
    nobody = {"type": "view", "scope": "users", "recipients": [], "retainInheritedPermissions": False}
    link = caller.post(f"{file}/createLink", nobody)["id"]
    assert caller.send("DELETE", f"{file}/permissions/{link}").status_code == 204
    assert [each["roles"] for each in caller.walk(f"{file}/permissions")[0]] == [["owner"]]
    assert "shared" not in caller.get(file)
