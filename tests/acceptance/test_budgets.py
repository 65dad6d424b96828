"""A backup under Microsoft's limits, as a reader of the capture sees it who knows nothing of the client."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.acceptance.budgets import (
    MAILBOX_AT_ONCE,
    MOST_SHARE,
    Budget,
    fullest,
    main,
    most_at_once,
    published,
    read_capture,
    refused_share,
)
from tests.engine.chaos import PLAN, backed_up
from tuiback.model import Outcome
from tuiback.simtenant import Server

MAILBOX = "https://graph.microsoft.com/v1.0/users/u1/messages"


def line(time: float, seconds: float = 1.0, url: str = MAILBOX, **more: Any) -> Mapping[str, Any]:
    """A line of a capture."""
    plain = {"method": "GET", "status": 200, "request_bytes": 0, "body": None}
    return {"time": time, "seconds": seconds, "url": url, **plain, **more}


def written(path: Path, *lines: Mapping[str, Any]) -> Path:
    """A capture of these."""
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


def batch(time: float, *, chain: bool) -> Mapping[str, Any]:
    """Three messages of one mailbox, the last of them not carried out."""
    members = [
        {"id": str(n), "method": "GET", "url": f"/users/u1/messages/{n}/$value"}
        | ({"dependsOn": [str(n - 1)]} if chain and n else {})
        for n in range(3)
    ]
    answers = [{"id": "0", "status": 200}, {"id": "1", "status": 429}, {"id": "2", "status": 424}]
    url = "https://graph.microsoft.com/v1.0/$batch"
    return line(time, url=url, method="POST", members=members, body={"responses": answers})


def test_the_fullest_stretch_is_found_wherever_it_begins(tmp_path: Path) -> None:
    """Three of four requests lie within ten seconds, across what a fixed grid would cut."""
    capture = written(tmp_path / "c", *(line(moment) for moment in (0.0, 8.0, 12.0, 17.0)))
    budget = Budget("ten seconds", "outlook", "requests", 2, 10)
    found = fullest(read_capture(capture), budget)
    assert (found.used, found.share, found.holder) == (3, 1.5, "u1")


def test_members_of_a_batch_count_by_themselves(tmp_path: Path) -> None:
    """Each is charged to its mailbox, but for the one that was never carried out; a chain takes one place."""
    chain = written(tmp_path / "chain", batch(0.0, chain=True))
    requests = read_capture(chain)
    assert [(each.holder, each.status) for each in requests] == [("u1", 200), ("u1", 429)]
    assert refused_share(requests) == 0.5
    assert most_at_once(chain) == 1
    assert most_at_once(written(tmp_path / "side by side", batch(0.0, chain=False))) == 3


def test_what_exceeds_a_limit_is_told(tmp_path: Path) -> None:
    """Five at once in a mailbox end the reckoning with 1, four with 0."""
    assert main(written(tmp_path / "4", *[line(0.0)] * MAILBOX_AT_ONCE), 0) == 0
    assert main(written(tmp_path / "5", *[line(0.0)] * (MAILBOX_AT_ONCE + 1)), 0) == 1


async def test_a_backup_keeps_within_every_budget(tmp_path: Path) -> None:
    """Nothing is refused, and the fullest window of every budget holds no more than it may."""
    capture = tmp_path / "capture.jsonl"
    with Server(replace(PLAN, messages=40, capture=capture)) as server:
        outcome = await backed_up(server, tmp_path / "home", None)
    assert outcome.report.outcome is Outcome.OK
    requests = read_capture(capture)
    assert sum(each.service == "outlook" for each in requests) > 3 * 40
    assert refused_share(requests) == 0
    assert most_at_once(capture) <= MAILBOX_AT_ONCE
    assert all(fullest(requests, budget).share <= MOST_SHARE for budget in published())
