"""OneNote as people who have signed in reach it: notebooks, sections, pages and what lies beside them."""

import re

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def reader(caller: Caller) -> Caller:
    """Acts on behalf of the first person."""
    mail = caller.get("/users?$top=1&$select=mail")["value"][0]["mail"]
    caller.sign_in_person(mail, "https://graph.microsoft.com/Notes.ReadWrite.All")
    return caller


def test_notebooks_lead_to_pages_and_their_files(reader: Caller) -> None:
    """From the notebook over sections and groups of sections to a page, its HTML, and the picture in it."""
    (book,) = reader.walk("/me/onenote/notebooks?$expand=sections,sectionGroups($expand=sections)")[0]
    assert (book["isDefault"], [each["displayName"] for each in book["sections"]]) == (True, ["Meetings", "Ideas"])
    assert book["sectionGroups"][0]["sections"][0]["displayName"] == "Old"
    old = reader.walk(book["sectionGroups"][0]["sectionsUrl"])[0][0]
    assert (old["parentNotebook"]["id"], old["parentSectionGroup"]["displayName"]) == (book["id"], "Archive")
    pages = reader.walk("/me/onenote/pages?$top=4")[0]
    assert len(pages) == 6
    assert {each["id"] for each in reader.walk(old["pagesUrl"])[0]} < {each["id"] for each in pages}
    first = reader.walk(f"{book['sections'][0]['pagesUrl']}?$orderby=createdDateTime&pagelevel=true")[0][0]
    assert (first["order"], first["parentSection"]["displayName"]) == (0, "Meetings")
    html = reader.send("GET", first["contentUrl"])
    assert html.headers["content-type"].startswith("text/html")
    assert f"<title>{first['title']}</title>" in html.text.replace("&amp;", "&")
    picture = re.search(r'<img [^>]*src="([^"]+)"', html.text)
    assert picture is not None
    assert reader.send("GET", picture[1]).content.startswith(b"\x89PNG")
    named = reader.walk("/me/onenote/sections?$filter=displayName eq 'Old'&$select=displayName")[0]
    assert [each["id"] for each in named] == [old["id"]]


def test_pages_are_written(reader: Caller) -> None:
    """A section is made, a page put into it with a picture, changed and deleted."""
    book = reader.post("/me/onenote/notebooks", {"displayName": "Mine"})
    section = reader.post(book["sectionsUrl"], {"displayName": "New"})
    assert code_of(reader.send("POST", book["sectionsUrl"], json={"displayName": "new"})) == "20117"
    assert code_of(reader.send("POST", book["sectionsUrl"], json={"displayName": "a?b"})) == "20153"
    html = '<html><head><title>One &amp; two</title></head><body><p>x</p><img src="name:pic" /></body></html>'
    files = {"Presentation": (None, html, "text/html"), "pic": ("a.png", b"picture", "image/png")}
    made = reader.send("POST", section["pagesUrl"], files=files)
    assert (made.status_code, made.json()["title"]) == (201, "One & two")
    url = made.json()["contentUrl"]
    shown = reader.send("GET", url).text
    assert reader.send("GET", re.findall(r'src="([^"]+)"', shown)[0]).content == b"picture"
    more = [{"target": "body", "action": "append", "content": "<p>y</p>"}]
    assert reader.send("PATCH", url, json=more).status_code == 204
    assert "<p>y</p>" in reader.send("GET", url).text
    assert code_of(reader.send("POST", section["pagesUrl"], json={})) == "20110"
    assert reader.send("DELETE", made.json()["self"]).status_code == 204
    assert code_of(reader.send("GET", url)) == "20102"


def test_who_may_see_notes(reader: Caller) -> None:
    """Sites are open, groups to their members, other people's notes to nobody; and the permission is asked for."""
    root = reader.root
    app, secret = reader.endpoints.client_id, reader.endpoints.client_secret
    as_person = dict(reader.authorization)
    reader.sign_in(app, secret)
    others = reader.users()
    team = next(each for each in reader.walk("/groups")[0] if each["groupTypes"])["id"]
    inside = {each["id"] for each in reader.walk(f"/groups/{team}/members")[0]}
    site = reader.get(f"/groups/{team}/sites/root")["id"]
    mail = reader.get(f"/users/{others[1]}")["mail"]

    def seen(path: str) -> int:
        return reader.plain.get(f"{root}/{path}/onenote/notebooks", headers=as_person).status_code

    assert (seen(f"users/{others[0]}"), seen(f"users/{others[1]}"), seen(f"sites/{site}")) == (200, 403, 200)
    assert seen(f"groups/{team}") == (200 if others[0] in inside else 403)
    reader.sign_in_person(mail, "https://graph.microsoft.com/User.Read")
    assert code_of(reader.send("GET", "/me/onenote/notebooks")) == "40004"
