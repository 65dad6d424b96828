"""Who is in a group and who owns it can be changed; people know their groups, leaders and licences."""

from tests.simtenant.api.test_groups import EVENTUAL, group, ids
from tests.simtenant.caller import Caller, code_of


def unified(caller: Caller) -> str:
    """The id of a Microsoft 365 group."""
    return str(caller.get("/groups?$filter=groupTypes/any(c:c eq 'Unified')&$select=id")["value"][0]["id"])


def reference(caller: Caller, person: str) -> dict[str, str]:
    """What a request says that means somebody."""
    return {"@odata.id": f"{caller.root}/directoryObjects/{person}"}


def test_members_come_and_go_by_reference(caller: Caller) -> None:
    """Who is there already is refused, and so is the leave of who is not; delta tells both."""
    mark = unified(caller)
    _, link = caller.walk("/groups/delta?$select=displayName,members")
    inside = ids(caller, f"/groups/{mark}/members")
    new = next(each for each in caller.users() if each not in inside)
    path = f"/groups/{mark}/members"
    assert caller.send("POST", f"{path}/$ref", json=reference(caller, new)).status_code == 204
    assert ids(caller, path) == inside | {new}
    again = caller.send("POST", f"{path}/$ref", json=reference(caller, new))
    assert (again.status_code, code_of(again)) == (400, "Request_BadRequest")
    changed, link = caller.walk(link)
    assert [each["id"] for each in changed] == [mark]
    assert caller.send("DELETE", f"{path}/{new}/$ref").status_code == 204
    assert caller.send("DELETE", f"{path}/{new}/$ref").status_code == 404
    assert ids(caller, path) == inside
    assert caller.send("POST", f"{path}/$ref", json={"id": new}).status_code == 400


def test_a_group_keeps_one_owner(caller: Caller) -> None:
    """Owners are listed, also as users only; a second one may go again, the last one may not."""
    path = f"/groups/{unified(caller)}/owners"
    (first,) = ids(caller, path)
    second = next(each for each in caller.users() if each != first)
    assert caller.send("POST", f"{path}/$ref", json=reference(caller, second)).status_code == 204
    cast = caller.get(f"{path}/microsoft.graph.user?$count=true&$select=displayName", headers=EVENTUAL)
    assert [each["id"] for each in cast["value"]] == [first, second]
    assert caller.send("DELETE", f"{path}/{first}/$ref").status_code == 204
    refused = caller.send("DELETE", f"{path}/{second}/$ref")
    assert (refused.status_code, code_of(refused)) == (400, "Request_BadRequest")
    assert caller.walk(f"/groups/{group(caller, 'All staff')}/owners")[0] == []


def test_a_group_is_changed_deleted_and_restored(caller: Caller) -> None:
    """Its new name is told by delta; it stays among the deleted until it is taken back."""
    mark = unified(caller)
    _, link = caller.walk("/groups/delta?$select=displayName,description")
    new = {"displayName": "Renamed", "description": "other words", "visibility": "Public"}
    assert caller.send("PATCH", f"/groups/{mark}", json=new).status_code == 204
    assert new.items() <= caller.get(f"/groups/{mark}").items()
    assert [(each["id"], each["displayName"]) for each in caller.walk(link)[0]] == [(mark, "Renamed")]
    assert caller.send("DELETE", f"/groups/{mark}").status_code == 204
    wanted = "groupTypes/any(c:c eq 'Unified')"
    deleted = caller.get(f"/directory/deletedItems/microsoft.graph.group?$filter={wanted}")["value"]
    assert [each["id"] for each in deleted] == [mark]
    assert deleted[0]["deletedDateTime"]
    assert caller.get(f"/directory/deletedItems/{mark}")["displayName"] == "Renamed"
    assert caller.post(f"/directory/deletedItems/{mark}/restore", {})["id"] == mark
    assert caller.get(f"/groups/{mark}")["deletedDateTime"] is None
    assert caller.send("POST", f"/directory/deletedItems/{mark}/restore").status_code == 404
    assert caller.get("/groupSettings")["value"] == []


def test_somebodys_groups_count_with_those_around_them(caller: Caller, user: str) -> None:
    """The transitive ones hold the direct ones; security groups alone can be asked for, and given ones checked."""
    direct = ids(caller, f"/users/{user}/memberOf")
    every = ids(caller, f"/users/{user}/transitiveMemberOf")
    cast = ids(caller, f"/users/{user}/transitiveMemberOf/microsoft.graph.group?$count=true")
    assert direct < every == cast
    assert set(caller.post(f"/users/{user}/getMemberGroups", {"securityEnabledOnly": False})["value"]) == every
    secure = set(caller.post(f"/users/{user}/getMemberGroups", {"securityEnabledOnly": True})["value"])
    assert secure == {each for each in every if caller.get(f"/groups/{each}")["securityEnabled"]}
    asked = [*secure, "11111111-1111-1111-1111-111111111111"]
    assert set(caller.post(f"/users/{user}/checkMemberGroups", {"groupIds": asked})["value"]) == secure


def test_people_have_leaders_and_licences(caller: Caller, user: str) -> None:
    """Who is led is a report of who leads; the first of all is led by nobody."""
    other = caller.users()[1]
    leader = caller.get(f"/users/{other}/manager")["id"]
    assert other in ids(caller, f"/users/{leader}/directReports")
    assert caller.send("GET", f"/users/{user}/manager").status_code == 404
    assert caller.get(f"/users/{user}/licenseDetails")["value"][0]["skuPartNumber"] == "ENTERPRISEPACK"


def test_what_an_application_was_granted_comes_with_it(caller: Caller) -> None:
    """Where it is expanded, in a list and by itself."""
    wanted = f"appId eq '{caller.endpoints.client_id}'"
    (found,) = caller.get(f"/servicePrincipals?$expand=appRoleAssignments&$filter={wanted}")["value"]
    assert found["appRoleAssignments"] == caller.get(f"/servicePrincipals/{found['id']}/appRoleAssignments")["value"]
    assert "appRoleAssignments" not in caller.get(f"/servicePrincipals/{found['id']}")
