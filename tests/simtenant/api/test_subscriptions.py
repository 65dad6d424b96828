"""Applications are told of changes once their receiver has shown that it listens."""

from datetime import UTC, datetime, timedelta

from tests.simtenant.caller import IMMUTABLE, Caller, code_of
from tests.simtenant.receiver import Receiver

SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def wish(receiver: Receiver, resource: str, types: str = "created,updated,deleted") -> dict[str, str]:
    """What a subscription is made of."""
    return {"changeType": types, "notificationUrl": receiver.url, "resource": resource, "clientState": "secret",
            "expirationDateTime": SOON}  # fmt: skip


def test_mail_that_comes_and_goes_is_told(caller: Caller, user: str, receiver: Receiver) -> None:
    """With the id in the form that was asked for; other folders are not of interest."""
    wanted = wish(receiver, f"/users/{user}/mailFolders('inbox')/messages")
    made = caller.post("/subscriptions", wanted, headers=IMMUTABLE)
    assert (made["changeType"], made["clientState"]) == ("created,deleted,updated", "secret")
    caller.post(f"/users/{user}/mailFolders/drafts/messages", {"subject": "elsewhere"})
    mail = caller.post(f"/users/{user}/mailFolders/inbox/messages", {"subject": "here"}, headers=IMMUTABLE)
    (told,) = receiver.next()
    assert (told["changeType"], told["resourceData"]["id"], told["clientState"]) == ("created", mail["id"], "secret")
    assert told["subscriptionId"] == made["id"]
    caller.send("PATCH", f"/users/{user}/messages/{mail['id']}", json={"isRead": True})
    assert receiver.next()[0]["changeType"] == "updated"
    caller.send("DELETE", f"/users/{user}/messages/{mail['id']}")
    assert receiver.next()[0]["changeType"] == "deleted"
    assert receiver.told.empty()


def test_files_people_and_groups_are_told(caller: Caller, user: str, receiver: Receiver) -> None:
    """A drive says only that it has changed; people who leave are deleted; an ended subscription is silent."""
    drive = caller.post("/subscriptions", wish(receiver, f"users/{user}/drive/root", "updated"))
    caller.send("PUT", f"/users/{user}/drive/root:/a.txt:/content", content=b"x")
    assert receiver.next()[0]["resource"] == f"users/{user}/drive/root"
    assert caller.send("DELETE", f"/subscriptions/{drive['id']}").status_code == 204
    caller.send("PUT", f"/users/{user}/drive/root:/b.txt:/content", content=b"x")
    caller.post("/subscriptions", wish(receiver, "users"))
    other = caller.users()[1]
    caller.control("/people", {"leave": other})
    assert [(each["changeType"], each["resourceData"]["id"]) for each in receiver.next()] == [("deleted", other)]


def test_subscriptions_are_renewed_and_expire(caller: Caller, user: str, receiver: Receiver) -> None:
    """For seven days at most; each application sees its own."""
    made = caller.post("/subscriptions", wish(receiver, f"users/{user}/messages"))
    one = f"/subscriptions/{made['id']}"
    later = (datetime.now(UTC) + timedelta(days=6)).isoformat()
    renewed = caller.send("PATCH", one, json={"expirationDateTime": later}).json()
    assert renewed["expirationDateTime"] > made["expirationDateTime"]
    late = (datetime.now(UTC) + timedelta(days=8)).isoformat()
    refused = caller.send("PATCH", one, json={"expirationDateTime": late})
    assert "can only be 10080 minutes" in refused.json()["error"]["message"]
    assert [each["id"] for each in caller.walk("/subscriptions")[0]] == [made["id"]]
    other = caller.control("/applications", {"secret": "s", "roles": []})["client_id"]
    caller.sign_in(other, "s")
    assert caller.walk("/subscriptions")[0] == []
    assert code_of(caller.send("POST", "/subscriptions", json=wish(receiver, "users"))) == "ExtensionError"
    caller.control("/clock", {"seconds": 7 * 86400})
    caller.sign_in(caller.endpoints.client_id, caller.endpoints.client_secret)
    assert caller.send("GET", one).status_code == 404


def test_a_receiver_must_listen(caller: Caller, user: str, receiver: Receiver) -> None:
    """One that answers wrongly or not at all gets nothing, and neither does one elsewhere."""
    receiver.willing = False
    given = wish(receiver, f"users/{user}/messages")
    refused = caller.send("POST", "/subscriptions", json=given)
    assert (refused.status_code, code_of(refused)) == (400, "ValidationError")
    away = caller.send("POST", "/subscriptions", json=given | {"notificationUrl": "https://receiver.example/x"})
    assert "timed out" in away.json()["error"]["message"]
    assert caller.walk("/subscriptions")[0] == []
    assert code_of(caller.send("POST", "/subscriptions", json=given | {"resource": "planets"})) == "InvalidRequest"
