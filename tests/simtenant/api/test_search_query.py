"""Searches across mail, files and sites, for people and for applications."""

from typing import Any

from tests.simtenant.api.test_other_clients import signed_in
from tests.simtenant.caller import Caller, code_of


def asked(kind: str, text: str, **more: Any) -> dict[str, Any]:
    """A body with one request."""
    return {"requests": [{"entityTypes": [kind], "query": {"queryString": text}, **more}]}


def test_people_find_mail_files_and_sites(caller: Caller, user: str) -> None:
    """Theirs and the company's, page by page, each hit with its resource."""
    address = caller.get(f"/users/{user}")["userPrincipalName"]
    caller.post(f"/users/{user}/messages", {"subject": "marmalade one", "body": {"content": "spread"}})
    caller.post(f"/users/{user}/messages", {"subject": "marmalade two", "body": {"content": "spread"}})
    file = caller.send("PUT", f"/users/{user}/drive/root:/Marmalade.docx:/content", content=b"x").json()
    with signed_in(caller, address, "Mail.Read Files.Read.All Sites.Read.All") as person:

        def hits(kind: str, text: str, **more: Any) -> dict[str, Any]:
            reply = person.post("/search/query", json=asked(kind, text, **more)).json()["value"][0]
            found: dict[str, Any] = reply["hitsContainers"][0]
            return found

        found = hits("message", "subject:marmalade", size=1)
        assert (found["total"], found["moreResultsAvailable"], len(found["hits"])) == (2, True, 1)
        second = hits("message", "marmalade", **{"from": 1, "size": 1})
        assert second["moreResultsAvailable"] is False
        names = {each["hits"][0]["resource"]["subject"] for each in (found, second)}
        assert names == {"marmalade one", "marmalade two"}
        files = hits("driveItem", "marmalade AND filetype:docx")["hits"]
        assert [(each["hitId"], each["resource"]["name"]) for each in files] == [(file["id"], "Marmalade.docx")]
        assert hits("site", "intranet")["total"] == 1
        assert "hits" not in hits("driveItem", "nothing-of-that-name")
        assert person.post("/search/query", json=asked("message", "x", size=26)).status_code == 400


def test_applications_search_no_mail(caller: Caller, user: str) -> None:
    """Only files and sites, and they say in which region."""
    caller.send("PUT", f"/users/{user}/drive/root:/Marmalade.docx:/content", content=b"x")
    found = caller.post("/search/query", asked("driveItem", "filename:marmalade", region="EUR"))["value"][0]
    assert found["hitsContainers"][0]["total"] == 1
    nothing: dict[str, Any] = {"requests": []}
    for body in (asked("driveItem", "x"), asked("message", "x", region="EUR"), asked("site", ""), nothing):
        reply = caller.send("POST", "/search/query", json=body)
        assert (reply.status_code, code_of(reply)) == (400, "BadRequest")
