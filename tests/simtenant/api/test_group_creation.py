"""Groups made through Graph, and the teams that they become."""

import pytest

from tests.simtenant.caller import Caller, code_of

NEW = {
    "displayName": "Made", "mailEnabled": True, "mailNickname": "made", "securityEnabled": False,
    "groupTypes": ["Unified"], "description": "of a test",
}  # fmt: skip


def test_a_group_becomes_a_team(caller: Caller, user: str) -> None:
    """It has its owner and a drive from the start, is told by delta, and is no team until it is made one."""
    link = caller.walk("/groups/delta?$select=displayName")[1]
    users = "https://graph.microsoft.com/v1.0/users"
    bound = {"owners@odata.bind": [f"{users}/{user}"], "members@odata.bind": [f"{users}('{user}')"]}
    made = caller.post("/groups", NEW | bound)
    one = f"/groups/{made['id']}"
    assert (made["mail"].partition("@")[0], made["resourceProvisioningOptions"]) == ("made", [])
    assert [each["id"] for each in caller.walk(link)[0]] == [made["id"]]
    assert [each["id"] for each in caller.walk(f"{one}/owners")[0]] == [user]
    assert [each["id"] for each in caller.walk(f"{one}/members")[0]] == [user]
    assert caller.get(f"{one}/drive")["driveType"] == "documentLibrary"
    team = f"/teams/{made['id']}"
    assert caller.send("GET", team).status_code == caller.send("GET", f"{one}/team").status_code == 404
    done = caller.send("PUT", f"{one}/team", json={"funSettings": {"allowGiphy": False}})
    assert (done.status_code, done.json()["funSettings"]["allowGiphy"]) == (201, False)
    assert caller.get(f"{one}/team")["id"] == made["id"]
    assert [each["displayName"] for each in caller.walk(f"{team}/channels")[0]] == ["General"]
    assert caller.send("PUT", f"{one}/team", json={}).status_code == 409


def test_a_security_group_has_no_mail(caller: Caller) -> None:
    """It is found by its name, holds other groups, and cannot become a team."""
    other = caller.walk("/groups?$select=id")[0][0]["id"]
    bound = {"members@odata.bind": [f"https://graph.microsoft.com/v1.0/groups/{other}"]}
    made = caller.post("/groups", NEW | bound | {"mailEnabled": False, "securityEnabled": True, "groupTypes": []})
    assert (made["mail"], made["groupTypes"]) == (None, [])
    assert [each["id"] for each in caller.walk(f"/groups/{made['id']}/members")[0]] == [other]
    assert caller.send("PUT", f"/groups/{made['id']}/team", json={}).status_code == 400


@pytest.mark.parametrize(
    "wrong", [{"displayName": ""}, {"groupTypes": []}, {"mailNickname": "a b"}, {"mailEnabled": "yes"}]
)
def test_what_makes_no_group(caller: Caller, wrong: dict[str, object]) -> None:
    """Each property is needed, and they must fit together."""
    assert code_of(caller.send("POST", "/groups", json=NEW | wrong)) == "Request_BadRequest"


def test_names_in_addresses_are_used_once(caller: Caller) -> None:
    """A second group of the same mailNickname is refused, and so is a member that does not exist."""
    caller.post("/groups", NEW)
    assert "mailNickname already exists" in caller.send("POST", "/groups", json=NEW).json()["error"]["message"]
    unknown = NEW | {"mailNickname": "x", "owners@odata.bind": ["https://graph.microsoft.com/v1.0/users/nobody"]}
    assert caller.send("POST", "/groups", json=unknown).status_code == 404
