"""What mailboxes are for, rooms, licences, and the mailbox usage report."""

import csv
import io

from tests.simtenant.caller import Caller, code_of


def test_furniture_has_mailboxes_with_their_purpose(caller: Caller) -> None:
    """Shared mailboxes, rooms and equipment are disabled users without a licence; guests have no mailbox."""
    caller.control("/people", {"furnish": {"shared": 2, "rooms": 3, "equipment": 1, "guests": 1, "unlicensed": 1}})
    select = "?$select=id,accountEnabled,userType,assignedPlans"
    users = caller.walk("/users" + select)[0]
    assert len(users) == 4 + 8
    purposes = []
    for each in users:
        reply = caller.send("GET", f"/users/{each['id']}/mailboxSettings/userPurpose")
        purposes.append(reply.json()["value"] if reply.status_code == 200 else "none")
        if purposes[-1] in ("shared", "room", "equipment"):
            assert not each["accountEnabled"]
            assert each["assignedPlans"] == []
    assert sorted(purposes) == sorted(["user"] * 4 + ["shared"] * 2 + ["room"] * 3 + ["equipment"] + ["none"] * 2)
    shared = users[purposes.index("shared")]["id"]
    messages = list(caller.messages(shared))
    assert messages
    assert caller.send("GET", f"/users/{shared}/messages/{messages[0]['id']}/$value").status_code == 200
    assert code_of(caller.send("GET", f"/users/{shared}/drive")) == "ResourceNotFound"


def test_a_missing_mailbox_is_told_in_two_ways(caller: Caller, user: str) -> None:
    """Whose licence is taken gets either of two codes for one and the same mailbox."""
    caller.control("/people", {"unlicense": user})
    codes = [code_of(caller.send("GET", f"/users/{user}/mailFolders")) for _ in range(4)]
    assert codes == ["MailboxNotEnabledForRESTAPI", "ResourceNotFound"] * 2
    assert caller.get(f"/users/{user}?$select=assignedLicenses")["assignedLicenses"] == []
    caller.control("/people", {"license": user})
    assert list(caller.messages(user))


def test_rooms_lie_in_room_lists(caller: Caller) -> None:
    """Every room is in the list of its building and has the address of its mailbox."""
    caller.control("/people", {"furnish": {"rooms": 3}})
    rooms = {each["emailAddress"] for each in caller.walk("/places/microsoft.graph.room")[0]}
    assert len(rooms) == 3
    inside: list[str] = []
    for each in caller.walk("/places/microsoft.graph.roomList")[0]:
        found = caller.walk(f"/places/{each['id']}/microsoft.graph.roomList/rooms")[0]
        inside += [room["emailAddress"] for room in found]
    assert sorted(inside) == sorted(rooms)
    assert all(caller.get(f"/users/{room}")["mail"] == room for room in rooms)


def test_licences_are_counted(caller: Caller, user: str) -> None:
    """SubscribedSkus tells how many are in use."""
    before = caller.get("/subscribedSkus")["value"][0]["consumedUnits"]
    caller.control("/people", {"unlicense": user})
    assert caller.get("/subscribedSkus")["value"][0]["consumedUnits"] == before - 1


def report(caller: Caller) -> list[dict[str, str]]:
    """The rows of the mailbox usage report."""
    reply = caller.send("GET", "/reports/getMailboxUsageDetail(period='D7')")
    assert reply.status_code == 302
    content = caller.plain.get(reply.headers["location"]).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_the_usage_report_is_a_file_elsewhere(caller: Caller, user: str) -> None:
    """302 to a CSV on the storage host; names are hashed unless the administrator has said otherwise."""
    assert all("@" not in row["User Principal Name"] for row in report(caller))
    assert caller.get("/admin/reportSettings")["displayConcealedNames"]
    caller.control("/behaviour", {"concealed_names": False})
    rows = {row["User Principal Name"]: row for row in report(caller)}
    address = caller.get(f"/users/{user}")["userPrincipalName"]
    assert len(rows) == 4
    assert int(rows[address]["Item Count"]) == len(list(caller.messages(user)))
    assert {row["Has Archive"] for row in rows.values()} <= {"True", "False"}
    reply = caller.send("GET", "/reports/getMailboxUsageDetail(period='D7')")
    caller.control("/clock", {"seconds": 3600})
    assert caller.plain.get(reply.headers["location"]).status_code == 401
