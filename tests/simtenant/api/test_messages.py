"""Messages are listed, tell their changes folder by folder, and give their content."""

from base64 import b64decode
from email import message_from_bytes
from email.policy import default

from tests.simtenant.caller import IMMUTABLE, Caller, code_of

REGULAR = {"Prefer": "odata.maxpagesize=7"}


def delta_url(user: str, folder: str = "inbox") -> str:
    """The URL that begins a walk."""
    return f"/users/{user}/mailFolders/{folder}/messages/delta?$select=subject,changeKey"


def test_delta_walks_a_folder_page_by_page(caller: Caller, user: str) -> None:
    """Each message comes once, with the selected properties; the answer says which preferences it followed."""
    entries, _ = caller.walk(delta_url(user), headers=IMMUTABLE)
    assert len({each["id"] for each in entries}) == len(entries)
    assert len(entries) == caller.get(f"/users/{user}/mailFolders/inbox")["totalItemCount"] > 7
    assert all(each.keys() == {"@odata.type", "@odata.etag", "id", "subject", "changeKey"} for each in entries)
    reply = caller.send("GET", delta_url(user), headers=IMMUTABLE)
    assert reply.headers["preference-applied"] == 'odata.maxpagesize=7, IdType="ImmutableId"'


def test_later_rounds_tell_only_what_changed(caller: Caller, user: str) -> None:
    """New and changed messages come whole, deleted ones as @removed, and then there is nothing."""
    entries, link = caller.walk(delta_url(user), headers=IMMUTABLE)
    first, second, *_ = (each["id"] for each in entries)
    caller.send("PATCH", f"/users/{user}/messages/{first}", json={"isRead": False})
    caller.send("POST", f"/users/{user}/messages/{second}/permanentDelete")
    made = caller.post(f"/users/{user}/mailFolders/inbox/messages", {"subject": "new"}, headers=IMMUTABLE)
    later, link = caller.walk(link, headers=IMMUTABLE)
    by_id = {each["id"]: each for each in later}
    assert by_id.keys() == {first, second, made["id"]}
    assert by_id[second]["@removed"] == {"reason": "deleted"}
    assert by_id[first]["changeKey"] != entries[0]["changeKey"]
    assert by_id[made["id"]]["subject"] == "new"
    assert caller.walk(link, headers=IMMUTABLE)[0] == []


def test_a_move_keeps_the_immutable_id_and_changes_the_regular_one(caller: Caller, user: str) -> None:
    """Both folders tell it: removed here, added there; the old regular id then leads nowhere."""
    _, immutable_link = caller.walk(delta_url(user), headers=IMMUTABLE)
    entries, regular_link = caller.walk(delta_url(user), headers=REGULAR)
    _, target_link = caller.walk(delta_url(user, "archive"), headers=IMMUTABLE)
    old = entries[0]["id"]
    fixed = caller.get(f"/users/{user}/messages/{old}", headers=IMMUTABLE)["id"]
    new = caller.post(f"/users/{user}/messages/{old}/move", {"destinationId": "archive"})["id"]
    assert new != old
    for link, headers, expected in (
        (immutable_link, IMMUTABLE, (fixed, True)),
        (regular_link, REGULAR, (old, True)),
        (target_link, IMMUTABLE, (fixed, False)),
    ):
        assert [(each["id"], "@removed" in each) for each in caller.walk(link, headers=headers)[0]] == [expected]
    assert code_of(caller.send("GET", f"/users/{user}/messages/{old}")) == "ErrorItemNotFound"
    assert caller.get(f"/users/{user}/messages/{fixed}", headers=IMMUTABLE)["id"] == fixed


def test_changes_during_a_walk_are_told_in_the_next_round(caller: Caller, user: str) -> None:
    """Nothing that happens between two pages is lost."""
    first = caller.get(delta_url(user), headers=IMMUTABLE)
    caller.send("PATCH", f"/users/{user}/messages/{first['value'][0]['id']}", json={"isRead": False})
    _, link = caller.walk(first["@odata.nextLink"], headers=IMMUTABLE)
    assert [each["id"] for each in caller.walk(link, headers=IMMUTABLE)[0]] == [first["value"][0]["id"]]


def test_links_are_bound_to_their_folder_and_kind_of_ids(caller: Caller, user: str) -> None:
    """A link asked for with other ids, a made-up token and an expired one are refused as Exchange does."""
    _, link = caller.walk(delta_url(user), headers=IMMUTABLE)
    assert code_of(caller.send("GET", link, headers=REGULAR)) == "SyncStateInvalid"
    assert code_of(caller.send("GET", link.replace("inbox", "archive"), headers=IMMUTABLE)) == "SyncStateInvalid"
    assert code_of(caller.send("GET", link[:-3], headers=IMMUTABLE)) == "SyncStateInvalid"
    caller.control("/expire-deltas", {})
    reply = caller.send("GET", link, headers=IMMUTABLE)
    assert (reply.status_code, code_of(reply)) == (410, "SyncStateNotFound")
    assert "generation=" in reply.json()["error"]["message"]


def test_mime_properties_and_attachments_agree(caller: Caller, user: str) -> None:
    """$value, the JSON and the attachments of a message tell the same."""
    listed, _ = caller.walk(f"/users/{user}/messages?$filter=hasAttachments eq true&$select=id", headers=IMMUTABLE)
    assert listed
    for each in listed[:3]:
        url = f"/users/{user}/messages/{each['id']}"
        shown = caller.get(url + "?$expand=attachments", headers=IMMUTABLE)
        reply = caller.send("GET", url + "/$value")
        assert reply.headers["content-type"].startswith("text/plain")
        parsed = message_from_bytes(reply.content, policy=default)
        assert parsed["subject"] == shown["subject"]
        files, _ = caller.walk(url + "/attachments?$select=name,size")
        names = [part.get_filename() for part in parsed.iter_attachments() if part.get_filename()]
        assert [item["name"] for item in files] == names
        raw = caller.send("GET", f"{url}/attachments/{files[0]['id']}/$value").content
        assert len(raw) == files[0]["size"]
        assert raw == b64decode(shown["attachments"][0]["contentBytes"])


def test_lists_are_ordered_filtered_and_paged(caller: Caller, user: str) -> None:
    """The newest come first, ten to a page; a filter narrows them and an unknown one is refused."""
    page = caller.get(f"/users/{user}/messages?$select=receivedDateTime")
    times = [each["receivedDateTime"] for each in page["value"]]
    assert len(times) == 10
    assert times == sorted(times, reverse=True)
    assert "@odata.nextLink" in page
    message = caller.get(f"/users/{user}/messages?$select=internetMessageId&$top=1")["value"][0]
    quoted = message["internetMessageId"]
    found = caller.get(f"/users/{user}/messages?$filter=internetMessageId eq '{quoted}'&$select=id")["value"]
    assert message["id"] in {each["id"] for each in found}
    assert caller.send("GET", f"/users/{user}/messages?$filter=body eq 'x'").status_code == 400


def test_extended_properties_are_given_when_expanded(caller: Caller, user: str) -> None:
    """The flags and times that a restore needs can be read back."""
    message = next(caller.messages(user))["id"]
    wanted = "$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x0E07' or id eq 'SystemTime 0x0039')"
    found = caller.get(f"/users/{user}/messages/{message}?{wanted}", headers=IMMUTABLE)
    given = {each["id"]: each["value"] for each in found["singleValueExtendedProperties"]}
    assert given["SystemTime 0x0039"] == found["sentDateTime"]
    assert int(given["Integer 0x0E07"]) & 1 == found["isRead"]


def test_delta_tells_extended_properties(caller: Caller, user: str) -> None:
    """What $expand asked for at the beginning comes with every page, as the links carry the query."""
    size = "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')"
    url = f"{delta_url(user)}&$expand={size}"
    messages, _ = caller.walk(url, headers=IMMUTABLE)
    assert len(messages) > 7, "more than one page"
    for each in messages:
        mime = caller.send("GET", f"/users/{user}/messages/{each['id']}/$value", headers=IMMUTABLE).content
        assert each["singleValueExtendedProperties"] == [{"id": "Integer 0x0E08", "value": str(len(mime))}]
