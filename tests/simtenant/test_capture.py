"""Every exchange is written down, without its secrets."""

import json
from pathlib import Path

from tests.simtenant.caller import Caller
from tuiback.simtenant import Plan, Server


def test_each_exchange_is_one_line_without_secrets(tmp_path: Path) -> None:
    """Sign-in, Graph, download: method, URL, status and JSON are there; tokens and the client's secret are not."""
    path = tmp_path / "capture.jsonl"
    plan = Plan(users=1, messages=1, files_per_user=2, capture=path)
    with Server(plan) as server, Caller(server.endpoints) as caller:
        user = caller.users()[0]
        items, _ = caller.walk(f"/users/{user}/drive/root/delta")
        link = next(each["@microsoft.graph.downloadUrl"] for each in items if "file" in each)
        caller.plain.get(link)
        caller.send("GET", "/users/nobody")
        token = caller.send("GET", f"/users/{user}").request.headers["authorization"].removeprefix("Bearer ")
    text = path.read_text()
    assert token not in text
    assert server.endpoints.client_secret not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [each["status"] for each in lines] == [200, 200, 200, 200, 404, 200]
    assert [each["method"] for each in lines] == ["POST"] + ["GET"] * 5
    assert lines[0]["body"] is None
    assert lines[1]["body"]["value"][0]["id"] == user
    assert lines[1]["request_headers"]["authorization"] == "Bearer -"
    assert lines[3]["url"] == link
    assert all(each["seconds"] >= 0 and each["sent_whole"] for each in lines)


def test_a_batch_tells_what_it_asked_for(tmp_path: Path) -> None:
    """Whose budgets it is charged to shows in its members alone; what else they carry stays out."""
    path = tmp_path / "capture.jsonl"
    asked: list[dict[str, object]] = [
        {"id": "1", "method": "GET", "url": "/users"},
        {"id": "2", "method": "GET", "url": "/groups", "dependsOn": ["1"], "headers": {"authorization": "Bearer x"}},
    ]
    plan = Plan(users=1, messages=1, files_per_user=1, capture=path)
    with Server(plan) as server, Caller(server.endpoints) as caller:
        caller.send("POST", "/$batch", json={"requests": asked})
    line = json.loads(path.read_text().splitlines()[-1])
    assert line["members"] == [asked[0], {name: text for name, text in asked[1].items() if name != "headers"}]
