"""Tests of report and coverage."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.seed import DRIVE, MAILBOX
from tests.cli.test_end_to_end import add_tenant, control
from tuiback.cli.reporting import as_csv, as_html
from tuiback.engine.upkeep.reporting import Section, Span
from tuiback.simtenant import Plan, Server

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_report(tuiback: Tuiback, seeded: Path) -> None:
    """Only what lies in the span, its last day too; every form tells the same rows."""
    tuiback("--home", seeded, "cat", MAILBOX, "--id", "m-hello", "--reason", "asked by the works council")
    tuiback("--home", seeded, "hold", "add", "--task", "mail", "--reason", "law")
    line = ["report", "--from", "2026-11-21", "--to", "2099-12-31"]
    main = tuiback("--json", "--home", seeded, *line).document["repositories"]["main"]
    assert [run["run"] for run in main["runs"]] == [2]
    points = {row["account_id"]: (row["points"], row["points_in_span"]) for row in main["accounts"]}
    assert points == {MAILBOX: (2, 1), DRIVE: (1, 0)}
    assert [row["reason"] for row in main["restores"]] == ["asked by the works council"]
    assert [row["action"] for row in main["changes"]] == ["hold-add"]
    assert [(row["task"], row["state"]) for row in main["holds"]] == [("mail", "held")]
    assert [(row["task"], row["keep"]) for row in main["retention"]] == [("files", "all"), ("mail", "all")]
    assert [row["error"] for row in main["owed"]] == ["500: no"]
    assert [(row["check"], row["packs"], row["never_checked"], row["all_checked_since"]) for row in main["checks"]] == [
        ("checksums", 2, 2, None), ("content", 2, 2, None),
    ]  # fmt: skip
    assert tuiback("--home", seeded, "check", "--read-data").code == 0
    checks = tuiback("--json", "--home", seeded, *line).document["repositories"]["main"]["checks"]
    assert [row["never_checked"] for row in checks] == [0, 0]
    assert all(row["all_checked_since"] for row in checks)
    assert main["audit"] == [{"finding": "whole"}]
    as_table = list(csv.reader(io.StringIO(tuiback("--home", seeded, *line, "--format", "csv").out.decode())))
    assert ["runs", "main"] in as_table
    page = tuiback("--home", seeded, *line).out.decode()
    assert "works council" in page
    assert page.startswith("<!DOCTYPE html>")
    assert tuiback("--home", seeded, "report", "--from", "2026-11-22", "--to", "2026-11-21").code == 2


def hostile(text: str) -> dict[str, list[Section]]:
    """A report with something that a stranger wrote."""
    return {"main": [Section("owed", "Owed", ("path", "tries"), ((text, -3),))]}


@pytest.mark.parametrize("text", ["=cmd|'/C calc'!A1", "+1", "-1+2", "@SUM(1)", " =1", "\t=1", "\r=1"])
def test_no_spreadsheet_runs_what_strangers_wrote(text: str) -> None:
    """Numbers stay numbers."""
    rows = list(csv.reader(io.StringIO(as_csv(hostile(text)))))
    assert rows[2][0].startswith("'")
    assert rows[2][1] == "-3"


def test_no_browser_runs_what_strangers_wrote() -> None:
    """Neither tags nor quotes nor control characters come through."""
    page = as_html(hostile("<script>alert('x')</script>\x1b[2J"), Span(NOW, NOW), NOW)
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)" in page
    assert "\x1b" not in page


@pytest.fixture
def server() -> Iterator[Server]:
    """A tenant of two people."""
    with Server(Plan(users=2, messages=2, files_per_user=2)) as served:
        yield served


def test_coverage(tuiback: Tuiback, home: Path, server: Server) -> None:
    """Who is protected by no task, and who is excluded, as the tenant is now; whom no one could ask about is told."""
    add_tenant(tuiback, home, server, server.endpoints.client_secret)
    listed = tuiback("--json", "--home", home, "coverage").rows
    addresses = sorted({row["account"] for row in listed if row["kind"] == "mailbox"})
    assert {row["reason"][:22] for row in listed} == {"was never backed up: i"}
    assert tuiback("--home", home, "run", "--all").code == 0
    assert tuiback("--json", "--home", home, "coverage").rows == []
    assert tuiback("--home", home, "task", "edit", "mail", "--exclude", addresses[0]).code == 0
    (row,) = tuiback("--json", "--home", home, "coverage").rows
    assert (row["account"], row["kind"], row["reason"]) == (addresses[0], "mailbox", "excluded from task mail")
    control(server, "fault", match="GET /v1.0/users", status=403, times=-1)
    refused = tuiback("--json", "--home", home, "coverage")
    assert refused.code == 3
    assert "acme" in refused.err


@pytest.mark.usefixtures("hasty")
def test_owed_is_acknowledged_and_tried_again(tuiback: Tuiback, home: Path, server: Server) -> None:
    """A debt makes runs partial until somebody puts up with it, and is gone once it can be paid."""
    add_tenant(tuiback, home, server, server.endpoints.client_secret)
    control(server, "fault", match=r"GET .*/messages/[^/]+/\$value", status=400, times=-1)
    assert tuiback("--home", home, "run", "mail").code == 3
    ids = [row["id"] for row in tuiback("--json", "--home", home, "owed", "mail").rows]
    assert len(ids) == 4
    for owed_id in ids[1:]:
        assert tuiback("--home", home, "owed", "ack", owed_id, "--reason", "known").code == 0
    assert tuiback("--home", home, "owed", "retry", "mail").code == 3
    last = tuiback("--json", "--home", home, "owed", "ack", ids[0], "--reason", "known")
    assert last.document["name"] == ids[0]
    (run,) = tuiback("--json", "--home", home, "owed", "retry").document["runs"]
    assert (run["outcome"], run["owed"]) == ("ok", 4)
    assert [row["acknowledged"] for row in tuiback("--json", "--home", home, "owed").rows] == ["known"] * 4
    server.reset()
    assert tuiback("--home", home, "owed", "ack", "none", "--reason", "x").code == 6
    assert tuiback("--home", home, "owed", "ack", ids[0]).code == 2
