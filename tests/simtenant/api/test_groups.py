"""Groups, their members, nested ones, and what delta tells of them."""

from tests.simtenant.caller import Caller, code_of

EVENTUAL = {"ConsistencyLevel": "eventual"}


def group(caller: Caller, name: str) -> str:
    """The id of the group with this name."""
    found = caller.get(f"/groups?$filter=displayName eq '{name}'&$select=id")["value"]
    return str(found[0]["id"])


def ids(caller: Caller, url: str) -> set[str]:
    """The ids in a whole listing, each of which must come once."""
    found = [each["id"] for each in caller.walk(url, headers=EVENTUAL)[0]]
    assert len(found) == len(set(found))
    return set(found)


def test_nested_members_are_found_once_each(caller: Caller) -> None:
    """Direct members are groups, transitive ones everybody below; a cast leaves the users only."""
    everyone = group(caller, "All staff")
    direct = caller.walk(f"/groups/{everyone}/members")[0]
    assert {each["@odata.type"] for each in direct} == {"#microsoft.graph.group"}
    cast = f"/groups/{everyone}/transitiveMembers/microsoft.graph.user?$count=true&$select=id"
    assert ids(caller, cast) == set(caller.users())
    below = set(caller.users()) | {each["id"] for each in direct}
    assert ids(caller, f"/groups/{everyone}/transitiveMembers?$top=3") == below
    assert ids(caller, f"/groups/{group(caller, 'Backup scope')}/transitiveMembers") > set(caller.users())


def test_a_cast_is_an_advanced_query(caller: Caller) -> None:
    """Without ConsistencyLevel and $count it is refused."""
    reply = caller.send("GET", f"/groups/{group(caller, 'All staff')}/members/microsoft.graph.user")
    assert (reply.status_code, code_of(reply)) == (400, "Request_UnsupportedQuery")


def test_delta_tells_who_came_and_who_left(caller: Caller, user: str) -> None:
    """The first round holds all members, the next only the changed groups with the members that changed."""
    groups, link = caller.walk("/groups/delta?$select=displayName,members")
    known = {each["id"]: {member["id"] for member in each.get("members@delta", [])} for each in groups}
    for name, members in known.items():
        assert members == ids(caller, f"/groups/{name}/members")
    target = next(name for name, members in known.items() if user not in members)
    caller.control("/people", {"join": user, "group": target})
    entries, link = caller.walk(link)
    assert [(each["id"], [member["id"] for member in each["members@delta"]]) for each in entries] == [(target, [user])]
    caller.control("/people", {"leave": user})
    entries, link = caller.walk(link)
    assert target in {each["id"] for each in entries}
    for each in entries:
        assert each["members@delta"] == [
            {"@odata.type": "#microsoft.graph.user", "id": user, "@removed": {"reason": "deleted"}}
        ]
    assert user not in ids(caller, f"/groups/{target}/members")
    assert caller.walk(link)[0] == []


def test_groups_of_a_user_and_unknown_groups(caller: Caller, user: str) -> None:
    """MemberOf is the other side of members; what is no group is 404."""
    for each in caller.walk(f"/users/{user}/memberOf")[0]:
        assert user in ids(caller, f"/groups/{each['id']}/members")
    unified = caller.walk("/groups?$filter=groupTypes/any(c:c eq 'Unified')")[0]
    assert unified
    assert all(each["mailEnabled"] for each in unified)
    assert code_of(caller.send("GET", "/groups/nothing")) == "Request_ResourceNotFound"
