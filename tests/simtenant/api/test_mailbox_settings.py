"""How a mailbox is set up: settings, rules, categories, and in beta the hidden configurations of folders."""

from tests.simtenant.caller import Caller, code_of


def test_settings_are_changed_in_part(caller: Caller, user: str) -> None:
    """What is given changes, what is not stays, and each can be asked for alone."""
    url = f"/users/{user}/mailboxSettings"
    before = caller.get(url)
    away = {"automaticRepliesSetting": {"status": "alwaysEnabled", "internalReplyMessage": "away"}}
    told = caller.send("PATCH", url, json=away | {"timeZone": "UTC", "userPurpose": "room"}).json()
    assert told.keys() == {"@odata.context", "automaticRepliesSetting", "timeZone"}
    after = caller.get(url)
    assert after["automaticRepliesSetting"] == before["automaticRepliesSetting"] | away["automaticRepliesSetting"]
    assert (after["timeZone"], after["userPurpose"]) == ("UTC", "user")
    assert caller.get(f"{url}/timeZone")["value"] == "UTC"
    assert caller.get(f"{url}/workingHours")["startTime"] == before["workingHours"]["startTime"]
    assert caller.send("GET", f"{url}/nothing").status_code == 400


def test_rules_are_written_in_their_order(caller: Caller, user: str) -> None:
    """Only the Inbox has them; a folder is named by its id."""
    url = f"/users/{user}/mailFolders/inbox/messageRules"
    rules = caller.get(url)["value"]
    archive = caller.folder(user, "archive")
    assert rules[0]["actions"]["moveToFolder"] == archive
    made = caller.post(url, {"displayName": "First", "sequence": 0, "actions": {"markAsRead": True}})
    assert caller.get(url)["value"][0]["displayName"] == "First"
    caller.send("PATCH", f"{url}/{made['id']}", json={"isEnabled": False, "conditions": {"subjectContains": ["x"]}})
    held = caller.get(f"{url}/{made['id']}")
    assert (held["isEnabled"], held["conditions"]) == (False, {"subjectContains": ["x"]})
    assert caller.send("DELETE", f"{url}/{made['id']}").status_code == 204
    assert caller.get(url)["value"] == rules
    assert caller.send("GET", f"/users/{user}/mailFolders/drafts/messageRules").status_code == 400
    assert caller.send("POST", url, json={"displayName": "No actions", "sequence": 1}).status_code == 400


def test_categories_have_a_name_for_good_and_a_colour(caller: Caller, user: str) -> None:
    """Colours change, names don't and are taken in any case of letters."""
    url = f"/users/{user}/outlook/masterCategories"
    made = caller.post(url, {"displayName": "Urgent", "color": "preset2"})
    assert code_of(caller.send("POST", url, json={"displayName": "urgent"})) == "CategoryNameDuplicate"
    changed = caller.send("PATCH", f"{url}/{made['id']}", json={"color": "preset9", "displayName": "Other"}).json()
    assert (changed["color"], changed["displayName"]) == ("preset9", "Urgent")
    assert caller.send("PATCH", f"{url}/{made['id']}", json={"color": "pink"}).status_code == 400
    assert caller.send("DELETE", f"{url}/{made['id']}").status_code == 204
    assert "Urgent" not in {each["displayName"] for each in caller.walk(url)[0]}


def test_configurations_are_beta(caller: Caller, user: str) -> None:
    """They are read by folder and name, and can't be listed; v1.0 has none."""
    beta = caller.root.replace("/v1.0", "/beta") + f"/users/{user}/mailFolders"
    assert caller.get(f"{beta}/msgfolderroot/userConfigurations/OWA.UserOptions")["structuredData"]
    made = caller.post(f"{beta}/inbox/userConfigurations", {"id": "Mine", "binaryData": "AAEC"})
    assert (made["id"], made["binaryData"], made["xmlData"]) == ("Mine", "AAEC", None)
    url = f"{beta}/inbox/userConfigurations/Mine"
    assert caller.send("PATCH", url, json={"xmlData": "PHgvPg=="}).json()["binaryData"] == "AAEC"
    assert caller.send("POST", f"{beta}/inbox/userConfigurations", json={"id": "Mine"}).status_code == 409
    assert caller.send("GET", url.replace("/beta", "/v1.0")).status_code == 400
    assert caller.send("DELETE", url).status_code == 204
    assert caller.send("GET", url).status_code == 404


def test_settings_ask_for_their_permission(caller: Caller, user: str) -> None:
    """403 for writing with the permission to read; configurations have one of their own."""
    made = caller.control("/applications", {"secret": "s", "roles": ["MailboxSettings.Read"]})
    caller.sign_in(made["client_id"], "s")
    assert caller.send("GET", f"/users/{user}/outlook/masterCategories").status_code == 200
    assert code_of(caller.send("PATCH", f"/users/{user}/mailboxSettings", json={})) == "ErrorAccessDenied"
    beta = caller.root.replace("/v1.0", "/beta") + f"/users/{user}/mailFolders/inbox/userConfigurations/x"
    assert code_of(caller.send("GET", beta)) == "ErrorAccessDenied"
