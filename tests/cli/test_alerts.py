"""Alerts from end to end: real receivers hear of each change once, and the command line shows and acknowledges them."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Tuiback
from tests.cli.test_serving import start
from tests.engine.receivers import Mailbox, in_background, mail_server, web_server
from tuiback.cli.secret import read_key
from tuiback.engine.commands import Check
from tuiback.engine.home import Home
from tuiback.engine.hosting.link import HostedLink, host
from tuiback.model import AlertStatus


def wait_for(happened: Callable[[], bool]) -> None:
    """Return when it has happened; fail after half a minute."""
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def known(engine: HostedLink) -> tuple[AlertStatus, ...]:
    """The alerts that consoles see."""
    picture = engine.status()
    return picture.alerts if picture else ()


@pytest.fixture
def failing(tuiback: Tuiback, home: Path, tmp_path: Path, hasty: None) -> Path:
    """A home with a task whose tenant nobody answers for."""
    (tmp_path / "secret").write_text("x\n")
    assert tuiback(
        "--home", home, "tenant", "add", "acme", "--tenant-id", "t", "--client-id", "c", "--cloud", "custom",
        "--graph-url", "http://127.0.0.1:1", "--authority", "http://127.0.0.1:1/t",
        "--client-secret-file", tmp_path / "secret",
    ).code == 0  # fmt: skip
    assert tuiback(
        "--home", home, "task", "add", "mail", "--tenant", "acme", "--service", "exchange", "--all",
        "--objective", "26h", "--mode", "scheduled", "--cron", "0 22 * * *",
    ).code == 0  # fmt: skip
    return home


def test_each_change_is_told_once(tuiback: Tuiback, failing: Path, tmp_path: Path) -> None:
    """A failing run opens an alert, a second one tells nothing new, and with its task the alert closes."""

    def call(*arguments: str | Path) -> int:
        return tuiback("--home", failing, *arguments).code

    with in_background(web_server()) as web, in_background(mail_server(Mailbox())) as sink:
        (tmp_path / "url").write_text(f"{web.url}/ping/secret-uuid\n")
        assert call("notify", "add", "webhook", "hook", "--url", f"{web.url}/hook") == 0
        assert call("notify", "add", "ping", "hc", "--url-file", tmp_path / "url") == 0
        assert call(
            "notify", "add", "smtp", "ops", "--host", "127.0.0.1", "--port", str(sink.port), "--security", "none",
            "--from", "nas@acme.example", "--to", "ops@acme.example",
        ) == 0  # fmt: skip
        assert call("notify", "test") == 0
        assert web.paths == ["/hook", "/ping/secret-uuid"] or web.paths == ["/ping/secret-uuid", "/hook"]
        web.came.clear()
        sink.mails.clear()

        assert call("run", "mail") != 0
        assert Counter(web.paths) == {"/ping/secret-uuid/start": 1, "/hook": 1, "/ping/secret-uuid/fail": 1}
        (notice,) = [json.loads(body) for _, path, body, _ in web.came if path == "/hook"]
        assert (notice["event"], notice["alert"]["id"]) == ("opened", "failed:mail")
        assert "sign-in gets no answer" in notice["alert"]["text"]
        assert call("run", "mail") != 0
        assert len(sink.mails) == 1

        assert call("task", "remove", "mail", "--data", "keep") == 0
        assert [json.loads(body)["event"] for _, path, body, _ in web.came if path == "/hook"] == ["opened", "closed"]
        assert ["CLOSED" in mail["Subject"] for mail in sink.mails] == [False, True]
    logged = (failing / "log" / "engine.jsonl").read_text()
    assert "alert: the last run failed" in logged
    assert "secret-uuid" not in logged


def test_alerts_are_listed_and_acknowledged(tuiback: Tuiback, failing: Path) -> None:
    """What somebody knows asks for nobody: neither the list nor the monitor counts it; the dead engine still counts."""
    assert tuiback("--home", failing, "run", "mail").code != 0
    (row,) = tuiback("--json", "--home", failing, "alerts").rows
    assert (row["schema"], row["id"], row["severity"], row["acked"]) == (
        "tuiback.alerts/1", "failed:mail", "critical", False,
    )  # fmt: skip
    assert b"failed:mail" in tuiback("--home", failing, "alerts").out
    assert tuiback("--json", "--home", failing, "status").document["alerts"][0]["id"] == "failed:mail"
    line = tuiback("--home", failing, "status", "--monitor")
    assert (line.code, line.out.count(b"\n")) == (2, 1)
    assert b"the last run failed" in line.out

    acked = tuiback("--json", "--home", failing, "alerts", "ack", "failed:mail", "--reason", "line is cut")
    assert acked.document == {"schema": "tuiback.alerts-ack/1", "name": "failed:mail"}
    (row,) = tuiback("--json", "--home", failing, "alerts").rows
    assert (row["acked"], row["ack_reason"]) == (True, "line is cut")
    line = tuiback("--home", failing, "status", "--monitor")
    assert line.code == 2
    assert b"no engine runs" in line.out
    assert b"the last run failed" not in line.out
    assert tuiback("--home", failing, "alerts", "ack", "low:main").code == 6


def test_a_repository_that_is_not_mounted_is_told_though_no_engine_starts(
    tuiback: Tuiback, failing: Path, tmp_path: Path
) -> None:
    """Each night that fails is one with nothing new; when it is back the alert closes."""
    with in_background(web_server()) as web:
        assert tuiback("--home", failing, "notify", "add", "webhook", "hook", "--url", f"{web.url}/hook").code == 0
        (failing / "repository").rename(tmp_path / "elsewhere")
        for _ in range(2):
            assert tuiback("--home", failing, "run", "mail").code == 7
        assert [json.loads(body)["alert"]["id"] for _, _, body, _ in web.came] == ["missing:main"]
        (tmp_path / "elsewhere").rename(failing / "repository")
        assert tuiback("--home", failing, "task", "pause", "mail").code == 0
        assert [json.loads(body)["event"] for _, _, body, _ in web.came] == ["opened", "closed"]


def test_damage_stays_an_alert_until_it_is_repaired(tuiback: Tuiback, seeded: Path) -> None:
    """What `check` found is known to the monitor as soon as an engine has looked."""
    pack = max((seeded / "repository" / "packs").rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
    content = pack.read_bytes()
    pack.chmod(0o600)
    pack.write_bytes(content[:-1])
    assert tuiback("--home", seeded, "check").code == 9
    assert tuiback("--home", seeded, "task", "pause", "mail").code == 0
    rows = {row["id"]: row for row in tuiback("--json", "--home", seeded, "alerts").rows}
    assert rows["damage:main"]["severity"] == "critical"
    pack.write_bytes(content)
    assert tuiback("--home", seeded, "check").code == 0
    assert tuiback("--home", seeded, "task", "resume", "mail").code == 0
    assert "damage:main" not in {row["id"] for row in tuiback("--json", "--home", seeded, "alerts").rows}


def test_a_dead_engine_pings_no_more(tuiback: Tuiback, failing: Path, tmp_path: Path) -> None:
    """While it serves it pings, and so do the metrics; killed, the monitor is critical and nobody hears from it."""
    with in_background(web_server()) as web:
        ping = ["notify", "add", "ping", "hc", "--url", f"{web.url}/p", "--every", "10"]
        assert tuiback("--home", failing, *ping).code == 0
        with start(failing) as serving:
            wait_for(lambda: web.paths[:2] == ["/p/start", "/p"])
            wait_for(lambda: tuiback("--home", failing, "status", "--monitor").code == 0)
            serving.kill()
            serving.communicate(timeout=30)
        heard = len(web.came)
        ended = tuiback("--home", failing, "status", "--monitor")
        assert ended.code == 2
        assert b"no engine runs, so 1 task will not run" in ended.out
        assert len(web.came) == heard


def test_what_the_engine_finds_broken_by_itself_is_told_too(seeded: Path) -> None:
    """Its own checks leave the same alert as `check` does."""
    segment = max((seeded / "repository" / "packs").rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
    segment.chmod(0o600)
    segment.write_bytes(segment.read_bytes()[:-1])
    engine = host(Home.open(seeded), "run", lambda ref: read_key(Path(str(ref.key_file))))
    try:
        assert engine.submit(Check()).result(30)["damaged"]
        wait_for(lambda: any(alert.alert == "damage:main" for alert in known(engine)))
    finally:
        engine.close()
