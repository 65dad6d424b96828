"""Pages of sites: what they show, how they are made and published, and the files that they are."""

from typing import Any

import pytest

from tests.simtenant.caller import Caller

BARE = {"Accept": "application/json;odata.metadata=none"}
PART = {"innerHtml": "<p>x</p>"}


@pytest.fixture
def site(caller: Caller) -> str:
    """The path of a site of no team."""
    return f"/sites/{caller.walk('/sites?$select=id')[0][-1]['id']}"


def canvas(*parts: dict[str, Any]) -> dict[str, Any]:
    """What a page with one section shows."""
    column = {"id": "1", "width": 12, "webparts": list(parts)}
    return {"horizontalSections": [{"layout": "oneColumn", "id": "1", "emphasis": "none", "columns": [column]}]}


def test_pages_show_web_parts(caller: Caller, site: str) -> None:
    """The list tells what they are, $expand what they show; each part can be asked for alone."""
    pages = caller.walk(f"{site}/pages")[0]
    assert {each["pageLayout"] for each in pages} == {"home", "article"}
    assert {each["publishingState"]["level"] for each in pages} == {"published", "draft"}
    assert all("canvasLayout" not in each for each in pages)
    home = f"{site}/pages/{next(each['id'] for each in pages if each['pageLayout'] == 'home')}/microsoft.graph.sitePage"
    shown = caller.get(f"{home}?$expand=canvasLayout")["canvasLayout"]
    columns = [column for section in shown["horizontalSections"] for column in section["columns"]]
    parts = [part["id"] for column in columns for part in column["webparts"]]
    parts += [part["id"] for part in shown["verticalSection"]["webparts"]]
    assert [each["id"] for each in caller.walk(f"{home}/webParts")[0]] == parts
    assert caller.get(f"{home}/webParts/{parts[0]}")["id"] == parts[0]
    assert caller.get(f"{home}/canvasLayout")["horizontalSections"] == shown["horizontalSections"]
    assert caller.get(f"{home}/canvasLayout/horizontalSections")["value"] == shown["horizontalSections"]
    assert caller.get(f"{home}/canvasLayout/verticalSection")["emphasis"] == "soft"
    assert "@odata.type" in str(shown)
    assert "@odata." not in str(caller.get(f"{home}?$expand=canvasLayout", headers=BARE))


def test_a_page_is_made_from_another(caller: Caller, site: str) -> None:
    """From what was read without metadata; not if it has parts that can't be made, nor without its type."""
    pages = caller.walk(f"{site}/pages/microsoft.graph.sitePage?$select=id,pageLayout")[0]
    made = []
    for each in pages:
        url = f"{site}/pages/{each['id']}/microsoft.graph.sitePage?$expand=canvasLayout"
        read = caller.get(url, headers=BARE) | {"name": f"copy-{each['id']}.aspx"}
        assert caller.send("POST", f"{site}/pages", json=read).status_code == 400
        made.append(caller.send("POST", f"{site}/pages", json=read | {"@odata.type": "#microsoft.graph.sitePage"}))
    assert [reply.status_code for reply in made] == [400 if each["pageLayout"] == "home" else 201 for each in pages]
    state = made[1].json()["publishingState"]
    assert (state["level"], state["versionId"], "checkedOutBy" in state) == ("checkout", "0.1", True)


def test_pages_are_drafts_until_published(caller: Caller, site: str) -> None:
    """A change makes a draft, publishing a whole version; every one is a version of the file."""
    given = {"@odata.type": "#microsoft.graph.sitePage", "name": "new.aspx", "title": "New"}
    page = f"{site}/pages/{caller.post(f'{site}/pages', given)['id']}"
    assert caller.send("POST", f"{site}/pages", json=given).status_code == 409
    changed = caller.send("PATCH", f"{page}/microsoft.graph.sitePage", json={"canvasLayout": canvas(PART)}).json()
    assert changed["publishingState"] == {"level": "draft", "versionId": "0.2"}
    assert caller.send("POST", f"{page}/microsoft.graph.sitePage/publish").status_code == 204
    assert caller.get(page)["publishingState"] == {"level": "published", "versionId": "1.0"}
    library = next(each for each in caller.walk(f"{site}/drives")[0] if each["name"] == "Site Pages")
    file = caller.get(f"/drives/{library['id']}/root:/new.aspx")
    assert file["eTag"].strip('"{').startswith(page.rpartition("/")[2].upper())
    assert len(caller.walk(f"/drives/{library['id']}/items/{file['id']}/versions")[0]) == 3
    assert b"CanvasContent1" in caller.plain.get(file["@microsoft.graph.downloadUrl"]).content
    assert caller.send("DELETE", page).status_code == 204
    assert caller.send("GET", page).status_code == 404
    assert caller.send("GET", f"/drives/{library['id']}/items/{file['id']}").status_code == 404
