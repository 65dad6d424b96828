"""The main job as a user runs it: back up real bytes, compare with another reader, survive kill -9."""

import email
import hashlib
import random
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated
from tuiback.catalog import same_content

# 45 messages that were collected because mail readers stumble over them.
NASTY = Path(email.__file__).parent.parent / "test" / "test_email" / "data"


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A folder of nasty messages and some plain ones."""
    folder = tmp_path / "mail"
    (folder / "nasty").mkdir(parents=True)
    for message in NASTY.glob("msg_*.txt"):
        shutil.copy(message, folder / "nasty")
    (folder / "escape").mkdir()
    for number in range(20):
        text = f"From: a@x.example\r\nTo: b@x.example\r\nSubject: \x1b[31m[red] {number}\r\n\r\nbody {number}\r\n"
        (folder / "escape" / f"{number}.eml").write_bytes(text.encode())
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A tree of files of many sizes."""
    chance = random.Random(7)
    folder = tmp_path / "files"
    for number, size in enumerate([0, 1, 159, 160, 161, 100_000, 131_072, 131_073, 700_000, 5_000_000]):
        path = folder / f"dept {number % 3}" / f"datei #{number} ü%.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(size))
    return folder


def hashes_of(folder: Path) -> list[str]:
    """The sha256 of every exported file, by the bytes that lie there."""
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name != "tuiback-manifest.jsonl"]
    return sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in paths)


def compare_exports(installed: Installation, plain: Plain) -> int:
    """Export every account and compare with what urllib reads; the number of items."""
    count = 0
    for row in installed.rows("account", "list"):
        to = installed.folder / "export" / row["account_id"].replace(":", "-").replace("!", "-")
        installed.run("export", row["account_id"], "--to", str(to))
        user = next(u for u in plain.users() if u["userPrincipalName"].casefold() == row["address"].casefold())
        served = plain.mail(user["id"]) if row["kind"] == "mailbox" else plain.files(user["id"])
        assert hashes_of(to) == sorted(served.values())
        if row["kind"] == "drive":
            exported = {str(p.relative_to(to)) for p in to.rglob("*") if p.is_file()} - {"tuiback-manifest.jsonl"}
            assert exported == set(served)
        count += len(served)
    return count


def content_requests(plain: Plain) -> int:
    """How many contents the simulated tenant has served."""
    routes = plain.control("stats")["by_route"]
    return sum(n for route, n in routes.items() if route.endswith(("/$value", "/content")) or "download" in route)


def test_backup_equals_the_tenant_and_a_second_run_fetches_nothing(tmp_path: Path, mail: Path, files: Path) -> None:
    """Every exported byte is what urllib reads; a second run asks each folder and drive once and fetches nothing."""
    with simulated("--mail", str(mail), "--files", str(files), "--users", "3") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        runs = installed.ask("run", "--all")["runs"]
        assert [r["outcome"] for r in runs] == ["ok", "ok"]
        plain = Plain(tenant)
        given = [p for p in (*mail.rglob("*"), *files.rglob("*")) if p.is_file()]
        assert compare_exports(installed, plain) == len(given)
        before = plain.control("stats")["by_route"]
        contents = content_requests(plain)
        runs = installed.ask("run", "--all")["runs"]
        assert [(r["outcome"], r["items_new"], r["bytes_read"]) for r in runs] == [("ok", 0, 0)] * 2
        assert content_requests(plain) == contents
        after = plain.control("stats")["by_route"]
        deltas = {k: after[k] - before.get(k, 0) for k in after if k.endswith("delta") and after[k] != before.get(k, 0)}
        folders = sum(len(list(plain._folders(u["id"]))) for u in plain.users())
        by_kind = {"messages": 0, "mailFolders": 0, "root": 0}
        for route, n in deltas.items():
            by_kind[route.rstrip("/").split("/")[-2]] += n
        assert by_kind == {"messages": folders, "mailFolders": 3, "root": 3}


@pytest.mark.parametrize("share", [0.15, 0.45, 0.8])
def test_kill_in_the_first_run_loses_nothing(tmp_path: Path, mail: Path, files: Path, share: float) -> None:
    """Killed in mid-run, the next run finishes; check is clean; the rebuilt catalog equals the old one."""
    with simulated("--mail", str(mail), "--files", str(files), "--users", "3", "--latency", "20") as tenant:
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        plain = Plain(tenant)
        given = sum(p.is_file() for p in (*mail.rglob("*"), *files.rglob("*")))
        run = installed.start("run", "--all")
        deadline = time.monotonic() + 60
        while content_requests(plain) < given * share:
            assert run.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        runs = installed.ask("run", "--all")["runs"]
        assert [r["outcome"] for r in runs] == ["ok", "ok"]
        assert installed.ask("check", "--read-data")["ok"]
        assert compare_exports(installed, plain) == given
        catalog = next(installed.home.rglob("catalog.db"))
        kept = tmp_path / "kept.db"
        shutil.copy(catalog, kept)
        installed.ask("rebuild-catalog")
        assert same_content(kept, catalog) == []


def test_faults_leave_the_same_state(tmp_path: Path, mail: Path, files: Path) -> None:
    """429, empty 503, a broken download and expired tokens end as if nothing had been; a corrupt item is owed."""
    with simulated("--mail", str(mail), "--files", str(files), "--users", "2") as tenant:
        plain = Plain(tenant)
        plain.control("fault", {"match": r"GET .*messages/delta", "status": 429, "retry_after": 1, "times": 2})
        plain.control("fault", {"match": r"GET .*/\$value", "status": 503, "times": 3, "body": ""})
        plain.control("fault", {"match": r"GET /(?!v1).*", "times": 3, "drop_after_bytes": 90_000})
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant)
        runs = installed.ask("run", "--all")["runs"]
        assert [r["outcome"] for r in runs] == ["ok", "ok"]
        assert sum(r["throttled"] for r in runs) >= 2
        given = sum(p.is_file() for p in (*mail.rglob("*"), *files.rglob("*")))
        assert compare_exports(installed, plain) == given
        shutil.rmtree(installed.folder / "export")
        contents = content_requests(plain)
        plain.control("expire-deltas", {})
        assert [r["outcome"] for r in installed.ask("run", "--all")["runs"]] == ["ok", "ok"]
        assert content_requests(plain) == contents
        assert compare_exports(installed, plain) == given


def test_an_item_that_fails_for_ever_is_owed(tmp_path: Path, mail: Path, files: Path) -> None:
    """It is told with exit 3, kept as owed, retried each run, and comes in when the service serves it again."""
    with simulated("--mail", str(mail), "--files", str(files), "--users", "1") as tenant:
        plain = Plain(tenant)
        user = plain.users()[0]
        message_id = min(plain.mail(user["id"]))
        plain.control("fault", {"match": f"GET .*{re.escape(message_id)}.*value", "status": 500, "times": -1})
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant, services=["exchange"])
        (run,) = installed.ask("run", "exchange", code=3)["runs"]
        assert (run["outcome"], run["owed"]) == ("partial", 1)
        (owed,) = installed.rows("owed")
        assert owed["tries"] == 1
        installed.ask("run", "exchange", code=3)
        assert installed.rows("owed")[0]["tries"] == 2
        plain.control("fault", {"clear": True})
        installed.ask("run", "exchange")
        assert installed.rows("owed") == []
