"""What Microsoft's bad days do to a backup: nothing."""

import re
import shutil
from pathlib import Path

from tests.acceptance.comparing import compare_exports, content_requests
from tests.acceptance.plain import Plain
from tests.acceptance.program import Installation, simulated


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
        fault = {"match": f"GET .*{re.escape(message_id)}.*value", "status": 500, "times": -1}
        plain.control("fault", fault)
        installed = Installation(tmp_path / "nas")
        installed.set_up(tenant, services=["exchange"])
        (run,) = installed.ask("run", "exchange", code=3)["runs"]
        assert (run["outcome"], run["owed"]) == ("partial", 1)
        (owed,) = installed.rows("owed")
        assert owed["tries"] == 1
        # The same again, but the service asks for no pauses.
        plain.control("fault", {"clear": True})
        plain.control("fault", {**fault, "retry_after": 0})
        installed.ask("run", "exchange", code=3)
        assert installed.rows("owed")[0]["tries"] == 2
        plain.control("fault", {"clear": True})
        installed.ask("run", "exchange")
        assert installed.rows("owed") == []
