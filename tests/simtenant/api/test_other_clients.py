"""What public clients send besides: rclone, abraunegg's onedrive, python-o365 and Microsoft's SDKs."""

from base64 import b64encode

import httpx
import pytest

from tests.simtenant.caller import SCOPE, Caller, code_of
from tuiback.simtenant.content.app_roles import COMMAND_LINE_APP_ID


@pytest.fixture
def drive(caller: Caller, user: str) -> str:
    """The path of a user's drive."""
    return f"/drives/{caller.get(f'/users/{user}/drive')['id']}"


def signed_in(caller: Caller, account: str, scope: str) -> httpx.Client:
    """A client with the token of a person who signed in with a device code."""
    authority = f"{caller.endpoints.graph_url}/common/oauth2"
    flow = caller.plain.post(f"{authority}/v2.0/devicecode", data={"client_id": COMMAND_LINE_APP_ID, "scope": scope})
    given = {"user_code": flow.json()["user_code"], "account": account, "action": "accept"}
    assert caller.plain.post(f"{authority}/deviceauth", data=given).status_code == 200
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": COMMAND_LINE_APP_ID,
        "device_code": flow.json()["device_code"],
    }  # fmt: skip
    token = caller.plain.post(f"{authority}/v2.0/token", data=form).json()["access_token"]
    return httpx.Client(base_url=caller.root, headers={"Authorization": f"Bearer {token}"})


def test_me_is_who_has_signed_in(caller: Caller, user: str) -> None:
    """A person's token reaches that person's things, with permissions that need no .All, and nobody else's."""
    address = caller.get(f"/users/{user}")["userPrincipalName"]
    other = caller.users()[1]
    with signed_in(caller, address, "User.Read Files.ReadWrite Mail.Read") as person:
        assert person.get("/me").json()["id"] == user
        drive = person.get("/me/drive").json()["id"]
        assert person.get(f"/drives/{drive}/root/children").status_code == 200
        assert person.put("/me/drive/root:/mine.txt:/content", content=b"x").status_code == 201
        assert person.get("/me/messages?$top=1").json()["value"]
        assert code_of(person.get(f"/users/{other}/messages")) == "ErrorAccessDenied"
        assert code_of(person.get(f"/users/{other}/drive")) == "accessDenied"
        assert person.get("/users").status_code == 403
    with signed_in(caller, address, "Chat.Read") as person:
        mine = person.get("/me/chats").json()["value"]
        assert person.get(f"/chats/{mine[0]['id']}/messages").json()["value"]
        others = [each["id"] for each in caller.walk(f"/users/{other}/chats")[0]]
        strange = next(each for each in others if each not in {chat["id"] for chat in mine})
        assert code_of(person.get(f"/chats/{strange}/messages")) == "Forbidden"
    reply = caller.send("GET", "/me")
    assert (reply.status_code, code_of(reply)) == (400, "BadRequest")
    assert caller.plain.get(f"{caller.root}/me").status_code == 401


def test_people_write_in_chats_and_channels(caller: Caller, user: str) -> None:
    """On their behalf an application posts and answers as they would; by itself it can't."""
    address = caller.get(f"/users/{user}")["userPrincipalName"]
    chat = f"/chats/{caller.walk(f'/users/{user}/chats')[0][0]['id']}/messages"
    team = caller.walk(f"/users/{user}/joinedTeams")[0][0]["id"]
    channel = f"/teams/{team}/channels/{caller.get(f'/teams/{team}/primaryChannel')['id']}/messages"
    said = {"body": {"content": "hello"}}
    with signed_in(caller, address, "Chat.ReadWrite ChannelMessage.Send ChannelMessage.Read.All") as person:
        made = person.post(chat, json=said).json()
        assert (made["from"]["user"]["id"], made["body"]["content"]) == (user, "hello")
        assert person.get(f"{chat}?$top=1").json()["value"][0]["id"] == made["id"]
        root = person.post(channel, json=said).json()["id"]
        reply = person.post(f"{channel}/{root}/replies", json=said).json()
        assert (reply["replyToId"], person.post(channel, json={}).status_code) == (root, 400)
    assert code_of(caller.send("POST", chat, json=said)) == "Forbidden"
    assert code_of(caller.send("POST", channel, json=said)) == "Forbidden"


def test_options_go_without_their_dollar(caller: Caller, user: str, drive: str) -> None:
    """As onedrive for Linux writes them; and files can be filtered by a facet."""
    assert caller.get(f"/users/{user}?select=displayName").keys() == {"@odata.context", "id", "displayName"}
    page = caller.get(f"{drive}/root/children?select=id,name,folder&top=2&filter=folder ne null")
    assert all("folder" in each and "size" not in each for each in page["value"])
    root = caller.get(f"{drive}/root?expand=children(select=id)")
    assert len(root["children"]) == root["folder"]["childCount"]


def test_the_client_may_be_named_in_a_header(caller: Caller) -> None:
    """Libraries of other languages send the secret by HTTP's basic authentication."""
    ends = caller.endpoints
    basic = b64encode(f"{ends.client_id}:{ends.client_secret}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    url = f"{ends.authority}/oauth2/v2.0/token"
    assert caller.plain.post(url, data=form, headers={"Authorization": f"Basic {basic}"}).json()["access_token"]
    wrong = caller.plain.post(url, data=form, headers={"Authorization": "Basic !"}).json()
    assert wrong["error_codes"] == [700016]


def test_an_authority_is_discovered(caller: Caller) -> None:
    """The cloud's instance document leads to the configuration of the tenant that was asked about."""
    asked = f"https://login.microsoftonline.com/{caller.endpoints.tenant_id}/oauth2/v2.0/authorize"
    url = f"{caller.endpoints.graph_url}/common/discovery/instance"
    found = caller.plain.get(url, params={"api-version": "1.1", "authorization_endpoint": asked}).json()
    leads = caller.plain.get(found["tenant_discovery_endpoint"]).json()
    assert leads["token_endpoint"] == f"{caller.endpoints.authority}/oauth2/v2.0/token"


def test_files_are_searched_and_copied(caller: Caller, drive: str) -> None:
    """A search finds names below a folder; a copy is made behind a URL that tells of it."""
    caller.send("PUT", f"{drive}/root:/Folder/first.txt:/content", content=b"")
    folder = caller.post(f"{drive}/root/children", {"name": "Folder", "folder": {}})["id"]
    caller.send("PUT", f"{drive}/items/{folder}:/first.txt:/content", content=b"content")
    found = caller.walk(f"{drive}/root/search(q='FIRST')")[0]
    assert [each["name"] for each in found] == ["first.txt"]
    reply = caller.send("POST", f"{drive}/items/{folder}/copy", json={"name": "Twin"})
    assert reply.status_code == 202
    state = caller.plain.get(reply.headers["location"]).json()
    assert state["status"] == "completed"
    assert [each["name"] for each in caller.walk(f"{drive}/items/{state['resourceId']}/children")[0]] == ["first.txt"]
    again = caller.send("POST", f"{drive}/items/{folder}/copy", json={"name": "twin"})
    assert code_of(again) == "nameAlreadyExists"


def test_an_old_version_can_be_deleted(caller: Caller, drive: str) -> None:
    """The present one stays; the others keep their numbers."""
    item = f"{drive}/root:/versions.txt:"
    for content in (b"1", b"22", b"333"):
        caller.send("PUT", f"{item}/content", content=content)
    assert caller.send("DELETE", f"{item}/versions/2.0").status_code == 204
    assert [each["id"] for each in caller.walk(f"{item}/versions")[0]] == ["3.0", "1.0"]
    assert caller.send("GET", f"{item}/versions/2.0").status_code == 404
    assert caller.send("DELETE", f"{item}/versions/3.0").status_code == 400


def test_sessions_are_refused_what_has_no_room(caller: Caller, drive: str) -> None:
    """A file of more than 250 GB is 413; whether an existing file is replaced unasked is a switch."""
    start = f"{drive}/root:/big.bin:/createUploadSession"
    assert caller.send("POST", start, json={"item": {"fileSize": 300 * 1024**3}}).status_code == 413
    caller.send("PUT", f"{drive}/root:/big.bin:/content", content=b"old")
    whole = {"Content-Range": "bytes 0-2/3"}
    statuses = []
    for replaces in (False, True):
        caller.control("/behaviour", {"sessions_replace": replaces})
        url = caller.post(start, {"item": {}})["uploadUrl"]
        statuses.append(caller.plain.put(url, content=b"new", headers=whole).status_code)
    assert statuses == [409, 200]


def test_delta_may_tell_paths(caller: Caller, drive: str) -> None:
    """Documented not to; a switch, since clients rely on it."""
    caller.control("/behaviour", {"paths_in_delta": True})
    entries = caller.walk(f"{drive}/root/delta")[0]
    assert all("path" in each["parentReference"] for each in entries if "root" not in each)


def test_beta_is_another_root(caller: Caller, user: str, drive: str) -> None:
    """Everything of v1.0, contexts and links of its own, and the content of infected files for who insists."""
    beta = f"{caller.endpoints.graph_url}/beta"
    page = caller.get(f"{beta}/users?$top=1")
    assert page["@odata.context"].startswith(f"{beta}/$metadata")
    assert page["@odata.nextLink"].startswith(f"{beta}/users?")
    reply = caller.post(f"{beta}/$batch", {"requests": [{"id": "1", "method": "GET", "url": f"/users/{user}"}]})
    assert reply["responses"][0]["body"]["@odata.context"].startswith(beta)
    item = f"{drive}/root:/infected.txt:"
    caller.send("PUT", f"{item}/content", content=b"bytes")
    caller.control("/fault", {"id": "malware"})
    assert code_of(caller.send("GET", f"{item}/content")) == "malwareDetected"
    insisting = {"Prefer": "forceInfectedDownload"}
    assert caller.send("GET", f"{beta}{item}/contentStream").status_code == 403
    assert caller.send("GET", f"{beta}{item}/contentStream", headers=insisting).content == b"bytes"
    assert caller.send("GET", f"{item}/contentStream", headers=insisting).status_code == 400


def test_texts_are_looked_for_in_mail_but_not_in_the_directory(caller: Caller, user: str) -> None:
    """Contains, startswith and or pass for messages; the directory knows no contains."""
    subjects = [each["subject"] for each in caller.messages(user)]
    part = subjects[0][1:6].replace("'", "''")
    url = f"/users/{user}/messages?$select=subject&$top=100&$filter="
    found = {each["subject"] for each in caller.walk(f"{url}contains(subject,'{part}')")[0]}
    assert found == {each for each in subjects if subjects[0][1:6].lower() in each.lower()}
    either = caller.walk(f"{url}isRead eq true or isRead eq false")[0]
    assert len(either) == len(subjects)
    assert code_of(caller.send("GET", f"{url}contains(colour,'x')")) == "ErrorInvalidUrlQueryFilter"
    assert caller.send("GET", "/users?$filter=contains(displayName,'a')").status_code == 400


def test_notebooks_are_not_for_applications(caller: Caller, user: str) -> None:
    """401 at the OneNote API, since 2025."""
    refused = caller.send("GET", f"/users/{user}/onenote/notebooks")
    assert (refused.status_code, code_of(refused)) == (401, "40001")


def test_uploads_of_unknown_size_are_committed(caller: Caller, drive: str) -> None:
    """Fragments that don't tell the whole, then a last request without a range; a deferred one waits for a POST."""
    url = caller.post(f"{drive}/root:/open.bin:/createUploadSession", {"item": {}})["uploadUrl"]
    for start in (0, 3):
        part = caller.plain.put(url, content=b"abc", headers={"Content-Range": f"bytes {start}-{start + 2}/*"})
        assert (part.status_code, part.json()["nextExpectedRanges"]) == (202, [f"{start + 3}-"])
    assert caller.plain.put(url, content=b"").json()["size"] == 6
    late = {"item": {}, "deferCommit": True}
    url = caller.post(f"{drive}/root:/later.bin:/createUploadSession", late)["uploadUrl"]
    assert caller.plain.post(url).status_code == 400
    whole = caller.plain.put(url, content=b"abc", headers={"Content-Range": "bytes 0-2/3"})
    assert (whole.status_code, whole.json()["nextExpectedRanges"]) == (202, [])
    assert caller.send("GET", f"{drive}/root:/later.bin").status_code == 404
    assert caller.plain.post(url).status_code == 201


def test_a_name_that_was_taken_meanwhile(caller: Caller, drive: str) -> None:
    """409 at the last fragment; the upload is committed under another name without sending it again."""
    url = caller.post(f"{drive}/root:/taken.bin:/createUploadSession", {"item": {}})["uploadUrl"]
    caller.send("PUT", f"{drive}/root:/taken.bin:/content", content=b"other")
    last = caller.plain.put(url, content=b"abc", headers={"Content-Range": "bytes 0-2/3"})
    assert code_of(last) == "nameAlreadyExists"
    named = {"name": "taken.bin", "@microsoft.graph.conflictBehavior": "rename", "@microsoft.graph.sourceUrl": url}
    made = caller.send("PUT", f"{drive}/root", json=named)
    assert (made.status_code, made.json()["name"], made.json()["size"]) == (201, "taken 1.bin", 3)
    assert caller.send("PUT", f"{drive}/root", json=named).status_code == 404


def test_a_change_of_time_makes_a_version(caller: Caller, drive: str) -> None:
    """A PATCH of fileSystemInfo alone, as rclone has found."""
    item = f"{drive}/root:/timed.txt:"
    caller.send("PUT", f"{item}/content", content=b"x")
    times = {"fileSystemInfo": {"lastModifiedDateTime": "2020-02-02T02:02:02Z"}}
    assert caller.send("PATCH", item.removesuffix(":"), json=times).status_code == 200
    assert [each["id"] for each in caller.walk(f"{item}/versions")[0]] == ["2.0", "1.0"]


def test_folders_as_beta_and_expand_show_them(caller: Caller, user: str) -> None:
    """Beta lists all folders flat; $expand shows one level; well-known folders may be missing."""
    flat = caller.walk(f"{caller.endpoints.graph_url}/beta/users/{user}/mailFolders")[0]
    top = caller.walk(f"/users/{user}/mailFolders?$expand=childFolders")[0]
    below = [child["id"] for each in top for child in each["childFolders"]]
    assert below
    assert {*below, *(each["id"] for each in top)} < {each["id"] for each in flat}
    reply = caller.send("GET", f"/users/{user}/mailFolders/clutter")
    assert (reply.status_code, code_of(reply)) == (404, "ErrorItemNotFound")


def test_a_range_may_need_accept(caller: Caller, drive: str) -> None:
    """416 for who does not take anything, and only with the fault."""
    caller.send("PUT", f"{drive}/root:/r.txt:/content", content=b"range")
    url = caller.get(f"{drive}/root:/r.txt")["@microsoft.graph.downloadUrl"]
    caller.control("/fault", {"id": "range-needs-accept", "times": -1})
    only = {"Range": "bytes=0-1", "Accept": "text/plain"}
    assert caller.plain.get(url, headers=only).status_code == 416
    assert caller.plain.get(url, headers=only | {"Accept": "*/*"}).content == b"ra"


def test_answers_may_be_compressed(caller: Caller, user: str) -> None:
    """Larger ones, for who accepts it, and only with the switch."""
    url = f"/users/{user}/messages?$top=20"
    plain = caller.send("GET", url)
    caller.control("/behaviour", {"compressed": True})
    packed = caller.send("GET", url)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.json() == plain.json()
    assert "content-encoding" not in caller.send("GET", url, headers={"Accept-Encoding": "identity"}).headers
