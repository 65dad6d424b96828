"""Each named fault does what its name says, as often as it was ordered, and is counted."""

import json
from typing import Any

import httpx
import pytest

from tests.simtenant.caller import IMMUTABLE, SCOPE, Caller, code_of


def order(caller: Caller, fault: str, times: int = 1) -> None:
    """Let the next requests that fit be struck."""
    caller.control("/fault", {"id": fault, "times": times})


def struck(caller: Caller) -> dict[str, int]:
    """How often each fault struck."""
    found: dict[str, int] = caller.control("/stats")["faults"]
    return found


def a_file(caller: Caller, user: str) -> dict[str, Any]:
    """Some file that is not small."""
    entries, _ = caller.walk(f"/users/{user}/drive/root/delta")
    return max((each for each in entries if "file" in each), key=lambda each: int(each["size"]))


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttled", 429, "ApplicationThrottled"),
        ("throttled-without-retry-after", 429, "ApplicationThrottled"),
        ("unavailable", 503, "serviceNotAvailable"),
        ("unavailable-empty", 503, ""),
        ("internal-error", 500, "InternalServerError"),
        ("bad-gateway", 502, ""),
        ("gateway-timeout", 504, "UnknownError"),
        ("next-link-expired", 410, "SyncStateNotFound"),
        ("sync-state-not-found", 410, "SyncStateNotFound"),
        ("sync-state-invalid", 400, "SyncStateInvalid"),
        ("sync-folder-gone", 404, "ErrorSyncFolderNotFound"),
        ("user-invalid", 404, "ErrorInvalidUser"),
        ("too-many-objects-open", 429, "ErrorTooManyObjectsOpened"),
    ],
)
def test_refusals_come_once_and_change_nothing(caller: Caller, user: str, fault: str, status: int, code: str) -> None:
    """The request that fits gets the error, the next one the true answer."""
    url = f"/users/{user}/mailFolders/inbox/messages/delta?$select=subject"
    if fault == "next-link-expired":
        url = caller.get(url, headers=IMMUTABLE)["@odata.nextLink"]
    elif fault.startswith("sync-"):
        url = caller.walk(url, headers=IMMUTABLE)[1]
    order(caller, fault)
    reply = caller.send("GET", url, headers=IMMUTABLE)
    assert reply.status_code == status
    assert (code_of(reply) if code else reply.content[:6]) == (code or (b"<html>" if status == 502 else b""))
    assert ("retry-after" in reply.headers) == (fault in ("throttled", "unavailable"))
    assert caller.send("GET", url, headers=IMMUTABLE).status_code == 200
    assert struck(caller) == {fault: 1}


def test_one_message_alone_can_be_refused(caller: Caller, user: str) -> None:
    """Its MIME, or a new one where the mailbox is full."""
    message = f"/users/{user}/messages/{caller.get(f'/users/{user}/messages?$top=1')['value'][0]['id']}"
    order(caller, "mime-unconvertible")
    reply = caller.send("GET", f"{message}/$value")
    assert (reply.status_code, code_of(reply)) == (500, "ErrorContentConversionFailed")
    order(caller, "mailbox-full")
    reply = caller.send("POST", f"/users/{user}/messages", json={"subject": "x"})
    assert (reply.status_code, code_of(reply)) == (507, "ErrorQuotaExceeded")


@pytest.mark.parametrize(
    ("fault", "is_done"),
    [("connection-lost-before", False), ("answer-lost", True), ("connection-lost-in-answer", True)],
)
def test_a_lost_connection_before_or_after_the_work(caller: Caller, user: str, fault: str, *, is_done: bool) -> None:
    """The client sees no answer either way; only a look tells whether the folder was made."""
    order(caller, fault)
    with pytest.raises(httpx.TransportError):
        caller.send("POST", f"/users/{user}/mailFolders", json={"displayName": "Lost"})
    names = [each["displayName"] for each in caller.walk(f"/users/{user}/mailFolders")[0]]
    assert ("Lost" in names) == is_done


def test_a_slow_answer_is_the_true_one(caller: Caller, user: str) -> None:
    """It comes late, which is counted, and is what it would have been."""
    truth = caller.get(f"/users/{user}")
    order(caller, "slow-first-byte")
    assert caller.get(f"/users/{user}") == truth
    assert struck(caller) == {"slow-first-byte": 1}


def test_an_expired_token_stays_expired(caller: Caller) -> None:
    """401 from now on with this token, until another one is fetched."""
    order(caller, "token-expired")
    for _ in range(2):
        reply = caller.send("GET", "/users")
        assert (reply.status_code, code_of(reply)) == (401, "InvalidAuthenticationToken")
    caller.sign_in(caller.endpoints.client_id, caller.endpoints.client_secret)
    assert caller.send("GET", "/users").status_code == 200


def test_repeats_end_with_the_latest_state(caller: Caller, user: str) -> None:
    """A repeated file comes first with an older name; keeping the last of each id gives the truth."""
    url = f"/users/{user}/drive/root/delta"
    truth = {each["id"]: each["name"] for each in caller.walk(url)[0]}
    order(caller, "delta-repeats")
    entries, _ = caller.walk(url)
    assert len(entries) == len(truth) + 1
    assert {each["id"]: each["name"] for each in entries} == truth


def test_children_may_come_before_their_parents(caller: Caller, user: str) -> None:
    """The root, first by nature, is the last of its page."""
    order(caller, "child-before-parent")
    entries, _ = caller.walk(f"/users/{user}/drive/root/delta")
    assert "root" in entries[-1]


def test_an_empty_page_leads_on(caller: Caller, user: str) -> None:
    """No entries, a nextLink, and behind it everything."""
    url = f"/users/{user}/drive/root/delta"
    truth = caller.walk(url)[0]
    order(caller, "empty-page")
    page = caller.get(url)
    assert page["value"] == []
    assert "@odata.deltaLink" not in page
    assert [each["id"] for each in caller.walk(page["@odata.nextLink"])[0]] == [each["id"] for each in truth]


@pytest.mark.parametrize("with_location", [True, False])
def test_resync_in_the_middle_of_a_walk(caller: Caller, user: str, *, with_location: bool) -> None:
    """410 for a nextLink; the Location, where there is one, begins anew."""
    page = caller.get(f"/users/{user}/drive/root/delta?$top=5")
    order(caller, "resync-with-location" if with_location else "resync-without-location")
    reply = caller.send("GET", page["@odata.nextLink"])
    assert (reply.status_code, code_of(reply)) == (410, "resyncRequired")
    assert ("location" in reply.headers) == with_location
    if with_location:
        assert len(caller.walk(reply.headers["location"])[0]) > 5


def test_a_poisoned_message_kills_pages_until_it_is_alone(caller: Caller, user: str) -> None:
    """Pages that hold it with others are 500; pages of one can be read, and so all others are reached."""
    url = f"/users/{user}/mailFolders/inbox/messages/delta?$select=id"
    whole = caller.walk(url, headers=IMMUTABLE)[0]
    order(caller, "poison-item")
    reply = caller.send("GET", url, headers={"Prefer": 'IdType="ImmutableId", odata.maxpagesize=200'})
    assert (reply.status_code, code_of(reply)) == (500, "InternalServerError")
    single = {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=1'}
    assert caller.walk(url, headers=single)[0] == whole


@pytest.mark.parametrize("fault", ["item-vanishes", "item-vanishes-empty"])
def test_a_vanished_item_is_really_gone(caller: Caller, user: str, fault: str) -> None:
    """404 for a message and for a file, and neither exists afterwards."""
    message, file = next(iter(caller.messages(user)))["id"], a_file(caller, user)["id"]
    for url in (f"/users/{user}/messages/{message}/$value", f"/users/{user}/drive/items/{file}/content"):
        order(caller, fault)
        reply = caller.send("GET", url, headers=IMMUTABLE)
        assert (reply.status_code, bool(reply.content)) == (404, fault == "item-vanishes")
    held = {each["id"] for each in caller.control(f"/manifest?account={user}")["items"]}
    assert held
    assert not {message, file} & held


def test_downloads_meet_what_storage_hosts_do(caller: Caller, user: str) -> None:
    """401 once, the whole file for a Range, a wrong size, and no hash."""
    file = a_file(caller, user)
    url = file["@microsoft.graph.downloadUrl"]
    order(caller, "download-url-expired")
    assert caller.plain.get(url).status_code == 401
    order(caller, "range-ignored")
    whole = caller.plain.get(url, headers={"Range": "bytes=10-"})
    assert (whole.status_code, len(whole.content)) == (200, file["size"])
    assert caller.plain.get(url, headers={"Range": "bytes=10-"}).status_code == 206
    order(caller, "wrong-size")
    assert caller.get(f"/users/{user}/drive/items/{file['id']}")["size"] != len(whole.content)
    order(caller, "hash-missing")
    assert "hashes" not in caller.get(f"/users/{user}/drive/items/{file['id']}")["file"]
    order(caller, "bandwidth-exceeded")
    assert caller.plain.get(url).status_code == 509


def test_links_that_lead_nowhere(caller: Caller, user: str) -> None:
    """A nextLink without its user is 400, and so is a drive's token where tokens are not taken."""
    order(caller, "next-link-malformed")
    page = caller.get(f"/users/{user}/messages?$top=3&$select=id")
    assert caller.send("GET", page["@odata.nextLink"]).status_code == 400
    _, link = caller.walk(f"/users/{user}/drive/root/delta")
    order(caller, "delta-token-unsupported")
    assert "DeltaToken" in caller.send("GET", link).text
    assert caller.walk(link)[0] == []


def test_a_tenant_may_forbid(caller: Caller, user: str) -> None:
    """403 for a mailbox that the application may not enter, and for sharing where it is off."""
    order(caller, "mailbox-blocked", -1)
    assert [code_of(caller.send("GET", f"/users/{user}/mailFolders")) for _ in range(2)] == ["ErrorAccessDenied"] * 2
    item = f"/users/{user}/drive/items/{a_file(caller, user)['id']}"
    order(caller, "recipient-unresolved")
    reply = caller.send("POST", f"{item}/invite", json={"roles": ["read"], "recipients": [{"objectId": user}]})
    assert reply.json()["error"]["innerError"]["code"] == "noResolvedUsers"
    order(caller, "sharing-disabled")
    link = {"type": "view", "scope": "organization"}
    reply = caller.send("POST", f"/users/{user}/drive/items/{a_file(caller, user)['id']}/createLink", json=link)
    assert reply.json()["error"]["innerError"]["code"] == "sharingDisabled"


def test_an_uploaded_office_file_is_rewritten(caller: Caller, user: str) -> None:
    """Its hash and size are others when it is looked at again; text stays as it is."""
    order(caller, "office-enriched", 5)
    for name, is_changed in (("a.docx", True), ("a.txt", False)):
        item = f"/users/{user}/drive/root:/{name}:"
        made = caller.send("PUT", f"{item}/content", content=b"content").json()
        later = caller.get(f"/users/{user}/drive/items/{made['id']}")
        assert (later["file"]["hashes"] != made["file"]["hashes"]) == is_changed


def test_an_upload_url_may_be_unknown_at_first(caller: Caller, user: str) -> None:
    """The first fragment is 404 once; a name may be taken when the last one comes."""
    item = f"/users/{user}/drive/root:/late.bin:/createUploadSession"
    url = caller.post(item, {"item": {}})["uploadUrl"]
    span = {"Content-Range": "bytes 0-2/3"}
    order(caller, "upload-url-unknown")
    assert caller.plain.put(url, content=b"abc", headers=span).status_code == 404
    order(caller, "name-taken-at-end")
    assert code_of(caller.plain.put(url, content=b"abc", headers=span)) == "nameAlreadyExists"
    assert caller.plain.put(url, content=b"abc", headers=span).status_code == 201


@pytest.mark.parametrize(("fault", "status"), [("malware", 403), ("content-unavailable", 503)])
def test_a_file_may_be_unreadable_from_now_on(caller: Caller, user: str, fault: str, status: int) -> None:
    """The fault strikes once, its mark stays on the file."""
    file = a_file(caller, user)
    order(caller, fault)
    for _ in range(2):
        assert caller.send("GET", f"/users/{user}/drive/items/{file['id']}/content").status_code == status
        assert caller.plain.get(file["@microsoft.graph.downloadUrl"]).status_code == status
    assert ("malware" in caller.get(f"/users/{user}/drive/items/{file['id']}")) == (fault == "malware")


def test_a_batch_can_be_lost_or_one_of_its_members(caller: Caller) -> None:
    """The whole is struck as one request; a member that is struck is refused alone."""
    batch = {"requests": [{"id": str(number), "method": "GET", "url": "/users"} for number in range(3)]}
    order(caller, "connection-lost-before")
    with pytest.raises(httpx.TransportError):
        caller.send("POST", "/$batch", json=batch)
    order(caller, "resync-without-location")
    batch["requests"][1]["url"] = "/users/delta?$deltatoken=x"
    assert sorted(each["status"] for each in caller.post("/$batch", batch)["responses"]) == [200, 200, 410]


def test_writes_and_single_items_have_faults_of_their_own(caller: Caller, user: str) -> None:
    """A body that could not be read, a full quota, a locked file, a corrupt message, an unwieldy attachment list."""
    drive, message = f"/users/{user}/drive", next(iter(caller.messages(user)))["id"]
    file = a_file(caller, user)["id"]
    cases = [
        ("payload-read-error", "POST", f"/users/{user}/mailFolders", 400),
        ("quota-reached", "POST", f"{drive}/root:/x.bin:/createUploadSession", 507),
        ("locked", "GET", f"{drive}/items/{file}/content", 423),
        ("item-corrupt", "GET", f"/users/{user}/messages/{message}", 500),
        ("attachments-fail", "GET", f"/users/{user}/messages/{message}/attachments", 500),
    ]
    for fault, method, path, status in cases:
        order(caller, fault)
        body = {"displayName": "Struck", "item": {}} if method == "POST" else None
        assert caller.send(method, path, json=body).status_code == status
        assert caller.send(method, path, json=body, follow_redirects=False).status_code < 400


def test_json_may_hold_control_characters(caller: Caller, user: str) -> None:
    """Strict parsers refuse the text, lenient ones read it."""
    order(caller, "control-character")
    message = next(iter(caller.control(f"/manifest?account=mailbox:{user}")["items"]))["id"]
    reply = caller.plain.get(
        f"{caller.root}/users/{user}/messages/{message}", headers=IMMUTABLE | caller.authorization
    )
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert "\x0b" in json.loads(reply.text, strict=False)["bodyPreview"]


def test_chance_strikes_alike_for_the_same_seed(caller: Caller, user: str) -> None:
    """The same requests in the same order meet the same faults, at about the rate that was asked for."""
    ids = ["throttled", "unavailable-empty", "internal-error"]
    runs = []
    for seed in (7, 7, 8):
        caller.control("/mutate", {"reset": True})
        assert caller.control("/chaos", {"rate": 0.1, "seed": seed, "ids": ids})["ids"] == ids
        runs.append([caller.send("GET", f"/users/{user}").status_code for _ in range(150)])
        assert sum(struck(caller).values()) == sum(status != 200 for status in runs[-1])
    assert runs[0] == runs[1] != runs[2]
    assert 15 <= sum(status != 200 for status in runs[0]) <= 75
    caller.control("/chaos", {"rate": 0})
    assert all(caller.send("GET", f"/users/{user}").status_code == 200 for _ in range(20))


def test_all_faults_are_described_and_the_lasting_left_out_of_chance(caller: Caller) -> None:
    """GET /faults names each once; chaos without ids takes those that a client can get round."""
    faults = caller.control("/faults")["faults"]
    by_id = {each["id"]: each for each in faults}
    assert len(by_id) == len(faults) > 30
    chosen = caller.control("/chaos", {"rate": 0.02, "seed": 1})["ids"]
    assert set(chosen) == {each["id"] for each in faults if not each["lasting"] and not each["always"]}
    control = caller.endpoints.control_url
    assert caller.plain.post(f"{control}/fault", json={"id": "no-such-fault"}).status_code == 400
    assert caller.plain.post(f"{control}/fault", json={"id": "deleted-without-name"}).status_code == 400
    assert caller.plain.post(f"{control}/chaos", json={"ids": ["no-such-fault"]}).status_code == 400


@pytest.mark.parametrize(
    ("fault", "status", "number"),
    [
        ("sign-in-throttled", 429, 90033), ("sign-in-unavailable", 503, 90033), ("consent-missing", 400, 65001),
        ("conditional-access", 400, 53003), ("application-disabled", 400, 7000112),
    ],
)  # fmt: skip
def test_signing_in_may_be_refused(caller: Caller, fault: str, status: int, number: int) -> None:
    """The token endpoint says so in its own words, and gives a token the next time."""
    ends = caller.endpoints
    form = {"grant_type": "client_credentials", "client_id": ends.client_id, "client_secret": ends.client_secret}
    order(caller, fault)
    reply = caller.plain.post(f"{ends.authority}/oauth2/v2.0/token", data=form | {"scope": SCOPE})
    assert (reply.status_code, reply.json()["error_codes"]) == (status, [number])
    caller.sign_in(ends.client_id, ends.client_secret)
    assert struck(caller) == {fault: 1}


def test_some_answers_stay_refusals(caller: Caller, user: str) -> None:
    """An attachment that can't be opened, and a tenant without a licence for files."""
    found = caller.walk(f"/users/{user}/messages?$select=id&$filter=hasAttachments eq true&$top=50")[0]
    attachments = f"/users/{user}/messages/{found[0]['id']}/attachments"
    one = caller.get(f"{attachments}?$select=id")["value"][0]["id"]
    for fault, path, code in (
        ("attachment-unreadable", f"{attachments}/{one}/$value", "ErrorCannotOpenFileAttachment"),
        ("no-sharepoint-licence", f"/users/{user}/drive", "BadRequest"),
    ):
        order(caller, fault)
        assert code_of(caller.send("GET", path)) == code
        assert caller.send("GET", path).status_code == 200


@pytest.mark.parametrize("path", ["contacts", "todo/lists/defaultList/tasks"])
def test_contacts_and_tasks_vanish_and_lose_their_state(caller: Caller, user: str, path: str) -> None:
    """404 between a list and a read, which the next delta tells; a link of theirs may be forgotten as mail's are."""
    url = f"/users/{user}/{path}"
    _, link = caller.walk(f"{url}/delta")
    name = caller.get(url)["value"][0]["id"]
    order(caller, "item-vanishes")
    assert caller.send("GET", f"{url}/{name}").status_code == 404
    assert [each["id"] for each in caller.walk(link)[0] if "@removed" in each] == [name]
    order(caller, "resync-with-location")
    order(caller, "sync-state-not-found")
    assert code_of(caller.send("GET", link)) == "SyncStateNotFound"


@pytest.mark.parametrize("which", ["Apply", "Upload"])
def test_resync_says_whose_state_counts(caller: Caller, user: str, which: str) -> None:
    """The two codes that documentation names, with the link to begin with."""
    _, link = caller.walk(f"/users/{user}/drive/root/delta")
    order(caller, f"resync-{which.lower()}-differences")
    reply = caller.send("GET", link)
    assert (reply.status_code, code_of(reply)) == (410, f"resyncChanges{which}Differences")
    assert reply.headers["location"].endswith("/root/delta?token=")


def test_walks_of_what_people_share_begin_anew(caller: Caller) -> None:
    """A 410 names the link to begin with, for posts and for rows."""
    team = caller.walk("/teams?$select=id")[0][1]["id"]
    channel = caller.get(f"/teams/{team}/primaryChannel")["id"]
    site = caller.walk("/sites?$select=id")[0][-1]["id"]
    for url in (f"/teams/{team}/channels/{channel}/messages/delta", f"/sites/{site}/lists/Projects/items/delta"):
        everything, link = caller.walk(url)
        caller.control("/fault", {"id": "resync-with-location"})
        reply = caller.send("GET", link)
        assert reply.status_code == 410
        assert len(caller.walk(reply.headers["location"])[0]) == len(everything) > 0
