"""People leave, are renamed, come back as somebody else, and delta tells of it."""

import pytest

from tests.simtenant.caller import Caller, code_of


def test_who_leaves_is_gone_everywhere_but_among_the_deleted(caller: Caller, user: str) -> None:
    """The user, the mailbox and the drive are 404; a restored user has everything again."""
    address = caller.get(f"/users/{user}")["userPrincipalName"]
    drive = caller.get(f"/users/{user}/drive")["id"]
    messages = list(caller.messages(user))
    caller.control("/people", {"leave": address})
    for path in (f"/users/{user}", f"/users/{address}/mailFolders", f"/users/{user}/drive", f"/drives/{drive}"):
        assert caller.send("GET", path).status_code == 404
    gone = caller.walk("/directory/deletedItems/microsoft.graph.user")[0]
    assert [each["id"] for each in gone] == [user]
    assert gone[0]["userPrincipalName"].endswith(address)
    assert gone[0]["userPrincipalName"] != address
    caller.control("/people", {"restore": user})
    assert list(caller.messages(user)) == messages
    assert caller.walk("/directory/deletedItems/microsoft.graph.user")[0] == []


def test_the_same_address_may_be_somebody_new(caller: Caller, user: str) -> None:
    """Made again, a user has another object id, an empty mailbox and an empty drive."""
    address = caller.get(f"/users/{user}")["userPrincipalName"]
    caller.control("/people", {"rehire": user})
    again = caller.get(f"/users/{address}")["id"]
    assert again != user
    assert list(caller.messages(again)) == []
    assert [each["name"] for each in caller.walk(f"/users/{again}/drive/root/delta")[0]] == ["root"]
    assert caller.control(f"/manifest?account={address}")["items"] == []
    reply = caller.plain.post(caller.endpoints.control_url + "/people", json={"restore": user})
    assert (reply.status_code, "belongs to somebody else" in reply.text) == (400, True)


def test_a_renamed_user_keeps_id_and_content(caller: Caller, user: str) -> None:
    """The new address leads to the same object; the old one stays as an address for mail only."""
    before = caller.get(f"/users/{user}")
    messages = list(caller.messages(user))
    caller.control("/people", {"rename": user, "family": "Newname"})
    after = caller.get(f"/users/{user}?$select=userPrincipalName,surname,proxyAddresses")
    assert after["surname"] == "Newname"
    assert after["proxyAddresses"] == [
        f"SMTP:{after['userPrincipalName']}", f"smtp:{before['userPrincipalName']}"
    ]  # fmt: skip
    assert caller.send("GET", f"/users/{before['userPrincipalName']}").status_code == 404
    assert list(caller.messages(after["userPrincipalName"])) == messages


def test_delta_follows_people(caller: Caller) -> None:
    """Who came, was renamed, left and left for good; minimal answers hold what changed only."""
    url = "/users/delta?$select=displayName,surname,userPrincipalName"
    first, link = caller.walk(url)
    assert {each["id"] for each in first} == set(caller.users())
    one, two, *_ = (each["id"] for each in first)
    new = caller.control("/people", {"hire": ""})["id"]
    caller.control("/people", {"leave": one})
    caller.control("/people", {"rename": two, "family": "Other"})
    caller.control("/people", {"unlicense": two})
    assert {each["id"]: each.get("@removed") for each in caller.walk(link)[0]} == {
        new: None, one: {"reason": "changed"}, two: None
    }  # fmt: skip
    minimal = {each["id"]: each for each in caller.walk(link, headers={"Prefer": "return=minimal"})[0]}
    assert minimal[two].keys() == {"id", "displayName", "surname", "userPrincipalName"}
    _, link = caller.walk(link)
    caller.control("/people", {"purge": one})
    assert caller.walk(link)[0] == [{"id": one, "@removed": {"reason": "deleted"}}]


def test_delta_tells_only_of_followed_properties(caller: Caller, user: str) -> None:
    """A change of licences is none for who follows names; latest begins with nothing."""
    _, names = caller.walk("/users/delta?$select=displayName")
    begun = caller.get("/users/delta?$deltaToken=latest&$select=assignedLicenses")
    assert begun["value"] == []
    caller.control("/people", {"unlicense": user})
    assert caller.walk(names)[0] == []
    assert [each["id"] for each in caller.walk(begun["@odata.deltaLink"])[0]] == [user]


def test_a_week_old_delta_link_is_gone(caller: Caller) -> None:
    """410 with the link to begin again."""
    _, link = caller.walk("/users/delta?$select=id")
    caller.control("/clock", {"seconds": 7 * 24 * 3600 + 60})
    caller.sign_in(caller.endpoints.client_id, caller.endpoints.client_secret)
    reply = caller.send("GET", link)
    assert reply.status_code == 410
    assert len(caller.walk(reply.headers["location"])[0]) == 4


def test_nobody_is_missed_when_people_leave_between_pages(caller: Caller) -> None:
    """A listing by delta goes on behind the last one shown, whoever is gone by then."""
    page = caller.get("/users/delta?$select=id", headers={"Prefer": "odata.maxpagesize=2"})
    caller.control("/people", {"leave": page["value"][0]["id"]})
    rest, _ = caller.walk(page["@odata.nextLink"])
    assert len(rest) == 2


@pytest.mark.parametrize("option", ["$top=5", "$orderby=displayName", "$filter=displayName eq 'x'"])
def test_delta_takes_few_options(caller: Caller, option: str) -> None:
    """What Graph's delta refuses is refused here."""
    assert code_of(caller.send("GET", f"/users/delta?{option}")) == "Request_UnsupportedQuery"


def test_filters_of_users(caller: Caller) -> None:
    """Comparisons, lists, beginnings, lambdas and truths, joined and negated; advanced ones need their header."""
    users = caller.walk("/users?$select=id,displayName,department,proxyAddresses")[0]
    caller.control("/people", {"furnish": {"guests": 1}})
    eventual = {"ConsistencyLevel": "eventual"}

    def found(text: str) -> set[str]:
        url = f"/users?$count=true&$select=id&$filter={text}"
        return {each["id"] for each in caller.walk(url, headers=eventual)[0]}

    everybody = {each["id"] for each in users}
    assert found("onPremisesSyncEnabled eq true OR userType ne 'Guest'") == everybody
    assert found("not(userType eq 'Guest') and accountEnabled eq true") == everybody
    assert found("onPremisesSyncEnabled eq null and userType eq 'Guest'").isdisjoint(everybody)
    one = users[1]
    assert found(f"startswith(displayName,'{one['displayName']}')") == {one["id"]}
    assert found(f"proxyAddresses/any(p:p eq '{one['proxyAddresses'][0]}')") == {one["id"]}
    assert found(f"id in ('{one['id']}', '{users[2]['id']}')") == {one["id"], users[2]["id"]}
    assert caller.send("GET", "/users/$count", headers=eventual).text == "5"
    assert caller.send("GET", "/users?$filter=userType ne 'Guest'").status_code == 400
    assert caller.send("GET", "/users?$filter=nonsense").status_code == 400
    assert caller.send("GET", "/users?$filter=colour eq 'red'").status_code == 400


def test_seeded_life_with_people_is_repeatable(caller: Caller) -> None:
    """The same seed gives the same company; nobody is left without at least two people."""
    done = caller.control("/mutate", {"changes": 120, "seed": 3, "people": True})
    assert sum(done.values()) == 120
    assert {"hire", "rename", "regroup"} <= done.keys()
    users = caller.walk("/users?$select=id,userPrincipalName")[0]
    caller.control("/mutate", {"reset": True})
    assert caller.control("/mutate", {"changes": 120, "seed": 3, "people": True}) == done
    assert caller.walk("/users?$select=id,userPrincipalName")[0] == users


@pytest.mark.parametrize(
    "order", [{}, {"leave": "nobody"}, {"restore": "nobody"}, {"furnish": {"pools": 1}}, {"join": "", "group": "x"}]
)
def test_wrong_orders_about_people_are_refused(caller: Caller, order: dict[str, object]) -> None:
    """400 and the reason."""
    assert caller.plain.post(caller.endpoints.control_url + "/people", json=order).status_code == 400
